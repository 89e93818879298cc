"""What every address does: notes what it was asked for, and answers."""

from typing import Any

from fastapi import Request, Response

from latentgen.export.serving.refusal import Refusal, shown
from latentgen.export.serving.requests import write_json
from latentgen.export.serving.service import Service
from latentgen.export.serving.worker import Served

JSON = "application/json"


def noted(request: Request, endpoint: str, service: Service) -> dict[str, Any]:
    """What the log line and the metrics will say; only names that exist become labels."""
    facts: dict[str, Any] = {"endpoint": endpoint}
    if request.path_params.get("name") in service.models:
        facts["model"] = request.path_params["name"]
    request.state.facts = facts
    return facts


def name_and_version(request: Request) -> tuple[str, int | None]:
    """Which model an address names, and which version of it, if any.

    Raises:
        Refusal: 404 for a version that is no number.
    """
    version = request.path_params.get("version")
    if version is None:
        return request.path_params["name"], None
    if not (version.isascii() and version.isdecimal() and len(version) < 19):
        raise Refusal(404, f"version: expected a number, received {shown(version)}")
    return request.path_params["name"], int(version)


def as_json(document: Any, status: int = 200) -> Response:
    """A document as the answer."""
    return Response(write_json(document), status, media_type=JSON)


def of_version(served: Served, content: bytes, media_type: str) -> Response:
    """What a model made, and which version it was."""
    headers = {"content-type": media_type, "x-model-version": str(served.version)}
    return Response(content, headers=headers)
