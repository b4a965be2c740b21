#!/usr/bin/env python3
"""Writes tests/data/diagnose: samples of every kind that `heescope diagnose` has to answer, and what ArviZ says of them.

    python3 -m venv output/arviz && output/arviz/bin/pip install numpy==2.3.4 arviz==0.23.4
    output/arviz/bin/python scripts/record_diagnostics.py

Each file <chains>x<draws>.npz holds x1 (chains, draws, kinds) and time_ms as `heescope sample` writes them; recorded.json holds for each
file the names of the kinds and a row of figures for each. A figure that ArviZ does not give (NaN) is null, an infinite one "Infinity".
"""

import json
import pathlib
import warnings

import arviz
import numpy

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "diagnose"
SIZES = [(4, 32), (4, 200), (2, 401), (1, 100), (3, 4), (4, 5), (2, 6), (4, 7), (3, 8), (2, 9), (4, 10), (2, 3), (3, 1), (2, 6000)]


def correlated(rng, chains, draws, factor):
    """A first-order autoregressive process of variance 1."""
    x = rng.standard_normal((chains, draws))
    for t in range(1, draws):
        x[:, t] = factor * x[:, t - 1] + numpy.sqrt(1 - factor**2) * x[:, t]
    return x


def kinds(rng, chains, draws):
    """Every kind of unit, (chains, draws) each."""
    numbers = numpy.arange(chains, dtype=float)[:, None] * numpy.ones((1, draws))
    white = rng.standard_normal((chains, draws))
    signs = numpy.where(numpy.arange(draws) % 2 == 0, 1.0, -1.0)[None, :]
    yield "white", white
    yield "correlated", correlated(rng, chains, draws, 0.9)
    yield "slow", correlated(rng, chains, draws, 0.999)
    yield "anticorrelated", correlated(rng, chains, draws, -0.7)
    yield "apart", white + 3 * numbers
    yield "heavy tails", rng.standard_cauchy((chains, draws))
    yield "constant", numpy.full((chains, draws), 0.3)
    yield "frozen apart", numbers
    yield "frozen at two values", numpy.where(numbers % 2 == 0, 1.0, -1.0)
    yield "frozen apart at thirds", (numbers + 1) / 3
    yield "one chain moves", numpy.where(numbers == 0, white, numbers)
    yield "one chain stands still", numpy.where(numbers == 0, 0.1, white)
    yield "alternating", numpy.ones((chains, 1)) * signs
    yield "alternating against each other", numpy.where(numbers % 2 == 0, 1.0, -1.0) * signs
    yield "alternating about different values", signs + 10 * numbers
    yield "two values", (white > 0.5).astype(float)
    yield "a single event", numpy.where((numbers == 0) & (numpy.arange(draws)[None, :] == draws - 1), 1.0, 0.0)
    yield "drift", white + numpy.arange(draws)[None, :] / 10
    yield "different widths", white * (1 + 4 * numbers)
    yield "a large offset", 1e6 + white
    yield "a tiny scale", 1e-20 * white


def number(value):
    """For JSON, which has neither NaN nor infinity."""
    value = float(value)
    return None if numpy.isnan(value) else "Infinity" if numpy.isinf(value) else value


def figures(x):
    """What ArviZ says of (chains, draws)."""
    return {
        "mean": number(x.mean()),
        "sd": number(x.std(ddof=1)) if x.size > 1 else None,
        "mcse": number(arviz.mcse(x, method="mean")),
        "ess_bulk": number(arviz.ess(x, method="bulk")),
        "ess_mean": number(arviz.ess(x, method="mean")),
        "r_hat": number(arviz.rhat(x, method="rank")),
    }


def main():
    """Writes every file."""
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    recorded = {}
    for chains, draws in SIZES:
        rng = numpy.random.default_rng(chains * 1000 + draws)
        names, units = zip(*kinds(rng, chains, draws))
        if draws > 1000:  # long chains: the lags of a slow one are not all computed at once
            chosen = [names.index(name) for name in ("correlated", "slow", "frozen apart")]
            names, units = [names[i] for i in chosen], [units[i] for i in chosen]
        x = numpy.stack(units, axis=-1).astype(numpy.float32)
        name = f"{chains}x{draws}.npz"
        numpy.savez_compressed(FOLDER / name, x1=x, time_ms=numpy.arange(draws, dtype=numpy.float32))
        rows = [{"kind": kind, **figures(x[:, :, unit].astype(numpy.float64))} for unit, kind in enumerate(names)]
        recorded[name] = rows
    text = json.dumps({"arviz": arviz.__version__, "numpy": numpy.__version__, "files": recorded}, indent=1)
    (FOLDER / "recorded.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
