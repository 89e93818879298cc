"""Drum patterns that are asked for, how strongly, and what lies between two of them.

    python examples/drums.py --out drums

Opens the shipped preset, learns two rules, writes a page and a WAV file.
"""

import argparse
from pathlib import Path

from latentgen import LatentConstraints, MusicVAE
from latentgen.music import hit_density, kick_on_beat, write_page, write_wav
from latentgen.music.rendering.page import Section
from latentgen.vae import slerp

RULES = {
    "four on the floor": lambda notes: kick_on_beat(notes) > 0.99,
    "busy": lambda notes: hit_density(notes) >= 22,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("drums"))
    parser.add_argument("--preset", default="drums_2bar")
    parser.add_argument("--samples", type=int, default=1000, help="the rules are asked about")
    parser.add_argument("--turns", type=int, default=1000, help="of training")
    options = parser.parse_args()
    vae = MusicVAE.from_preset(options.preset)

    def play(z):
        return vae.decode(z, temperature=0.5, tempo=104)

    constraints = LatentConstraints(vae.latent_size)
    real = vae.reference  # latent vectors of what people played
    asking = {"z": real.mean[:500], "rounds": 2, "samples": options.samples}
    constraints.fit_reward(play, RULES, turns=options.turns, **asking)
    constraints.keep_real(real.mean, real.scale, seed=0)
    print(constraints.report)
    start = constraints.sample(6, strength=0)

    def ask(*names, **how):
        return constraints.transform(start, dict.fromkeys(names, True), method="density", **how)

    four, busy = (ask(name) for name in RULES)
    rows = {"unasked": start, "four on the floor": four, "busy": busy}
    rows |= {
        "both": ask(*RULES),
        "busy, half as strongly": ask("busy", strength=0.5),
        "from the one to the other": slerp(four[0], busy[0], 6),
    }
    sections = [Section(title, play(z)) for title, z in rows.items()]
    write_page(options.out / "index.html", "Drums that were asked for", sections)
    write_wav(options.out / "both.wav", sections[3].passages[0])
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
