"""Take a query apart: words, phrases between quotation marks, and what is excluded by a minus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from index.terms import ACRONYM, UNSPACED, Piece, paired, pieces

MINUS = r"(?<!\S)[-−－]"
QUOTED = (  # a straight mark that follows a letter opens nothing, unless no space is to be expected there; in Hebrew words it is a letter
    rf'(?<![[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}])"(?:[^"]|(?<=\p{{Hebrew}})"(?=\p{{Hebrew}}))*"'
    "|[“„][^“”„]*[”“]|«[^«»]*»|»[^«»]*«|「[^「」]*」|『[^『』]*』"
)
SYNTAX = regex.compile(rf"(?P<minus>{MINUS})?(?P<quoted>{QUOTED})|{MINUS}(?P<bare>[^\s\"“„«»「『]+)", regex.V1)
CLOSE = regex.compile(r"[\p{DI}\p{Pd}]*", regex.V1)  # between words that belong together: sub-district, COVID疫情
CLOSE_TO_DIGITS = regex.compile(r"[.,:/()]+")  # 12(3), 10,000; but not 北京,上海


@dataclass(frozen=True, slots=True)
class Words:
    """Words, or letters of a script without spaces, that stand in a text in this order with nothing else between them."""

    pieces: tuple[Piece, ...]

    def runs(self) -> Iterator[tuple[str, ...]]:
        """Yield the index terms of each word: one, or the pairs of letters of a run. "x*" stands for all terms that begin with x."""
        if self.acronym:
            yield (self.acronym,)
            return
        starts = [place for place, piece in enumerate(self.pieces) if not piece.joined or place == 0]
        for start, end in pairwise([*starts, len(self.pieces)]):
            run = self.pieces[start:end]
            terms = tuple(term.text for term in paired(run))
            yield terms[:-1] or ((terms[0] + "*",) if run[0].unspaced else terms)

    @property
    def acronym(self) -> str:
        """The index term that stands for these words in capitals only, or ""."""
        return ACRONYM + self.pieces[0].text if len(self.pieces) == 1 and self.pieces[0].acronym else ""

    @property
    def expression(self) -> str:
        """The phrase in the language of FTS5."""
        if self.acronym:
            return quoted([self.acronym])
        terms = [term.text for term in paired(self.pieces)]
        last = self.pieces[-1]
        if len(terms) > 1 and last.joined:
            return quoted(terms[:-1])  # in a passage the run may go on
        return quoted(terms) + "*" * last.unspaced


@dataclass(frozen=True, slots=True)
class WordQuery:
    """What a reader typed, taken apart."""

    free: tuple[Words, ...]
    required: tuple[Words, ...]  # phrases between quotation marks
    excluded: tuple[Words, ...]  # behind a minus
    meaning: str  # the query for the encoder: without quotation marks and without what is excluded

    @property
    def wanted(self) -> tuple[Words, ...]:
        return self.free + self.required


def parse(query: str) -> WordQuery:
    """Take a query apart; never raises. A hyphen within a word is no minus, a quotation mark without its other half is nothing."""
    required: list[Words] = []
    excluded: list[Words] = []
    rest, meaning, end = "", "", 0
    for match in SYNTAX.finditer(query):
        text = match["quoted"][1:-1] if match["quoted"] else match["bare"]
        minus = match["bare"] is not None or match["minus"] is not None
        (excluded if minus else required).extend([Words(tuple(found))] if (found := pieces(text)) else [])
        between = query[end : match.start()]
        rest, meaning, end = rest + between + " ", meaning + between + ("" if minus else text), match.end()
    meaning += query[end:]
    return WordQuery(_free(rest + query[end:]), tuple(required), tuple(excluded), " ".join(meaning.split()))


def quoted(terms: Sequence[str]) -> str:
    """A phrase in the language of FTS5; terms hold neither spaces nor quotation marks."""
    return f'"{" ".join(terms)}"'


def sought(term: str) -> str:
    """A term, or "x*" for all that begin with x, in the language of FTS5."""
    return quoted([term.rstrip("*")]) + "*" * term.endswith("*")


def _free(text: str) -> tuple[Words, ...]:
    """Divide text into words, or what belongs together without being a phrase: COVID-19, 12(3), a run of letters without spaces."""
    groups: list[list[Piece]] = []
    for piece in pieces(text):
        if groups and _belong_together(groups[-1][-1], piece, text):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return tuple(Words(tuple(group)) for group in groups)


def _belong_together(left: Piece, right: Piece, text: str) -> bool:
    between = text[left.end : right.start]
    digits = left.text[-1].isdigit() or right.text[0].isdigit()
    return bool(CLOSE.fullmatch(between) or (digits and CLOSE_TO_DIGITS.fullmatch(between)))
