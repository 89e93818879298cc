"""Melodies that do what a line of Python asks for; nothing is labelled.

    python examples/melodies.py --out melodies

Opens the shipped preset, learns three rules at once, and writes a page to see and hear, and MIDI.
"""

import argparse
from pathlib import Path

from latentgen import LatentConstraints, MusicVAE
from latentgen.music import mean_pitch, note_density, share_in_key, write_midi, write_page
from latentgen.music.rendering.page import Section

RULES = {
    "in C major": lambda notes: share_in_key(notes, "C major") > 0.95,
    "high": lambda notes: mean_pitch(notes) > 72,
    "calm": lambda notes: 1.5 <= note_density(notes) <= 3.5,
}
WISHES = (["in C major"], ["calm"], ["in C major", "high"], ["in C major", "calm"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("melodies"))
    parser.add_argument("--preset", default="melody_2bar")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1000, help="the rules are asked about")
    parser.add_argument("--turns", type=int, default=1000, help="of training")
    options = parser.parse_args()
    vae = MusicVAE.from_preset(options.preset)

    def play(z):
        return vae.decode(z, temperature=0.5, seed=options.seed, tempo=100)

    # The rules are asked about what the frozen model plays; their answers teach the constraints.
    constraints = LatentConstraints(vae.latent_size, seed=options.seed)
    real = vae.reference  # latent vectors of what people played
    asking = {"samples": options.samples, "turns": options.turns, "rounds": 2}
    constraints.fit_reward(play, RULES, z=real.mean[:500], **asking)
    constraints.keep_real(real.mean, real.scale, options.seed)
    print(constraints.report)

    prior = constraints.sample(6, strength=0, seed=options.seed)
    sections = [Section("unasked", play(prior))]
    for wish in WISHES:
        z = constraints.transform(prior, dict.fromkeys(wish, True), method="density")
        sections.append(Section(" and ".join(wish), play(z)))
        obeyed = sum(all(RULES[name](notes) for name in wish) for notes in sections[-1].passages)
        print(f"{sections[-1].title}: {obeyed} of 6")

    write_page(options.out / "index.html", "Melodies that were asked for", sections)
    for number, notes in enumerate(sections[-1].passages, start=1):
        write_midi(options.out / f"{number}.mid", notes)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
