"""The hidden states of a model that reads real sequences, beside those of one that reads its own.

Where the two clouds differ, a free run leads the model to states it never was in in training
(exposure bias). Professor forcing claims to bring them together, and shows it so (Lamb et al. 2016,
arXiv 1610.09038, §4.4).
"""

import os
from typing import NamedTuple

import numpy as np
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.files import atomic_file
from latentgen.generation import in_batches
from latentgen.paper import INK, MUTED, PAPER
from latentgen.sequence_model import SequenceModel

NEIGHBOURS = 10
TEACHER_FORCED, FREE_RUNNING = "#0072B2", "#D55E00"  # apart with any colour vision


class StateMap(NamedTuple):
    """n hidden states, half of them teacher-forced, in two dimensions."""

    points: np.ndarray
    """(n, 2); distances within a cloud mean something, those between clouds do not."""
    free_running: np.ndarray
    """Which are of the model's own sequences, bool (n,)."""
    step: np.ndarray
    """The step each is of, int (n,)."""
    mixing: float
    """The share of a state's 10 nearest, in all dimensions, that are of the other kind: about ½
    where the clouds are one, 0 where they are apart."""


def tsne_of_states(
    model: SequenceModel,
    inputs: dict[str, np.ndarray],
    states: int = 500,
    temperature: float = 1.0,
    perplexity: float = 30.0,
    batch_size: int = 64,
    seed: int = 0,
) -> StateMap:
    """t-SNE (van der Maaten & Hinton 2008) of the features that a model's head reads.

    The free runs are as many and as long as the sequences, given what those are given: a VAE the
    same sequences' z, a model with a control that control. Steps behind an end count in neither;
    nor does the first, which nothing was read before.

    Args:
        model: any SequenceModel: of drawings, melodies or sentences.
        inputs: a batch of real sequences, as the model is trained on.
        states: how many of each kind, drawn without replacement; all where there are fewer.
        temperature: of the free runs.
        perplexity: of t-SNE, about how many neighbours a state has.
        batch_size: how many sequences are unrolled at once.
        seed: of the free runs, the choice of states and t-SNE; not of a VAE's z.

    Raises:
        InputError: fewer than 20 states of either kind.
    """
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors

    random = np.random.default_rng(seed)
    shape = (*inputs["sequence"].shape[:2], model.head.noise_size)
    unrolled = in_batches(
        compiled(model, _unroll(model, temperature), jit_compile=False),
        inputs | {"noise": random.random(shape, "float32")},
        batch_size,
    )
    features, steps = [], []
    kinds = unrolled[:2], unrolled[2:]
    places = [np.argwhere(counted[:, 1:]) + np.array([0, 1]) for _, counted in kinds]
    count = min(states, *map(len, places))
    if count < 20:
        raise InputError(
            f"inputs: expected 20 states or more of real and of drawn sequences, received "
            f"{' and '.join(str(len(found)) for found in places)}"
        )
    for (hidden, _), found in zip(kinds, places, strict=True):
        rows, times = found[random.permutation(len(found))[:count]].T
        features.append(hidden[rows, times])
        steps.append(times)
    clouds = np.concatenate(features).astype("float64")
    free = np.repeat([False, True], count)
    _, nearest = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(clouds).kneighbors()
    tsne = TSNE(perplexity=min(perplexity, count / 2), init="pca", random_state=seed)
    return StateMap(
        tsne.fit_transform(clouds),
        free,
        np.concatenate(steps),
        float((free[nearest] != free[:, None]).mean()),
    )


def draw_states(states: StateMap, path: str | os.PathLike) -> None:
    """Writes the figure of a map of states to a .png, .svg or .pdf."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.6), dpi=160, facecolor=PAPER, layout="constrained")
    axes = figure.add_subplot(facecolor=PAPER)
    order = np.random.default_rng(0).permutation(len(states.points))  # neither kind lies above
    colours = np.where(states.free_running, FREE_RUNNING, TEACHER_FORCED)
    x, y = states.points[order].T
    axes.scatter(x, y, c=colours[order], s=7, alpha=0.6, linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(MUTED)
    axes.spines[:].set_alpha(0.4)
    for place, (text, colour) in enumerate(
        (("teacher-forced", TEACHER_FORCED), ("free-running", FREE_RUNNING))
    ):
        axes.text(0.34 * place, 1.02, text, color=colour, transform=axes.transAxes, fontsize=9)
    axes.set_xlabel(
        f"t-SNE of hidden states; mixing {states.mixing:.2f} (½: one cloud, 0: two)",
        color=INK,
        fontsize=8,
    )
    with atomic_file(path) as temporary:
        figure.savefig(temporary, facecolor=PAPER)


def _unroll(model: SequenceModel, temperature: float):
    def unroll(inputs):
        """Features and which steps count, of the real sequences and of the model's own."""
        z = model.condition(inputs).get("z")
        forced = model.unroll(z, inputs).features
        control = model.read_control(inputs.get("control"), length=inputs.get("length"))
        free = model.decoder.free_running(z, inputs["noise"], temperature, control=control)
        ended = ops.cast(model.head.ended(free.samples), "int32")  # (B, T)
        going_on = ops.equal(ops.cumsum(ended, axis=1) - ended, 0)  # the end itself counts
        return forced, model.counted(inputs), free.features, going_on

    return unroll
