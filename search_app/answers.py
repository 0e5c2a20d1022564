"""What an answer shows, for the pages, the API and the command line alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import regex
from flask_babel import gettext

from index.counterparts import Counterpart
from index.marks import Mark
from index.searcher import PublicationHit
from ingest.records import UNDETERMINED, Edition, Passage, Publication, primary
from search_app.standing import within

MAX_QUERY = 1000  # characters; more is no question, and an encoder reads no more than 512 tokens anyway
MAX_QUOTATION = 1000  # characters; no passage is longer, and to look for what is like four times as many takes half a minute
MAX_HITS = 100
CALLED = 80  # letters of its abstract by which a publication without a title is called
PAGE_DIGITS = 16  # hexadecimal digits of a file's SHA-256 in the address of its pages: enough that no two files of a library share them


def answer(query: str, hits: Sequence[PublicationHit], readers: Sequence[str] = ()) -> dict[str, Any]:
    """The answer as plain data; `readers` are the reader's languages, best first, and decide which title is given.

    `close` says whether any hit may answer; where none does, the hits are only the nearest there are.
    """
    return {"query": query, "close": any(hit.close for hit in hits), "hits": [_hit(found, readers) for found in hits]}


def title_in(publication: Publication, readers: Sequence[str]) -> tuple[str, str]:
    """The title and its language: the first of the reader's languages that has one, else English, else any; of an untitled one how it is called."""
    return _in_language(publication.titles, [*readers, "en"]) or _called(publication, readers)


def abstract_in(publication: Publication, readers: Sequence[str]) -> tuple[str, str] | None:
    """The abstract and its language, chosen like the title; None where there is none."""
    return _in_language(publication.abstracts, [*readers, "en"])


def edition_data(edition: Edition) -> dict[str, Any]:
    return {
        "edition_id": edition.edition_id,
        "language": edition.language,
        "label": edition.label,
        "part": edition.part,
        "file": within(f"/files/{quote(edition.edition_id)}") if edition.digest else None,
    }


def page_address(edition: Edition, page: int) -> str | None:
    """The permanent address of a page, named after what the file holds; None without a file or for the catalogue entry, page 0."""
    return within(f"/pages/{edition.digest[:PAGE_DIGITS]}/{page}") if edition.digest and page else None


def shown_language(edition: Edition, passage: Passage) -> str:
    """The language in which a passage is shown: its edition's, as the catalogue says; its own in the catalogue, or where that says none."""
    return passage.language if not passage.first_page or edition.language == UNDETERMINED else edition.language


def marks_data(marks: Iterable[Mark]) -> list[dict[str, Any]]:
    return [{"start": mark.start, "end": mark.end, "why": mark.why} for mark in marks]


def _hit(found: PublicationHit, readers: Sequence[str]) -> dict[str, Any]:
    best = found.hit
    edition = found.publication.edition(best.passage.edition_id)
    title, title_language = title_in(found.publication, [*readers, edition.language])
    return {
        "rank": found.rank,
        "score": round(found.score, 4),
        "close": found.close,
        "publication_id": found.publication.publication_id,
        "title": title,
        "title_language": title_language,
        "edition_id": edition.edition_id,
        "language": shown_language(edition, best.passage),
        "page": best.page or None,  # None: the catalogue entry, which stands on no page
        "page_label": best.label or None,
        "page_address": page_address(edition, best.page),
        "text": best.passage.text,
        "marks": marks_data(best.marks),
        "editions": [edition_data(edition) for edition in found.publication.editions],
        "counterpart": counterpart_data(found.counterpart, found.publication) if found.counterpart else None,
    }


def counterpart_data(found: Counterpart, publication: Publication) -> dict[str, Any]:
    """The same passage in another edition, as plain data; how sure that is comes as a word."""
    edition = publication.edition(found.passage.edition_id)
    start, end = found.span
    return {
        "edition_id": edition.edition_id,
        "language": shown_language(edition, found.passage),
        "page": found.page,
        "page_label": found.label,
        "page_address": page_address(edition, found.page),
        "text": found.passage.text,
        "marks": [{"start": start, "end": end, "why": "meaning"}],
        "confidence": found.confidence,
    }


def _called(publication: Publication, readers: Sequence[str]) -> tuple[str, str]:
    """How a publication without a title is called everywhere: by the first words of its abstract, else by its id."""
    abstract = abstract_in(publication, readers)
    if abstract is None:
        return gettext("Untitled publication (%(name)s)", name=publication.publication_id), UNDETERMINED
    letters = regex.findall(r"\X", " ".join(abstract[0].split()))
    if len(letters) <= CALLED:
        return "".join(letters), abstract[1]
    words = "".join(letters[:CALLED])
    return words[: words.rfind(" ") if words.rfind(" ") > len(words) / 2 else None].rstrip(" ,;:،、") + "…", abstract[1]


def _in_language(texts: Any, wanted: Sequence[str]) -> tuple[str, str] | None:
    for language in wanted:
        own = primary(language)
        for there in (language, own, *(tag for tag in texts if primary(tag) == own)):
            if there in texts:
                return texts[there], there
    return next(((text, language) for language, text in texts.items()), None)
