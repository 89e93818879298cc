"""Sequence matching: likelihood, and what it costs to move an output's words to the reference's."""

from functools import partial
from typing import Any

import keras
from keras import ops

from latentgen import random
from latentgen.errors import InputError
from latentgen.layers.heads import SymbolHead
from latentgen.sequence_model import SequenceModel
from latentgen.transport.costs import cosine_cost, euclidean_cost
from latentgen.transport.losses import sequence_loss, soft_argmax
from latentgen.transport.solvers import ipot


@keras.saving.register_keras_serializable("latentgen")
class SequenceMatching:
    """γ2 · L_seq(reference, soft output) + γ1 · L_copy(source, soft output), the batch's mean.

    (Chen et al. 2019, arXiv 1901.06283.) A SequenceModel's second objective, added to its
    likelihood: see `sequence_matching`. The soft output is what the model makes of each step, given
    the true steps before it. Symbols are compared by the cosine of the model's own embeddings,
    which are trained by it too: those that its decoder reads, one-hots where it has none. A soft
    symbol is their mean under softmax(logits / τ). Elements of other heads (strokes, drum rolls)
    are compared as they are, by Euclidean distance; a soft one is a relaxed sample at τ. Steps that
    do not count (see `SequenceModel.counted`) have no mass.

    The cost does not depend on a sequence's length, so that a weight weighs the more against a
    likelihood summed over steps, the shorter the sequences: the released code adds 0.1 of it to the
    sum.

    Args:
        weight: γ2; 0 leaves L_seq out.
        copy_weight: γ1; 0 leaves L_copy out. It is for a Seq2Seq whose two sides share a tokenizer
            and so a table. With two tables, as in the released code, a source's word and its
            translation are near only once they have been trained to be: by this loss, which is all
            that brings the tables together.
        temperature: τ; the nearer to 0, the nearer to the argmax and the smaller the gradient.
        beta, iterations, unrolled: of the plan; see `latentgen.transport.ipot`. By default, the
            plan is held fixed in the gradient; the released code goes back through its iterations.

    Raises:
        InputError: a negative weight, both of them 0, a temperature that is not above 0; when it is
            called, a copy_weight where a batch has no source.
    """

    def __init__(
        self,
        weight: float = 0.1,
        copy_weight: float = 0.0,
        temperature: float = 1.0,
        beta: float = 0.5,
        iterations: int = 50,
        unrolled: bool = False,
    ):
        if min(weight, copy_weight) < 0 or not max(weight, copy_weight) > 0:
            raise InputError(
                "weight, copy_weight: expected numbers of 0 or more and one above 0, "
                f"received {weight} and {copy_weight}"
            )
        if not temperature > 0:
            raise InputError(f"temperature: expected a number above 0, received {temperature}")
        self.weight = weight
        self.copy_weight = copy_weight
        self.temperature = temperature
        self.plan: dict[str, Any] = {"beta": beta, "iterations": iterations, "unrolled": unrolled}

    def get_config(self) -> dict[str, Any]:
        weights = {"weight": self.weight, "copy_weight": self.copy_weight}
        return weights | {"temperature": self.temperature} | self.plan

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SequenceMatching":
        return cls(**config)

    def __call__(self, model: SequenceModel, inputs, outputs):
        """The weighted sum, a scalar.

        Args:
            inputs: a batch: `sequence`, `length`; for L_copy `source` and `source_length` too.
            outputs: what the model made of it: `parameters` (B, T, P).
        """
        cost, soft = self._soft(model, outputs["parameters"])
        counted = model.counted(inputs)

        def match(given, given_counted):
            solver = partial(ipot, **self.plan)
            return ops.mean(sequence_loss(given, soft, given_counted, counted, cost, solver))

        total = 0.0
        if self.weight:
            total += self.weight * match(model.head.embed(inputs["sequence"]), counted)
        if self.copy_weight:
            source = self._source(model, inputs)
            read = model.counted({"sequence": source, "length": inputs["source_length"]})
            total += self.copy_weight * match(model.embed_source(source), read)
        return total

    def _soft(self, model, parameters):
        """The cost of a pair, and what stands for the output's steps in it (B, T, E)."""
        head = model.head
        if isinstance(head, SymbolHead):
            return cosine_cost, head.embed(soft_argmax(parameters, self.temperature))
        shape = (*ops.shape(parameters)[:2], head.relax_noise_size)
        noise = random.uniform(shape, seed=model.decoder.seed_generator)
        return euclidean_cost, head.embed(head.relax(parameters, noise, self.temperature))

    def _source(self, model, inputs):
        if "source" not in inputs or not hasattr(model, "embed_source"):
            raise InputError(
                "copy_weight: expected a Seq2Seq, whose batches have a source to copy from, "
                f"received {type(model).__name__} and {sorted(inputs)}; leave copy_weight at 0"
            )
        return inputs["source"]


def sequence_matching(model: SequenceModel, **options: Any) -> SequenceModel:
    """The model, which trains by likelihood and by SequenceMatching(**options) from now on.

        sequence_matching(model, weight=0.1).compile(keras.optimizers.Adam(1e-3))

    `maximum_likelihood(model)` takes it back. Either wants the model to be compiled afterwards.
    """
    model.objective = SequenceMatching(**options)
    return model
