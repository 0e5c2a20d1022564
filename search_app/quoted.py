"""Where the words stand that a permanent address quotes."""

from __future__ import annotations

from ingest.quotation import EXACT, Found, find_quotation
from search_app.search import searcher


def quoted(edition_id: str, number: int, quotation: str) -> Found | None:
    """Find the words on this page of an edition, or on those beside it; None where they are not, or nothing is quoted."""
    near = (searcher().library.page(edition_id, number + step) for step in (-1, 0, 1)) if quotation else ()
    return find_quotation(quotation, [page for page in near if page], number) if quotation else None


def stands_on(edition_id: str, number: int, quotation: str) -> bool:
    """Whether the words stand on this page letter by letter, or begin or end there."""
    found = quoted(edition_id, number, quotation)
    return found is not None and found.likeness == EXACT and number in {page for page, _, _ in found.spans}
