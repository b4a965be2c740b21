"""Writes what scripts/bench.sh has measured as Markdown: machine, targets, bound, growth. Standard library alone."""

import argparse
import json
import math
import pathlib
import platform
import re
import statistics


def read(path):
    return path.read_text() if path.exists() else None


def number(value):
    return "not found" if value is None else f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def verdict(reached):
    return {True: "reached", False: "**not reached**", None: ""}[reached]


def at_most(value, most):
    return value is not None and value <= most


def machine():
    model = re.search(r"model name\s*: (.*)", read(pathlib.Path("/proc/cpuinfo")) or "")
    cores = len(re.findall(r"^processor", read(pathlib.Path("/proc/cpuinfo")) or "", re.M))
    flags = " ".join(flag for flag in ("avx2", "avx512f") if flag in (read(pathlib.Path("/proc/cpuinfo")) or ""))
    return f"{model.group(1) if model else platform.processor()}, {cores} cores, {flags}; {platform.system()} {platform.release()}"


def scale_lines(folder, picture):
    """The section on large models, and its picture: a step over its bound, and JAX over a step."""
    points = json.loads(read(folder / "scale.json") or '{"scale": []}')["scale"]
    if not points:
        return []
    jax = json.loads(read(folder / "scale_jax.json") or '{"jax": "", "rows": []}')
    peers = {((r["pixels"], r["units"]), r["batch"], r["threads"]): r for r in jax["rows"]}
    blas = {((r["pixels"], r["units"]), r["batch"], int(t)): ms for r in jax["rows"] for t, ms in r["blas_ms"].items()}
    lines = [
        "",
        "## Large models",
        "",
        "Gaussian pixels below student-t units (and gaussian ones between them), sampled interneurons, float32. The bound of a step: the products of"
        " the whole batch on these threads, by the libraries of the program or NumPy's BLAS, whichever is faster, plus the normals alone. Step,"
        " products and normals ran in turn; over the bound is the median of their ratios within rounds.",
        "",
        "![a step over its bound, and JAX over a step, against the number of weights](screenshots/scale.svg)",
        "",
        "| units | batch | threads | step, ms | products, ms | the same by BLAS, ms | normals, ms | over the bound | JAX, ms | JAX over heescope |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    over, ratios = [], []
    for p in points:
        key = (tuple(p["units"]), p["batch"], p["threads"])
        products = blas.get(key, math.inf)
        ratio = p["over_the_bound"] if p["products_ms"] <= products else p["step_ms"] / (products + p["normals_ms"])
        weights = sum(a * b for a, b in zip(p["units"], p["units"][1:]))
        over.append((weights, ratio))
        peer = peers.get(key)
        if peer:
            ratios.append((weights, peer["ratio"]))
        cell = lambda value: "" if value is None else number(value)
        lines.append(
            f"| {' x '.join(map(str, p['units']))} | {p['batch']} | {p['threads']} | {number(p['step_ms'])} | {number(p['products_ms'])} | "
            f"{cell(blas.get(key))} | {number(p['normals_ms'])} | {ratio:.2f} | {cell(peer and peer['jax_ms'])} | {cell(peer and peer['ratio'])} |"
        )
    picture.write_text(scale_picture(over, ratios))
    return lines


def scale_picture(over, ratios):
    """Both ratios against the number of weights, on logarithmic axes."""
    width, height, left, bottom, top = 520, 300, 50, 40, 20
    logs = [math.log10(w) for w, _ in over]
    low, high = min(logs) - 0.1, max(logs) + 0.1
    x = lambda weights: left + (width - left - 15) * (math.log10(weights) - low) / (high - low)
    y = lambda ratio: height - bottom - (height - bottom - top) * math.log(ratio / 0.5) / math.log(20 / 0.5)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for ratio in (0.5, 1, 2, 5, 10, 20):
        colour = "#888" if ratio == 1 else "#ddd"
        out.append(f'<path d="M{left} {y(ratio):.1f}H{width - 15}" stroke="{colour}"/><text x="{left - 6}" y="{y(ratio) + 4:.1f}" text-anchor="end">{ratio}</text>')
    for decade in range(math.ceil(low), math.floor(high) + 1):
        out.append(f'<text x="{x(10**decade):.1f}" y="{height - bottom + 16}" text-anchor="middle">{10**decade:,}</text>')
    out.append(f'<text x="{(left + width) / 2}" y="{height - 6}" text-anchor="middle">weights</text>')
    for points, colour, name, at in ((over, "#1f77b4", "a step over its bound", 0), (ratios, "#d62728", "JAX over a step", 1)):
        out += [f'<circle cx="{x(w):.1f}" cy="{y(min(max(r, 0.5), 20)):.1f}" r="3" fill="{colour}"/>' for w, r in points]
        out.append(f'<text x="{left + 10 + 170 * at}" y="14" fill="{colour}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=pathlib.Path, required=True)
    options.add_argument("--before", type=float, required=True)
    options.add_argument("--after", type=float, required=True)
    options.add_argument("--picture", type=pathlib.Path, required=True, help="the picture of the scale to write (SVG)")
    given = options.parse_args()
    bench = json.loads(read(given.folder / "bench.json"))
    watched = bench["watched"]
    figures = {f["key"]: f for f in bench["figures"]}
    lines = [
        "# Benchmarks",
        "",
        "Written by `scripts/bench.sh`; do not edit.",
        "",
        f"Machine: {machine()}. Load average before {given.before:.2f}, after {given.after:.2f}"
        + (" (the machine was busy with other work: times are too long)." if given.before > 0.7 else "."),
        f"Medians of {bench['rounds']} rounds; what is compared ran in turn.",
        "",
        "| what | measured | unit | target | |",
        "|---|---|---|---|---|",
    ]
    row = lambda what, value, unit, target, reached: lines.append(
        f"| {what} | {number(value)} | {unit} | {'' if target is None else target} | {verdict(reached)} |"
    )
    for f in bench["figures"]:
        row(f["what"], f["value"], f["unit"], f["target"], f["reached"])
    jax = read(given.folder / "jax.json")
    if jax:
        jax = json.loads(jax)
        for r, least in zip(jax["rows"], (None, 4)):
            row(f"JAX {jax['jax']} jitted, {r['shape']}", r["jax_ms"], "ms", None, None)
            row("heescope in the same run", r["heescope_ms"], "ms", None, None)
            row("JAX over heescope, median of pairs", r["ratio"], "times", least, None if least is None else r["ratio"] >= least)
    row("window, work of a frame while learning, all views, median", watched["frame_median_ms"], "ms", 4, at_most(watched["frame_median_ms"], 4))
    row("the same, 99th percentile", watched["frame_p99_ms"], "ms", 12, at_most(watched["frame_p99_ms"], 12))
    median, late = watched["large_frame_median_ms"], watched["large_frame_p99_ms"]
    row("the same with 2048 units on 1024 pixels, median", median, "ms", 4, at_most(median, 4))
    row("the same with 2048 units on 1024 pixels, 99th percentile", late, "ms", 12, at_most(late, 12))
    lost = watched["lost_share"]
    row("steps lost to a window's thread at 60 frames a second (without rasterising)", None if lost is None else 100 * lost, "%", 5, at_most(lost, 0.05))
    row("standard error of that median", 100 * watched["lost_share_error"], "%", None, None)
    first = sorted(int(ms) for ms in (read(given.folder / "first_picture_ms.txt") or "").split())
    if first:
        empty = first[len(first) // 2] / 1e3
        row("process start to the window's first frame, still without a model (software rendering, saved as PNG)", empty, "s", None, None)
        model = watched["first_snapshot_ms"]
        row("from there to the first frame with a model (without rasterising)", None if model is None else model / 1e3, "s", None, None)
        both = None if model is None else empty + model / 1e3
        row("start to first picture: both together, an upper bound", both, "s", 0.5, at_most(both, 0.5))
    memory = [line.split() for line in (read(given.folder / "memory_kib.txt") or "").splitlines()]
    for after, name, kib in memory:
        mb, whole = int(kib) * 1024 / 1e6, name == "VmRSS"
        what = {
            "VmRSS": "memory of the window's process",
            "RssAnon": "of that its own",
            "RssFile": "of that programs and libraries on disk",
            "Renderer": "of these the code of Mesa's software renderer, which a machine with a graphics card does without",
        }[name]
        row(f"{what}, after {after} s", mb, "MB", 150 if whole else None, mb < 150 if whole else None)
    hour = [line.split() for line in (read(given.folder / "hour.tsv") or "").splitlines()]
    if hour:
        at = [(int(seconds), int(kib) * 1024 / 1e6) for seconds, kib in hour if int(seconds) >= 60]
        most, length = max(mb for _, mb in at), at[-1][0] / 60
        row(f"memory of the window's process at its usual pace, most of {length:.0f} minutes", most, "MB", 150, most < 150)
        halves = [statistics.median(mb for seconds, mb in at if (seconds > at[-1][0] / 2) == late) for late in (False, True)]
        row("its growth: median of the second half less that of the first", halves[1] - halves[0], "MB", None, None)
    bound = "dead_leaves_over_bound", "wide_over_bound", "hierarchy_over_bound", "large_hierarchy_over_bound"
    models = "dead-leaves", "256 pixels, 512 units, batch 128", "784-256-20-400", "784-400-24-4000"
    lines += [
        "",
        "## Over the bound",
        "",
        "One thread; the bound is the products of the whole batch at the libraries' speed plus the normals at the batched rate.",
        "",
        *[f"- {what}: {number(figures[key]['value'])} times" for key, what in zip(bound, models)],
        "",
        "## Frames by view",
        "",
        "| view | median ms | 99th percentile ms | 2048 units on 1024 pixels: median ms | 99th percentile ms |",
        "|---|---|---|---|---|",
        *[
            f"| {v['view']} | {v['median_ms']:.2f} | {v['p99_ms']:.2f} | {large['median_ms']:.2f} | {large['p99_ms']:.2f} |"
            for v, large in zip(watched["views"], watched["large_views"])
        ],
    ]
    window = re.findall(r"^(frame/.*?)\s*\n?\s+time:\s+\[\S+ \S+ (\S+ \S+) ", read(given.folder / "window.txt") or "", re.M)
    if window:
        lines += ["", "`cargo bench --bench window`:", "", "| frame | time |", "|---|---|", *[f"| {name[6:]} | {time} |" for name, time in window]]
    lines += [
        "",
        "## How the cost of a step grows",
        "",
        "All else as in dead-leaves with a fixed stimulus: batch 100, 144 pixels, 144 units, one layer, K = 1, one thread.",
        "",
        "![milliseconds a step against batch, pixels, units, layers, K and threads](screenshots/growth.svg)",
    ]
    for growth in bench["growth"]:
        points = growth["points"]
        cells = lambda values: " | ".join(values)
        lines += [
            "",
            f"| {growth['over']} | {cells(str(p['at']) for p in points)} |",
            "|---|" + "---|" * len(points),
            f"| ms a step | {cells(number(p['step_ms']) for p in points)} |",
            f"| bound, one thread, ms | {cells(number(p['bound_ms']) for p in points)} |",
        ]
    lines += scale_lines(given.folder, given.picture)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
