"""The publications of a library as analysts look through them: by words in a title, by what is missing; and what is used already."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import count
from typing import Any

from babel import Locale
from flask import request
from flask_babel import lazy_gettext

from index.changes import Changes
from index.library import Library
from ingest.catalogue import TERRITORIES, identifier
from ingest.records import UNDETERMINED, Publication
from search_app import languages
from search_app.answers import title_in
from search_app.interface import LANGUAGES
from search_app.search import FURTHEST, number

AT_ONCE = 50  # publications on a page
LONGEST_NAME = 60  # characters of a title in the address of its publication
LACKS: dict[str, tuple[Any, Callable[[Publication], bool]]] = {
    "title": (lazy_gettext("no title"), lambda one: not one.titles),
    "abstract": (lazy_gettext("no abstract"), lambda one: not one.abstracts),
    "file": (lazy_gettext("an edition without a file"), lambda one: any(edition.digest is None for edition in one.editions)),
    "language": (
        lazy_gettext("a language that could not be told"),
        lambda one: UNDETERMINED in {*one.titles, *(edition.language for edition in one.editions)},
    ),
    "label": (lazy_gettext("a label that is no language"), lambda one: any(_is_no_language(one, place) for place in range(len(one.editions)))),
}


def shelf(library: Library) -> dict[str, Any]:
    """What the address asks for: a page of publications with their titles and what they lack."""
    words, missing = _folded(request.args.get("q", "")).split(), request.args.get("missing", "")
    offset = number("offset", 0, 0, FURTHEST)
    found = [one for one in library.publications() if _has(one, words) and (missing not in LACKS or LACKS[missing][1](one))]
    rows = [(one, title_in(one, languages.of_reader()), lacks(one)) for one in found[offset : offset + AT_ONCE]]
    return {
        "rows": rows, "count": len(found), "offset": offset, "step": AT_ONCE, "more": len(found) > offset + AT_ONCE,
        "q": request.args.get("q", ""), "missing": missing, "kinds_of_lack": {name: said for name, (said, _) in LACKS.items()},
    }  # fmt: skip


def lacks(publication: Publication) -> list[Any]:
    """What is missing, in words."""
    return [said for said, is_lacking in LACKS.values() if is_lacking(publication)]


def lacking(library: Library) -> list[Publication]:
    """The publications that lack something other than an abstract or a file, which not all there is has."""
    return [one for one in library.publications() if any(LACKS[name][1](one) for name in ("title", "language", "label"))]


def suggestions(library: Library) -> dict[str, Sequence[Any]]:
    """What the library uses already, for each field of the form."""
    all_of = library.publications()
    tags = {*LANGUAGES, *(edition.language for one in all_of for edition in one.editions), *(tag for one in all_of for tag in one.titles)}
    return {
        "tags": sorted(tags), "topics": _used(topic for one in all_of for topic in one.topics), "kinds": _used(one.kind for one in all_of),
        "publishers": _used(one.publisher for one in all_of), "authors": _used(name for one in all_of for name in one.authors),
        "countries": sorted(map(str, TERRITORIES)),
    }  # fmt: skip


def free_name(library: Library, title: str) -> str:
    """The name of a new publication, after its title: one that none has, nor had and may get back."""
    stem = identifier(title)[:LONGEST_NAME].strip("-") or "publication"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    return next(name for name in names if library.folder_of(name) is None and not Changes(library).changes(name, 1))


def _used(values: Iterable[str]) -> list[str]:
    return sorted(set(values) - {""}, key=str.casefold)


def _has(publication: Publication, words: Sequence[str]) -> bool:
    text = _folded("\n".join([publication.publication_id, *publication.titles.values()])) if words else ""
    return all(word in text for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_no_language(publication: Publication, place: int) -> bool:
    edition = publication.editions[place]
    label = _folded(edition.label).split("(")[0].strip()
    return bool(label) and label not in _names() | {edition.language.casefold(), _folded(languages.name(edition.language)).split("(")[0].strip()}


@cache
def _names() -> frozenset[str]:
    """The names of languages in the languages of the interface."""
    return frozenset(_folded(str(name)) for tag in LANGUAGES for name in Locale(tag).languages.values())
