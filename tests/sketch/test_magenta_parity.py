"""The original Sketch-RNN and ours give the same numbers on the same weights (TF1 checkpoints)."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.checkpoints import load_magenta
from latentgen.checkpoints.magenta_sketch import sketch_table
from latentgen.checkpoints.mapping import collect
from tests.shared import shared_path

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="TensorFlow reads TF1 checkpoints"
    ),
]
CONDITIONAL = ["sketch_lstm", "sketch_layer_norm"]


class Fixture:
    """A case's checkpoint, recorded outputs, and our model of its folder alone."""

    def __init__(self, case: str):
        self.case, self.folder = case, shared_path(f"fixtures/magenta/{case}")
        with np.load(self.folder / "fixture.npz", allow_pickle=False) as recorded:
            self.recorded = {name: recorded[name] for name in recorded.files}

    def batch(self):
        """Rows 1.. are what the encoder reads and the decoder has to say; row 0 is the start."""
        sequence = self.recorded["input_data"][:, 1:].astype("float32")
        return {"sequence": sequence, "length": self.recorded["sequence_lengths"].astype("int32")}

    def model(self, scored_steps="until_end"):
        model = load_magenta(self.folder)
        model.scored_steps = scored_steps
        return model


@pytest.fixture(scope="module", params=CONDITIONAL)
def conditional(request):
    return Fixture(request.param)


@pytest.fixture(scope="module", params=[*CONDITIONAL, "sketch_uncond_lstm"])
def any_case(request):
    return Fixture(request.param)


def close(ours, theirs, tolerance=1e-5):
    ours, theirs = ops.convert_to_numpy(ours), np.asarray(theirs)
    assert np.linalg.norm(ours - theirs) <= tolerance * np.linalg.norm(theirs)


def test_encoder(conditional):
    posterior = conditional.model().posterior(conditional.batch())
    close(posterior.mean, conditional.recorded["enc_mean"])
    close(posterior.scale, conditional.recorded["enc_sigma"])


def test_kl(conditional):
    recorded = conditional.recorded
    model = conditional.model()
    kl, cost = model.kl_terms(recorded["enc_mean"], recorded["enc_sigma"])
    close(ops.mean(kl), recorded["kl_raw_np"])
    close(cost, recorded["eps_eval_kl_cost"])


def test_mixture_parameters_and_evaluation_loss(any_case):
    recorded, batch = any_case.recorded, any_case.batch()
    model = any_case.model(scored_steps="before_end")
    z = recorded.get("z_fixed")
    unrolled = model.decoder.teacher_forced(z, batch["sequence"])
    prefix = "z_eval_" if z is not None else "eval_"
    close(ops.reshape(unrolled.parameters, (-1, 33)), recorded[f"{prefix}raw_output"])
    mixture = model.head.split(ops.reshape(unrolled.parameters, (-1, 33)))
    for ours, theirs in (
        (ops.softmax(mixture.logits), "pi"),
        (mixture.mean_x, "mu1"),
        (ops.exp(mixture.log_scale_y), "sigma2"),
        (ops.tanh(mixture.raw_correlation), "corr"),
        (ops.softmax(mixture.pen_logits), "pen"),
    ):
        close(ours, recorded[prefix + theirs])
    loss = model.sequence_loss(model.head.loss, batch, unrolled.parameters)
    close(ops.mean(loss) / 12, recorded[f"{prefix}r_cost"])


def training_loss(case, model):
    """The training graph's cost with the recorded noise, as tensors."""
    batch, recorded = case.batch(), case.recorded
    z, kl_cost = None, 0.0
    if case.case in CONDITIONAL:
        mean, scale = model.posterior(batch)
        z = mean + scale * recorded["eps"]
        kl_cost = model.kl_terms(mean, scale)[1]
    unrolled = model.decoder.teacher_forced(z, batch["sequence"])
    reconstruction = ops.mean(model.sequence_loss(model.head.loss, batch, unrolled.parameters)) / 12
    weight = float(recorded["train_kl_weight"])
    return reconstruction, reconstruction + weight * kl_cost


def test_training_loss_gradients_and_one_adam_step(any_case):
    import tensorflow as tf

    model, recorded = any_case.model(scored_steps="all"), any_case.recorded
    with tf.GradientTape() as tape:
        reconstruction, cost = training_loss(any_case, model)
    close(reconstruction, recorded["train_r_cost"])
    close(cost, recorded["train_cost"])
    variables = [v.value for v in model.trainable_variables]
    gradients = tape.gradient(cost, variables)
    table = sketch_table(model)
    ours = {id(v): g for v, g in zip(model.trainable_variables, gradients, strict=True)}
    for name, gradient in collect(table, lambda v: np.array(ours[id(v)])).items():
        close(gradient, recorded[f"grad/vector_rnn/{name}"], 2e-5)
    optimizer = keras.optimizers.Adam(1e-3, epsilon=1e-8, clipvalue=1.0)
    optimizer.apply(gradients, model.trainable_variables)
    for name, value in collect(table).items():
        close(value, recorded[f"after1/vector_rnn/{name}"])
    close(training_loss(any_case, model)[1], recorded["cost_after_1_step"])


def test_greedy_drawing(any_case):
    """Magenta's loop goes on after the end of a drawing, so its own elements are fed back."""
    drawn = any_case.recorded["greedy_strokes"].astype("float32")
    z = any_case.recorded.get("z_fixed")
    model = any_case.model()
    unrolled = model.decoder.teacher_forced(None if z is None else z[:1], drawn[None])
    mode = ops.convert_to_numpy(unrolled.samples)[0]
    np.testing.assert_array_equal(mode[:, 2:], drawn[:, 2:])
    going_on = drawn[:, 4] == 0  # our closing element has no offset
    np.testing.assert_allclose(mode[going_on, :2], drawn[going_on, :2], rtol=1e-4, atol=1e-5)
    ours = model.generate(z, n=1, greedy=True, length=len(drawn))[0]
    ends = np.flatnonzero(drawn[:, 4])
    steps = ends[0] if len(ends) else len(drawn)
    np.testing.assert_allclose(ours[:steps], drawn[:steps], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ours[steps:, 4], 1.0)


def test_mixture_weights_along_a_sampled_drawing(any_case):
    recorded = any_case.recorded
    drawn = recorded["sampled_T0.4_seed0_strokes"].astype("float32")[None]
    z = recorded.get("z_fixed")
    model = any_case.model()
    unrolled = model.decoder.teacher_forced(None if z is None else z[:1], drawn)
    weights = ops.softmax(model.head.split(unrolled.parameters).logits)[0]
    close(weights, recorded["sampled_T0.4_seed0_pi"])
