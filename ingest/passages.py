"""Cut the pages of an edition into passages: whole sentences, a bounded number of encoder tokens, half of them shared with the next."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.language import identify_in_order, prevailing
from ingest.layout import SENTENCE_END, breaks_off, unspaced
from ingest.records import UNDETERMINED, Heading, Page, Passage, Publication, Span, primary
from ingest.sentences import sentence_spans

PASSAGE_TOKENS = 100  # of the encoder; longer passages blur several subjects into one vector, docs/reading.md has the figures
OVERLAP_TOKENS = 50  # shared by neighbours, at most, in whole sentences; one sentence is shared anyway, so that an answer keeps its context

LANGUAGE_VERSION = 1  # raise it when a text would be told in another language: stored passages are told again, from their texts
UNDER_HEADINGS = True  # whether the encoder is given the title and the headings above a passage; raise READING_VERSION with a change

TOP = 1  # level of the highest headings

TokenCounter = Callable[[Sequence[str]], list[int]]


def cut_pages(pages: Sequence[Page], count_tokens: TokenCounter, language: str, headings: Sequence[Heading] = ()) -> list[Passage]:
    """Cut an edition into passages, in reading order; pages without text, or with text that cannot be read, are passed over.

    `count_tokens` counts encoder tokens of each text; `language` is the edition's, as far as it is known; `headings` are in reading order.
    A sentence may run over the end of a page, past its footnotes, which make passages of their own. Every sentence stands in at least one
    passage; a sentence longer than a passage is divided.
    """
    streams = [stream for stream in _streams(pages) if stream]
    if not streams:
        return []
    language = prevailing(stretch.text for stream in streams for stretch in stream) if language == UNDETERMINED else language
    passages: list[Passage] = []
    for stream in streams:
        text, starts = _join(stream)
        windows = (part for window in _windows(text, language, count_tokens) for part in _within_two_pages(window, starts))
        for group in windows:
            start, end = group[0][0], group[-1][1]
            first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
            place = start - starts[first] + stream[first].start
            passages.append(
                Passage(
                    stream[first].page.edition_id,
                    0,
                    stream[first].page.number,
                    place,
                    stream[last].page.number,
                    end - starts[last] + stream[last].start,
                    language,
                    text[start:end],
                    tuple((left - start, right - start) for left, right in group),
                    heading_path(headings, stream[first].page.number, place),
                )
            )
    in_order = sorted(passages, key=lambda passage: (passage.first_page, passage.start))
    return with_languages([replace(passage, ordinal=ordinal) for ordinal, passage in enumerate(in_order)], language)


def with_languages(passages: Sequence[Passage], edition_language: str) -> list[Passage]:
    """Tell the languages of an edition's passages anew from their texts: no PDF is read, and nothing but the language changes.

    The passages are those of one edition in reading order, whether just cut or out of a library; `edition_language` is the catalogue's word,
    "und" when it has none, and then the language of most of the text stands for it.
    """
    texts = [passage.text for passage in passages]
    expected = prevailing(texts) if edition_language == UNDETERMINED else edition_language
    told = identify_in_order(texts, expected)
    return [replace(passage, language=language) for passage, language in zip(passages, told, strict=True)]


def encoded_text(passage: Passage, title: str) -> str:
    """What the encoder is given of a passage: its text below the title of its publication and its headings, which say what it is about.

    Only `passage.text` is shown and marked. What the text begins with anyway is not said twice.
    """
    if not UNDER_HEADINGS:
        return passage.text
    above = [heading for heading in dict.fromkeys((title, *passage.headings)) if heading and not passage.text.startswith(heading)]
    return "\n".join((*above, passage.text))


def heading_path(headings: Sequence[Heading], page: int, offset: int) -> tuple[str, ...]:
    """The headings under which a place stands, the highest first; `headings` are in reading order."""
    path: list[Heading] = []
    last = bisect_right(headings, (page, offset), key=lambda heading: (heading.page, heading.start))
    for heading in (headings[place] for place in range(last - 1, -1, -1)):  # backwards, each that stands above those below it
        if not path or heading.level < path[-1].level:
            path.append(heading)
        if path[-1].level <= TOP:
            break
    return tuple(heading.text for heading in reversed(path))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a page's text: all but the footnotes, or those."""

    page: Page
    start: int
    text: str


