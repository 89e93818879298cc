"""Runs every benchmark, one process each: `python -m benchmarks [--tiny] [name …]`."""

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = (
    "generation",
    "training_step",
    "constraints",
    "gpu",
    "music",
    "music_constraints",
    "text",
    "text_constraints",
    "translation",
    "serving",
    "oracle",
    "transport",
    "discrete",
    "professor_forcing",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; all without")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: does it run at all?")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in NAMES:
            parser.error(f"name: expected one of {', '.join(NAMES)}, received {name!r}")
    failed = []
    for name in arguments.names or NAMES:
        script = Path(__file__).with_name(f"{name}.py")
        command = [sys.executable, str(script), *(["--tiny"] if arguments.tiny else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
