"""Errors under /api/ as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, json, request, url_for
from werkzeug.exceptions import BadRequest, HTTPException

from search_app.schema import Fault, Problem

PREFIX = "/api/"


class FaultyParameters(BadRequest):
    """Parameters that cannot be meant."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(f"{fault.parameter}: {fault.detail}" for fault in faults))
        self.faults = list(faults)


def problem(error: HTTPException) -> Response:
    """Answer with what went wrong; keeps the headers of the error, such as Allow."""
    status = error.code or 500
    faults = error.faults if isinstance(error, FaultyParameters) else None
    told = Problem(
        type=url_for("documentation.page", _anchor="faulty-parameters", _external=True) if faults else "about:blank",
        title="Faulty parameters" if faults else error.name,
        status=status,
        detail=_detail(error),
        faults=faults,
    )
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return Response(json.dumps(told.model_dump(exclude_none=True)), status, headers, content_type="application/problem+json")


def _detail(error: HTTPException) -> str:
    here = url_for("documentation.page")
    if error.code == 404 and request.url_rule is None:
        return f"There is nothing at {request.path}; {here} lists what there is."
    if error.code == 405:
        return f"Expected GET, HEAD or OPTIONS, found {request.method}; this API only reads. {here} describes it."
    return error.description or error.name
