"""The service's addresses: TensorFlow Serving's, and those that answer with pictures and sound."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import latentgen
from latentgen.export.serving import metadata, openapi, prompts, rendering
from latentgen.export.serving.calls import Call, make_call
from latentgen.export.serving.edge import App, Edge
from latentgen.export.serving.metrics import CONTENT_TYPE
from latentgen.export.serving.refusal import Refusal, shown
from latentgen.export.serving.requests import (
    read_inputs,
    read_json,
    read_request,
    write_answer,
    write_json,
)
from latentgen.export.serving.service import Service, describe
from latentgen.export.serving.worker import Served

JSON = "application/json"
MODEL, VERSION = "/v1/models/{name}", "/v1/models/{name}/versions/{version}"
TF, OURS, OPERATING = ["TensorFlow Serving"], ["Samples"], ["Operating"]


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
    _add_predict(app, service)
    _add_samples(app, service)
    _add_operating(app, service, key is not None)
    return Edge(app, service, key)


def _add_predict(app: FastAPI, service: Service) -> None:
    wrong = openapi.errors(400, 404, 413, 429, 503, 504)

    async def predict(request: Request, name: str, version: str | None = None) -> Response:
        facts = _noted(request, "predict", service, name)
        signature, form, values = read_request(read_json(await request.body()))

        def make(served: Served) -> Call:
            if signature not in served.signatures:
                known = sorted(served.signatures)
                raise Refusal(
                    400, f"signature_name: expected one of {known}, received {shown(signature)}"
                )
            stated = served.signatures[signature]
            inputs = read_inputs(form, values, stated)
            limit = service.limits.rows
            return make_call(signature, inputs, stated, served.description, limit)

        served, outputs = await service.answer(name, _number(version), make)
        facts |= {"version": served.version, "signature": signature}
        return _answer(served, write_answer(form, outputs), JSON)

    @app.post(
        MODEL + ":predict",
        tags=TF,
        responses=openapi.answers("Predictions", JSON) | wrong,
        openapi_extra=openapi.PREDICT,
    )
    async def predict_newest(request: Request, name: str) -> Response:
        """Run a signature of the newest version."""
        return await predict(request, name)

    @app.post(
        VERSION + ":predict",
        tags=TF,
        responses=openapi.answers("Predictions", JSON) | wrong,
        openapi_extra=openapi.PREDICT,
    )
    async def predict_version(request: Request, name: str, version: str) -> Response:
        """Run a signature of a version that is in memory."""
        return await predict(request, name, version)

    told = openapi.answers("What is known", JSON) | openapi.errors(400, 404, 503)

    @app.get(MODEL, tags=TF, responses=told)
    async def status(request: Request, name: str) -> Response:
        """Which versions there are, and their states."""
        _noted(request, "status", service, name)
        return _json(metadata.status(service.model(name)))

    @app.get(VERSION, tags=TF, responses=told)
    async def status_of_version(request: Request, name: str, version: str) -> Response:
        """The state of one version."""
        _noted(request, "status", service, name)
        return _json(metadata.status(service.model(name), _number(version)))

    @app.get(MODEL + "/metadata", tags=TF, responses=told)
    async def signatures(request: Request, name: str) -> Response:
        """The signatures of the newest version."""
        _noted(request, "metadata", service, name)
        return _json(metadata.signatures(name, service.served(name)))

    @app.get(VERSION + "/metadata", tags=TF, responses=told)
    async def signatures_of_version(request: Request, name: str, version: str) -> Response:
        """The signatures of a version."""
        _noted(request, "metadata", service, name)
        return _json(metadata.signatures(name, service.served(name, _number(version))))


def _add_samples(app: FastAPI, service: Service) -> None:
    most = service.limits.rows
    files = openapi.answers("The pieces", *openapi.FILES)
    responses = files | openapi.errors(400, 404, 413, 429, 503, 504)

    async def sample(request: Request, name: str, kind: str, version: str | None) -> Response:
        facts = _noted(request, f"sample.{kind}", service, name)
        document = read_json(await request.body()) if request.method == "POST" else None
        pairs = request.query_params.multi_items()
        if document is not None and pairs:
            raise Refusal(400, "expected the prompt in the body, received some in the address too")
        found: dict[str, prompts.Prompt] = {}

        def make(served: Served) -> Call:
            described = served.description
            prompts.check_format(kind, described)
            if document is None and request.method == "GET":
                prompt = prompts.of_query(pairs, described, most)
            else:
                prompt = prompts.of_document(document, described, most)
            rendering.check_count(kind, prompt.n)
            found["prompt"] = prompt
            signature, inputs = prompts.inputs_of(prompt, served.signatures)
            stated = served.signatures[signature]
            return make_call(signature, inputs, stated, described, most)

        served, outputs = await service.answer(name, _number(version), make)
        facts |= {"version": served.version, "rows": found["prompt"].n}
        content = await service.render(name, served, kind, outputs, found["prompt"])
        return _answer(served, content, rendering.MEDIA_TYPES[kind])

    for prefix, of in ((MODEL, "the newest version"), (VERSION, "a version")):
        for method in ("GET", "POST"):
            extra: dict[str, Any] = openapi.PROMPT
            if method == "GET":
                extra = {"parameters": openapi.prompt_parameters(most)}
            _add_sample(app, sample, prefix, of, method, responses, extra)


def _add_sample(app, sample, prefix, of, method, responses, extra) -> None:
    if prefix == MODEL:

        async def route(request: Request, name: str, kind: str) -> Response:
            return await sample(request, name, kind, None)

    else:

        async def route(request: Request, name: str, version: str, kind: str) -> Response:
            return await sample(request, name, kind, version)

    app.add_api_route(
        prefix + "/sample.{kind}",
        route,
        methods=[method],
        tags=OURS,
        summary=f"New pieces of {of}, as asked, as a file",
        operation_id=f"{method.lower()}_sample{'_of_version' if prefix == VERSION else ''}",
        responses=responses,
        openapi_extra=extra,
    )


def _add_operating(app: FastAPI, service: Service, secured: bool) -> None:
    @app.get("/v1/models", tags=OURS, responses=openapi.answers("The models", JSON))
    async def models(request: Request) -> Response:
        """Every model: its version, attributes, and what it can be asked."""
        _noted(request, "models", service)
        found = [describe(name, model) for name, model in sorted(service.models.items())]
        return _json({"models": found})

    @app.get("/healthz", tags=OPERATING, responses=openapi.answers("It lives", JSON))
    async def alive(request: Request) -> Response:
        """Whether the service lives."""
        _noted(request, "healthz", service)
        return _json({"status": "alive"})

    ready_or_not = openapi.answers("It is ready", JSON) | openapi.errors(503)

    @app.get("/readyz", tags=OPERATING, responses=ready_or_not)
    async def ready(request: Request) -> Response:
        """Whether the service should be sent requests."""
        _noted(request, "readyz", service)
        if service.draining:
            raise Refusal(503, "the service is stopping", 5)
        if not service.ready:
            raise Refusal(503, "the models are being loaded", 5)
        return _json({"status": "ready"})

    @app.get("/metrics", tags=OPERATING, responses=openapi.answers("Metrics", "text/plain"))
    async def metrics(request: Request) -> Response:
        """What Prometheus reads."""
        _noted(request, "metrics", service)
        return Response(service.metrics.written(), headers={"content-type": CONTENT_TYPE})

    @app.get("/openapi.json", tags=OPERATING, responses=openapi.answers("OpenAPI", JSON))
    async def description(request: Request) -> Response:
        """This description."""
        _noted(request, "openapi", service)
        document = dict(app.openapi())
        limit = service.limits.rows
        return _json(openapi.complete(document, service.models, limit, secured))


def _noted(request: Request, endpoint: str, service: Service, model: str = "") -> dict[str, Any]:
    """What the log line and the metrics will say; only names that exist become labels."""
    facts: dict[str, Any] = {"endpoint": endpoint}
    if model in service.models:
        facts["model"] = model
    request.state.facts = facts
    return facts


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    if not (version.isascii() and version.isdecimal() and len(version) < 19):
        raise Refusal(404, f"version: expected a number, received {shown(version)}")
    return int(version)


def _answer(served: Served, content: bytes, media_type: str) -> Response:
    return Response(
        content,
        headers={"content-type": media_type, "x-model-version": str(served.version)},
    )


def _json(document: Any, status: int = 200) -> Response:
    return Response(write_json(document), status, media_type=JSON)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    _why(request, error.message)
    response = _json({"error": error.message}, error.status)
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
    response = _json({"error": message}, error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _refused_by_fastapi(request: Request, error: Exception) -> Response:
    _why(request, str(error))
    return _json({"error": "expected parameters as in /openapi.json, received others"}, 400)


async def _failed(request: Request, error: Exception) -> Response:
    # The error goes on to the edge, which logs it.
    return _json({"error": "the service failed; its log says why"}, 500)


def _why(request: Request, message: str) -> None:
    facts = getattr(request.state, "facts", None)
    if facts is None:
        request.state.facts = facts = {"endpoint": "other"}
    facts["why"] = message
