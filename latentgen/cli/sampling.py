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
    from latentgen.constraints.density import like_real

    if prior or model.reference is None:
        return model.sample(count, **how)
    return model.decode(like_real(model.sample_prior(count, how["seed"]), model.reference), **how)
