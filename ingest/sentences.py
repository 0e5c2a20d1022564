"""Find the sentences of a text, in every script. The only module that imports sentencex."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentencex import segment

from ingest.records import Span, primary

KHMER_END = re.compile(r"(?<=[។៕?!])(?!\s*ល\s*។)\s*")  # sentencex does not know the khan; "។ល។" means "and so on"
FULL_STOP = re.compile(r"。(?=\w)")  # sentencex ends no Chinese or Japanese sentence before a digit
CLAUSE = 40  # letters; in Thai and Lao, where only spaces separate sentences, a shorter stretch joins the next one
SPACED_CLAUSES = re.compile(r"[\u0e00-\u0eff]")  # Thai and Lao
CLAUSE_END = re.compile(r"(?<=[\u0e00-\u0eff.!?)”\"])\s+(?=[\u0e00-\u0eff“\"(])")


def sentence_spans(text: str, language: str) -> list[Span]:
    """Return the spans of the sentences of `text`, in order, without the white space between them.

    A newline ends a sentence always (paragraphs, headings, list items). Nothing but white space lies outside the spans.
    """
    spans = []
    for paragraph in re.finditer(r"[^\n]+", text):
        for start, end in _pieces(paragraph.group(), language):
            piece = text[paragraph.start() + start : paragraph.start() + end]
            if piece.strip():
                first = paragraph.start() + start + len(piece) - len(piece.lstrip())
                spans.append((first, first + len(piece.strip())))
    return spans


def _pieces(paragraph: str, language: str) -> Iterator[Span]:
    there = primary(language)
    if there == "km":
        return _between(paragraph, [match.end() for match in KHMER_END.finditer(paragraph)])
    if there in {"th", "lo"} and SPACED_CLAUSES.search(paragraph):
        return _between(paragraph, _clause_ends(paragraph))
    ends, at = [], 0
    for sentence in segment(there, paragraph):
        at += len(sentence)
        ends.append(at)
    return _between(paragraph, sorted(ends + [match.end() for match in FULL_STOP.finditer(paragraph)]))


def _clause_ends(paragraph: str) -> list[int]:
    ends, last = [], 0
    for match in CLAUSE_END.finditer(paragraph):
        if match.start() - last >= CLAUSE:
            ends.append(match.end())
            last = match.end()
    return ends


def _between(paragraph: str, ends: list[int]) -> Iterator[Span]:
    start = 0
    for end in [*ends, len(paragraph)]:
        if end > start:
            yield start, end
            start = end
