"""TF1 checkpoints (Saver V2: `.index` and `.data-00000-of-00001`), read and written."""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from latentgen.checkpoints.tf1_index import read_index
from latentgen.errors import FileError, InputError
from latentgen.files import atomic_file

STATE, INDEX, TRAIN = "checkpoint", ".index", "train"
DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")


def read_checkpoint(
    path: str | os.PathLike, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, np.ndarray]:
    """The variables of a checkpoint by name.

    Args:
        path: a prefix (`…/vector-25`), one of its files, or a folder (music_vae_train's run too),
            of which the file `checkpoint` names the prefix, or the highest step does.
        wanted: of which names; others are not read.

    Raises:
        FileError: there is none, a part of it is missing, or it is damaged.
    """
    prefix = find_checkpoint(path)
    entries, shards = read_index(f"{prefix}{INDEX}")
    sizes = []
    for shard in range(shards):
        data = Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}")
        if not data.is_file():
            raise FileError(f"{data}: expected the values of {prefix.name}{INDEX}, found none")
        sizes.append(data.stat().st_size)
    for name, entry in entries.items():
        if not 0 <= entry.shard < shards or entry.offset + entry.size > sizes[entry.shard]:
            raise FileError(
                f"{prefix}: expected {name} of shape {entry.shape} at byte {entry.offset}, found "
                f"{sum(sizes)} bytes in all: the file is cut off or its index is another's"
            )
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        return {name: reader.get_tensor(name) for name in sorted(entries) if wanted(name)}
    except Exception as error:  # TensorFlow raises nearly anything on damaged bytes
        raise FileError(f"{prefix}: expected a checkpoint, could not read it: {error}") from None


def find_checkpoint(path: str | os.PathLike) -> Path:
    """The prefix of the checkpoint that `path` stands for (see `read_checkpoint`), or FileError."""
    path = Path(path)
    if path.is_dir():
        for folder in (path, path / TRAIN):  # what music_vae_train calls a run has it in there
            if names := sorted(p.name.removesuffix(INDEX) for p in folder.glob(f"[!.]*{INDEX}")):
                return folder / _newest(folder, names)
        raise FileError(f"{path}: expected a folder with a checkpoint (*{INDEX}), found none")
    name = DATA.sub("", path.name).removesuffix(INDEX)
    prefix = path.parent / name
    if not name or not Path(f"{prefix}{INDEX}").is_file():
        raise FileError(f"{path}: expected a checkpoint with {name}{INDEX}, found none")
    return prefix


def _newest(folder: Path, names: list[str]) -> str:
    state = folder / STATE
    if state.is_file():
        text = state.read_text(encoding="utf-8", errors="replace")
        named = re.search(r'^model_checkpoint_path: "(.*)"$', text, re.MULTILINE)
        # It may name a folder of the machine that it was trained on.
        name = named[1].replace("\\", "/").rsplit("/", 1)[-1] if named else ""
        if name in names:
            return name
    steps = {int(step[1]): name for name in names if (step := re.search(r"-(\d+)$", name))}
    if not steps and len(names) > 1:
        raise FileError(f"{folder}: expected one checkpoint, found {', '.join(names)}: name one")
    return steps[max(steps)] if steps else names[0]


def write_checkpoint(tensors: Mapping[str, np.ndarray], prefix: str | os.PathLike) -> None:
    """Writes variables as a checkpoint, and the file `checkpoint` that names it.

    Each of the files is replaced as a whole, the index after the values.
    """
    if not tensors:
        raise InputError("tensors: expected at least one, received none")
    import tensorflow as tf

    prefix, names = Path(prefix), sorted(tensors)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=prefix.parent, prefix=".") as folder:
        with tf.device("CPU"):
            tf.raw_ops.SaveV2(
                prefix=str(Path(folder) / prefix.name),
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[tf.constant(np.asarray(tensors[name])) for name in names],
            )
        for written in sorted(Path(folder).iterdir()):  # .data… before .index
            os.replace(written, prefix.parent / written.name)
    with atomic_file(prefix.parent / STATE) as temporary:
        temporary.write_text(f'model_checkpoint_path: "{prefix.name}"\n')
