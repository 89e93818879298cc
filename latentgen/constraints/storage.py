"""Constraints as one .npz of plain arrays with a JSON header; written whole or not at all."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentgen.constraints.attributes import Attribute
from latentgen.constraints.predictors import Predictor
from latentgen.constraints.validation import AttributeReport
from latentgen.errors import CheckpointError, FileError
from latentgen.files import atomic_file

if TYPE_CHECKING:
    from latentgen.constraints.latent_constraints import LatentConstraints

FORMAT = "latentgen constraints 1"
SETTINGS = ("latent_size", "hidden", "layers", "distance_weight", "attribute_weight", "seed")
ARRAYS = ("weights", "centres", "members", "bias")


def save_constraints(constraints: "LatentConstraints", path: Path) -> None:
    """Writes settings, attributes, predictors, vectors and the networks' weights."""
    network = constraints.network
    predictors = []
    arrays = {
        "sigma": 1 / np.sqrt(network.precision),
        "real": constraints.real.astype("float16"),
        "bandwidth": np.array(constraints.bandwidth),
    }
    for index, predictor in enumerate(constraints.predictors):
        plain = asdict(predictor)
        plain["hidden"] = len(predictor.hidden)
        for layer, (kernel, bias) in enumerate(predictor.hidden):
            arrays[f"predictor {index} kernel {layer}"] = np.asarray(kernel)
            arrays[f"predictor {index} hidden bias {layer}"] = np.asarray(bias)
        for name in ARRAYS:
            value = plain.pop(name)
            if value is not None:
                arrays[f"predictor {index} {name}"] = np.asarray(value)
        predictors.append(plain)
        arrays[f"vectors {index}"] = constraints.vectors[index]
    for player in ("actor", "critic"):
        for index, variable in enumerate(getattr(network, player).variables):
            arrays[f"{player} {index}"] = np.array(variable.value)
    header = {
        "format": FORMAT,
        "settings": {name: getattr(constraints, name) for name in SETTINGS},
        "attributes": [asdict(attribute) for attribute in constraints.attributes],
        "predictors": predictors,
        "reports": [asdict(report) for report in constraints.reports],
    }
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)


def load_constraints(
    cls: type["LatentConstraints"], path: Path, latent_size: int | None
) -> "LatentConstraints":
    """Rebuilds what `save_constraints` wrote; see `LatentConstraints.load`."""
    arrays = _read(path)
    try:
        header = json.loads(str(arrays["header"]))
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r}")
        found = header["settings"]["latent_size"]
        if latent_size is not None and found != latent_size:
            raise CheckpointError(
                f"{path}: expected constraints for latent size {latent_size}, received ones for "
                f"{found}; load the file that was fitted on this model's z"
            )
        return _rebuild(cls, header, arrays)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: expected constraints saved by latentgen, received something else ({error})"
        ) from None


def _rebuild(
    cls: type["LatentConstraints"], header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> "LatentConstraints":
    constraints = cls(**header["settings"])
    attributes = [Attribute(**stored) for stored in header["attributes"]]
    constraints.attributes = tuple(replace(a, classes=tuple(a.classes)) for a in attributes)
    constraints.attribute_names = tuple(attribute.name for attribute in attributes)
    predictors = []
    for index, plain in enumerate(header["predictors"]):
        own: dict[str, Any] = {name: arrays.get(f"predictor {index} {name}") for name in ARRAYS}
        own["hidden"] = tuple(
            (arrays[f"predictor {index} kernel {k}"], arrays[f"predictor {index} hidden bias {k}"])
            for k in range(plain.pop("hidden", 0))
        )
        predictors.append(Predictor(**own, **plain))
        _check_predictor(predictors[-1], attributes[index], constraints.latent_size)
    constraints.predictors = tuple(predictors)
    if len(predictors) != len(attributes):
        raise ValueError(f"{len(attributes)} attributes but {len(predictors)} predictors")
    constraints.vectors = tuple(arrays[f"vectors {index}"] for index in range(len(predictors)))
    constraints.reports = tuple(AttributeReport(**stored) for stored in header["reports"])
    constraints.real, constraints.bandwidth = _density(arrays, constraints.latent_size)
    network = constraints.build(arrays["sigma"], constraints.seed)
    for player in ("actor", "critic"):
        variables = getattr(network, player).variables
        for index, variable in enumerate(variables):
            value = arrays[f"{player} {index}"]
            if value.shape != tuple(variable.shape) or not np.isfinite(value).all():
                raise ValueError(f"weights {player} {index} of shape {value.shape}")
            variable.assign(value)
    return constraints


def _density(arrays: dict[str, np.ndarray], latent_size: int) -> tuple[np.ndarray, float]:
    real, bandwidth = arrays["real"].astype("float32"), float(arrays["bandwidth"])
    if real.ndim != 2 or real.shape[1] != latent_size or not np.isfinite(real).all():
        raise ValueError(f"real z of shape {real.shape}")
    if not 0 < bandwidth < np.inf:
        raise ValueError(f"bandwidth {bandwidth}")
    return real, bandwidth


def _check_predictor(predictor: Predictor, attribute: Attribute, latent_size: int) -> None:
    """A ValueError unless the arrays fit the latent size, the attribute and each other."""
    shapes = {name: np.shape(getattr(predictor, name)) for name in ARRAYS}
    expected: dict[str, tuple[int, ...]]
    width = latent_size
    for kernel, bias in predictor.hidden:
        if kernel.shape != (width, *bias.shape):
            raise ValueError(f"a predictor of {attribute.name!r} with a kernel {kernel.shape}")
        width = len(bias)
    if predictor.weights is not None:
        expected = {"weights": (width, attribute.size)}
    else:
        count = len(predictor.centres) if predictor.centres is not None else 0
        expected = {"centres": (count, latent_size), "members": (count, attribute.size)}
    if any(shapes[name] != shape for name, shape in expected.items()):
        raise ValueError(f"a predictor of {attribute.name!r} with arrays {shapes}")


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise FileError(f"{path}: expected a file of saved constraints, found none") from None
    except (AttributeError, TypeError):  # a bare .npy loads as an array
        raise CheckpointError(f"{path}: expected constraints saved by latentgen (.npz)") from None
    except Exception as error:  # as in checkpoints/variables.py: damaged bytes raise anything
        raise FileError(
            f"{path}: expected an .npz of plain arrays, could not read it: {error}"
        ) from None
