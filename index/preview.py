"""What publishing a candidate would change: the check questions asked of both generations, and their first publications side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from index.filters import Filters
from index.searcher import PublicationHit, Query, State
from ingest.records import UNDETERMINED, Publication, primary

TOP = 5  # publications that are compared

Move = Literal["same", "up", "down", "new", "gone"]  # what becomes of a publication among the first
Row = dict[str, Any]  # one publication that was found: see `_row`
Progress = Callable[[int, int], None]  # questions asked, of how many


def compare(questions: Sequence[str], before: State, after: State, progress: Progress) -> dict[str, Any]:
    """Ask both states, and return plain data: `questions`, each with the rows `before` and `after`, whether they differ and their overlap.

    `differing` says how many differ in which publications come first, or in their order; `overlap` is the mean share of the first publications that
    both have, None without questions; `passages` and `languages` count what the candidate can find.
    """
    asked = []
    for done, text in enumerate(questions, start=1):
        asked.append(_compared(text, *([_row(hit) for hit in state.search(Query(text, counterparts=False), TOP)] for state in (before, after))))
        progress(done, len(questions))
    return {
        "passages": after.view.among(Filters()).count,
        "languages": len({primary(language) for language in after.library.passage_languages()} - {UNDETERMINED}),
        "differing": sum(question["differs"] for question in asked),
        "overlap": sum(question["overlap"] for question in asked) / len(asked) if asked else None,
        "questions": asked,
    }


def _compared(text: str, before: list[Row], after: list[Row]) -> dict[str, Any]:
    were, are = (_ranks(rows) for rows in (before, after))
    shared, most = len(were.keys() & are.keys()), max(len(were), len(are))
    return {
        "text": text,
        "differs": list(were) != list(are),
        "overlap": shared / most if most else 1.0,
        "before": [row | {"move": _move(were, are, row)} for row in before],
        "after": [row | {"move": _move(were, are, row)} for row in after],
    }


def _move(were: Mapping[str, int], are: Mapping[str, int], row: Row) -> Move:
    old, new = were.get(row["publication_id"]), are.get(row["publication_id"])
    if old is None or new is None:
        return "new" if old is None else "gone"
    return "same" if old == new else "up" if new < old else "down"


def _ranks(rows: Sequence[Row]) -> dict[str, int]:
    return {row["publication_id"]: row["rank"] for row in rows}


def _row(found: PublicationHit) -> Row:
    """A publication as it would be shown: the edition, the page, and the sentence that answers."""
    passage, edition = found.hit.passage, found.publication.edition(found.hit.passage.edition_id)
    mark = next((mark for mark in found.hit.marks if mark.why == "meaning"), None)
    title, language = _title(found.publication, edition.language)
    return {
        "rank": found.rank,
        "score": round(found.score, 4),
        "publication_id": found.publication.publication_id,
        "title": title,
        "title_language": language,
        "language": edition.language,
        "sentence": passage.text[mark.start : mark.end].strip() if mark else passage.text,
        "sentence_language": passage.language,
        "page": found.hit.page or None,  # None: the catalogue entry, which stands on no page
        "page_label": found.hit.label or None,
    }


def _title(publication: Publication, language: str) -> tuple[str, str]:
    """The title in the language of the edition that is shown, else any, and its language."""
    alike = sorted(publication.titles, key=lambda tag: (tag != language, primary(tag) != primary(language)))
    return (publication.titles[alike[0]], alike[0]) if alike else (publication.publication_id, UNDETERMINED)
