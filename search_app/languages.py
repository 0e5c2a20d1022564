"""Names and directions of languages, what the reader reads, and in which language the interface speaks."""

from __future__ import annotations

from functools import cache

from babel import Locale, UnknownLocaleError
from flask import request
from flask_babel import get_locale

from ingest.records import UNDETERMINED

INTERFACE = ("en",)  # languages that the interface speaks; each but the first has a catalogue in translations/


def of_reader() -> list[str]:
    """The reader's languages as the browser states them, best first."""
    return [tag for tag in request.accept_languages.values() if tag != "*"]


def of_interface() -> str:
    """The language of the interface: the first of the reader's languages that it speaks, else English."""
    return request.accept_languages.best_match(INTERFACE) or INTERFACE[0]


@cache
def name(tag: str) -> str:
    """A language's name in that language ("ខ្មែរ"), or the tag where the name is not known."""
    locale = _locale(tag)
    return str(locale.get_display_name() or tag) if locale else tag


@cache
def direction(tag: str) -> str:
    """How the language is written: "ltr", "rtl", or "auto" where that is not known."""
    locale = _locale(tag)
    return str(locale.text_direction) if locale else "auto"


def country(code: str) -> str:
    """A country's name in the language of the interface."""
    return str((get_locale() or Locale("en")).territories.get(code, code))


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-") if tag != UNDETERMINED else None
    except (UnknownLocaleError, ValueError):
        return None
