"""Transport: IPOT on a batch of cosine problems, its error against the exact cost, its time.

    python benchmarks/transport.py [--tiny] [--batch 64] [--size 50]

Errors are to POT's exact cost (`ot.emd2`); times are measured in turn with POT, one problem after
the other as it solves them, with POT's own batched IPOT, and with the recurrence as Chen et al.
released it, one problem after the other. POT is in the extra 'test'.
"""

import argparse
import os
import sys

import numpy as np
from measure import heading, seconds, spread, table

EMBEDDING = 64
SETTINGS = ((1.0, 10), (0.5, 50), (0.5, 200), (0.1, 50), (0.1, 200))  # (β, iterations)
RELEASED = (0.5, 50)


def pot():
    """The package `ot` on NumPy alone; it would import every framework that is installed."""
    for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ[f"POT_BACKEND_DISABLE_{name}"] = "1"
    try:
        import ot
    except ImportError:
        sys.exit("expected the package POT to compare with, found none: pip install pot")
    return ot


def problems(batch: int, size: int, seed: int) -> np.ndarray:
    """Cosine costs (batch, size, size) of random embeddings."""
    from latentgen.transport import cosine_cost

    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, batch, size, EMBEDDING)).astype("float32")
    return np.array(cosine_cost(x, y))


def recurrence(cost: np.ndarray, beta: float, iterations: int) -> float:
    """IPOT of one problem (n, m) as Chen et al. 2019 state it: not in the log domain."""
    n, m = cost.shape
    sigma, plan, step = np.full(m, 1 / m), np.ones((n, m)), np.exp(-cost / beta)
    for _ in range(iterations):
        kernel = step * plan
        delta = 1 / (n * (kernel @ sigma))
        sigma = 1 / (m * (kernel.T @ delta))
        plan = delta[:, None] * kernel * sigma
    return float((plan * cost).sum())


def batched_ipot_of(ot, cost: np.ndarray) -> np.ndarray:
    """POT's plans (B, n, m) at the released settings."""
    beta, iterations = RELEASED
    return ot.batch.proximal_bregman_log_plan_batch(
        cost, inner_reg=beta, max_iter=iterations, tol=0.0
    )["T"]


def programs(beta: float, iterations: int):
    """What is timed of ours: cost alone, with the gradient at a fixed plan, and unrolled."""
    import keras
    from keras import ops

    from latentgen.compilation import compiled
    from latentgen.training.gradients import gradient
    from latentgen.transport import ipot

    def solve(cost, unrolled=False):
        return ipot(cost, beta=beta, iterations=iterations, unrolled=unrolled).cost

    def held(cost):
        return gradient(lambda c: ops.sum(solve(c)), cost)

    def unrolled(cost):
        return gradient(lambda c: ops.sum(solve(c, True)), cost)

    def program(function, jit_compile):
        run = compiled(keras.layers.Layer(), function, jit_compile)
        return lambda cost: ops.convert_to_numpy(run(cost))

    graphs = {"XLA": True}
    if keras.backend.backend() == "tensorflow":
        graphs["plain graph"] = False
    return {
        f"{name}, {graph}": program(function, jit_compile)
        for name, function in (
            ("cost", solve),
            ("gradient, plan held fixed", held),
            ("gradient, unrolled", unrolled),
        )
        for graph, jit_compile in graphs.items()
    }


def errors(ot, batch: int, size: int, seeds: int) -> None:
    from latentgen.transport import ipot, sinkhorn

    solvers = {
        f"IPOT β {beta}, {n}": (ipot, {"beta": beta, "iterations": n}) for beta, n in SETTINGS
    }
    beta, iterations = RELEASED
    solvers[f"Sinkhorn ε {beta / iterations}, {iterations}"] = (
        sinkhorn,
        {"epsilon": beta / iterations, "iterations": iterations},
    )
    excess: dict[str, list[float]] = {name: [] for name in solvers}
    misplaced: dict[str, list[float]] = {name: [] for name in solvers}
    peers: list[float] = []
    for seed in range(seeds):
        cost = problems(batch, size, seed)
        exact = np.array([ot.emd2([], [], one) for one in cost.astype("float64")])
        for name, (solver, options) in solvers.items():
            found = solver(cost, **options)
            excess[name].append(100 * float(np.mean(np.array(found.cost) / exact - 1)))
            misplaced[name].append(100 * float(np.mean(np.array(found.marginal_error))))
        theirs = (batched_ipot_of(ot, cost.astype("float64")) * cost).sum((1, 2))
        peers.append(100 * float(np.mean(theirs / exact - 1)))
    heading(
        f"Transport: {batch} cosine problems of {size} × {size}, against the exact cost",
        seeds=f"0 to {seeds - 1}",
        peer=f"POT {ot.__version__}, emd2",
    )
    table(
        ["solver, iterations", "cost above exact, %", "mass in the wrong place, %"],
        [
            *([name, spread(excess[name], ""), spread(misplaced[name], "")] for name in solvers),
            [f"POT's batched IPOT β {beta}, {iterations}", spread(peers, ""), "-"],
        ],
    )
    print("  median (min–max) over seeds of the batch's mean; with mass in the wrong place a cost")
    print("  can be below the exact one")


def times(ot, batch: int, size: int, repeats: int) -> None:
    cost = problems(batch, size, 0)
    doubles = cost.astype("float64")
    masses = np.full(size, 1 / size)
    beta, iterations = RELEASED
    ours = programs(beta, iterations)
    first, *_ = ours.values()

    def sinkhorn_of(one):
        options = {"method": "sinkhorn_log", "numItermax": iterations, "stopThr": 0.0}
        return ot.sinkhorn2(masses, masses, one, beta / iterations, warn=False, **options)

    functions = {name: (lambda run=run: run(cost)) for name, run in ours.items()}
    functions |= {
        "cost, a compiled call a problem": lambda: [first(one[None]) for one in cost],
        "the released recurrence, NumPy, a problem at a time": lambda: [
            recurrence(one, beta, iterations) for one in doubles
        ],
        "POT's batched IPOT, NumPy": lambda: batched_ipot_of(ot, doubles),
        "POT's Sinkhorn, log domain, a problem at a time": lambda: [
            sinkhorn_of(one) for one in doubles
        ],
        "POT's emd2 (exact), a problem at a time": lambda: [
            ot.emd2([], [], one) for one in doubles
        ],
    }
    found = seconds(functions, repeats)
    base = np.min(found[next(iter(ours))])
    heading(
        f"Time: {batch} problems of {size} × {size}, IPOT β {beta}, {iterations} iterations",
        repeats=repeats,
        peer=f"POT {ot.__version__}; its exact plan is its gradient, at no further time",
    )
    table(
        ["what", "a batch, median (min–max)", "fastest, to the first row's"],
        [
            [name, spread([1000 * t for t in values], " ms"), f"{np.min(values) / base:.2f} ×"]
            for name, values in found.items()
        ],
    )
    print(
        "  a gradient's row includes the cost's; the first row, one problem a call, is 'a compiled"
    )
    print("  call a problem'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--batch", type=int, help="problems; 64, or 3 where it is tiny")
    parser.add_argument("--size", type=int, help="rows and columns of each; 50, or 6")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    batch = arguments.batch or (3 if arguments.tiny else 64)
    size = arguments.size or (6 if arguments.tiny else 50)
    ot = pot()
    errors(ot, batch, size, 1 if arguments.tiny else arguments.seeds)
    times(ot, batch, size, 1 if arguments.tiny else 9)


if __name__ == "__main__":
    main()
