"""LatentConstraints: learn from a few labels, in seconds, to move z to where it is as asked."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from latentgen.constraints.attributes import Attribute, infer_attribute, read_labels
from latentgen.constraints.batches import Batches
from latentgen.constraints.constrained import Constrained, check_names, check_z
from latentgen.constraints.lc_gan import LCGAN, log_match
from latentgen.constraints.predictors import ARRAYS, Predictor
from latentgen.constraints.report import FitReport
from latentgen.constraints.validation import AttributeReport, learn_attribute
from latentgen.errors import InputError

Progress = Callable[[float, str], None]

MOST_REAL = 4096  # real z kept for their density


class LatentConstraints(Constrained):
    """An LC-GAN (arXiv 1711.05772) on the z of any model, made for seventy labels and two cores.

        constraints = LatentConstraints(64).fit(z, {"cat": [True, False, None, ...]})
        print(constraints.report)
        z = constraints.sample(16, {"cat": True})

    Args:
        latent_size: the size of z.
        attributes: what to learn of the labels: names, or name -> kind ('binary', 'categorical',
            'continuous') or name -> its classes; all labels, with kinds guessed, if None.
        hidden, layers: size of actor and critic (published: 2048 and 4, for 1024 dimensions).
        distance_weight: the actor's penalty for moving far (published: 0.1 or 0).
        attribute_weight: the actor's wish to satisfy the attribute critics too (published: 0).
        seed: of everything random in `fit`.
    """

    def __init__(
        self,
        latent_size: int,
        attributes: Sequence[str] | Mapping[str, Any] | None = None,
        *,
        hidden: int = 256,
        layers: int = 3,
        distance_weight: float = 0.001,
        attribute_weight: float = 6.0,
        seed: int = 0,
    ):
        if not isinstance(latent_size, int | np.integer) or latent_size < 1:
            raise InputError(f"latent_size expected a positive integer, received {latent_size!r}")
        self.latent_size = int(latent_size)
        self.wanted = attributes
        self.hidden, self.layers, self.seed = hidden, layers, seed
        self.distance_weight, self.attribute_weight = distance_weight, attribute_weight
        self.attributes: tuple[Attribute, ...] = ()
        self.attribute_names = ()
        self.predictors: tuple[Predictor, ...] = ()
        self.vectors: tuple[np.ndarray, ...] = ()
        self.reports: tuple[AttributeReport, ...] = ()
        self.report: FitReport | None = None
        self.real = np.zeros((0, self.latent_size), "float32")
        self.bandwidth = 1.0
        self._network: LCGAN | None = None

    @property
    def condition_size(self) -> int:
        """How many numbers a condition has."""
        return sum(attribute.width for attribute in self.attributes)

    @property
    def network(self) -> LCGAN:
        """Actor and critic."""
        if self._network is None:
            raise InputError("expected fitted constraints; call fit, fit_reward or load first")
        return self._network

    def fit(
        self,
        z: Any,
        labels: Any = None,
        *,
        scale: Any = None,
        unlabelled: Any = None,
        turns: int = 500,
        batch_size: int = 64,
        critic_steps: int = 10,
        learning_rate: float = 1e-3,
        jit_compile: bool = False,
        warm_start: bool = False,
        seed: int | None = None,
        progress: Progress | None = None,
    ) -> "LatentConstraints":
        """Learns what the labels say; prints nothing, logs a warning for what they do not teach.

        Args:
            z: latent vectors of real data (n, latent_size), means of q(z | x).
            labels: attribute -> n values, None or NaN where unknown; or a structured array; none:
                the realism constraint alone.
            scale: the posterior's deviations, (n, latent_size) or (latent_size,): real z are then
                samples of q(z | x), as published. Without it an actor that few labels teach goes
                to the labelled z themselves: for the z of a decoder alone, state a guess.
            unlabelled: further real z (m, latent_size): they teach realism, and those that the
                attribute critics are sure of teach the attributes too.
            turns: of `critic_steps` critic updates and one actor update, `batch_size` rows each.
            learning_rate: of both players at the start; it falls to 0 along a cosine.
            jit_compile: XLA on TensorFlow (JAX always has it).
            warm_start: go on from the actor and critic of an earlier fit of the same attributes.
            seed: in place of the constructor's.
            progress: called with the share done (0..1) and what is being done.

        Returns:
            Itself; `report` says how well each attribute was learnt on labels it had not seen.

        Raises:
            InputError: z or labels that cannot be used; says which and why.
        """
        from threadpoolctl import threadpool_limits

        started, seed = time.monotonic(), self.seed if seed is None else seed
        tell = progress or (lambda share, message: None)
        z, scale = self._rows(z, scale, unlabelled)
        known = len(z) - (0 if unlabelled is None else len(unlabelled))
        columns = read_labels({} if labels is None else labels, known)
        kinds = self.kinds(columns)
        attributes: list[Attribute] = []
        codes: list[np.ndarray] = []
        for name, kind in kinds.items():
            attributes.append(infer_attribute(name, columns[name], kind))
            empty = np.full(len(z) - known, np.nan)
            codes.append(np.concatenate([attributes[-1].encode(columns[name]), empty]))
        learnt = []
        for index, (attribute, code) in enumerate(zip(attributes, codes, strict=True)):
            tell(0.2 * index / len(attributes), f"cross-validating {attribute.name}")
            with threadpool_limits(1):  # threads cost far more than such small matrices give them
                learnt.append(learn_attribute(attribute, z, code, seed))
        previous = self._network if warm_start else None
        self.attributes, self.attribute_names = tuple(attributes), tuple(kinds)
        self.learn([p for p, _ in learnt], [r for _, r in learnt], z, codes)
        self.keep_real(z, scale, seed)
        network = self.build(np.sqrt((scale**2).mean(0)), seed)
        if previous is not None:
            network.set_weights(previous.get_weights())
        network.compile_for(turns, critic_steps, learning_rate, jit_compile)
        rows = batch_size * (critic_steps + 1)
        batches = Batches(z, scale, attributes, list(self.predictors), codes, rows, turns, seed)
        losses = network.play(batches, lambda share, what: tell(0.2 + 0.8 * share, what))
        self.report = FitReport(self.reports, len(z), time.monotonic() - started, **losses)
        return self

    def fit_reward(self, vae: Any, rule: Any, **settings: Any) -> "LatentConstraints":
        """Zero-shot: learns from a Python function on decoded output; see reward.py."""
        from latentgen.constraints.reward import fit_reward

        return fit_reward(self, vae, rule, **settings)

    def encode(self, values: Mapping[str, Any], z: np.ndarray, keep: Sequence[str]) -> np.ndarray:
        self.network  # noqa: B018 (says so if nothing has been learnt)
        check_names([*values, *keep], self.attribute_names)
        parts = [np.zeros((len(z), 0), "float32")]
        for attribute, predictor in zip(self.attributes, self.predictors, strict=True):
            codes = np.full(len(z), np.nan)
            if attribute.name in values:
                asked = values[attribute.name]
                several = isinstance(asked, list | tuple | np.ndarray) and np.ndim(asked) == 1
                codes = attribute.encode(
                    read_labels({attribute.name: asked}, len(z))[attribute.name]
                    if several
                    else [asked] * len(z)
                )
            elif attribute.name in keep:
                output = predictor(z, ARRAYS)
                codes = output.argmax(1).astype(float) if attribute.classes else output[:, 0]
            parts.append(attribute.condition(codes))
        return np.concatenate(parts, axis=1)

    def realism(self, z: Any) -> Any:
        nothing = ops.zeros((ops.shape(z)[0], self.condition_size))
        return self.critic(z, nothing)

    def critic(self, z: Any, condition: Any) -> Any:
        return self.network.critic(z, condition)[:, 0]

    def log_match(self, z: Any, condition: Any) -> Any:
        return self.network.log_match(z, condition)

    def act(self, z: Any, condition: Any) -> Any:
        return self.network.act(z, condition)

    def shift(self, z: Any, condition: Any) -> Any:
        start = 0
        for attribute, predictor, vectors in zip(
            self.attributes, self.predictors, self.vectors, strict=True
        ):
            asked = condition[:, start : start + attribute.width]
            if attribute.classes:
                z = z + ops.matmul(asked, vectors)
            else:
                z = z + asked[:, 1:] * (asked[:, :1] - predictor(z)) * vectors
            start += attribute.width
        return z

    def predict(self, z: np.ndarray) -> dict[str, np.ndarray]:
        found = {}
        for attribute, predictor in zip(self.attributes, self.predictors, strict=True):
            output = predictor(z, ARRAYS)
            if attribute.kind == "continuous":
                value = output[:, 0] * attribute.scale + attribute.mean
            else:
                value = ARRAYS.softmax(output, axis=-1)
                value = value[:, 1] if attribute.kind == "binary" else value
            found[attribute.name] = value
        return found

    def save(self, path: str | os.PathLike) -> None:
        """Writes one .npz: plain arrays and a JSON header, no code."""
        from latentgen.constraints.storage import save_constraints

        save_constraints(self, Path(path))

    @classmethod
    def load(cls, path: str | os.PathLike, latent_size: int | None = None) -> "LatentConstraints":
        """Opens what `save` wrote; `latent_size`, if given, is checked.

        Raises:
            FileError: missing, damaged or hostile.
            CheckpointError: not constraints, or of another latent size.
        """
        from latentgen.constraints.storage import load_constraints

        return load_constraints(cls, Path(path), latent_size)

    def _rows(self, z: Any, scale: Any, unlabelled: Any) -> tuple[np.ndarray, np.ndarray]:
        """All z and their posterior deviations, checked; the unlabelled ones last."""
        z = check_z(z, self.latent_size)
        rows = z
        if unlabelled is not None:
            rows = np.concatenate([z, check_z(unlabelled, self.latent_size, "unlabelled")])
        if scale is None:
            return rows, np.zeros((1, self.latent_size), "float32")
        deviations = check_z(np.atleast_2d(scale), self.latent_size, "scale")
        if len(deviations) not in (1, len(z), len(rows)) or (deviations <= 0).any():
            raise InputError(
                f"scale expected positive numbers ({self.latent_size},) or {z.shape}, received "
                f"{np.shape(scale)} from {deviations.min():g}; pass the posterior's deviations"
            )
        if len(deviations) == len(z) < len(rows):
            mean = np.sqrt((deviations**2).mean(0, keepdims=True))
            deviations = np.concatenate([deviations, np.repeat(mean, len(rows) - len(z), 0)])
        return rows, deviations

    def kinds(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes to learn of such columns, and their kinds; None where to be guessed."""
        if self.wanted is None:
            return dict.fromkeys(columns)
        if isinstance(self.wanted, Mapping):
            kinds: dict[str, Any] = dict(self.wanted)
        else:
            kinds = dict.fromkeys(self.wanted)
        check_names(kinds, tuple(columns))
        return kinds

    def learn(
        self,
        predictors: Sequence[Predictor],
        reports: Sequence[AttributeReport],
        z: np.ndarray,
        codes: Sequence[np.ndarray],
    ) -> None:
        """Takes over what labels (codes (n,) of each attribute) have taught about z."""
        self.predictors, self.reports = tuple(predictors), tuple(reports)
        pairs = zip(self.attributes, codes, strict=True)
        self.vectors = tuple(_vectors(attribute, z, known) for attribute, known in pairs)

    def keep_real(self, z: np.ndarray, scale: np.ndarray, seed: int) -> None:
        """Keeps real z (n, latent_size) for their density; not all, if there are many."""
        kept = np.random.default_rng(seed).permutation(len(z))[:MOST_REAL]
        # Rounded to what `save` writes, so that loaded constraints do exactly the same.
        self.real = z[np.sort(kept)].astype("float16").astype("float32")
        self.bandwidth = _bandwidth(z, scale)

    def build(self, sigma: np.ndarray, seed: int, **others: Any) -> LCGAN:
        """New actor and critic for the attributes; `others` are arguments of LCGAN's."""
        widths = [attribute.width for attribute in self.attributes]
        settings = {
            "attribute_weight": self.attribute_weight,
            "log_match": log_match(self.predictors, widths),
        }
        self._network = LCGAN(
            self.latent_size,
            self.condition_size,
            self.hidden,
            self.layers,
            sigma=np.where(sigma > 0, sigma, 1.0),
            distance_weight=self.distance_weight,
            seed=seed,
            **(settings | others),
        )
        return self._network


def _bandwidth(z: np.ndarray, scale: np.ndarray) -> float:
    """The posterior's deviation; where unknown, what the real z lack of the prior's variance 1."""
    variance = (scale**2).mean() if scale.any() else 1.0 - z.var(axis=0).mean()
    return float(np.sqrt(np.clip(variance, 0.05, 1.0)))


def _vectors(attribute: Attribute, z: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Attribute vectors (classes, d): mean z of a class minus that of the rest; or (1, d): the
    change of z that goes with one deviation of a measured attribute."""
    known = ~np.isnan(codes)
    z, codes = z[known], codes[known]
    if attribute.kind == "continuous":
        centred = codes - codes.mean()
        return ((centred @ (z - z.mean(0))) / (centred @ centred))[None].astype("float32")
    means = [z[codes == c].mean(0) - z[codes != c].mean(0) for c in range(attribute.size)]
    return np.stack(means).astype("float32")
