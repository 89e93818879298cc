"""The synthetic oracle: a known distribution over sequences, so that quality can be measured.

A recurrent network with random weights is the truth (Yu et al. 2017, arXiv 1609.05473). Models are
trained on its samples and judged by two figures in nats a token: NLL_oracle, how unlikely the
oracle finds what a model draws (quality), and NLL_test, how unlikely the model finds what the
oracle draws (diversity). Both are the oracle's own entropy at best.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras import ops

from latentgen.checkpoints.variables import read_arrays
from latentgen.compilation import compiled
from latentgen.errors import CheckpointError
from latentgen.generation import in_batches
from latentgen.layers.decoder import Decoder
from latentgen.layers.tokens import TokenHead
from latentgen.sequence_model import SequenceModel

VOCABULARY, SIZE, LENGTH = 5000, 32, 20  # of the published oracle and of models trained on it


def model_of_ids(
    vocabulary_size: int = VOCABULARY,
    embedding_size: int = SIZE,
    units: int = SIZE,
    length: int = LENGTH,
    dropout: float = 0.0,
    seed: int = 0,
) -> SequenceModel:
    """An untrained model of sequences of exactly `length` ids (B, length, 1), of which none ends.

    Its first step reads the id 0. Its loss is nats a token.
    """
    head = TokenHead(
        units, vocabulary_size, embedding_size, tied=False, end_id=None, start_id=0, name="head"
    )
    decoder = Decoder(head, units, latent_size=0, input_dropout=dropout, seed=seed, name="decoder")
    return SequenceModel(decoder, length, scored_steps="before_end")


def synthetic_oracle(
    path: str | os.PathLike | None = None,
    vocabulary_size: int = VOCABULARY,
    length: int = LENGTH,
    seed: int = 0,
) -> SequenceModel:
    """The published oracle, or another one of its kind with weights drawn from N(0, 1).

    Args:
        path: its parameters, an .npz with `embedding` (V, E), `Wo`, `bo` of the output layer, and
            `W*` on the input, `U*` on the state, `b*` of the gates i, f, og (output) and c
            (candidate). None for random ones.
        vocabulary_size, seed: of random ones.

    Raises:
        CheckpointError: the file lacks an array, or has one of another shape.
    """
    parameters = _drawn(vocabulary_size, seed) if path is None else _read(Path(path))
    vocabulary_size, embedding_size = parameters["embedding"].shape
    units = len(parameters["Wo"])
    oracle = model_of_ids(vocabulary_size, embedding_size, units, length)
    (cell,), head = oracle.decoder.cell.cells, oracle.head
    # A cell's gates are side by side in this order, and it adds 1 to the forget gate by itself.
    gates = ("i", "c", "f", "og")
    kernel, recurrent, bias = (
        np.concatenate([parameters[f"{kind}{gate}"] for gate in gates], axis=-1) for kind in "WUb"
    )
    bias[2 * units : 3 * units] -= cell.forget_bias
    values = [
        (cell.kernel, kernel),
        (cell.recurrent_kernel, recurrent),
        (cell.bias, bias),
        (head.table, parameters["embedding"]),
        (head.projection.kernel, parameters["Wo"]),
        (head.projection.bias, parameters["bo"]),
    ]
    for variable, value in values:
        variable.assign(value)
    return oracle


def batch_of_ids(sequences: np.ndarray) -> dict[str, np.ndarray]:
    """Sequences of ids (n, T, 1), all content, as a batch to train on."""
    n, length = sequences.shape[:2]
    return {"sequence": sequences, "length": np.full(n, length, "int32")}


def nll_per_token(model: SequenceModel, batch_size: int = 256) -> Callable[..., float]:
    """A function of sequences (n, T, D) without ends: −log p under `model`, mean nats a step.

    `nll_per_token(oracle)(model.generate(n=…, temperature=1.0))` is NLL_oracle, and
    `nll_per_token(model)(oracle.generate(…))` NLL_test; with `temperature=…` that of the model as
    it draws at that temperature. The function reads the weights that the model has when called.
    """

    def score(inputs):
        sequence = inputs["sequence"]
        logits = model.decoder.teacher_forced(None, sequence).parameters
        logits = logits / inputs["temperature"][:, None, None]
        return [ops.mean(-model.head.log_prob(logits, sequence), axis=1)]

    run = compiled(model, score, jit_compile=False)

    def nll(sequences: np.ndarray, temperature: float = 1.0) -> float:
        inputs = {"sequence": sequences}
        inputs["temperature"] = np.full(len(sequences), temperature, "float32")
        (nats,) = in_batches(run, inputs, batch_size)
        return float(nats.mean(dtype="float64"))

    return nll


def _shapes(vocabulary: int, embedding: int, units: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary, embedding)}
    for gate in ("i", "f", "og", "c"):
        shapes |= {f"W{gate}": (embedding, units), f"U{gate}": (units, units), f"b{gate}": (units,)}
    return shapes | {"Wo": (units, vocabulary), "bo": (vocabulary,)}


def _drawn(vocabulary_size: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes = _shapes(vocabulary_size, SIZE, SIZE)
    return {name: random.standard_normal(shape, "float32") for name, shape in shapes.items()}


def _read(path: Path) -> dict[str, np.ndarray]:
    arrays = read_arrays(path)
    found = {name: array.shape for name, array in arrays.items()}
    sizes = (*found.get("embedding", ()), *found.get("Wo", ())[:1])
    if len(sizes) != 3 or found != _shapes(*sizes):
        raise CheckpointError(
            f"{path}: expected the parameters of an oracle, {', '.join(_shapes(0, 0, 0))}, of "
            f"fitting shapes, found {found}"
        )
    return arrays
