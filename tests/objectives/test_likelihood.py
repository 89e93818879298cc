"""Objectives without a second network: one line switches between them, and what they end at."""

import re

import keras
import numpy as np

import latentgen.objectives
from latentgen.evaluation.divergence import kl
from latentgen.evaluation.oracle import batch_of_ids, model_of_ids
from latentgen.objectives import maximum_likelihood, scheduled_sampling
from latentgen.training.schedules import LinearRamp
from tests.objectives.checks import ON_JAX
from tests.shared import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "objectives.md").read_text(encoding="utf-8")
PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")[..., None]
JOINT = np.array([0.6, 0.05, 0.05, 0.3])
PRODUCT = np.array([0.65 * 0.65, 0.65 * 0.35, 0.35 * 0.65, 0.35 * 0.35])


def trained(objective, steps=250):
    """The distribution of pairs that a model ends at; the last steps have a small rate."""
    keras.utils.set_random_seed(0)
    model = objective(model_of_ids(2, embedding_size=2, units=6, length=2))
    rate = keras.optimizers.schedules.CosineDecay(0.05, steps)
    model.compile(keras.optimizers.Adam(rate), jit_compile=ON_JAX)
    random = np.random.default_rng(0)
    for _ in range(steps):
        model.train_on_batch(batch_of_ids(PAIRS[random.choice(4, 128, p=JOINT)]))
    parameters = model.decoder.teacher_forced(None, PAIRS).parameters
    found = np.exp(np.asarray(model.head.log_prob(parameters, PAIRS)).sum(axis=1))
    return found / found.sum()


def test_likelihood_ends_at_the_data():
    assert kl(JOINT, trained(maximum_likelihood)) < 0.01


def test_scheduled_sampling_of_all_steps_ends_at_the_marginals_product():
    """Huszár's critique, on a trained network."""
    found = trained(lambda model: scheduled_sampling(model, 1.0))
    assert kl(PRODUCT, found) < 0.01
    assert kl(JOINT, found) > 0.1


def test_one_line_switches_and_switches_back():
    model = model_of_ids(2, embedding_size=2, units=3, length=2)
    ramp = LinearRamp(0.0, 1.0, 10)
    assert scheduled_sampling(model, ramp) is model
    assert model.sampling is ramp
    model.objective = print
    assert maximum_likelihood(model).sampling == 0.0
    assert model.objective is None


def test_the_documents_program_runs():
    program = re.search(r"^```python\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert program is not None
    exec(compile(program[1], "objectives.md", "exec"), {})


def test_the_document_names_every_objective_and_no_other():
    lines = re.findall(r"^\|(.*?)\|", DOCUMENT, re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"`(\w+)\(model", line)}
    parts = {"ConvolutionalDiscriminator", "ElementEmbedding", "RecurrentDiscriminator"}
    assert named == set(latentgen.objectives.__all__) - parts
