"""Headless Chromium, driven through its DevTools protocol; and a server of files for it."""

import base64
import contextlib
import functools
import http.server
import itertools
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio"),
    *("--remote-debugging-port=0", "--no-first-run", "--disable-dev-shm-usage"),
)
PATIENCE = 60.0  # seconds; a machine may be busy


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder is served on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class Page:
    """A page of a browser; `errors` are what its console or its scripts complained of."""

    def __init__(self, socket: Any):
        self.socket, self.ids, self.errors = socket, itertools.count(), []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to a command; keeps the errors it reports meanwhile."""
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE))
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["exception"].get("description", "thrown"))
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.errors.append(
                " ".join(str(a.get("value", a.get("description"))) for a in told["args"])
            )
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page, a promise's when it is there."""
        told = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"]["description"])
        return told["result"].get("value")

    def wait(self, script: str) -> Any:
        """The expression's value as soon as it is something."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise TimeoutError(f"{script}: nothing after {PATIENCE:g} s; errors: {self.errors}")
            time.sleep(0.05)
        return value

    def picture(self) -> bytes:
        """The page as it is seen, PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])


@contextlib.contextmanager
def browser(profile: Path, width: int = 1200, height: int = 900) -> Iterator[Page]:
    """An empty page of a new browser, whose profile is a new folder."""
    from websockets.sync.client import connect

    executable = shutil.which("chromium")
    assert executable
    command = [
        executable,
        *OPTIONS,
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
    ]
    process = subprocess.Popen(
        [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _port(profile / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [each for each in json.load(answer) if each["type"] == "page"]
        with connect(pages[0]["webSocketDebuggerUrl"], max_size=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _port(file: Path) -> str:
    """The port that the browser chose, which it writes to a file."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if file.exists() and (lines := file.read_text().splitlines()):
            return lines[0]
        time.sleep(0.05)
    raise TimeoutError(f"{file}: the browser does not start")
