"""What `fit` hands back: how well each attribute was learnt, and what it took."""

from dataclasses import dataclass

from latentgen.constraints.validation import AttributeReport


@dataclass(frozen=True)
class FitReport:
    """The result of a fit: readable with `print`, numbers in its fields."""

    attributes: tuple[AttributeReport, ...]
    rows: int
    seconds: float
    critic_loss: float
    actor_loss: float

    @property
    def scores(self) -> dict[str, float]:
        """Held-out AUC (measured attributes: R^2) by attribute."""
        return {report.name: report.score for report in self.attributes}

    @property
    def weak(self) -> tuple[str, ...]:
        """The attributes that could not be learnt from these labels."""
        return tuple(report.name for report in self.attributes if report.weak)

    def __str__(self) -> str:
        lines = [str(report) for report in self.attributes] or ["realism alone"]
        lines.append(f"{self.rows} latent vectors, fitted in {self.seconds:.1f} s")
        return "\n".join(lines)
