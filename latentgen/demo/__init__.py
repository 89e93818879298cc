"""`latentgen demo`: learns constraints from seventy labels a wish, and shows what they do."""

from pathlib import Path


def run(output: Path, seed: int = 0) -> None:
    """Runs the demonstration and writes its folder, with an index.html in it; prints as it goes."""
    from latentgen.demo.story import tell

    tell(Path(output), seed)
