"""A trained model, and what can be asked of it, as a SavedModel that needs TensorFlow alone."""

import os
from pathlib import Path

import tensorflow as tf

from latentgen.compilation import require_backend
from latentgen.constraints.constrained import Constrained
from latentgen.domain import DomainModel
from latentgen.export import metadata, warmup
from latentgen.export.signatures import Signatures
from latentgen.export.versions import version_folder
from latentgen.files import atomic_folder

EXTRA, CARD = "assets.extra", "README.md"


def export_saved_model(
    model: DomainModel,
    folder: str | os.PathLike,
    constraints: Constrained | None = None,
    *,
    name: str | None = None,
    version: int | None = None,
    method: str | None = None,
    jit_compile: bool = True,
    card: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a version of a model as TensorFlow Serving expects it: folder/1, folder/2, …

    A version is there as a whole or not at all. Beside the model it has assets.extra, with
    latentgen.json (what it is and what it can be asked), its model card, and requests for warming
    up. What it can be asked is in docs/export.md.

    Args:
        model: of one of the domains.
        folder: new, or that of earlier versions.
        constraints: what can be asked of z, one or several combined; adds the signatures
            `constrain` and `sample_constrained`.
        name: of the model, the folder's by default.
        version: a new one by default, one above the newest.
        method: by which z is moved: 'actor', 'density' or 'vector'; by default on the density of
            real z where the model knows those, else by the actor.
        jit_compile: whether XLA compiles the loop that draws: faster where there is XLA, which
            TensorFlow Serving has only on request (docs/export.md).
        card: the model card, Markdown.
        overwrite: whether a version that exists is replaced.

    Returns:
        The version's folder.

    Raises:
        InputError: a model that cannot be exported, constraints of another latent size, a folder
            with something else in it, or a version that exists.
    """
    require_backend("a SavedModel", "tensorflow")
    target = version_folder(folder, version, overwrite)
    name = name or Path(folder).resolve().name
    made = Signatures(model, constraints, method, jit_compile)
    signatures = made.all()
    described = metadata.describe(model, name, made, signatures)
    functions = {key: signature.concrete() for key, signature in signatures.items()}
    module = tf.Module()  # nothing of Keras: what is loaded again are variables and functions
    module.pieces = made.pieces
    module.read = list({id(v): v for f in functions.values() for v in f.variables}.values())
    with atomic_folder(target) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=functions)
        extra = temporary / EXTRA
        extra.mkdir(exist_ok=True)
        metadata.write(extra, described)
        (extra / CARD).write_text(card or f"# {name}\n", encoding="utf-8")
        requests = warmup.requests(signatures, made.latent_size)
        warmup.write_requests(extra / warmup.FILE, name, requests)
    return target
