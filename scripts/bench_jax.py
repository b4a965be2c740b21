"""Times one step of the same model in JAX and in heescope, in turn, on the same cores. Prints JSON.

The step (model.md 2): gaussian observation, student-t units with adaptation, one interneuron a pixel sampled exactly, float32.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time

SIGMA, NU, S = 0.4, 8.0, 0.15


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


def median(values):
    values = sorted(values)
    return 0.5 * (values[(len(values) - 1) // 2] + values[len(values) // 2])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", required=True)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    import jax

    rows = []
    for batch, pixels, units in [(100, 144, 144), (128, 256, 512)]:
        peer, ours = jax_step(batch, pixels, units, 200), heescope_step(given.program, (batch, pixels, units), given.threads)
        pairs = []
        for i in range(given.rounds):
            order = [peer, ours] if i % 2 == 0 else [ours, peer]
            times = {side: side() for side in order}
            pairs.append((times[peer], times[ours]))
        rows.append(
            {
                "shape": f"batch {batch}, {pixels} pixels, {units} units",
                "jax_ms": median([a for a, _ in pairs]),
                "heescope_ms": median([b for _, b in pairs]),
                "ratio": median([a / b for a, b in pairs]),
                "rounds": given.rounds,
            }
        )
    print(json.dumps({"jax": jax.__version__, "rows": rows}))


if __name__ == "__main__":
    main()
