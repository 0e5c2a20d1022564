"""Find the structure of a document: its headings, by outline or type size, and the labels that are printed on its pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import regex

from ingest.layout import SENTENCE_END, PageText, Paragraph, body_size
from ingest.records import Heading

LARGER = 1.08  # than the body's type
MAX_HEADING = 150  # characters
MAX_LEVEL = 6
CONTENTS = regex.compile(r" … \w{1,6}$")  # an entry of a table of contents
LETTERS = regex.compile(r"\p{L}.*\p{L}")
HEADING_END = SENTENCE_END - frozenset("?!？！؟:：")  # what ends a sentence of the text, and no heading
NUMERALS = (
    ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"),
    ("", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx", "xc"),
    ("", "c", "cc", "ccc"),
)
ROMAN = ["".join((NUMERALS[2][n // 100], NUMERALS[1][n // 10 % 10], NUMERALS[0][n % 10])) for n in range(400)]
PRINTED = regex.compile(r"(?:^|(?<=[\s|–—·-]))((?:\p{Lu}-)?)(\d{1,4}|[ivxlc]+|[IVXLC]+)(?=[\s|–—·-]|$)")  # at the start or the end of a running line
AGREEING = 3  # pages; a number that counts up by one on fewer is chance

Outline = Sequence[tuple[int, str, int]]  # level, title and page of each entry
Run = tuple[str, str, int]  # what stands before the number, how it is written, and how far it is from the number of the page


def headings(pages: Sequence[PageText], outline: Outline) -> tuple[Heading, ...]:
    """Return the headings in reading order: those of the outline, where there is one; else the paragraphs in larger type."""
    found = [_outlined(*entry, pages) for entry in outline] if outline else list(_larger(pages))
    return tuple(sorted(found, key=lambda heading: (heading.page, heading.start)))


def _outlined(level: int, title: str, number: int, pages: Sequence[PageText]) -> Heading:
    text = pages[number - 1].text.text if number <= len(pages) else ""
    at = text.find(title)
    if at >= 0:
        return Heading(number, at, at + len(title), min(level, MAX_LEVEL), title)
    found = re.search(r"\s*".join(map(re.escape, title.split())), text, re.IGNORECASE) if title.strip() else None
    return Heading(number, *(found.span() if found else (0, 0)), min(level, MAX_LEVEL), title)


def _larger(pages: Sequence[PageText]) -> Iterator[Heading]:
    body = body_size((part.size, part.end - part.start) for page in pages for part in page.paragraphs)
    large = [(number, page, part) for number, page in enumerate(pages, start=1) for part in page.paragraphs if _is_heading(page, part, body)]
    sizes = sorted({round(part.size, 1) for _, _, part in large}, reverse=True)
    for number, page, part in large:
        level = min(sizes.index(round(part.size, 1)) + 1, MAX_LEVEL)
        yield Heading(number, part.start, part.end, level, page.text.text[part.start : part.end])


def _is_heading(page: PageText, part: Paragraph, body: float) -> bool:
    text = page.text.text[part.start : part.end]
    if part.size <= LARGER * body or len(text) > MAX_HEADING or text[-1] in HEADING_END:
        return False
    return CONTENTS.search(text) is None and LETTERS.search(text) is not None


def printed_labels(edges: Sequence[Sequence[str]]) -> list[str]:
    """Return the label of each page, given the lines at its edge that are no text: the number that counts up from page to page.

    A page without a number between two that have theirs gets the one it would have; a page outside every such run gets "".
    """
    candidates = [list(_numbers(lines, number)) for number, lines in enumerate(edges, start=1)]
    votes = Counter(run for runs in candidates for run in set(runs))
    chosen = [max((run for run in runs if votes[run] >= AGREEING), key=lambda run: votes[run], default=None) for runs in candidates]
    for run, count in votes.items():
        if count >= AGREEING:
            places = [place for place, other in enumerate(chosen) if other == run]
            for place in range(min(places, default=0), max(places, default=-1)):
                chosen[place] = chosen[place] or run
    return [_written(run, number) if run else "" for number, run in enumerate(chosen, start=1)]


def _numbers(lines: Sequence[str], number: int) -> Iterator[Run]:
    for line in lines:
        said = line.strip(" –—-|·[]()")
        for found in PRINTED.finditer(said):
            if found.start() == 0 or found.end() == len(said):
                before, digits = found.groups()
                if digits.isdecimal():
                    yield before, _zero(digits[0]), int(digits) - number
                elif digits.lower() in ROMAN:
                    yield before, "i" if digits.islower() else "I", ROMAN.index(digits.lower()) - number


def _zero(digit: str) -> str:
    return chr(ord(digit) - int(digit))


def _written(run: Run, number: int) -> str:
    before, style, offset = run
    value = number + offset
    if style in "iI":
        return before + (ROMAN[value] if style == "i" else ROMAN[value].upper())
    return before + "".join(chr(ord(style) + int(digit)) for digit in str(value))
