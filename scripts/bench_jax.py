"""Times one step of the same model in JAX and in heescope, in turn, on the same cores. Prints JSON.

The step (model.md 2): gaussian observation, student-t units with adaptation, one interneuron a pixel sampled exactly, float32.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

SIGMA, NU, S = 0.4, 8.0, 0.15
# Pixels and units of `heescope bench --scale`, at its middle batch.
SIZES = [(144, 144), (256, 512), (576, 1024), (1024, 1024), (784, 4096), (1024, 2048)]
BATCH = 100


def jax_step(batch, pixels, units, steps):
    """A jitted loop of `steps` steps, and its first state."""
    import jax
    import jax.numpy as jnp

    h, m, rho, a = 0.002, 4.0, math.exp(-0.002 * 100 / 30), 4.0
    e = math.exp(-a)
    noise = SIGMA / a * math.sqrt(2 * a - 3 + 4 * e - e * e)
    shared = SIGMA**2 * (1 - e) ** 2 / a / noise
    own = math.sqrt(SIGMA**2 * (1 - e * e) - shared**2)
    from_z = (1 - e) / a

    def step(_, state):
        key, w, x0, x, v, y = state
        key, first, second = jax.random.split(key, 3)
        eta = x @ w.T
        n = jax.random.normal(first, (2, batch, pixels), jnp.float32)
        z = y - eta
        mean = eta + from_z * z + noise * n[0]
        y = eta + e * z + shared * n[0] + own * n[1]
        eps = (x0 - mean) / SIGMA**2
        current = eps @ w - x * (NU + 1) / (NU * S * S + x * x)
        n = jax.random.normal(second, (2, batch, units), jnp.float32)
        v = rho * (v - h * m * current) + math.sqrt(1 - rho * rho) * n[0]
        x = x + h * (current - m * v) + math.sqrt(2 * h) * n[1]
        return key, w, x0, x, v, y

    # rbg draws faster than the default generator of JAX on a processor: the peer at its best.
    keys = [jax.random.key(0, impl=name) for name in ("rbg", "threefry2x32")]
    w = jax.random.normal(keys[1], (pixels, units), jnp.float32)
    w = w / jnp.linalg.norm(w, axis=0)
    x0 = jax.random.normal(keys[1], (batch, pixels), jnp.float32)
    zeros = lambda n: jnp.zeros((batch, n), jnp.float32)
    run = jax.jit(lambda state: jax.lax.fori_loop(0, steps, step, state))
    states = [(key, w, x0, zeros(units), zeros(units), zeros(pixels)) for key in keys]

    def timed(state):
        start = time.perf_counter()
        jax.block_until_ready(run(state))
        return (time.perf_counter() - start) / steps * 1e3

    for state in states:
        timed(state)  # compiles
    return lambda: min(timed(state) for state in states)


def heescope_step(program, sizes, threads):
    batch, pixels, units = sizes
    config = f"""
[model]
[[model.layers]]
size = {pixels}
family = "gaussian"
sigma = {SIGMA}
[[model.layers]]
size = {units}
family = "student-t"
nu = {NU}
s = {S}
[dynamics]
adaptation = 4.0
threads = {threads}
[stimulus]
batch = {batch}
steps_per_stimulus = 0
burn_in_steps = 0
values = {[round(math.sin(i), 3) for i in range(pixels)]}
"""

    def timed():
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(config)
            file.flush()
            command = [program, "bench", "--config", file.name, "--json", "--rounds", "9"]
            out = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(out.stdout)["step_ms"]

    return timed


def blas_ms(sizes):
    """Median milliseconds of the two products of a step in NumPy's BLAS, with the threads that it was started with."""
    import numpy as np

    batch, pixels, units = sizes
    rng = np.random.default_rng(0)
    w, x, eps = (rng.standard_normal(shape, dtype=np.float32) for shape in ((pixels, units), (batch, units), (batch, pixels)))
    eta, current = np.empty((batch, pixels), np.float32), np.empty((batch, units), np.float32)

    def both():
        np.matmul(x, w.T, out=eta)
        np.matmul(eps, w, out=current)

    both()
    start = time.perf_counter()
    both()
    repeats = max(1, int(0.05 / (time.perf_counter() - start)))
    times = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(repeats):
            both()
        times.append((time.perf_counter() - start) / repeats * 1e3)
    return median(times)


def blas_on(threads):
    """The same for every size, in a process of its own: the number of threads is read where the library is loaded."""
    environment = {**os.environ, **{name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}}
    out = subprocess.run([sys.executable, __file__, "--blas"], capture_output=True, text=True, check=True, env=environment)
    return json.loads(out.stdout)


def in_turn(peer, ours, rounds):
    """Milliseconds of both, a pair a round; who begins changes from round to round."""
    pairs = []
    for i in range(rounds):
        order = [peer, ours] if i % 2 == 0 else [ours, peer]
        times = {side: side() for side in order}
        pairs.append((times[peer], times[ours]))
    return {
        "jax_ms": median([a for a, _ in pairs]),
        "heescope_ms": median([b for _, b in pairs]),
        "ratio": median([a / b for a, b in pairs]),
        "rounds": rounds,
    }


def scale(program, rounds, threads):
    """The sizes of the scale, one pair a round."""
    blas = {threads: blas_on(threads) for threads in sorted({1, threads})}
    rows = []
    for i, (pixels, units) in enumerate(SIZES):
        steps = max(10, int(2e9 / (4 * BATCH * pixels * units)))
        found = in_turn(jax_step(BATCH, pixels, units, steps), heescope_step(program, (BATCH, pixels, units), threads), rounds)
        rows.append({"pixels": pixels, "units": units, "batch": BATCH, "threads": threads, **found, "blas_ms": {t: ms[i] for t, ms in blas.items()}})
    return rows


def median(values):
    values = sorted(values)
    return 0.5 * (values[(len(values) - 1) // 2] + values[len(values) // 2])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--scale", action="store_true", help="the sizes of `heescope bench --scale`, and NumPy's BLAS")
    options.add_argument("--blas", action="store_true", help="NumPy's BLAS alone, as it is set up")
    given = options.parse_args()
    if given.blas:
        print(json.dumps([blas_ms((BATCH, *size)) for size in SIZES]))
        return
    import jax

    if given.scale:
        print(json.dumps({"jax": jax.__version__, "rows": scale(given.program, given.rounds, given.threads)}))
        return

    rows = []
    for batch, pixels, units in [(100, 144, 144), (128, 256, 512)]:
        found = in_turn(jax_step(batch, pixels, units, 200), heescope_step(given.program, (batch, pixels, units), given.threads), given.rounds)
        rows.append({"shape": f"batch {batch}, {pixels} pixels, {units} units", **found})
    print(json.dumps({"jax": jax.__version__, "rows": rows}))


if __name__ == "__main__":
    main()
