"""Addresses that answer a prompt of attributes with a picture, MIDI, sound or text."""

from fastapi import FastAPI, Request, Response

from latentgen.export.serving import openapi, prompts, rendering
from latentgen.export.serving.calls import Call, make_call
from latentgen.export.serving.openapi import MODEL, VERSION
from latentgen.export.serving.refusal import bad
from latentgen.export.serving.replies import JSON, as_json, name_and_version, noted, of_version
from latentgen.export.serving.requests import read_json
from latentgen.export.serving.service import Service, describe
from latentgen.export.serving.worker import Served


def add_samples(app: FastAPI, service: Service) -> None:
    """Adds `sample.{kind}` of models, of the newest version or a named one, and their list."""
    most = service.limits.rows

    async def sample(request: Request) -> Response:
        """New pieces, as asked, as a file: svg, png, mid, wav, txt, or json with their z."""
        kind = request.path_params["kind"]
        # Whatever else a client calls it is one label.
        named = kind if kind in rendering.MEDIA_TYPES else "other"
        facts = noted(request, f"sample.{named}", service)
        name, version = name_and_version(request)
        pairs = request.query_params.multi_items()
        asked = request.method == "POST"
        document = read_json(await request.body()) if asked else None
        if asked and pairs:
            raise bad("expected the prompt in the body, received some of it in the address")
        found: list[prompts.Prompt] = []

        def make(served: Served) -> Call:
            told = served.description
            prompts.check_format(kind, told)
            prompt = (
                prompts.of_document(document, told, most)
                if asked
                else prompts.of_query(pairs, told, most)
            )
            rendering.check_count(kind, prompt.n)
            found.append(prompt)
            signature, inputs = prompts.inputs_of(prompt, served.signatures)
            return make_call(signature, inputs, served.signatures[signature], told, most)

        served, outputs = await service.answer(name, version, make)
        facts |= {"version": served.version, "rows": found[-1].n}
        content = await service.render(name, served, kind, outputs, found[-1])
        return of_version(served, content, rendering.MEDIA_TYPES[kind])

    async def models(request: Request) -> Response:
        """Every model: its version, attributes, and what it can be asked."""
        noted(request, "models", service)
        found = [describe(name, model) for name, model in sorted(service.models.items())]
        return as_json({"models": found})

    files = openapi.answers("The pieces", *sorted(set(rendering.MEDIA_TYPES.values())))
    files |= openapi.errors(400, 404, 408, 413, 429, 503, 504)
    for path in (MODEL, VERSION):
        address = path + "/sample.{kind}"
        parameters = {"parameters": openapi.prompt_parameters(most)}
        app.get(address, tags=["Samples"], responses=files, openapi_extra=parameters)(sample)
        app.post(address, tags=["Samples"], responses=files, openapi_extra=openapi.body("Prompt"))(
            sample
        )
    app.get("/v1/models", tags=["Samples"], responses=openapi.answers("The models", JSON))(models)
