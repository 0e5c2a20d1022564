"""What pages say in words, in the language of the interface, of what records and errors say in codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from flask_babel import format_date, format_datetime, get_locale, gettext, lazy_gettext
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
    "recognition was asked for": lazy_gettext("recognition was asked for"),
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
CHANGES = {  # what analysts do, as the log names it; other codes are shown as they are
    "added": lazy_gettext("added"),
    "edited": lazy_gettext("changed"),
    "removed": lazy_gettext("removed"),
    "imported": lazy_gettext("imported"),
    "undone": lazy_gettext("undone"),
    "given back": lazy_gettext("given back to its folder"),
    "discarded": lazy_gettext("uploaded file discarded"),
    "entry discarded": lazy_gettext("imported entry discarded"),
    "question added": lazy_gettext("check question added"),
    "question removed": lazy_gettext("check question removed"),
    "generation published": lazy_gettext("new index published"),
    "generation rolled back": lazy_gettext("back to the former index"),
    "generation discarded": lazy_gettext("new index discarded"),
    "generation asked for": lazy_gettext("new index asked for"),
    "encoder forgotten": lazy_gettext("vectors of another encoder dropped"),
    "encoder asked for": lazy_gettext("another encoder asked for"),
    "job cancelled": lazy_gettext("job cancelled"),
    "job retried": lazy_gettext("job tried again"),
    "job dismissed": lazy_gettext("failed job put away"),
    "asked to recognise": lazy_gettext("page to be recognised from its picture"),
    "left as it is": lazy_gettext("page left as it is"),
    "decision taken back": lazy_gettext("decision on a page taken back"),
    "account added": lazy_gettext("account added"),
    "account removed": lazy_gettext("account removed"),
    "password changed": lazy_gettext("password changed"),
}
FAULTS = {  # what catalogue entries must hold, as ingest/catalogue.py says it; others come as they are, in English
    "expected some text": lazy_gettext("Expected some text."),
    "expected a title in at least one language": lazy_gettext("Expected a title in at least one language."),
    "expected at least 1 edition": lazy_gettext("Expected at least one edition."),
    "expected each language once": lazy_gettext("Expected each language once."),
    "expected one edition for a language and part": lazy_gettext("Expected one edition for a language and part."),
    "expected a file that the library has, or one that was uploaded": lazy_gettext("Expected a file that the library has, or one that was uploaded."),
    "expected a year as a valid integer, such as 2019": lazy_gettext("Expected a year of four digits."),
    "expected a year greater than or equal to 1000": lazy_gettext("Expected a year of four digits."),
    'expected a BCP 47 tag such as "fr", "pt-BR" or "zh-Hans"': lazy_gettext("Expected the tag of a language, such as fr, pt-BR or zh-Hans."),
    'expected an ISO 3166-1 code of two capital letters such as "BO"': lazy_gettext("Expected the code of a country, such as BO."),
    'expected an ISBN whose check digit is right, such as "978-3-16-148410-0"': lazy_gettext("Expected an ISBN whose check digit is right."),
    'expected a DOI such as "10.1000/182"': lazy_gettext("Expected a DOI, such as 10.1000/182."),
    'expected an address that begins with "https://" or "http://"': lazy_gettext("Expected an address that begins with https:// or http://."),
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


def change(code: str) -> str:
    """What an analyst did."""
    return str(CHANGES.get(code, code))


def faults(said: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
    """What was expected in each field, and whether that is in the language of the interface."""
    return {field: (str(FAULTS.get(expected, expected)), expected in FAULTS) for field, expected in said.items()}


def moment(said: str) -> str:
    """Day and time, in UTC, of an ISO 8601 moment."""
    return str(format_datetime(datetime.fromisoformat(said), "medium")) + " UTC"


def day(moment: str) -> str:
    """The day of an ISO 8601 moment."""
    return str(format_date(datetime.fromisoformat(moment), "long"))


def number(count: int) -> str:
    return _number(count, get_locale())


@lru_cache(10_000)
def _number(count: int, locale: Locale | None) -> str:
    """Written as that language does; facets and maps have many small numbers."""
    return str(format_decimal(count, locale=locale or "en"))


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
