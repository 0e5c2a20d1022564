"""In what two states of a catalogue entry differ, field by field, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import gettext

from ingest.records import Edition, Publication
from search_app import languages, wording

SHOWN_DIGITS = 12  # of a file's SHA-256: enough to tell it from others


class Difference(NamedTuple):
    """One field that is not the same."""

    field: str
    language: str  # in which both texts are, BCP 47; "" where they are in none, or it is not known
    before: str
    after: str


def differences(before: Publication | None, after: Publication | None) -> list[Difference]:
    """Those fields only, in the order of the form; None has nothing in any field."""
    one, other = _fields(before), _fields(after)
    names = list(dict.fromkeys([*one, *other]))
    found = [Difference(name, language, one.get((name, language), ""), other.get((name, language), "")) for name, language in names]
    return [difference for difference in found if difference.before != difference.after]


def _fields(entry: Publication | None) -> dict[tuple[str, str], str]:
    """What an entry says, by the name and the language of its fields."""
    if entry is None:
        return {}
    said = {
        gettext("Year"): str(entry.year or ""), gettext("Kind"): entry.kind, gettext("Topics"): " · ".join(entry.topics),
        gettext("Countries"): " · ".join(map(languages.country, entry.countries)), gettext("Authors"): " · ".join(entry.authors),
        gettext("Publisher"): entry.publisher, gettext("Address"): entry.source, "ISBN": entry.isbn, "DOI": entry.doi,
    }  # fmt: skip
    named = {_edition_name(edition): _edition(edition) for edition in entry.editions}
    order = {gettext("Order of editions"): " · ".join(named)}
    texts = _texts(gettext("Title"), entry.titles) | _texts(gettext("Abstract"), entry.abstracts)
    return texts | {(name, ""): value for name, value in (said | named | order).items()}


def _texts(name: str, texts: Mapping[str, str]) -> dict[tuple[str, str], str]:
    return {(name, language): text for language, text in texts.items()}


def _edition_name(edition: Edition) -> str:
    part = "" if edition.part == "whole" else f", {wording.part(edition.part)}"
    return str(gettext("Edition: %(name)s", name=f"{languages.name(edition.language)} ({edition.language}{part})"))


def _edition(edition: Edition) -> str:
    file = gettext("file %(digest)s", digest=edition.digest[:SHOWN_DIGITS]) if edition.digest else gettext("no file")
    return f"{edition.label} · {file}" if edition.label else file
