"""JSON files of other programs, read with bounds."""

import json
import os
from pathlib import Path
from typing import Any

from latentgen.errors import FileError

MOST_BYTES = 1 << 26  # 64 MiB; a manifest has some kilobytes


def read_json(path: str | os.PathLike, most_bytes: int = MOST_BYTES) -> Any:
    """What a JSON file holds.

    Raises:
        FileError: no file, one of more than `most_bytes`, or no JSON.
    """
    try:
        size = Path(path).stat().st_size
        if size > most_bytes:
            raise FileError(f"{path}: expected at most {most_bytes:,} bytes, found {size:,}")
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(f"{path}: expected a JSON file, found none") from None
    except FileError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path}: expected JSON, could not read it: {error}") from None
