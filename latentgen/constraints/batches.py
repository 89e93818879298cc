"""What an LC-GAN is trained on: real z with the attributes they are known, or thought, to have."""

import keras
import numpy as np

from latentgen.constraints.attributes import Attribute
from latentgen.constraints.predictors import ARRAYS, Predictor

UNCONDITIONAL = 0.2  # share of the rows that ask for realism alone
REVEALED = 0.15  # chance of each further attribute to be asked for too
LABELLED = 0.5  # share of the rows drawn from labelled ones where unlabelled ones look alike
REAL, FEWEST_REAL = 0.8, 32  # share drawn from the z that count as real, if so many have a class
PRIOR_FAKES = 0.1  # share of the critic's fakes that are prior samples (METHODS.md, section 1)


class Batches(keras.utils.PyDataset):
    """Random batches, each a dictionary of float32 arrays; batch k depends on (seed, k) alone.

    - `real` (rows, latent_size): samples of q(z | x); `condition` (rows, c): what they have;
    - `wrong` (rows, c): what they do not have; `mismatched` (rows,): 1 where there is such;
    - `source` (rows, latent_size): where the actor starts, half of them prior samples;
    - `untouched` (rows, 1): 1 where the critic sees the source itself, a prior sample, as the fake;
    - `mix` (rows, 1): where between real and fake the gradient penalty looks.

    Unlabelled rows take part with the classes that the predictors give them: a class is drawn
    first, then one of its rows, half of the time a labelled one.
    """

    def __init__(
        self,
        z: np.ndarray,
        scale: np.ndarray,
        attributes: list[Attribute],
        predictors: list[Predictor],
        codes: list[np.ndarray],
        rows: int,
        count: int,
        seed: int,
        real: int | None = None,
        true_share: float = 0.5,
        together: float = 0.0,
    ):
        """`real`: how many of the first z count as real where nothing is asked; all if None.
        `true_share`: of the rows drawn for a binary attribute, those that ask for True.
        `together`: of all rows that ask, those that ask for all attributes of a z, drawn from those
        that have every binary one."""
        super().__init__()
        self.real = len(z) if real is None else real
        self.true_share, self.together = true_share, together
        self.z, self.scale = z, np.broadcast_to(scale, z.shape)
        self.attributes, self.rows, self.count, self.seed = attributes, rows, count, seed
        self.chances: list[list[np.ndarray]] = []  # of each row, by attribute and class
        self.guesses: list[np.ndarray] = []  # cumulative class probabilities, or (value, deviation)
        self.codes = codes
        for attribute, predictor, known in zip(attributes, predictors, codes, strict=True):
            output = predictor(z, ARRAYS)
            if attribute.kind == "continuous":
                self.guesses.append(output[:, 0])
                labelled = ~np.isnan(known)
                even = np.ones(len(z)) / len(z)
                self.chances.append([_mixture(labelled / labelled.sum(), even)])
                continue
            likelihood = np.exp(output - output.max(1, keepdims=True))
            posterior = _population_posterior(likelihood, known)
            self.guesses.append(posterior.cumsum(1))
            self.chances.append([])
            for index in range(attribute.size):
                labelled = known == index
                alike = posterior[:, index] * (posterior[:, index] > 0.5) * np.isnan(known)
                own = self._mostly_real(labelled)
                total = alike.sum()
                self.chances[-1].append(_mixture(own, alike / total) if total >= 1 else own)
        every = np.full(len(z), together > 0 and len(attributes) > 1)
        for attribute, known in zip(attributes, codes, strict=True):
            every &= known == 1 if attribute.kind == "binary" else ~np.isnan(known)
        self.has_all = self._mostly_real(every) if every.sum() >= FEWEST_REAL else None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng([self.seed, index])
        n = self.rows
        picked = random.integers(self.real, size=n)
        asked = np.full((len(self.attributes), n), np.nan)  # codes asked for
        other = np.full((len(self.attributes), n), np.nan)
        first = random.integers(max(1, len(self.attributes)), size=n)
        first[random.random(n) < UNCONDITIONAL] = -1
        if not self.attributes:
            first[:] = -1
        for a, attribute in enumerate(self.attributes):
            classes = random.integers(max(1, len(attribute.classes)), size=n)
            if attribute.kind == "binary" and self.true_share != 0.5:
                classes = (random.random(n) < self.true_share).astype(int)
            for c, chances in enumerate(self.chances[a]):
                own = (first == a) & (classes == c)
                picked[own] = random.choice(len(self.z), size=int(own.sum()), p=chances)
                if attribute.classes:
                    asked[a, own] = c
        every = np.zeros(n, bool)
        if self.has_all is not None:
            every = (first >= 0) & (random.random(n) < self.together)
            picked[every] = random.choice(len(self.z), size=int(every.sum()), p=self.has_all)
            asked[:, every] = np.nan
        for a, attribute in enumerate(self.attributes):
            shown = (first >= 0) & (random.random(n) < REVEALED)
            shown |= (first == a) | every
            guess = self._guess(a, picked, random)
            asked[a] = np.where(shown & np.isnan(asked[a]), guess, asked[a])
            other[a] = asked[a]
            wrong = first == a  # the attribute drawn first is the one that gets a wrong value
            if attribute.classes:
                shift = random.integers(1, len(attribute.classes), size=n)
                other[a] = np.where(wrong, (asked[a] + shift) % len(attribute.classes), other[a])
            else:
                values = random.permutation(self._guess(a, random.permutation(picked), random))
                other[a] = np.where(wrong, values, other[a])
        noise = random.standard_normal((2, *self.z[picked].shape))
        start = random.integers(self.real, size=n)
        from_prior = random.random((n, 1)) < 0.5
        untouched = random.random((n, 1)) < PRIOR_FAKES
        source = np.where(
            from_prior | untouched, noise[1], self.z[start] + self.scale[start] * noise[1]
        )
        return {
            "real": (self.z[picked] + self.scale[picked] * noise[0]).astype("float32"),
            "condition": self._condition(asked, n),
            "wrong": self._condition(other, n),
            "mismatched": (first >= 0).astype("float32"),
            "source": source.astype("float32"),
            "untouched": untouched.astype("float32"),
            "mix": random.random((n, 1), dtype="float32"),
        }

    def _mostly_real(self, chosen: np.ndarray) -> np.ndarray:
        """Chances of each row (n,) to be drawn of those chosen."""
        chances = chosen / chosen.sum()
        real = chosen & (np.arange(len(chosen)) < self.real)
        if self.real == len(chosen) or real.sum() < FEWEST_REAL:
            return chances
        # Mostly what was not proposed: learning from itself an actor narrows down.
        return (1 - REAL) * chances + REAL * real / real.sum()

    def _guess(self, a: int, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Codes of these rows: their labels, or what the predictor makes of them."""
        guesses = self.guesses[a][rows]
        if guesses.ndim == 2:
            guesses = (random.random((len(rows), 1)) > guesses[:, :-1]).sum(1).astype(float)
        known = self.codes[a][rows]
        return np.where(np.isnan(known), guesses, known)

    def _condition(self, codes: np.ndarray, rows: int) -> np.ndarray:
        parts = [a.condition(c) for a, c in zip(self.attributes, codes, strict=True)]
        return np.concatenate([np.zeros((rows, 0), "float32"), *parts], axis=1)


def _mixture(labelled: np.ndarray, alike: np.ndarray) -> np.ndarray:
    return LABELLED * labelled + (1 - LABELLED) * alike


def _population_posterior(likelihood: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Class probabilities (n, classes) with the class shares of the unlabelled rows, by EM.

    Labels come balanced (35 and 35) while the population has one cat in twenty: see Saerens,
    Latinne, Decaestecker 2002. Labelled rows get their label.
    """
    unlabelled = np.isnan(known)
    balance = np.bincount(known[~unlabelled].astype(int), minlength=likelihood.shape[1])
    relative = likelihood / balance
    share = balance / balance.sum()
    for _ in range(50 if unlabelled.any() else 0):
        posterior = relative[unlabelled] * share
        share = (posterior / posterior.sum(1, keepdims=True)).mean(0)
    posterior = relative * share
    posterior /= posterior.sum(1, keepdims=True)
    posterior[~unlabelled] = np.eye(likelihood.shape[1])[known[~unlabelled].astype(int)]
    return posterior