def _streams(pages: Sequence[Page]) -> Iterator[list[_Stretch]]:
    """What is read in one go: the text of all pages, then the footnotes of each."""
    read = [page for page in pages if page.readable]
    bodies = [_Stretch(page, 0, (page.text[: page.footnotes] if page.footnotes >= 0 else page.text).rstrip()) for page in read]
    yield [body for body in bodies if body.text]
    for page in read:
        if page.footnotes >= 0:
            yield [_Stretch(page, page.footnotes, page.text[page.footnotes :])]


def catalogue_passages(publication: Publication, count_tokens: TokenCounter) -> list[Passage]:
    """Cut the title with the authors, and the abstract, in each language that has one into passages that stand on no page.

    So a publication is found by what its catalogue entry says, even when no file of it can be read. They belong to the edition in
    that language, else to the first; their ordinals count through the publication.
    """
    by_language = {primary(edition.language): edition.edition_id for edition in reversed(publication.editions)}
    by_language |= {edition.language: edition.edition_id for edition in reversed(publication.editions)}
    passages: list[Passage] = []
    for language in dict.fromkeys([*publication.titles, *publication.abstracts]):
        text = "\n".join(filter(None, (publication.titles.get(language), " · ".join(publication.authors), publication.abstracts.get(language))))
        edition_id = by_language.get(language) or by_language.get(primary(language), publication.editions[0].edition_id)
        for group in _windows(text, language, count_tokens):
            start, end = group[0][0], group[-1][1]
            sentences = tuple((left - start, right - start) for left, right in group)
            passages.append(Passage(edition_id, len(passages), 0, start, 0, end, language, text[start:end], sentences))
    return passages


def _join(pages: Sequence[_Stretch]) -> tuple[str, list[int]]:
    """Put the pages into one text; return it with the offset at which each page starts."""
    text, starts = "", []
    for page in pages:
        if text and breaks_off(text):
            text = text[:-1]
        elif text:
            text += "\n" if text[-1] in SENTENCE_END else "" if unspaced(text[-1]) and unspaced(page.text[0]) else " "
        starts.append(len(text))
        text += page.text
    return text, starts


def _within_two_pages(spans: Sequence[Span], starts: Sequence[int]) -> Iterator[Sequence[Span]]:
    """Divide a window before a third page, so that its first and last page say where each of its sentences stands."""
    begin = 0
    for place, (_, end) in enumerate(spans):
        if place > begin and bisect_right(starts, end - 1) - bisect_right(starts, spans[begin][0]) > 1:
            yield spans[begin:place]
            begin = place
    yield spans[begin:]


def _bounded(text: str, spans: Sequence[Span], count_tokens: TokenCounter) -> list[tuple[Span, int]]:
    """Halve every span that is longer than a passage, at white space where there is some, until none is; return each with its tokens."""
    bounded: list[tuple[Span, int]] = []
    for (start, end), tokens in zip(spans, count_tokens([text[start:end] for start, end in spans]), strict=True):
        if tokens <= PASSAGE_TOKENS or end - start < 2:
            bounded.append(((start, end), tokens))
        else:
            middle = _dividing_point(text, start, end)
            bounded += _bounded(text, [(start, middle), (middle, end)], count_tokens)
    return bounded


def _dividing_point(text: str, start: int, end: int) -> int:
    middle, quarter = (start + end) // 2, (end - start) // 4
    space = text.rfind(" ", middle - quarter, middle + quarter)
    if space > start:
        return space + 1
    while middle < end - 1 and unicodedata.category(text[middle]).startswith("M"):
        middle += 1  # never between a letter and its mark
    return middle


def _windows(text: str, language: str, count_tokens: TokenCounter) -> Iterator[Sequence[Span]]:
    """Yield the sentences of each passage, as spans in `text`."""
    bounded = _bounded(text, sentence_spans(text, language), count_tokens)
    spans, tokens = [span for span, _ in bounded], [count for _, count in bounded]
    start = 0
    while start < len(spans):
        end, total = start, 0
        while end < len(spans) and (end == start or total + tokens[end] <= PASSAGE_TOKENS):
            total += tokens[end]
            end += 1
        yield spans[start:end]
        if end == len(spans):
            return
        shared = end - 1
        while shared - 1 > start and sum(tokens[shared - 1 : end]) <= OVERLAP_TOKENS:
            shared -= 1
        start = shared if start < shared and sum(tokens[shared : end + 1]) <= PASSAGE_TOKENS else end
