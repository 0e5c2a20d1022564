"""What the readers of catalogues say in codes, in the words of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from ingest.imported import Remark
from search_app import languages

ISOLATE, END = "\u2068", "\u2069"  # around what may be written the other way
SAID: Mapping[str, Any] = {
    "blurb": lazy_gettext("The opening words belong to the listing and to no entry: “%(text)s”"),
    "several titles": lazy_gettext(
        "Several titles stand above it (%(number)s), and nothing says which one is its own; each is kept as an entry without editions."
    ),
    "apart": lazy_gettext("An entry begins at “%(text)s”; the text above it is kept as an entry without editions."),
    "long": lazy_gettext("It has more text than an entry usually has (%(number)s paragraphs); some of it may belong to another one."),
    "no title": lazy_gettext("It has no title."),
    "no text": lazy_gettext("It has neither a title nor a text."),
    "no editions": lazy_gettext("No language of it is named, so it is no publication yet."),
    "no language": lazy_gettext("Nothing tells its language."),
    "language": lazy_gettext("No language is named; its text is in %(language)s."),
    "reads": lazy_gettext("Its text is in %(language)s, though only %(named)s is named."),
    "unsure": lazy_gettext("The language of “%(text)s” cannot be told."),
    "country": lazy_gettext("“%(label)s” names a country or its people, not a language. Its one official language is taken: %(language)s."),
    "several": lazy_gettext("“%(label)s” names a country with several languages (%(country)s); the language is left open."),
    "ambiguous": lazy_gettext("“%(label)s” can mean several languages (%(about)s); the language is left open."),
    "unknown": lazy_gettext("No language is called “%(label)s”; the language is left open."),
    "qualifier": lazy_gettext("“%(label)s” was taken for %(language)s; “%(about)s” says nothing of a language."),
    "twice": lazy_gettext("“%(label)s” stands there twice; once is kept."),
    "value": lazy_gettext("%(field)s: found “%(found)s”, which was left out; expected something such as %(expected)s."),
    "differs": lazy_gettext("%(field)s: “%(kept)s” was taken, “%(other)s” left out."),
    "addresses": lazy_gettext("Of several addresses %(kept)s was taken; left out: %(others)s."),
    "files": lazy_gettext("The file “%(file)s” is named; it is not taken from here, upload it."),
    "no file": lazy_gettext("The file “%(file)s” was not taken: %(reason)s"),
    "fields": lazy_gettext("Not taken, since the library has no place for it: %(names)s"),
    "encoding": lazy_gettext("Nothing says how its letters are encoded; it was read as %(name)s. If letters are wrong, save it as UTF-8."),
    "more": lazy_gettext("The repository has more records than these; harvest the rest and import it too."),
    "columns": lazy_gettext("Found no column that is known in “%(found)s”; expected names such as %(expected)s. Name the columns so."),
    "cells": lazy_gettext(
        "Found %(found)s cells, expected %(expected)s, as many as there are columns. Put quotation marks around cells that hold the separator."
    ),
    "quoted wrongly": lazy_gettext("A quotation mark is missing or one too many (%(found)s). Double those within a cell and close each cell."),
    "before": lazy_gettext("Found “%(found)s” before the first reference; expected a line that begins with %(expected)s. It was left out."),
    "unended": lazy_gettext("Found no end of the reference, expected a line %(expected)s; it was taken as it is."),
    "no entry": lazy_gettext("Found no entry that can be read in “%(found)s” (%(reason)s). Mend it and import the file again."),
    "broken": lazy_gettext("The XML is damaged here (%(reason)s); what could be told was taken. Get the file anew."),
    "refused": lazy_gettext("The repository answered with an error: %(reason)s"),
    "deleted": lazy_gettext("The repository says that “%(found)s” was deleted; it was left out."),
}


def remark(said: Remark) -> str:
    """One remark, with languages and countries by name."""
    return str(SAID[said.code]) % _named(said)


def shown(said: Remark) -> str:
    """The same for a page: what is quoted in it keeps its own direction."""
    return str(SAID[said.code]) % {key: f"{ISOLATE}{value}{END}" for key, value in _named(said).items()}


def _named(said: Remark) -> dict[str, str]:
    about: dict[str, str] = dict(said.about)
    if said.code == "several":
        about["country"] = languages.country(about["about"])
    for key in ("language", "named"):
        if key in about:
            about[key] = f"{languages.name(about[key])} ({about[key]})"
    return about
