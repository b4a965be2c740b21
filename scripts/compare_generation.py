"""What compare_generation.sh needs of Python: baselines that generate images, and the table and grids of all.

    python compare_generation.py baselines --data digits|fashion|FOLDER --images N --count N --out FOLDER
    python compare_generation.py report --out generation.md [--sheets FOLDER] [--seconds S] FOLDER...
"""

import argparse
import gzip
import json
import pathlib
import time
import warnings

import numpy as np
from PIL import Image, ImageDraw
from scipy.special import expit
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.neural_network import BernoulliRBM

ROOT = pathlib.Path(__file__).resolve().parent.parent
EMBEDDED = {  # file, white, images held out (the last): as heescope divides them
    "digits": ("assets/digits8x8/digits8x8-images-idx3-ubyte.gz", 16, 297),
    "fashion": ("assets/fashion/t10k-images-idx3-ubyte.gz", 255, 1000),
}
NAMES = {
    "heescope-ancestral": "heescope, ancestral",
    "heescope-joint": "heescope, joint",
    "heescope-marginal": "heescope, marginal",
    "rbm-from-data": "RBM, 1000 Gibbs steps from data",
    "rbm-from-noise": "RBM, 1000 Gibbs steps from noise",
    "gaussian": "Gaussian in principal components",
    "mixture": "Gaussian mixture in principal components",
}


def training_images(data, most):
    """Grey levels 0 to 1, (count, rows, columns): the part that heescope learns from, at most the first `most`."""
    if data in EMBEDDED:
        name, white, held_out = EMBEDDED[data]
        path = ROOT / name
    else:
        folder, white, held_out = pathlib.Path(data), 255, 0
        found = sorted(folder.glob("train-images*idx3-ubyte*"))
        if not found:
            raise SystemExit(f"{folder}: no train-images-idx3-ubyte, packed by gzip or not")
        path = found[0]
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    magic, count, rows, columns = np.frombuffer(content, ">u4", 4)
    if magic != 0x803:
        raise SystemExit(f"{path}: not a file of IDX images")
    images = np.frombuffer(content, np.uint8, offset=16).reshape(count, rows, columns)
    return images[: min(count - held_out, most)].astype(np.float32) / white


def gibbs(machine, visible, steps, rng):
    """Samples and means of the visible units after so many steps of block Gibbs sampling, in single precision."""
    weights, hidden_bias, visible_bias = (
        np.asarray(a, np.float32) for a in (machine.components_, machine.intercept_hidden_, machine.intercept_visible_)
    )
    draw = lambda p: (rng.random(p.shape, np.float32) < p).astype(np.float32)
    for _ in range(steps):
        hidden = draw(expit(visible @ weights.T + hidden_bias))
        means = expit(hidden @ weights + visible_bias)
        visible = draw(means)
    return visible, means


def machine_of(flat, seed):
    """BernoulliRBM, 256 hidden units, 25 epochs: of three learning rates the one with the best pseudo-likelihood, held out."""
    cut = len(flat) * 9 // 10
    trial = lambda rate, epochs: BernoulliRBM(256, learning_rate=rate, batch_size=10, n_iter=epochs, random_state=seed)
    score = {rate: trial(rate, 3).fit(flat[:cut]).score_samples(flat[cut:]).mean() for rate in (0.1, 0.03, 0.01)}
    best = max(score, key=score.get)
    return trial(best, 25).fit(flat), {"learning_rate": best}


def components_of(flat):
    """Principal components that hold 95 % of the variance, and the standard deviation a pixel of the rest."""
    pca = PCA(0.95, svd_solver="full").fit(flat)
    rest = flat - pca.inverse_transform(pca.transform(flat))
    return pca, float(rest.std())


def mixture_of(scores, seed):
    """The Gaussian mixture, of some sizes and shapes, that explains a held-out tenth best, fitted again to all."""
    cut = len(scores) * 9 // 10
    warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture stopped early is judged as it is
    best, chosen = -np.inf, None
    for kind, size in [("diag", 10), ("diag", 30), ("diag", 100), ("full", 10), ("full", 20), ("full", 40)]:
        if size * 20 > cut:
            continue
        trial = GaussianMixture(size, covariance_type=kind, reg_covar=1e-3, random_state=seed, max_iter=60).fit(scores[:cut])
        found = trial.score(scores[cut:])
        if found > best:
            best, chosen = found, (kind, size)
    kind, size = chosen
    model = GaussianMixture(size, covariance_type=kind, reg_covar=1e-3, random_state=seed, max_iter=100).fit(scores)
    return model, {"covariance": kind, "components": size}


