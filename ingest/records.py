"""The records that pass between the stages. Imports nothing of ours, so that every package may import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

UNDETERMINED = "und"  # BCP 47: the language could not be told

Health = Literal["good", "suspect", "empty", "image only", "unreadable"]  # suspect: there is text, but it is no language
Part = Literal["whole", "executive summary", "annex"]
Span = tuple[int, int]  # characters from the first, up to but not including the second


class IsoglossError(Exception):
    """Something a user can mend; the message says what was found, what was expected and what to do."""


class UnreadableFileError(Exception):
    """A publication's file as a whole cannot be read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One language version of a publication."""

    edition_id: str
    publication_id: str
    language: str  # BCP 47 tag; "und" when neither catalogue nor text tells
    label: str  # the language as the publisher wrote it
    part: Part
    digest: str | None  # SHA-256 of the file, lower-case hexadecimal; None when there is no file


@dataclass(frozen=True, slots=True)
class Publication:
    """The work a reader cites, with its editions in the order of the catalogue."""

    publication_id: str
    titles: Mapping[str, str]  # by language, BCP 47
    abstracts: Mapping[str, str]  # by language, BCP 47
    year: int | None
    kind: str
    topics: tuple[str, ...]
    countries: tuple[str, ...]  # ISO 3166-1 alpha-2
    source: str  # address where the publisher offers it, or ""
    editions: tuple[Edition, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an edition, as it could be read."""

    edition_id: str
    number: int  # 1-based, as a PDF viewer counts
    label: str  # as printed on the page: "iv", "A-3"
    text: str  # paragraphs separated by a newline; running headers and page numbers left out
    health: Health
    cause: str = ""  # why the health is not good, or what was done to make it so


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: its pages in order, and what it says of itself."""

    title: str  # "" when it does not say
    pages: tuple[Page, ...]
    language: str = UNDETERMINED  # BCP 47, as the file declares it; a hint, since many declare what their template did


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval: a few sentences from one edition, in one language.

    `start` counts characters in the text of `first_page`, `end` in the text of `last_page`. A passage that comes from the catalogue
    (a title with its abstract) stands on no page: its page numbers are 0.
    """

    edition_id: str
    ordinal: int  # position in its edition, from 0
    first_page: int  # 1-based, as a PDF viewer counts
    start: int
    last_page: int
    end: int
    language: str  # BCP 47 tag; "und" when there is nothing to tell it by
    text: str
    sentences: tuple[Span, ...]  # character spans in `text`, in reading order

    def page_at(self, offset: int) -> int:
        """The page on which the character at `offset` of the text stands; 0 when the passage is from the catalogue."""
        return self.last_page if offset >= len(self.text) - self.end else self.first_page


def edition_id(publication_id: str, language: str, part: Part = "whole") -> str:
    """Name an edition after its publication, its language and, unless it is whole, its part."""
    suffix = "" if part == "whole" else "." + part.replace(" ", "-")
    return f"{publication_id}.{language}{suffix}"
