"""The records that pass between the stages. Imports nothing of ours, so that every package may import it."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

UNDETERMINED = "und"  # BCP 47: the language could not be told

OTHER_LANGUAGE = "reads as "  # how the cause of a page begins whose text is sound, in another language than the catalogue says
# suspect: there is text, and its cause says what is wrong with it; recognised: its text was read from a picture of it
Health = Literal["good", "recognised", "suspect", "empty", "image only", "unreadable"]
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
    authors: tuple[str, ...] = ()  # in the order of the title page; a comma parts a family name from the names given
    publisher: str = ""
    isbn: str = ""  # thirteen digits
    doi: str = ""  # lower case, without an address before it

    def edition(self, edition_id: str) -> Edition:
        """Its edition of this id, which it must have."""
        return next(edition for edition in self.editions if edition.edition_id == edition_id)


@dataclass(frozen=True, slots=True)
class WordBox:
    """Where a word stands: its characters in the page's text, and its place in PDF points as displayed, from the lower left corner."""

    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float


BOX = struct.Struct("<2I4f")


@dataclass(frozen=True, slots=True)
class WordBoxes(Sequence[WordBox]):
    """The boxes of a page's words, in the order of its text, packed: 24 bytes each, so that a book of them is small.

    In scripts without spaces every cluster of letters has a box of its own; a word that is broken over two lines has two, with the
    characters that stand in each. Characters that nobody drew have none.
    """

    packed: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, boxes: Iterable[WordBox]) -> WordBoxes:
        return cls(b"".join(BOX.pack(box.start, box.end, box.left, box.bottom, box.right, box.top) for box in boxes))

    def __len__(self) -> int:
        return len(self.packed) // BOX.size

    @overload
    def __getitem__(self, place: int) -> WordBox: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[WordBox, ...]: ...
    def __getitem__(self, place: int | slice) -> WordBox | tuple[WordBox, ...]:
        if isinstance(place, slice):
            return tuple(self[at] for at in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(f"box {place} of {len(self)}")
        return WordBox(*BOX.unpack_from(self.packed, place % len(self) * BOX.size))

    def __iter__(self) -> Iterator[WordBox]:
        return (WordBox(*values) for values in BOX.iter_unpack(self.packed))

    def within(self, start: int, end: int) -> tuple[WordBox, ...]:
        """The boxes of the words that have a character from `start` up to `end`."""
        return self[bisect_right(self, start, key=lambda box: box.end) : bisect_left(self, end, key=lambda box: box.start)]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, as outline or type size show it. `start` and `end` are the same where its words are not on the page."""

    page: int  # 1-based, as a PDF viewer counts
    start: int  # characters in the text of the page
    end: int
    level: int  # 1 for the highest
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a publication says of itself on its first pages and in its metadata; for a catalogue entry, once a human has looked at it."""

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    isbn: str = ""  # thirteen digits
    doi: str = ""
    abstract: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an edition, as it could be read."""

    edition_id: str
    number: int  # 1-based, as a PDF viewer counts
    label: str  # as printed on the page: "iv", "A-3"
    text: str  # paragraphs separated by a newline; running headers and page numbers left out, footnotes at the end
    health: Health
    boxes: WordBoxes = WordBoxes()
    cause: str = ""  # why the health is not good, or what was done to make it so
    footnotes: int = -1  # where in the text the footnotes begin; -1 when there are none
    confidence: float = 1.0  # in [0, 1]; below 1 only where the text was recognised

    @property
    def readable(self) -> bool:
        """Whether its text can be searched: it is good, or recognised, or sound and only not in the language that was expected."""
        return bool(self.text) and (self.health in ("good", "recognised") or self.cause.startswith(OTHER_LANGUAGE))


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: its pages in order, its headings, and what it says of itself."""

    title: str  # "" when it does not say
    pages: tuple[Page, ...]
    language: str = UNDETERMINED  # BCP 47, as the file declares it; a hint, since many declare what their template did
    headings: tuple[Heading, ...] = ()
    proposal: Proposal = Proposal()
    wants: str = ""  # the language pack that was missing to recognise pages, or to compare them with what is seen


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
    headings: tuple[str, ...] = ()  # those under which it stands, the highest first

    def page_at(self, offset: int) -> int:
        """The page on which the character at `offset` of the text stands; 0 when the passage is from the catalogue."""
        return self.place_of(offset)[0]

    def place_of(self, offset: int) -> tuple[int, int]:
        """The page on which the character at `offset` of the text stands, and its place in that page's text; (0, ...) in the catalogue."""
        border = len(self.text) - self.end
        return (self.last_page, offset - border) if offset >= border else (self.first_page, self.start + offset)

    def offset_of(self, page: int, place: int) -> int | None:
        """Where in the text the character at this place of a page's text stands; None where the passage does not hold it."""
        before = 0
        for there, first, last in self.places_of(0, len(self.text)):
            if there == page and first <= place < last:
                return before + place - first
            before += last - first
        return None

    def places_of(self, start: int, end: int) -> tuple[tuple[int, int, int], ...]:
        """Where the characters from `start` up to `end` of the text stand: (page, start, end) in the texts of one page, or of two."""
        border = len(self.text) - self.end
        if self.first_page == self.last_page or end <= border or start >= border:
            page, place = self.place_of(start)
            return ((page, place, place + end - start),)
        return (self.first_page, self.start + start, self.start + border), (self.last_page, 0, end - border)


def primary(tag: str) -> str:
    """The language of a BCP 47 tag, without script, region and variant: "zh" of "zh-Hant"."""
    return tag.split("-")[0]


def edition_id(publication_id: str, language: str, part: Part = "whole") -> str:
    """Name an edition after its publication, its language and, unless it is whole, its part."""
    suffix = "" if part == "whole" else "." + part.replace(" ", "-")
    return f"{publication_id}.{language}{suffix}"
