"""How a sequence model is trained: each objective on every decoder, by one line.

    trainer = ProfessorForcing(model)          # or maximum_likelihood(model), CoT(model), …
    trainer.compile(keras.optimizers.Adam(1e-3))
    trainer.fit(batches)

`model` is what is trained, and what is used afterwards. Resolved at first use: importing this is
light.
"""

import importlib
from typing import Any

_EXPORTS = {
    "SeqGAN": "latentgen.objectives.seqgan",
    "ScratchGAN": "latentgen.objectives.scratchgan",
    "RankGAN": "latentgen.objectives.rankgan",
    "MaliGAN": "latentgen.objectives.maligan",
    "CoT": "latentgen.objectives.cot",
    "ConvolutionalDiscriminator": "latentgen.objectives.discriminators",
    "ElementEmbedding": "latentgen.objectives.discriminators",
    "ProfessorForcing": "latentgen.objectives.professor_forcing",
    "GeneralizedJS": "latentgen.objectives.generalized_js",
    "GumbelSoftmax": "latentgen.objectives.gumbel_softmax",
    "RecurrentDiscriminator": "latentgen.objectives.discriminators",
    "maximum_likelihood": "latentgen.objectives.likelihood",
    "scheduled_sampling": "latentgen.objectives.likelihood",
    "sequence_matching": "latentgen.objectives.transport",
}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'latentgen.objectives' has no attribute {name!r}")
