"""The service under load: many clients, valid and invalid requests, with and without batching.

    python benchmarks/serving.py [--tiny] [--preset quickdraw] [--minutes 5] [--clients 64]
                                 [--replicas 1] [--faults]

Each client asks, waits for the answer, and asks again: for pieces by TensorFlow Serving's form and
as SVG, MIDI or text, and one request in six is wrong in some way. What a seed gives is known from
the first time that it was asked, so that a wrong answer is seen. Clients and service share the
machine.

`--faults` runs two replicas, kills one, brings a new version, takes a file from it, and removes it.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from measure import heading, table

SEEDS = 64
MODEL = "model"
PRESETS = {
    "quickdraw": ("strokes", "svg", b"<svg"),
    "melody_2bar": ("sequence", "mid", b"MThd"),
    "coco": ("sentences", "txt", b""),
}
"""For each preset what its pieces are called, and a kind of file and how it begins."""
BAD = {
    "z": {"signature_name": "decode", "inputs": {"z": [[0]], "temperature": 1, "seed": 0}},
    "infinity": {"signature_name": "sample", "inputs": {"n": 1, "temperature": 1e99, "seed": 0}},
    "seed": {"signature_name": "sample", "inputs": {"n": 1, "temperature": 1, "seed": "x"}},
    "too many": {"signature_name": "sample", "inputs": {"n": 10**6, "temperature": 1, "seed": 0}},
    "signature": {"signature_name": "simple", "inputs": {}},
    "form": {"signature_name": "sample"},
}  # fmt: skip


@dataclass
class Seen:
    """What clients saw: statuses, seconds of each answer, and what should not be."""

    codes: collections.Counter = field(default_factory=collections.Counter)
    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    wrong: int = 0
    versions: collections.Counter = field(default_factory=collections.Counter)


class Server:
    """`latentgen serve` in a process of its own; its log is read as it comes."""

    def __init__(self, folder: Path, preset: str, *options: str):
        self.preset = preset
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            port = place.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.predict = f"{self.address}/v1/models/{MODEL}:predict"
        self.loaded: list[tuple[int, int]] = []  # (process, version)
        command = "from latentgen.cli.main import run; run()"
        arguments = ["serve", str(folder), "--port", str(port), *options]
        self._process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        assert self._process.stdout is not None
        if not self._process.stdout.readline().startswith("Serving"):
            sys.exit("the service did not start")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if '"version loaded"' in line:
                facts = json.loads(line)
                self.loaded.append((facts["replica"], facts["version"]))
            elif not line.startswith("{") or '"level": "error"' in line:
                print(f"  service: {line.rstrip()[:300]}", file=sys.stderr)

    def stop(self) -> int:
        """Ends it as a supervisor would; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(120)


def asked(seed: int) -> dict:
    return {"signature_name": "sample", "inputs": {"n": 1, "temperature": 0.5, "seed": seed}}


async def ask(
    session: aiohttp.ClientSession, server: Server, seed: int, name: str
) -> tuple[int, str, object]:
    """(status, version, piece) of a seed."""
    async with session.post(server.predict, json=asked(seed)) as response:
        document = await response.json()
        piece = document["outputs"][name] if response.status == 200 else None
        return response.status, response.headers.get("x-model-version", ""), piece


def same(expected: Any, piece: Any) -> bool:
    """Whether two answers are equal, but for what a batch's size does to the last digits."""
    if isinstance(piece[0], str):
        return expected == piece
    return np.allclose(expected, piece, atol=1e-3)


async def client(
    server: Server, session: aiohttp.ClientSession, known: dict, seen: Seen, until: float, me: int
) -> None:
    """Asks one thing after the other until the time is over."""
    chance = random.Random(me)
    outputs, ending, begins = PRESETS[server.preset]
    while time.monotonic() < until:
        kind, started = chance.random(), time.perf_counter()
        try:
            if kind < 1 / 6:
                async with session.post(
                    server.predict, json=chance.choice(list(BAD.values()))
                ) as response:
                    await response.read()
                    status = response.status
                seen.wrong += status != 400
            elif kind < 1 / 4:
                seed = chance.randrange(SEEDS)
                address = f"{server.address}/v1/models/{MODEL}/sample.{ending}?seed={seed}"
                async with session.get(address) as response:
                    file, status = await response.read(), response.status
                seen.wrong += status == 200 and not file.startswith(begins)
            else:
                seed = chance.randrange(SEEDS)
                status, version, piece = await ask(session, server, seed, outputs)
                if status == 200:
                    seen.versions[version] += 1
                    seen.wrong += not same(known.setdefault((version, seed), piece), piece)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            seen.lost += 1
            continue
        seen.codes[status] += 1
        seen.seconds.append(time.perf_counter() - started)


async def memory(server: Server, session: aiohttp.ClientSession, until: float) -> list[float]:
    """MiB of the replica that reported last, every second."""
    found = []
    while time.monotonic() < until:
        await asyncio.sleep(1)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{server.address}/metrics") as response:
                text = await response.text()
            found.append(float(re.search(r"^latentgen_replica_memory_bytes (\S+)", text, re.M)[1]))
    return [value / 2**20 for value in found]


