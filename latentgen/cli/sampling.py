"""What `sample` is where presets know what real z are like."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from latentgen.domain import DomainModel

Prior = Annotated[
    bool,
    typer.Option(
        "--prior",
        help="Leave latent vectors where the prior has them; else they are moved to where those "
        "of real examples are, which presets know.",
    ),
]


def draw(model: "DomainModel", count: int, prior: bool, how: dict[str, Any]) -> list[Any]:
    """So many pieces; their z from the prior, uphill on the density of the preset's real z."""
    from latentgen.constraints.density import uphill

    real = model.reference
    if prior or real is None:
        return model.sample(count, **how)
    bandwidth = float((real.scale**2).mean() ** 0.5)
    z = uphill(model.sample_prior(count, how["seed"]), real.mean, bandwidth)
    return model.decode(z, **how)
