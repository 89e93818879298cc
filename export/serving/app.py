"""The service as an ASGI application: all its addresses, and one form for every error."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import latentgen
from latentgen.export.serving import openapi
from latentgen.export.serving.edge import App, Edge
from latentgen.export.serving.metrics import CONTENT_TYPE
from latentgen.export.serving.predicting import add_predict
from latentgen.export.serving.refusal import Refusal
from latentgen.export.serving.replies import JSON, as_json, noted
from latentgen.export.serving.sampling import add_samples
from latentgen.export.serving.service import Service


def make_app(service: Service, key: str | None = None) -> App:
    """The ASGI application of a service.

    Args:
        service: watches its replicas while the application lives.
        key: the digest of the API key that requests must show, if any.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="latentgen",
        version=latentgen.__version__,
        description="Models of drawings, music and text, as `latentgen export` writes them.",
        lifespan=lifespan,
        docs_url=None,  # it would have the browser load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
    )
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _refused_by_starlette)
    app.add_exception_handler(RequestValidationError, _refused_by_fastapi)
    app.add_exception_handler(Exception, _failed)
    add_predict(app, service)
    add_samples(app, service)
    _add_operating(app, service, key is not None)
    return Edge(app, service, key)


def _add_operating(app: FastAPI, service: Service, secured: bool) -> None:
    @app.get("/healthz", tags=["Operating"], responses=openapi.answers("It lives", JSON))
    async def alive(request: Request) -> Response:
        """Whether the service lives."""
        noted(request, "healthz", service)
        return as_json({"status": "alive"})

    ready_or_not = openapi.answers("It is ready", JSON) | openapi.errors(503)

    @app.get("/readyz", tags=["Operating"], responses=ready_or_not)
    async def ready(request: Request) -> Response:
        """Whether the service should be sent requests."""
        noted(request, "readyz", service)
        if service.draining:
            raise Refusal(503, "the service is stopping", 5)
        if not service.ready:
            raise Refusal(503, "the models are being loaded", 5)
        return as_json({"status": "ready"})

    @app.get("/metrics", tags=["Operating"], responses=openapi.answers("Metrics", "text/plain"))
    async def metrics(request: Request) -> Response:
        """What Prometheus reads."""
        noted(request, "metrics", service)
        return Response(service.metrics.written(), headers={"content-type": CONTENT_TYPE})

    @app.get("/openapi.json", tags=["Operating"], responses=openapi.answers("OpenAPI", JSON))
    async def description(request: Request) -> Response:
        """This description."""
        noted(request, "openapi", service)
        document = dict(app.openapi())
        limit = service.limits.rows
        return as_json(openapi.complete(document, service.models, limit, secured))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    _why(request, error.message)
    response = as_json({"error": error.message}, error.status)
    if error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    if error.status == 413:  # what is left of the body is not read
        response.headers["connection"] = "close"
    return response


async def _refused_by_starlette(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {
        404: "expected an address of /openapi.json, received another",
        405: f"expected another method, received {request.method}",
    }
    message = told.get(error.status_code, str(error.detail))
    _why(request, message)
    response = as_json({"error": message}, error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _refused_by_fastapi(request: Request, error: Exception) -> Response:
    _why(request, str(error))
    return as_json({"error": "expected parameters as in /openapi.json, received others"}, 400)


async def _failed(request: Request, error: Exception) -> Response:
    # The error goes on to the edge, which logs it.
    return as_json({"error": "the service failed; its log says why, under this x-request-id"}, 500)


def _why(request: Request, message: str) -> None:
    facts = getattr(request.state, "facts", None)
    if facts is None:
        request.state.facts = facts = {"endpoint": "other"}
    facts["why"] = message
