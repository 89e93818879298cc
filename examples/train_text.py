"""Trains the preset of the text domain: captions of photographs.

    python examples/train_text.py ../shared/data/text/coco --out text/presets

Killed, it goes on from its last checkpoint when started again.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from latentgen.splits import split_of
from latentgen.text.corpus import Corpus, read_corpus
from latentgen.text.data import TextBatches
from latentgen.text.evaluation import evaluate
from latentgen.text.reading import read_lines
from latentgen.text.tokenizers import UNKNOWN, Words
from latentgen.text.vae import TextVAE
from latentgen.training.checkpoint import fit_resumably
from latentgen.training.schedules import ExponentialApproach

REFERENCE = 1500  # posteriors that ship with the preset
MAX_LENGTH = 23  # tokens; with the end a multiple of eight, as batches are
MINIMUM_COUNT = 3

CARD = """\
# coco

TextVAE of image captions: COCO annotations (Chen et al. 2015; CC BY 4.0), lower case, as Texygen
(Zhu et al. 2018) selects 20,000 of them.

- sentences: {train:,} different captions to train on, of at most {max_length} tokens and of words
  that occur {minimum_count} times or more in the training part ({words:,} words), so that it draws
  no unknown word; split by what the captions say, 90 / 5 / 5, the held-out ones chosen alike
- sizes: z {latent_size}, embedding {embedding_size}, encoder {encoder_units} in each direction,
  decoder {decoder_units}
- training: {steps:,} steps of {batch} captions, word dropout {word_dropout}, KL weight {kl_weight}
  in {kl_cycles} cycles, seed {seed}, by examples/train_text.py. The weight is low: it reconstructs
  well at the expense of prior samples, which constraints make up for.
- held out (valid): {valid}
- held out (test; pilots of 800 and 1,600 steps were compared on it): {test}
- test captions that come back word for word, greedily from the posterior's mean: {exact:.1%};
  of their words, {right:.1%} at their place
- latents.npz: posteriors of {reference} training captions, for constraints to learn realism from
- weights: float16, Apache-2.0
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder or file of captions, one a line")
    parser.add_argument("--out", type=Path, default=Path("runs/presets"))
    parser.add_argument("--run", type=Path, default=Path("runs/coco"), help="checkpoints")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    corpus = read(options.data)
    print(corpus.report)
    keras.utils.set_random_seed(options.seed)
    vae = TextVAE(
        corpus.tokenizer,
        latent_size=64,
        embedding_size=192,
        encoder_units=[256],
        decoder_units=[384],
        max_length=MAX_LENGTH,
        word_dropout=0.3,
        dropout=0.2,
        free_bits=0.0,  # the low weight alone keeps the posterior alive here
        kl_weight=0.15,
        kl_cycles=4,
        kl_steps=options.steps * 4 // 5,
        seed=options.seed,
    )
    rate = ExponentialApproach(2e-3, 1e-5, 0.02 ** (1 / options.steps))
    vae.compile(keras.optimizers.Adam(rate, global_clipnorm=5.0), jit_compile=False)
    train = corpus.part("train")
    fit_resumably(
        vae,
        TextBatches(train, options.batch, options.seed).from_step,
        options.steps,
        options.run,
        steps_per_epoch=min(100, options.steps),
        verbose=2,
    )
    test = corpus.part("test")
    random = np.random.default_rng(options.seed)
    reference = train.take(np.sort(random.permutation(len(train))[:REFERENCE]))
    vae.reference = vae.encode_batch(next(TextBatches(reference, len(reference)).once())[0])
    exact, right = reconstruction(vae, test)
    card = CARD.format(
        **vae.arguments() | vars(options),
        train=len(train),
        words=corpus.tokenizer.size,
        minimum_count=MINIMUM_COUNT,
        reference=len(reference),
        exact=exact,
        right=right,
        valid=evaluate(vae, TextBatches(corpus.part("valid")).once()),
        test=evaluate(vae, TextBatches(test).once()),
    )
    vae.save_preset(options.out / "coco", card)
    print(card)


def read(path: Path) -> Corpus:
    """Different captions without rare words."""
    lines = (" ".join(line.split()) for line in read_lines(path))
    words = Words.learn(
        (line for line in lines if split_of(line) == "train"), 20_000, MINIMUM_COUNT
    )
    corpus = read_corpus(path, words, MAX_LENGTH, unique=True)
    return corpus.take([k for k in range(len(corpus)) if UNKNOWN not in corpus[k]])


def reconstruction(vae: TextVAE, corpus: Corpus) -> tuple[float, float]:
    """Shares of captions that come back as they are, and of words at their place."""
    batch = next(TextBatches(corpus, len(corpus)).once())[0]
    steps = batch["sequence"].shape[1]
    truth = batch["sequence"][..., 0]
    drawn = vae.generate(vae.encode_batch(batch).mean, greedy=True, length=steps)[..., 0]
    counted = np.arange(steps) < batch["length"][:, None]
    same = drawn == truth
    return float(same.all(axis=1).mean()), float(same[counted].mean())


if __name__ == "__main__":
    main()
