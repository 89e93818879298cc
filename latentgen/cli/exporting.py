"""`latentgen export`: a model and its constraints for where latentgen is not installed."""

import enum
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentgen.cli.options import Overwrite, examples
from latentgen.cli.output import check_free, wrote
from latentgen.cli.progress import waiting
from latentgen.cli.startup import import_keras, import_note_seq
from latentgen.errors import InputError

if TYPE_CHECKING:
    from latentgen.constraints.constrained import Constrained
    from latentgen.domain import DomainModel

EPILOG = examples(
    "latentgen export quickdraw --out served/quickdraw",
    "latentgen export quickdraw --constraint few.npz --out served/few-strokes",
    "latentgen export melody_2bar --format onnx --out melody-onnx",
    "latentgen export quickdraw melody_2bar --constraint quickdraw=few.npz --format web --out site",
)


class Format(enum.StrEnum):
    """What is written."""

    saved_model = "saved-model"
    onnx = "onnx"
    litert = "litert"
    stablehlo = "stablehlo"
    web = "web"


class Method(enum.StrEnum):
    """How z is moved where it is served."""

    actor = "actor"
    density = "density"
    vector = "vector"


def export(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="A shipped model's name, or a folder from train; for a web page several.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder; of a saved-model it holds its versions.")
    ],
    constraint: Annotated[
        list[str],
        typer.Option(
            "--constraint",
            "-c",
            help="What constrain --save kept; several are asked together. With several models "
            "MODEL=FILE.",
        ),
    ] = [],  # noqa: B006
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.saved_model,
    name: Annotated[
        str | None, typer.Option(help="Of the saved-model.", show_default="the folder's")
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(min=0, help="Of the saved-model.", show_default="one above the newest"),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            help="How what is asked is found.",
            show_default="density where the model knows latent vectors of real pieces, else actor",
        ),
    ] = None,
    xla: Annotated[
        bool,
        typer.Option(
            "--xla/--no-xla",
            help="Whether XLA compiles a saved-model's loops. TensorFlow Serving has XLA only "
            "where told.",
        ),
    ] = True,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="A web page's onnxruntime-web, its tarball or folder, where there is no network."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a model for where latentgen is not installed: a server, a browser, a telephone."""
    saved_model = format is Format.saved_model
    if not saved_model and (name, version, xla) != (None, None, True):
        raise InputError(
            "--name, --version, --no-xla: expected for a saved-model alone, received "
            f"--format {format}"
        )
    if runtime is not None and format is not Format.web:
        raise InputError(f"--runtime: expected with --format web, received --format {format}")
    if len(models) > 1 and format is not Format.web:
        raise InputError(f"expected one model for --format {format}, received {len(models)}")
    from latentgen.export.opening import card_of, preset_folder
    from latentgen.export.versions import version_folder

    if saved_model:
        version_folder(out, version, overwrite)
    else:
        check_free(out, overwrite)
    if format is Format.stablehlo:
        os.environ.setdefault("KERAS_BACKEND", "jax")  # which writes it; read as Keras is imported
    names = [preset_folder(each).name for each in models]
    files = _files(constraint, models)
    opened = [_open(each, files[each]) for each in models]
    model, constraints = opened[0]
    how: dict[str, Any] = {"method": method and method.value, "overwrite": overwrite}
    with waiting(f"Writing {out}"):
        if saved_model:
            from latentgen.export.saved_model import export_saved_model

            written = export_saved_model(
                model,
                out,
                constraints,
                name=name,
                version=version,
                jit_compile=xla,
                card=card_of(models[0]),
                **how,
            )
        elif format is Format.web:
            from latentgen.export.web.build import write_site

            written = write_site(
                [(*each, own) for each, own in zip(opened, names, strict=True)],
                out,
                cards={own: card_of(each) for each, own in zip(models, names, strict=True)},
                runtime=runtime,
                **how,
            )
        else:
            written = _exporter(format)(model, out, constraints, **how)
    size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file()) / 1e6
    asked = [own.attribute_names for _, own in opened if own is not None]
    wanted = f", to be asked for {', '.join(sum(asked, ()))}" if any(asked) else ""
    then = f"; latentgen serve {out}" if saved_model else ""
    wrote(written, f"{' and '.join(names)} as {format}{wanted}, {size:.1f} MB{then}")


def _files(constraint: Sequence[str], models: Sequence[str]) -> dict[str, list[Path]]:
    """The constraints' files of each model."""
    files: dict[str, list[Path]] = {each: [] for each in models}
    for text in constraint:
        model, equals, path = text.partition("=")
        if equals and model in files:
            files[model].append(Path(path))
        elif len(models) == 1:
            files[models[0]].append(Path(text))
        else:
            raise InputError(
                f"--constraint {text}: expected MODEL=FILE with one of {', '.join(models)}"
            )
    return files


def _open(name: str, files: Sequence[Path]) -> "tuple[DomainModel, Constrained | None]":
    """A model and what can be asked of it."""
    with waiting(f"Opening {name}"):
        import_note_seq()
        import_keras()
        from latentgen.constraints import LatentConstraints, combine
        from latentgen.export.opening import open_model

        model = open_model(name)
        size = model.decoder.latent_size
        parts = [LatentConstraints.load(path, size) for path in files]
        return model, combine(*parts) if len(parts) > 1 else parts[0] if parts else None


def _exporter(format: Format) -> Any:
    if format is Format.onnx:
        from latentgen.export.onnx import export_onnx

        return export_onnx
    if format is Format.litert:
        from latentgen.export.litert import export_litert

        return export_litert
    from latentgen.export.stablehlo import export_stablehlo

    return export_stablehlo
