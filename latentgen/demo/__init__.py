"""`latentgen demo`: learns constraints on drawings and on music, and shows what they do."""

from pathlib import Path


def run(output: Path, seed: int = 0) -> None:
    """Runs the demonstration and writes its folder, with an index.html in it; prints as it goes."""
    import time

    from rich.console import Console

    from latentgen.demo import music_page, music_story, story
    from latentgen.demo.page import DRAWINGS, MUSIC
    from latentgen.files import atomic_folder

    started = time.monotonic()
    console = Console(highlight=False, soft_wrap=True)  # a wide table is not folded
    drawings, constraints = story.tell(seed, console)
    takes = music_story.tell_music(seed, console)
    with atomic_folder(output) as folder:
        story.write(folder, drawings, constraints, with_music=bool(takes))
        if takes:
            music_page.write_music_page(folder / MUSIC, takes, seed)
    pages = [DRAWINGS, *([MUSIC] if takes else [])]
    written = " and ".join(str(Path(output) / page) for page in pages)
    console.print(f"Wrote {written} in {time.monotonic() - started:.0f} s")
