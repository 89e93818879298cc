"""Transport plans: IPOT and Sinkhorn on batches of masked problems, in the log domain.

Both look for the plan T ≥ 0 (n, m) that moves mass a, one number a row, to mass b, one a column, at
the least cost ⟨T, C⟩, and hold it as T = exp(f_i + g_j − s·C_ij): they alternate

    f = log a − LSE_j(g − s·C),    g = log b − LSE_i(f − s·C).

Sinkhorn (Cuturi 2013, arXiv 1306.0895) has s = 1/ε throughout. IPOT (Xie et al. 2018, arXiv
1802.04307), written with Q = exp(−C/β)∘T, δ = a/(Qσ), σ = b/(Qᵀδ), T = diag(δ)·Q·diag(σ), is the
same with s = k/β at its k-th iteration, each beginning from g moved on by its last change: the
sums of log δ and log σ are f and g. So after N iterations its plan has the form of Sinkhorn's at
ε = β/N, and is that plan once the marginals are right.

The numbers of iterations are fixed, so that XLA compiles them as one loop.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.heads import NEVER


class Transport(NamedTuple):
    """What a solver found for each of B problems."""

    plan: Any
    """Mass moved from each row to each column (B, n, m): it sums to 1, 0 where nothing counts."""
    cost: Any
    """⟨plan, cost⟩ (B,)."""
    marginal_error: Any
    """Mass in the wrong place (B,): Σ|row sums − a| + Σ|column sums − b|."""


def ipot(
    cost,
    rows=None,
    columns=None,
    beta: float = 0.5,
    iterations: int = 50,
    unrolled: bool = False,
) -> Transport:
    """Inexact proximal point optimal transport: near the exact plan, without an ε to choose.

    Args:
        cost: C (B, n, m). What stands where a row or column does not count is not read.
        rows, columns: what counts, and how much: lengths (B,); a mask (B, n) or (B, m), whose mass
            is uniform; or weights ≥ 0, which are divided by their sum. None: all of it, uniformly.
        beta: step size of the proximal point, in units of the cost: the smaller, the fewer
            iterations to the plan itself and the more to right marginals.
        iterations: N. Chen et al. 2019 released β 0.5 with 50, and β 1 with 10; β 0.1 comes nearer
            to the exact cost in as many, see benchmarks/transport.py.
        unrolled: what the gradient of the result's cost is. False: the plan is held fixed, so that
            d cost / d C = plan: exact for the plan of least cost (the envelope theorem), and a
            backward pass that costs nothing. True: that of the iterations themselves, exact for
            the number returned however few they are; the plan then has a gradient too, and the
            masses.

    Returns:
        A Transport. A problem with nothing that counts on either side costs 0: its plan, error and
        gradient are 0.

    Raises:
        InputError: shapes that do not belong together, a beta that is not above 0 or fewer than 1
            iteration.
    """
    _check(beta, "beta", iterations)
    return _solver()(cost, rows, columns, beta, True, iterations, unrolled)


def sinkhorn(
    cost,
    rows=None,
    columns=None,
    epsilon: float = 0.05,
    iterations: int = 100,
    unrolled: bool = False,
) -> Transport:
    """Entropic optimal transport: the plan of least ⟨T, C⟩ + ε Σ T log T.

    Args:
        cost, rows, columns, unrolled: see `ipot`. With the plan held fixed, the gradient is that of
            the least ⟨T, C⟩ + ε Σ T log T rather than of ⟨T, C⟩.
        epsilon: ε, in units of the cost: the smaller, the nearer the exact plan, and the more
            iterations it takes.
        iterations: of f and g; see `marginal_error` for whether they were enough.

    Raises:
        InputError: as `ipot`.
    """
    _check(epsilon, "epsilon", iterations)
    return _solver()(cost, rows, columns, epsilon, False, iterations, unrolled)


def masses(counted, like, name: str):
    """How much of a problem's mass each of n has, (B, n), by what `ipot` takes as rows or columns.

    Args:
        like: a tensor (B, n, any), whose type the masses have.
        name: of the argument, for the error.
    """
    everything = ops.ones_like(like[..., 0])  # (B, n)
    if counted is None:
        weights = everything
    else:
        counted = ops.convert_to_tensor(counted)
        known = [*everything.shape]
        given = [*counted.shape]
        if len(given) not in (1, 2) or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(given, known[: len(given)], strict=True)
        ):
            raise InputError(
                f"{name}: expected lengths ({known[0]},) or a mask or weights "
                f"{tuple(known)}, received {tuple(given)}"
            )
        if len(given) == 1:
            steps = ops.arange(ops.shape(everything)[1], dtype="int32")
            counted = steps < ops.cast(counted, "int32")[:, None]
        weights = ops.cast(counted, like.dtype)
    total = ops.sum(weights, axis=1, keepdims=True)
    return weights / ops.where(total > 0, total, 1.0)


def _check(value: float, name: str, iterations: int) -> None:
    if not value > 0:
        raise InputError(f"{name}: expected a number above 0, received {value}")
    if iterations < 1:
        raise InputError(f"iterations: expected 1 or more, received {iterations}")


def _solver() -> Callable[..., Transport]:
    """`_solve`; on JAX compiled once a shape, as its loops else would be at every eager call."""
    return _jitted() if keras.backend.backend() == "jax" else _solve


@functools.cache
def _jitted() -> Callable[..., Transport]:
    import jax

    return jax.jit(_solve, static_argnums=(3, 4, 5, 6))


def _solve(cost, rows, columns, scale, proximal: bool, iterations: int, unrolled: bool):
    """The alternation of the module's docstring.

    Args:
        scale: β or ε.
        proximal: whether it is IPOT: s grows, and g is moved on.
    """
    cost = ops.convert_to_tensor(cost)
    if len(cost.shape) != 3:
        raise InputError(
            f"cost: expected (problems, rows, columns), received a shape {tuple(cost.shape)}"
        )
    # Half precision has too few digits for s·C; integers have none.
    cost = ops.cast(cost, keras.backend.result_type(cost.dtype, "float32"))
    a, b = masses(rows, cost, "rows"), masses(columns, ops.swapaxes(cost, 1, 2), "columns")
    # With nothing on the one side there is nowhere to move the other to.
    some = ops.logical_and(ops.any(a > 0, axis=1), ops.any(b > 0, axis=1))[:, None]
    a, b = (part * ops.cast(some, cost.dtype) for part in (a, b))
    counted = ops.logical_and(a[:, :, None] > 0, b[:, None] > 0)
    cost = ops.where(counted, cost, 0.0)  # whatever stands in padding, NaN too
    problem = (cost, a, b)
    if not unrolled:
        problem = tuple(ops.stop_gradient(part) for part in problem)
    plan = _plan(problem, counted, scale, proximal, iterations)
    wrong_rows = ops.sum(ops.abs(ops.sum(plan, axis=2) - a), axis=1)
    wrong_columns = ops.sum(ops.abs(ops.sum(plan, axis=1) - b), axis=1)
    return Transport(plan, ops.sum(plan * cost, axis=(1, 2)), wrong_rows + wrong_columns)


def _plan(problem, counted, scale, proximal, iterations):
    cost, a, b = problem

    def potential(mass, log_sums):
        # Masked at each step, as what does not count would drift: by NEVER, then by twice as much.
        return ops.where(mass > 0, ops.log(ops.where(mass > 0, mass, 1.0)) - log_sums, NEVER)

    def step(k, f, g, change):
        s = (ops.cast(k + 1, cost.dtype) if proximal else 1.0) / scale
        ready = g + change if proximal else g
        f = potential(a, ops.logsumexp(ready[:, None] - s * cost, axis=2))
        following = potential(b, ops.logsumexp(f[:, :, None] - s * cost, axis=1))
        return f, following, following - g

    start = potential(b, ops.zeros_like(b))
    f, g, _ = _repeat(iterations, step, (ops.zeros_like(a), start, ops.zeros_like(b)))
    s = (iterations if proximal else 1) / scale
    return ops.exp(ops.where(counted, f[:, :, None] + g[:, None] - s * cost, NEVER))


def _repeat(times: int, step: Callable, state: tuple) -> tuple:
    """state = step(k, *state) for k = 0 … times − 1, differentiable and compiled as a loop.

    The gradient of a loop wants on TensorFlow under XLA to be told how often it runs at most
    (which Keras's fori_loop does not say), and on JAX a loop that is no while_loop.
    """
    if keras.backend.backend() == "jax":
        return ops.fori_loop(0, times, lambda k, now: step(k, *now), state)
    first = ops.convert_to_tensor(0, dtype="int32")
    return ops.while_loop(
        lambda k, *now: k < times,
        lambda k, *now: (k + 1, *step(k, *now)),
        (first, *state),
        maximum_iterations=times,
    )[1:]
