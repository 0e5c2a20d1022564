"""What an answer shows, for the pages, the API and the command line alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import langcodes

from index.counterparts import Counterpart
from index.searcher import PublicationHit
from index.view import Filters
from ingest.records import UNDETERMINED, Edition, Publication, primary

MAX_QUERY = 1000  # characters; more is no question, and an encoder reads no more than 512 tokens anyway
MAX_HITS = 100


def answer(query: str, hits: Sequence[PublicationHit], readers: Sequence[str] = ()) -> dict[str, Any]:
    """The answer as plain data; `readers` are the reader's languages, best first, and decide which title is given.

    `close` says whether any hit may answer; where none does, the hits are only the nearest there are.
    """
    return {"query": query, "close": any(hit.close for hit in hits), "hits": [_hit(found, readers) for found in hits]}


def title_in(publication: Publication, readers: Sequence[str]) -> tuple[str, str]:
    """The title and its language: the first of the reader's languages that has one, else English, else any."""
    return _in_language(publication.titles, [*readers, "en"]) or (publication.publication_id, UNDETERMINED)


def abstract_in(publication: Publication, readers: Sequence[str]) -> tuple[str, str] | None:
    """The abstract and its language, chosen like the title; None where there is none."""
    return _in_language(publication.abstracts, [*readers, "en"])


def edition_data(edition: Edition) -> dict[str, Any]:
    return {
        "edition_id": edition.edition_id,
        "language": edition.language,
        "label": edition.label,
        "part": edition.part,
        "file": f"/files/{quote(edition.edition_id)}" if edition.digest else None,
    }


def filters_from(values: dict[str, Sequence[str]]) -> Filters:
    """Make filters of the parameters language, year, kind, topic and country."""
    names = {"languages": "language", "years": "year", "kinds": "kind", "topics": "topic", "countries": "country"}
    return Filters(**{field: tuple(_normal(name, value) for value in values.get(name, ()) if value) for field, name in names.items()})


def _normal(name: str, value: str) -> str:
    """Write a language as the catalogue does ("PT-br" is "pt-BR"), a country in capitals."""
    if name == "language" and langcodes.tag_is_valid(value):
        return langcodes.standardize_tag(value)
    return value.upper() if name == "country" else value


def _hit(found: PublicationHit, readers: Sequence[str]) -> dict[str, Any]:
    best = found.hit
    editions = {edition.edition_id: edition for edition in found.publication.editions}
    edition = editions[best.passage.edition_id]
    return {
        "rank": found.rank,
        "score": round(found.score, 4),
        "close": found.close,
        "publication_id": found.publication.publication_id,
        "title": title_in(found.publication, [*readers, edition.language])[0],
        "edition_id": edition.edition_id,
        "language": best.passage.language if not best.page or edition.language == UNDETERMINED else edition.language,
        "page": best.page or None,  # None: the catalogue entry, which stands on no page
        "text": best.passage.text,
        "marks": [{"start": mark.start, "end": mark.end, "why": mark.why} for mark in best.marks],
        "editions": [edition_data(edition) for edition in found.publication.editions],
        "counterpart": _counterpart(found.counterpart, editions) if found.counterpart else None,
    }


def _counterpart(found: Counterpart, editions: Mapping[str, Edition]) -> dict[str, Any]:
    edition, (start, end) = editions[found.passage.edition_id], found.span
    return {
        "edition_id": edition.edition_id,
        "language": found.passage.language if edition.language == UNDETERMINED else edition.language,
        "page": found.page,
        "text": found.passage.text,
        "marks": [{"start": start, "end": end, "why": "meaning"}],
        "confidence": found.confidence,
    }


def _in_language(texts: Any, wanted: Sequence[str]) -> tuple[str, str] | None:
    for language in wanted:
        own = primary(language)
        for there in (language, own, *(tag for tag in texts if primary(tag) == own)):
            if there in texts:
                return texts[there], there
    return next(((text, language) for language, text in texts.items()), None)
