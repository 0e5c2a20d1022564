"""Gather text that flows, as Word and HTML files hold it, into pages: paragraphs, tables row by row, notes after the text."""

from __future__ import annotations

import re
import unicodedata

import langcodes

from ingest.records import UNDETERMINED, Heading, Page

LAYOUT = 3  # paragraphs in one cell; a table with more of them only places text on the page, and its rows are not lines
PARAGRAPH_END = re.compile(r"\f|\v(?:[^\S\v]*\v)+")  # within what is gathered; a single \v is a line break
CELLS = " | "  # between the cells of a row
MAX_HEADING = 150  # characters; what is marked as a heading and is longer is text that should look like one


class Flow:
    """Takes the pieces of a text in reading order. What stands between two calls of `end_paragraph` is one paragraph."""

    def __init__(self) -> None:
        self._pages: list[list[str]] = [[]]
        self._notes: list[str] = []  # of the current page
        self._piece: list[str] = []
        self._rows: list[list[list[str]]] = []  # open rows, innermost last: their cells, each a list of paragraphs
        self._cells: list[list[str]] = []  # open cells, innermost last
        self._turn = False  # whether a page ended within a table
        self._headings: list[tuple[int, int, int, str]] = []  # page and paragraph of it, from 0; level; text

    def text(self, piece: str) -> None:
        self._piece.append(piece)

    def end_paragraph(self) -> None:
        paragraphs = [tidied(part.replace("\v", "\n")) for part in PARAGRAPH_END.split("".join(self._piece))]
        self._piece.clear()
        (self._cells or self._pages)[-1].extend(filter(None, paragraphs))

    def end_heading(self, level: int) -> None:
        """End a paragraph that is a heading of this level, 1 for the highest; one within a table is none."""
        before = len(self._pages[-1])
        self.end_paragraph()
        for place, text in enumerate(self._pages[-1][before:], start=before):
            if len(text) <= MAX_HEADING and not self._cells:
                self._headings.append((len(self._pages) - 1, place, level, text))

    def break_line(self) -> None:
        """A line break within a paragraph; two of them, with nothing between, end it."""
        self._piece.append("\v")

    def end_page(self) -> None:
        """Start a new page; within a table, once its outermost row has ended."""
        if self._rows:
            self._turn = True
            return
        self.end_paragraph()
        self._pages[-1] += self._notes
        self._notes, self._turn = [], False
        self._pages.append([])

    def note(self, text: str) -> None:
        """A footnote; it stands after the text of the page that refers to it."""
        if tidied(text):
            self._notes.append(tidied(text))

    def start_row(self) -> None:
        self.end_paragraph()
        self._rows.append([])

    def start_cell(self) -> None:
        self.end_paragraph()
        self._cells.append([])

    def end_cell(self) -> None:
        self.end_paragraph()
        cell = self._cells.pop()
        if self._rows:
            self._rows[-1].append(cell)
        else:
            (self._cells or self._pages)[-1].extend(cell)

    def end_row(self) -> None:
        self.end_paragraph()
        cells = [cell for cell in self._rows.pop() if cell]
        if len(cells) == 1 or any(len(cell) > LAYOUT for cell in cells):
            lines = [paragraph for cell in cells for paragraph in cell]
        else:
            lines = [CELLS.join(" ".join(cell) for cell in cells)] if cells else []
        (self._cells or self._pages)[-1].extend(lines)
        if self._turn and not self._rows:
            self.end_page()

    def pages(self, edition_id: str) -> tuple[Page, ...]:
        """All pages; the last is left out when nothing stands on it and it is not the only one."""
        self.end_paragraph()
        texts = ["\n".join(paragraphs) for paragraphs in self._pages]
        texts[-1] = "\n".join(filter(None, (texts[-1], *self._notes)))
        texts = texts[:-1] if len(texts) > 1 and not texts[-1] else texts
        return tuple(Page(edition_id, number, str(number), text, "good" if text else "empty") for number, text in enumerate(texts, start=1))

    def headings(self) -> tuple[Heading, ...]:
        """The headings in reading order, where they stand in the texts of `pages`."""
        found = []
        for page, place, level, text in self._headings:
            start = sum(len(paragraph) + 1 for paragraph in self._pages[page][:place])
            found.append(Heading(page + 1, start, start + len(text), level, text))
        return tuple(found)


def tidied(text: str) -> str:
    """One line of text: NFC, white space as single spaces, none where a line was broken between Chinese or Japanese characters."""
    text = re.sub(r"(?<=(.))\s*\n\s*(?=(.))", lambda broken: "" if _wide(broken[1]) and _wide(broken[2]) else " ", text)
    text = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff]", "", text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def declared(language: str | None) -> str:
    """The language that a file declares, as a BCP 47 tag; "und" when it declares none that exists."""
    tag = (language or "").strip().replace("_", "-")
    return langcodes.standardize_tag(tag) if tag and langcodes.tag_is_valid(tag) else UNDETERMINED


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" and not "\uac00" <= char <= "\ud7a3"  # Korean puts spaces between words
