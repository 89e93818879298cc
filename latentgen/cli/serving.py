"""`latentgen serve`: exported models over HTTP."""

import importlib.util
import os
from pathlib import Path
from typing import Annotated

import typer

from latentgen.cli.options import examples
from latentgen.cli.output import say
from latentgen.errors import FileError, InputError

KEY = "LATENTGEN_API_KEY"
EPILOG = examples(
    "latentgen serve served/cats",
    "latentgen serve served/cats served/melodies --port 9000 --replicas 2",
    "latentgen serve served/cats --host 0.0.0.0 --api-key-file key.txt",
    "latentgen serve shared/cats --address auto --replicas 8",
)


def serve(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Folders that latentgen export wrote, a model each."),
    ],
    host: Annotated[
        str, typer.Option(help="Where to listen; the usual one is heard by this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TensorFlow Serving's.")] = 8501,
    replicas: Annotated[
        int, typer.Option(min=1, help="Processes that hold the models and answer in parallel.")
    ] = 1,
    gpus: Annotated[
        float, typer.Option(min=0, help="GPUs of each replica; 0.5 if two share one.")
    ] = 0.0,
    max_batch: Annotated[
        int, typer.Option(min=1, max=4096, help="Most rows of a request, and of a batch.")
    ] = 64,
    batch_wait_ms: Annotated[
        float, typer.Option(min=0, max=1000, help="How long a request waits for company.")
    ] = 5.0,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Most rows that may wait; more are told to come back.")
    ] = 1024,
    max_body_bytes: Annotated[int, typer.Option(min=1024, help="Of a request.")] = 8 * 2**20,
    timeout_s: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Until a request is given up.")
    ] = 30.0,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help=f"Holds the key that requests must show; or {KEY} in the environment does."
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster, such as auto; without it, this machine alone."),
    ] = None,
) -> None:
    """Serve exported models: TensorFlow Serving's REST API, and pictures, MIDI, sound and text."""
    key = _read_key(api_key_file)
    for name in ("ray", "fastapi", "orjson"):
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"serve needs {name}, which is not installed: pip install 'latentgen[serve]'"
            )
    from latentgen.export.serving import main
    from latentgen.export.serving.edge import digest
    from latentgen.export.serving.repository import model_folders
    from latentgen.export.serving.service import Limits

    found = model_folders(folders)
    if not key and host not in ("127.0.0.1", "::1", "localhost"):
        typer.echo("warning: whoever reaches this machine may ask; see --api-key-file", err=True)
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    main.serve(
        found,
        Limits(
            rows=max_batch,
            wait=batch_wait_ms / 1000,
            places=replicas,
            queue=max(max_queue, max_batch),
            seconds=timeout_s,
            body=max_body_bytes,
        ),
        host=host,
        port=port,
        key=digest(key.encode()) if key else None,
        replicas=replicas,
        gpus=gpus,
        address=address,
        ready=lambda: say(f"Serving {', '.join(found)} at {at}/v1/models; Ctrl-C ends it"),
    )


def _read_key(path: Path | None) -> str:
    if path is None:
        return os.environ.pop(KEY, "").strip()  # the processes to be started need not have it
    try:
        key = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise FileError(f"{path}: expected a key as text, received something else") from None
    if not key:
        raise FileError(f"{path}: expected a key, received an empty file")
    return key