def baselines(given):
    rng = np.random.default_rng(given.seed)
    images = training_images(given.data, given.images)
    given.out.mkdir(parents=True, exist_ok=True)
    flat, shape = images.reshape(len(images), -1), images.shape[1:]
    facts = {"data": given.data, "images": len(images), "ways": {}}

    def keep(name, samples, means, seconds, more):
        arrays = {key: np.ascontiguousarray(a.reshape(-1, *shape), np.float32) for key, a in (("samples", samples), ("means", means))}
        config = json.dumps({"way": name, "data": given.data, "seconds": seconds, **more})
        np.savez(given.out / f"{name}.npz", config=np.frombuffer(config.encode(), np.uint8), **arrays)
        facts["ways"][name] = {"seconds": seconds, **more}
        print(f"{given.data}: {name}, {seconds:.0f} s, {more}", flush=True)

    start = time.time()
    pca, noise = components_of(flat)
    scores = pca.transform(flat).astype(np.float64)
    spread = np.sqrt(pca.explained_variance_)
    learned = time.time() - start
    drawn = pca.inverse_transform(rng.standard_normal((given.count, len(spread))) * spread)
    noisy = lambda drawn: np.clip(drawn + noise * rng.standard_normal(drawn.shape), 0, 1)
    keep("gaussian", noisy(drawn), np.clip(drawn, 0, 1), learned, {"dimensions": len(spread)})

    start = time.time()
    mixture, more = mixture_of(scores, given.seed)
    learned += time.time() - start
    drawn = pca.inverse_transform(rng.permutation(mixture.sample(given.count)[0]))
    keep("mixture", noisy(drawn), np.clip(drawn, 0, 1), learned, {"dimensions": len(spread), **more})

    start = time.time()
    machine, more = machine_of(flat, given.seed)
    learned = time.time() - start
    from_data = (flat[rng.integers(0, len(flat), given.count)] > rng.random((given.count, flat.shape[1]))).astype(np.float32)
    from_noise = (rng.random((given.count, flat.shape[1])) < 0.5).astype(np.float32)
    for name, begin in (("rbm-from-data", from_data), ("rbm-from-noise", from_noise)):
        samples, means = gibbs(machine, begin, given.gibbs, rng)
        keep(name, samples, means, learned, {**more, "gibbs_steps": given.gibbs})
    (given.out / "facts.txt").write_text(json.dumps(facts))


def grid(images, side=10):
    """The first side x side images, black lines between them, enlarged to at least 28 pixels each."""
    images = images[: side * side]
    padded = np.pad(images, ((0, side * side - len(images)), (1, 0), (1, 0)))
    rows, columns = padded.shape[1:]
    tiled = padded.reshape(side, side, rows, columns).swapaxes(1, 2).reshape(side * rows, side * columns)
    picture = Image.fromarray((np.clip(tiled, 0, 1) * 255).astype(np.uint8))
    zoom = max(1, round(28 / (rows - 1)))
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def sheet(folder, data, found, columns=4, gap=12, line=16):
    """Grids of every way, and of real images where those may be passed on, each under its name, four in a row."""
    grids = [("real images", grid(training_images(data, 100)))] if data in EMBEDDED else []
    for name, f in found:
        with np.load(folder / f"{name}.npz") as file:
            grids.append((NAMES[name], grid(file[f["array"]])))
    wide, high = grids[0][1].width + gap, grids[0][1].height + gap + line
    rows = -(-len(grids) // columns)
    picture = Image.new("L", (columns * wide + gap, rows * high + gap), 255)
    pen = ImageDraw.Draw(picture)
    for k, (name, tiles) in enumerate(grids):
        left, top = gap + k % columns * wide, gap + k // columns * high
        pen.text((left, top), name, fill=0)
        picture.paste(tiles, (left, top + line))
    return picture


def report(given):
    lines = ["# Generated images against held-out ones", ""]
    for folder in given.folders:
        facts = json.loads((folder / "facts.txt").read_text())
        found = [(name, json.loads((folder / f"{name}.json").read_text())) for name in NAMES if (folder / f"{name}.json").exists()]
        if not found:
            raise SystemExit(f"{folder}: nothing was evaluated")
        first = found[0][1]
        counts = {f["generated"]["count"] for _, f in found}
        lines += [
            f"## {folder.name}",
            "",
            f"{'/'.join(map(str, sorted(counts)))} images each ({first['array']}) against {first['generated']['reference_count']} held out;"
            f" baselines learned from {facts['images']} images, nearest of {first['training_count']}.",
            "",
            "| way | Frechet, random features | Frechet, discriminants | precision | recall | nearest training image |"
            " closer than 95 % of held-out | class shares | seconds of learning |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        taken = lambda name: given.seconds if name.startswith("heescope") else facts["ways"].get(name, {}).get("seconds")
        rows = [(NAMES[name], f["generated"], taken(name)) for name, f in found]
        rows.append(("floor: real images", first["floor"], None))
        for name, f, seconds in rows:
            shares = f["class_shares"]
            lines.append(
                f"| {name} | {f['frechet']:.1f} | {'-' if f['frechet_classes'] is None else format(f['frechet_classes'], '.2f')}"
                f" | {f['precision']:.2f} | {f['recall']:.2f} | {f['nearest_training']:.2f} | {f['close_share']:.2f}"
                f" | {f'{min(shares):.2f} to {max(shares):.2f}' if shares else '-'} | {'-' if seconds is None else format(seconds, '.0f')} |"
            )
        lines.append("")
        for name, f in found:
            with np.load(folder / f"{name}.npz") as file:
                grid(file[f["array"]]).save(folder / f"{name}.png")
        lines += [f"![{NAMES[name]}](generation/{folder.name}/{name}.png)" for name, _ in found] + [""]
        if given.sheets:
            given.sheets.mkdir(parents=True, exist_ok=True)
            sheet(folder, facts["data"], found).save(given.sheets / f"generation-{folder.name}.png", optimize=True)
    given.out.write_text("\n".join(lines))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = options.add_subparsers(required=True)
    make = commands.add_parser("baselines")
    make.add_argument("--data", required=True)
    make.add_argument("--images", type=int, default=10_000)
    make.add_argument("--count", type=int, default=2000)
    make.add_argument("--gibbs", type=int, default=1000)
    make.add_argument("--seed", type=int, default=0)
    make.add_argument("--out", type=pathlib.Path, required=True)
    make.set_defaults(run=baselines)
    tell = commands.add_parser("report")
    tell.add_argument("--out", type=pathlib.Path, required=True)
    tell.add_argument("--sheets", type=pathlib.Path)
    tell.add_argument("--seconds", type=float)
    tell.add_argument("folders", nargs="+", type=pathlib.Path)
    tell.set_defaults(run=report)
    given = options.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
