"""What pages say in words, in the language of the interface, of what records and errors say in codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from flask_babel import format_date, format_decimal, gettext, lazy_gettext
from werkzeug.exceptions import HTTPException

PARTS = {"whole": lazy_gettext("whole"), "executive summary": lazy_gettext("executive summary"), "annex": lazy_gettext("annex")}
HEALTH = {
    "good": lazy_gettext("read as text"),
    "recognised": lazy_gettext("recognised from a picture of the page, so letters may be wrong"),
    "suspect": lazy_gettext("text that cannot be trusted"),
    "empty": lazy_gettext("blank"),
    "image only": lazy_gettext("a picture without text, which cannot be searched"),
    "unreadable": lazy_gettext("cannot be read"),
}
CAUSES = {  # those of ingest/health.py that are whole sentences; others come as they are, in English
    "the page could not be opened": lazy_gettext("the page could not be opened"),
    "an image without text": lazy_gettext("an image without text"),
    "codes that stand for no letters": lazy_gettext("codes that stand for no letters"),
    "mojibake: letters of an encoding that is not known": lazy_gettext("letters of an encoding that is not known"),
    "letters unlikely: marks without their letters": lazy_gettext("unlikely letters: marks without their letters"),
    "letters unlikely: words in two scripts": lazy_gettext("unlikely letters: words in two scripts"),
}
STATES = {
    "waiting": lazy_gettext("not yet"),
    "read": lazy_gettext("yes"),
    "partly read": lazy_gettext("in part"),
    "failed": lazy_gettext("no"),
    "no file": lazy_gettext("title and abstract only"),
}
ERRORS = {
    400: lazy_gettext("This cannot be asked so"),
    404: lazy_gettext("Not found"),
    405: lazy_gettext("This address is not for that"),
    500: lazy_gettext("Something went wrong here"),
    503: lazy_gettext("Not now"),
    507: lazy_gettext("There is no room on the disk"),
}
NOWHERE = lazy_gettext("There is no page at this address. It may have moved, or have been copied in part.")


class InsufficientStorage(HTTPException):
    """What werkzeug has no class for."""

    code = 507


def part(name: str) -> str:
    return str(PARTS.get(name, name))


def state(name: str) -> str:
    """Whether an edition can be searched."""
    return str(STATES.get(name, name))


def health(name: str) -> str:
    return str(HEALTH.get(name, name))


def cause(said: str) -> tuple[str, bool]:
    """Why a page is as it is, and whether that is in the language of the interface."""
    return (str(CAUSES[said]), True) if said in CAUSES else (said, False)


def day(moment: str) -> str:
    """The day of an ISO 8601 moment."""
    return str(format_date(datetime.fromisoformat(moment), "long"))


def number(count: int) -> str:
    return str(format_decimal(count))


def ranges(numbers: Sequence[int]) -> str:
    """Growing page numbers, written short: "1–4, 7"."""
    starts = [0, *(place for place, (one, other) in enumerate(pairwise(numbers), start=1) if other != one + 1), len(numbers)]
    runs = [(numbers[start], numbers[stop - 1]) for start, stop in pairwise(starts) if stop > start]
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def error(raised: HTTPException) -> tuple[str, str]:
    """A heading and an explanation of what went wrong; without one, "", where there is only what the web framework says in English."""
    heading = str(ERRORS.get(raised.code or 500, raised.name))
    if raised.description != type(raised).description:
        return heading, str(raised.description)
    return heading, str(NOWHERE) if raised.code == 404 else ""


def words_found(hit: Mapping[str, Any]) -> list[str]:
    """The words of the question that stand in a hit, as they stand there, each once."""
    found = [hit["text"][mark["start"] : mark["end"]] for mark in hit["marks"] if mark["why"] == "words"]
    return list({word.casefold(): word for word in reversed(found)}.values())[::-1]


def confidence(said: str) -> str:
    """How sure it is that the passages of two editions say the same: "certain" or "likely"."""
    certain, likely = gettext("The same passage in another edition:"), gettext("Very likely the same passage in another edition:")
    return str(certain if said == "certain" else likely)
