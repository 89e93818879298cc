"""What objectives are minimised by, worked out exactly on small distributions: a figure.

    python benchmarks/discrete.py [--tiny] [--out docs/images/objectives.png]

Above, sequences of two symbols: what scheduled sampling is minimised by for shares of own samples
from 0 to 1, from the data's distribution to the product of its marginals (Huszár 2015, arXiv
1511.05101). Below, two modes to which one Gaussian is fitted by JS_π: from covering both to seeking
one. Needs neither a network nor a backend; takes seconds.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from measure import table
from scipy.optimize import minimize

from latentgen.evaluation.divergence import generalized_js, kl
from latentgen.files import atomic_file
from latentgen.paper import INK, MUTED, PAPER

SHARES = (0.0, 0.5, 0.9, 1.0)
PRIORS = {0.01: "#0072B2", 0.5: "#009E73", 0.99: "#D55E00"}
JOINT = np.array([[9, 1, 1, 0], [0, 6, 1, 1], [1, 0, 4, 1], [1, 1, 0, 3]]) / 30.0
GRID = np.linspace(-6.0, 6.0, 241)


def gaussian(mean: float, scale: float, grid: np.ndarray = GRID) -> np.ndarray:
    """Probabilities of a grid's points, in proportion to a Gaussian's density there."""
    log_density = -0.5 * ((grid - mean) / scale) ** 2
    density = np.exp(log_density - log_density.max())
    return density / density.sum()


TARGET = 0.6 * gaussian(-2.0, 0.6) + 0.4 * gaussian(2.2, 0.8)


def scheduled_loss(model: np.ndarray, joint: np.ndarray, share: float) -> float:
    """Scheduled sampling's expected loss, nats, of a model of two symbols (K, K) that add up to 1.

    The second step reads the true first symbol or, for a `share` of the sequences, one that the
    model drew, of which the true second symbol knows nothing; no gradient goes through that draw,
    which at the optimum has the data's marginal.
    """
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    read = (1.0 - share) * joint + share * np.outer(first, second)
    marginal = model.sum(axis=1)
    log_conditional = np.log(model) - np.log(marginal)[:, None]
    return float(-first @ np.log(marginal) - (read * log_conditional).sum())


def scheduled_optimum(joint: np.ndarray, share: float) -> np.ndarray:
    """What `scheduled_loss` is minimised by: p(a) · ((1 − share) · p(b | a) + share · p(b))."""
    return (1.0 - share) * joint + share * np.outer(joint.sum(axis=1), joint.sum(axis=0))


def unimodal_fit(target: np.ndarray, prior: float, grid: np.ndarray = GRID) -> tuple[float, float]:
    """Mean and scale of the Gaussian with the least JS_π(target ‖ Gaussian); of several starts."""

    def divergence(x: np.ndarray) -> float:
        q = gaussian(x[0], np.exp(x[1]), grid)
        return generalized_js(target, q, prior) / (prior * (1.0 - prior))

    found = [
        minimize(divergence, [mean, log_scale], method="Nelder-Mead", options={"xatol": 1e-4})
        for mean in (-2.0, 0.0, 2.0)
        for log_scale in (-0.5, 0.7)
    ]
    mean, log_scale = min(found, key=lambda result: result.fun).x
    return float(mean), float(np.exp(log_scale))


def draw(path: Path) -> None:
    """Writes the figure."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.4), dpi=160, facecolor=PAPER)
    grid = figure.add_gridspec(
        2, 4, height_ratios=(1, 1.15), hspace=0.62, left=0.07, right=0.97, top=0.85, bottom=0.09
    )
    shades = LinearSegmentedColormap.from_list("paper", [PAPER, "#0072B2"])
    captions = {0.0: "none, likelihood: the data", 1.0: "all: the marginals' product"}
    for k, share in enumerate(SHARES):
        axes = figure.add_subplot(grid[0, k])
        optimum = scheduled_optimum(JOINT, share)
        axes.imshow(optimum, cmap=shades, vmin=0.0, vmax=JOINT.max())
        for (row, column), value in np.ndenumerate(optimum):
            colour = PAPER if value > 0.6 * JOINT.max() else INK
            text = f"{100 * value:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
        axes.set_title(captions.get(share, f"{share:.0%}"), fontsize=8.5, color=INK)
        axes.set_xticks(range(4), "abcd", fontsize=8, color=MUTED)
        axes.set_yticks(range(4), "abcd", fontsize=8, color=MUTED)
        axes.tick_params(length=0)
        axes.spines[:].set_color(MUTED)
        axes.spines[:].set_linewidth(0.5)
        if not k:
            axes.set_ylabel("first symbol", fontsize=8, color=MUTED)
            axes.set_xlabel("second symbol", fontsize=8, color=MUTED)
    step = GRID[1] - GRID[0]
    axes = figure.add_subplot(grid[1, :], facecolor=PAPER)
    axes.fill_between(GRID, TARGET / step, color=MUTED, alpha=0.25, linewidth=0)
    names = {0.01: "covers, as likelihood does", 0.5: "still covers", 0.99: "seeks one mode"}
    for prior, colour in PRIORS.items():
        mean, scale = unimodal_fit(TARGET, prior)
        density = gaussian(mean, scale) / step
        dash = (0, (4, 3)) if prior == 0.5 else "-"  # it lies upon another
        label = f"π = {prior}: {names[prior]}"
        axes.plot(GRID, density, color=colour, linewidth=1.8, linestyle=dash, label=label)
    axes.legend(frameon=False, fontsize=8.5, labelcolor="linecolor", loc="upper right")
    axes.set_xlim(GRID[0], GRID[-1])
    axes.set_ylim(bottom=0.0)
    axes.set_yticks([])
    axes.tick_params(colors=MUTED, labelsize=8, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    for y, text in (
        (0.93, "What scheduled sampling is minimised by, for shares of own samples (per cent)"),
        (
            0.455,
            "One Gaussian fitted to two modes (grey) by the generalized Jensen-Shannon divergence",
        ),
    ):
        figure.text(0.02, y, text, fontsize=10.5, color=INK)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, facecolor=PAPER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="writes the figure nowhere")
    parser.add_argument("--out", type=Path, default=Path("docs/images/objectives.png"))
    arguments = parser.parse_args()
    print("\nScheduled sampling: its optimum for two symbols")
    product = scheduled_optimum(JOINT, 1.0)
    rows = [
        [
            f"{share:.0%}",
            *(f"{kl(q, scheduled_optimum(JOINT, share)):.3f}" for q in (JOINT, product)),
        ]
        for share in SHARES
    ]
    table(["own samples", "KL from the data", "KL from the marginals' product"], rows)
    print("\nGeneralized Jensen-Shannon: one Gaussian for two modes")
    fits = [(prior, unimodal_fit(TARGET, prior)) for prior in PRIORS]
    rows = [[str(prior), f"{mean:.2f}", f"{scale:.2f}"] for prior, (mean, scale) in fits]
    table(["π", "mean", "scale"], rows)
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "objectives.png" if arguments.tiny else arguments.out)


if __name__ == "__main__":
    main()
