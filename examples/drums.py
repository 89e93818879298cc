"""Drum patterns: one that is asked for, how strongly, and what lies between two of them.

    python examples/drums.py --out drums

Opens the shipped preset, learns two rules, and writes a page, a picture and a WAV file.
"""

import argparse
from pathlib import Path

from latentgen import LatentConstraints, MusicVAE
from latentgen.music import hi_hat_share, hit_density, kick_on_beat, write_page, write_roll
from latentgen.music.audio import write_wav
from latentgen.music.page import Section
from latentgen.vae import slerp

RULES = {
    "four on the floor": lambda notes: kick_on_beat(notes) > 0.99,
    "hats": lambda notes: hit_density(notes) >= 4 and hi_hat_share(notes) > 0.6,
}
STRENGTHS = (0, 0.25, 0.5, 0.75, 1, 1.25)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("drums"))
    parser.add_argument("--preset", default="drums_2bar")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1000, help="the rules are asked about")
    parser.add_argument("--turns", type=int, default=1000, help="of training")
    options = parser.parse_args()
    vae = MusicVAE.from_preset(options.preset)

    def play(z):
        return vae.decode(z, temperature=0.5, seed=options.seed, tempo=104)

    constraints = LatentConstraints(vae.latent_size, seed=options.seed)
    constraints.fit_reward(play, RULES, samples=options.samples, turns=options.turns)
    print(constraints.report)

    start = constraints.sample(6, strength=0, seed=options.seed)
    asked = {name: constraints.transform(start, {name: True}) for name in RULES}
    both = constraints.transform(start, dict.fromkeys(RULES, True))
    first = start[:1]
    sweep = [constraints.transform(first, {"hats": True}, strength=s)[0] for s in STRENGTHS]
    between = slerp(asked["four on the floor"][0], asked["hats"][1], 6)
    sections = [Section("unasked", play(start))]
    sections += [Section(name, play(z)) for name, z in asked.items()]
    sections += [Section("both", play(both)), Section("between the two", play(between))]
    sections.append(Section("hats", play(sweep), [f"strength {s:g}" for s in STRENGTHS]))
    write_page(options.out / "index.html", "Drums that were asked for", sections)
    write_roll(options.out / "both.png", sections[3].passages)
    write_wav(options.out / "both.wav", sections[3].passages[0])
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