async def load(
    server: Server, known: dict, clients: int, seconds: float, seen: Seen | None = None
) -> tuple[Seen, list[float]]:
    """So many clients for so long; what they see is added to `seen`."""
    seen = seen or Seen()
    limit = aiohttp.ClientTimeout(total=120)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:
        until = time.monotonic() + seconds
        each = [client(server, session, known, seen, until, me) for me in range(clients)]
        *_, sizes = await asyncio.gather(*each, memory(server, session, until))
    return seen, sizes


def export(folder: Path, preset: str, tiny: bool) -> None:
    """Two versions of a model: 1 in place, 2 beside it, with other weights."""
    from latentgen.export.opening import open_model
    from latentgen.export.saved_model import export_saved_model
    from latentgen.sketch import SketchVAE

    if tiny:
        model = SketchVAE(latent_size=4, encoder_units=4, decoder_units=4, max_length=8)
    else:
        model = open_model(preset)
    export_saved_model(model, folder / MODEL)
    for weight in model.decoder.trainable_weights:
        weight.assign(0.9 * weight)
    export_saved_model(model, folder / "other" / MODEL)
    (folder / "other" / MODEL / "1").rename(folder / "2")


def row(name: str, seen: Seen, seconds: float) -> list[str]:
    times = np.array(seen.seconds or [0.0]) * 1000
    good = seen.codes[200]
    return [
        name,
        str(sum(seen.codes.values())),
        ", ".join(f"{code}: {count}" for code, count in sorted(seen.codes.items())),
        str(seen.lost),
        str(seen.wrong),
        f"{good / seconds:.0f}",
        f"{np.percentile(times, 50):.0f}",
        f"{np.percentile(times, 99):.0f}",
    ]


HEADER = ["", "answered", "codes", "lost", "wrong", "200s a second", "p50 ms", "p99 ms"]


def under_load(folder: Path, arguments: argparse.Namespace) -> None:
    """With batching and without, for equally long."""
    seconds = 60 * arguments.minutes
    runs = {"batches of up to 64": "64", "one at a time": "1"}
    rows, rates, sizes = [], [], {}
    for name, rows_at_once in list(runs.items())[: 1 if arguments.tiny else 2]:
        replicas = str(arguments.replicas)
        options = ("--max-batch", rows_at_once, "--replicas", replicas)
        server = Server(folder / MODEL, arguments.preset, *options)
        try:
            warm = asyncio.run(load(server, {}, arguments.clients, min(seconds, 15)))[0]
            seen, sizes[name] = asyncio.run(load(server, {}, arguments.clients, seconds))
        finally:
            code = server.stop()
        rows.append(row(name, seen, seconds))
        rates.append(seen.codes[200] / seconds)
        print(f"  {name}: warmed up by {sum(warm.codes.values())} requests; exit code {code}")
    table(HEADER, rows)
    if len(rates) > 1:
        print(f"  batching answers {rates[0] / rates[1]:.2f} times as many")
    for name, found in sizes.items():
        if found:
            parts = [found[round(at * (len(found) - 1))] for at in (0, 0.25, 0.5, 0.75, 1)]
            print(f"  MiB of a replica, {name}: " + ", ".join(f"{size:.0f}" for size in parts))


def under_faults(folder: Path, arguments: argparse.Namespace) -> None:
    """What is answered while replicas, versions and files come and go."""
    seconds = 60 * arguments.minutes / 5
    server = Server(folder / MODEL, arguments.preset, "--replicas", "2")
    versions = folder / MODEL

    def kill() -> None:
        os.kill(server.loaded[0][0], signal.SIGKILL)

    def loads(version: int) -> int:
        return sum(each == version for _, each in server.loaded)

    # What happens, and how many versions must have been loaded before the next thing does.
    phases = {
        "nothing happens": (lambda: None, (1, 2)),
        "a replica is killed": (kill, (1, 3)),
        "version 2 comes": (lambda: (folder / "2").rename(versions / "2"), (2, 2)),
        "a file of it goes": (lambda: (versions / "2" / "saved_model.pb").unlink(), (2, 2)),
        "version 2 goes": (lambda: shutil.rmtree(versions / "2"), (1, 5)),
    }
    rows, known = [], {}
    try:
        asyncio.run(load(server, known, arguments.clients, min(seconds, 15)))
        for name, (happen, (version, count)) in phases.items():
            happen()
            seen, started = Seen(), time.monotonic()
            until = started + 20 * seconds
            while True:
                asyncio.run(load(server, known, arguments.clients, seconds, seen))
                if loads(version) >= count or time.monotonic() > until:
                    break
            counted = "; ".join(f"v{v}: {count}" for v, count in sorted(seen.versions.items()))
            rows.append([*row(name, seen, time.monotonic() - started), counted])
    finally:
        code = server.stop()
    table([*HEADER, "by"], rows)
    print(f"  loaded (process, version): {server.loaded}; exit code {code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--preset", choices=PRESETS, default="quickdraw")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--faults", action="store_true")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.minutes, arguments.clients = 0.05, 4
    title = "Serving: faults" if arguments.faults else "Serving: load"
    heading(
        f"{title}, {arguments.clients} clients",
        minutes=arguments.minutes,
        model="tiny" if arguments.tiny else arguments.preset,
        requests="3/4 sample, 1/12 as a file, 1/6 wrong",
    )
    with tempfile.TemporaryDirectory() as folder:
        export(Path(folder), arguments.preset, arguments.tiny)
        (under_faults if arguments.faults else under_load)(Path(folder), arguments)


if __name__ == "__main__":
    main()
