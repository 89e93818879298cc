"""`latentgen demo`: learns constraints on drawings, music and text, and shows what they do."""

from pathlib import Path


def run(output: Path, seed: int = 0) -> None:
    """Runs the demonstration and writes its folder, with an index.html in it; prints as it goes."""
    import time

    from rich.console import Console

    from latentgen.demo import music_page, music_story, story, text_page, text_story
    from latentgen.demo.page import DRAWINGS, MUSIC, TEXT
    from latentgen.files import atomic_folder

    started = time.monotonic()
    console = Console(highlight=False, soft_wrap=True)  # a wide table is not folded
    drawings, constraints = story.tell(seed, console)
    takes = music_story.tell_music(seed, console)
    sentences = text_story.tell_text(seed, console)
    there = [DRAWINGS, *([MUSIC] if takes else []), *([TEXT] if sentences else [])]
    with atomic_folder(output) as folder:
        story.write(folder, drawings, constraints, there)
        if takes:
            music_page.write_music_page(folder / MUSIC, takes, seed, there)
        if sentences:
            text_page.write_text_page(folder / TEXT, sentences, seed, there)
    written = ", ".join(str(Path(output) / page) for page in there)
    console.print(f"Wrote {written} in {time.monotonic() - started:.0f} s")
