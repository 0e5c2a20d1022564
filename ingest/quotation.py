"""Find a quotation again in the text of pages, also where the text has been read otherwise since. With ingest/trust.py, imports rapidfuzz."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz

from ingest.records import Page

ALIKE = 85  # per cent of letters in order, from which a stretch is the quotation read otherwise; unrelated text has about 50
LETTERS = 20  # of a quotation, at least, to be found otherwise than letter by letter
EXACT = 100.0  # likeness in per cent


@dataclass(frozen=True, slots=True)
class Found:
    """Where a quotation stands."""

    spans: tuple[tuple[int, int, int], ...]  # page, and characters of its text; two where it runs over the end of a page
    likeness: float  # per cent; 100 where every letter agrees


def find_quotation(quotation: str, pages: Sequence[Page], number: int) -> Found | None:
    """Find a quotation on the page of this number, else on its neighbours, else over the end of a page; None where it is nowhere.

    `pages` are some pages of one edition, in order. Letters, marks and digits decide; spaces, hyphens and punctuation may differ.
    """
    wanted = "".join(letter for letter, _ in _letters(quotation))
    if not wanted:
        return None
    near = sorted(pages, key=lambda page: abs(page.number - number))
    places = [_Text.of(page) for page in near] + [_Text.across(*both) for both in pairwise(pages)]
    exact = (text.span(at, at + len(wanted), EXACT) for text in places for at in [text.letters.find(wanted)] if at >= 0)
    return next(exact, None) or _most_alike(wanted, places)


def _most_alike(wanted: str, places: Sequence[_Text]) -> Found | None:
    if len(wanted) < LETTERS:
        return None
    best, found = 0.0, None
    for text in places:
        alike = fuzz.partial_ratio_alignment(wanted, text.letters, score_cutoff=ALIKE) if len(text.letters) >= len(wanted) else None
        if alike and alike.score > best:
            best, found = alike.score, text.span(alike.dest_start, alike.dest_end, alike.score)
    return found


@dataclass(frozen=True, slots=True)
class _Text:
    """The letters of a stretch of text, folded, and where each stands: page and character."""

    letters: str
    places: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, page: Page, start: int = 0, end: int | None = None) -> _Text:
        found = [(letter, (page.number, start + at)) for letter, at in _letters(page.text[start:end])]
        return cls("".join(letter for letter, _ in found), [place for _, place in found])

    @classmethod
    def across(cls, page: Page, following: Page) -> _Text:
        """The text of two pages as it is read, past the footnotes of the first."""
        above, below = cls.of(page, 0, page.footnotes if page.footnotes >= 0 else None), cls.of(following)
        return cls(above.letters + below.letters, [*above.places, *below.places])

    def span(self, start: int, end: int, likeness: float) -> Found:
        """What the letters from `start` up to `end` take of each page."""
        spans: dict[int, tuple[int, int]] = {}
        for page, at in self.places[start:end]:
            spans[page] = (spans.get(page, (at, at))[0], at + 1)
        return Found(tuple((page, *span) for page, span in spans.items()), likeness)


def _letters(text: str) -> list[tuple[str, int]]:
    """Each letter, mark and digit of a text, folded, with where it stands; a character may fold to several letters."""
    folded = ((unicodedata.normalize("NFKC", char).casefold(), at) for at, char in enumerate(text))
    return [(letter, at) for letters, at in folded for letter in letters if unicodedata.category(letter)[0] in "LMN"]
