"""What tells people and programs how to use the API: its description, and the page that is made from it."""

from __future__ import annotations

from urllib.parse import unquote_plus as unquote
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug import Response as AnyResponse

from search_app import openapi
from search_app.answers import PAGE_DIGITS, title_in
from search_app.api import json_answer, operations
from search_app.freshness import VERSION
from search_app.plain import DIRECTIONS
from search_app.search import searcher

blueprint = Blueprint("documentation", __name__)


@blueprint.get("/api/v1/openapi.json")
def description() -> Response:
    """Give this API's description in OpenAPI 3.1."""
    return json_answer(openapi.describe(operations, VERSION, request.script_root or "/"))


@blueprint.get("/api/")
def page() -> str:
    """Document the API for people, from the same description, with examples from this library."""
    return render_template(
        "api.html",
        api=openapi.describe(operations, VERSION, request.script_root or "/"),
        examples={name: (link, DIRECTIONS.sub("", unquote(link))) for name, link in _examples().items()},
    )


@blueprint.get("/api/search")
def moved() -> AnyResponse:
    """Send those who know the address before version 1 to it."""
    return redirect(f"{url_for('api.search')}?{urlencode(list(request.args.items(multi=True)))}", 308)


def _examples() -> dict[str, str]:
    """For each operation an address that answers on this library; where it holds nothing readable, only for those that need nothing."""
    library = searcher().library
    shown = {name: url_for(f"api.{name}") for name in ("publications", "facets", "gaps", "status")}
    for one in searcher().publications():
        shown |= {
            "search": url_for("api.search", q=title_in(one, ())[0], k=2),
            "publication": url_for("api.publication", publication_id=one.publication_id),
        }
        for edition in one.editions:
            page = library.page(edition.edition_id, 1)
            if page is None or not edition.digest or not page.text:
                continue
            quote = " ".join(page.text.split()[:3])[:60]
            return shown | {
                "inside": url_for("api.inside", publication_id=one.publication_id, q=title_in(one, ())[0], k=2),
                "related": url_for("api.related", publication_id=one.publication_id),
                "pages": url_for("api.pages", edition_id=edition.edition_id, k=1, boxes="true"),
                "passages": url_for("api.passages", digest=edition.digest[:PAGE_DIGITS], page=1, quote=quote),
            }
    return shown
