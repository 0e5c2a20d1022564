"""What permanent addresses name: the edition whose file it is, and the words they quote."""

from __future__ import annotations

import re

from flask import abort, request
from flask_babel import gettext

from ingest.quotation import EXACT, Found, find_quotation
from ingest.records import Edition
from search_app.answers import MAX_QUOTATION, PAGE_DIGITS
from search_app.search import searcher

DIGEST = re.compile(f"[0-9a-f]{{{PAGE_DIGITS},64}}")


def edition_at(digest: str) -> Edition | None:
    """The edition whose file has this SHA-256, or one that begins so; None where there is none, or fewer digits than an address has."""
    return searcher().library.edition_of_file(digest) if DIGEST.fullmatch(digest) else None


def quotation() -> str:
    """The words that the address of this request quotes, on one line; refuses more than any address quotes."""
    said = " ".join(request.args.get("quote", "").split())
    if len(said) > MAX_QUOTATION:
        abort(400, gettext("A quotation may have %(most)d characters, this one has %(length)d.", most=MAX_QUOTATION, length=len(said)))
    return said


def quoted(edition_id: str, number: int, quotation: str) -> Found | None:
    """Find the words on this page of an edition, or on those beside it; None where they are not, or nothing is quoted."""
    near = (searcher().library.page(edition_id, number + step) for step in (-1, 0, 1)) if quotation else ()
    return find_quotation(quotation, [page for page in near if page], number) if quotation else None


def stands_on(edition_id: str, number: int, quotation: str) -> bool:
    """Whether the words stand on this page letter by letter, or begin or end there."""
    found = quoted(edition_id, number, quotation)
    return found is not None and found.likeness == EXACT and number in {page for page, _, _ in found.spans}
