"""Captions that do what a line of Python asks for; nothing is labelled.

    python examples/captions.py --out captions

Opens the shipped preset, learns three rules at once, and writes a page to read, and the captions.
"""

import argparse
from pathlib import Path

from latentgen import LatentConstraints, TextVAE
from latentgen.text import contains_word, number_of_words
from latentgen.text.page import Section, write_page

RULES = {
    "about a cat": lambda words: contains_word(words, "cat") or contains_word(words, "cats"),
    "in a bathroom": lambda words: contains_word(words, "bathroom"),
    "short": lambda words: 3 <= number_of_words(words) <= 8,
}
WISHES = (["about a cat"], ["in a bathroom"], ["short"], ["about a cat", "in a bathroom"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("captions"))
    parser.add_argument("--preset", default="coco")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, help="daring; the likeliest words without it")
    parser.add_argument("--samples", type=int, default=1000, help="the rules are asked about")
    parser.add_argument("--turns", type=int, default=1000, help="of training")
    options = parser.parse_args()
    vae = TextVAE.from_preset(options.preset)
    how = {"temperature": options.temperature} if options.temperature else {"greedy": True}

    def write(z):
        return vae.decode(z, seed=options.seed, **how)

    # The rules are asked about what the frozen model writes.
    constraints = LatentConstraints(vae.latent_size, seed=options.seed)
    asking = {"samples": options.samples, "turns": options.turns, "rounds": 2}
    real = vae.reference  # latent vectors of what people wrote
    constraints.fit_reward(write, RULES, z=real.mean, **asking)
    constraints.keep_real(real.mean, real.scale, options.seed)
    print(constraints.report)
    prior = constraints.sample(8, strength=0, seed=options.seed)
    sections = [Section("unasked", write(prior))]
    for wish in WISHES:
        wanted = dict.fromkeys(wish, True)
        captions = write(constraints.transform(prior, wanted, method="density", steps=1))
        obeyed = sum(all(RULES[name](words) for name in wish) for words in captions)
        sections.append(Section(" and ".join(wish), captions, text=f"{obeyed} of 8 are"))
        print(f"{sections[-1].title}:", *captions, sep="\n  ")
    z = real.mean[:8]
    moved = constraints.transform(z, {"in a bathroom": True}, method="ascent", strength=1.5)
    sections.append(Section("the same, in a bathroom", write(moved), write(z)))
    write_page(options.out / "index.html", "Captions that were asked for", sections)


if __name__ == "__main__":
    main()
