"""The edge of the service: who may come in, how much they may bring, and what is noted of it."""

import asyncio
import hashlib
import hmac
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import ClientDisconnect

from latentgen.export.serving.logs import LOGGER, log
from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.requests import write_json
from latentgen.export.serving.service import Limits, Service

LEFT = 499  # noted where the client did not wait for its answer; nobody is told
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBES = ("/healthz", "/readyz")
"""Answered without a key, and while the service drains."""


def digest(key: bytes) -> str:
    """What the service keeps of an API key."""
    return hashlib.sha256(key).hexdigest()


class Edge:
    """Wraps the application: API key, size of the body, drain, log line, metrics; no traceback out.

    Args:
        app: answers requests; raises what it cannot.
        service: whose limits hold and whose metrics are kept.
        key: the digest of the API key that requests must show, if any.
    """

    def __init__(self, app: App, service: Service, key: str | None = None):
        self._app, self._service, self._key = app, service, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Noted(scope, receive, send, self._service.limits)
        self._service.in_flight += 1
        try:
            self._let_in(scope)
            await self._app(scope, request.receive, request.send)
        except Refusal as refusal:
            await request.answer(refusal.status, refusal.message, refusal.retry_after)
        except ClientDisconnect:
            request.status = LEFT
        except Exception:
            LOGGER.exception("failed", extra={"facts": {"id": request.id}})
            await request.answer(500, f"the service failed; its log says why, see {request.id}")
        finally:
            self._service.in_flight -= 1
            self._note(scope, request)

    def _let_in(self, scope: Scope) -> None:
        if scope["path"] in PROBES:
            return
        if self._key is not None:
            kind, _, key = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
            if kind.lower() != b"bearer" or not hmac.compare_digest(digest(key), self._key):
                raise Refusal(401, "expected the header Authorization: Bearer and the API key")
        if self._service.draining:
            raise Refusal(503, "the service is stopping; ask another, or come back", 5)

    def _note(self, scope: Scope, request: "_Noted") -> None:
        seconds = time.perf_counter() - request.started
        facts = scope.get("state", {}).get("facts", {})
        endpoint = facts.get("endpoint", "other")
        metrics = self._service.metrics
        metrics.requests.labels(facts.get("model", ""), endpoint, str(request.status)).inc()
        metrics.seconds.labels(endpoint).observe(seconds)
        level = logging.DEBUG if scope["path"] in (*PROBES, "/metrics") else logging.INFO
        log(
            "request",
            level,
            id=request.id,
            method=scope["method"],
            path=scope["path"][:200],
            code=request.status,
            seconds=round(seconds, 4),
            **facts,
            **({"why": request.why} if request.why else {}),
        )


class _Noted:
    """A request on its way: its body is counted, its answer noted and given an id."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits):
        self.id, self.started = uuid.uuid4().hex[:16], time.perf_counter()
        self.status, self.why = 0, ""
        self._receive, self._send, self._most, self._came = receive, send, limits.body, 0
        self._seconds = limits.seconds
        length = dict(scope["headers"]).get(b"content-length", b"0")
        self._stated = int(length[:18]) if length.isdigit() else 0

    async def receive(self) -> Message:
        if self._stated > self._most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408, "expected the whole body, received a part of it in time") from None
        self._came += len(message.get("body", b""))
        if self._came > self._most:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
        await self._send(message)

    async def answer(self, status: int, why: str, retry_after: int | None = None) -> None:
        """Answers with an error, unless an answer has begun."""
        if self.status:
            return
        self.why = why
        body = write_json({"error": why})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if retry_after is not None:
            headers.append((b"retry-after", str(retry_after).encode()))
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if status == 413:  # what is left of the body is not read
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def _too_large(self) -> Refusal:
        return Refusal(413, f"expected a body of at most {self._most} bytes, received more")
