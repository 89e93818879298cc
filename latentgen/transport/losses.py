"""Losses on whole sequences of embeddings (Chen et al. 2019, arXiv 1901.06283)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from latentgen.transport.costs import cosine_cost
from latentgen.transport.solvers import Transport, ipot, masses


def soft_argmax(logits, temperature: float = 1.0):
    """softmax(logits / τ) (…, V): a symbol that can be differentiated; its argmax as τ → 0."""
    return ops.softmax(logits / temperature, axis=-1)


def sequence_loss(
    given,
    output,
    given_counted=None,
    output_counted=None,
    cost: Callable[[Any, Any], Any] = cosine_cost,
    solver: Callable[[Any, Any, Any], Transport] = ipot,
):
    """What moving an output's embeddings to those of a given sequence costs, (B,).

    Each step of a sequence that counts has the same mass; their order has no part in it. With the
    reference as the given sequence it is the paper's sequence matching L_seq, with the source its
    copying L_copy.

    Args:
        given: embeddings (B, n, E).
        output: embeddings (B, m, E), such as the embeddings' means under soft symbols.
        given_counted, output_counted: what of them counts: lengths (B,), or masks (B, n), (B, m).
            What stands in the rest has no mass and is not read.
        cost: of all pairs of vectors; of `latentgen.transport.costs`.
        solver: of (cost, rows, columns); `functools.partial(ipot, beta=1.0, iterations=10)`.

    Returns:
        The cost of each pair of sequences; 0 where either has nothing that counts.

    Raises:
        InputError: shapes that do not belong together.
    """
    rows = masses(given_counted, given, "given_counted")
    columns = masses(output_counted, output, "output_counted")
    # Not only masked in the solver: the gradient of a cost of NaN is NaN, times 0 too.
    given = ops.where(rows[..., None] > 0, given, 0.0)
    output = ops.where(columns[..., None] > 0, output, 0.0)
    return solver(cost(given, output), rows, columns).cost
