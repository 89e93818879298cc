"""TensorFlow Serving's addresses."""

from fastapi import FastAPI, Request, Response

from latentgen.export.serving import metadata, openapi
from latentgen.export.serving.calls import Call, make_call
from latentgen.export.serving.openapi import MODEL, VERSION
from latentgen.export.serving.refusal import bad, shown
from latentgen.export.serving.replies import JSON, as_json, name_and_version, noted, of_version
from latentgen.export.serving.requests import read_inputs, read_json, read_request, write_answer
from latentgen.export.serving.service import Service
from latentgen.export.serving.worker import Served


def add_predict(app: FastAPI, service: Service) -> None:
    """Adds predictions, status and metadata of models, of the newest version or a named one."""

    async def predict(request: Request) -> Response:
        """Run a signature: rows in `instances`, or columns in `inputs`."""
        facts = noted(request, "predict", service)
        name, version = name_and_version(request)
        signature, form, values = read_request(read_json(await request.body()))

        def make(served: Served) -> Call:
            if signature not in served.signatures:
                known = sorted(served.signatures)
                raise bad(f"signature_name: expected one of {known}, received {shown(signature)}")
            stated = served.signatures[signature]
            inputs = read_inputs(form, values, stated)
            return make_call(signature, inputs, stated, served.description, service.limits.rows)

        served, outputs = await service.answer(name, version, make)
        facts |= {"version": served.version, "signature": signature}
        return of_version(served, write_answer(form, outputs), JSON)

    async def status(request: Request) -> Response:
        """Which versions there are, and their states."""
        noted(request, "status", service)
        name, version = name_and_version(request)
        return as_json(metadata.status(service.model(name), version))

    async def signatures(request: Request) -> Response:
        """What a version can be asked, and what latentgen says of it."""
        noted(request, "metadata", service)
        name, version = name_and_version(request)
        return as_json(metadata.signatures(name, service.served(name, version)))

    known = openapi.answers("What is known", JSON) | openapi.errors(400, 404, 503)
    answers = openapi.answers("Predictions", JSON)
    answers |= openapi.errors(400, 404, 408, 413, 429, 503, 504)
    for path in (MODEL, VERSION):
        app.post(
            f"{path}:predict",
            tags=["TensorFlow Serving"],
            responses=answers,
            openapi_extra=openapi.body("Predict"),
        )(predict)
        app.get(path, tags=["TensorFlow Serving"], responses=known)(status)
        app.get(f"{path}/metadata", tags=["TensorFlow Serving"], responses=known)(signatures)
