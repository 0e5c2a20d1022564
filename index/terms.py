"""Cut text of any script into terms that can be compared letter by letter.

Scripts that write spaces: a term is a word. Han, Kana, Hangul, Thai, Lao, Khmer and Burmese: a term is a pair of neighbouring letters
(grapheme clusters), and the last letter of each run alone, so that the prefix "水" finds every 水. Latin words and digits within such a
run are words of their own.

    COVID-19 -> covid, 19     l'enfant -> l, enfant     Art. 12(3) -> art, 12, 3     U.N. -> un     sub-district -> sub, district
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import regex
from anyascii import anyascii

from index.names import kept_keys

TERMS_VERSION = "1"  # of what `indexed` makes of a text; raise it when that changes: what was indexed must be taken out by the same terms

UNSPACED = r"[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]&&[\p{L}\p{M}\p{Nl}]]"
APOSTROPHES = "'’‘ʼʻ׳"
IN_WORDS = r"[\p{DI}--\u200b]"  # soft hyphens, joiners and the like; the zero width space divides words
SPACED = rf"[[\p{{L}}\p{{M}}\p{{Nd}}\p{{Nl}}₀-₉]--{UNSPACED}--[{APOSTROPHES}]--\p{{DI}}]"  # no superscripts: they are footnotes
CLUSTER = rf"(?={UNSPACED})\X(?:(?<=[\u17d2\u1039])\X|\p{{M}}|(?<=[ํໍ]\p{{M}}*)[าາ])*"  # PDFs write the Thai and Lao vowel "am" in two parts
INITIALS = rf"(?<![{SPACED}.])[\p{{L}}--{UNSPACED}](?:\.[\p{{L}}--{UNSPACED}])+(?!\.?{SPACED})"
# Ukrainian and Hebrew words hold apostrophes, Hebrew acronyms a quotation mark.
JOINT = r"""(?<=[\p{Cyrillic}\p{Hebrew}]\p{M}*)['’ʼ׳](?=[\p{Cyrillic}\p{Hebrew}])|(?<=\p{Hebrew}\p{M}*)["״”](?=\p{Hebrew})"""
PIECE = regex.compile(rf"(?P<cluster>{CLUSTER})|{INITIALS}|{SPACED}++(?:(?:{IN_WORDS}|{JOINT})+{SPACED}++)*", regex.V1)
LATELY = 256  # texts that were cut a moment ago, for whoever asks next: ten hits are asked for their words and by their codes
REMEMBERED = 30  # letters, at most, of words whose terms are remembered while others are cut
NOTHING = regex.compile(r"\p{DI}*", regex.V1)

ACRONYM, ACRONYM_LETTERS = "≡", range(2, 7)  # begins the key that is indexed for a word in capitals: "US" is not "us"

NOT_LETTERS = regex.compile(rf"[[^\p{{L}}\p{{M}}\p{{N}}]\p{{DI}}{APOSTROPHES}ʾʿـ]+", regex.V1)
FOLDS = [  # of NFKD text, case folded
    (regex.compile(pattern, regex.V1), replacement)
    for pattern, replacement in (
        (r"([\p{Latin}\p{Greek}\p{Arabic}\p{Hebrew}\p{Nd}])\p{M}+", r"\1"),
        (r"(\p{Cyrillic})[\p{M}--[\u0306\u0308]]+", r"\1"),  # й, ў and ї are letters
        (r"е\u0308", "е"),
        (r"[\u093c\u09bc\u0a3c\u0abc\u0b3c]", ""),  # nukta
        (r"[ङञणनम]\u094d(?=[क-ह])|ँ", "ं"),  # हिन्दी and हिंदी are one word
        (r"([ํໍ])([\u0e48-\u0e4b\u0ec8-\u0ecb])", r"\2\1"),
    )
]
VARIANTS = str.maketrans("ٱىیکڪةۃہە", "اييككهههه")
FOREIGN_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
LATIN_LETTER = regex.compile(r"[\p{Latin}--[a-z]]", regex.V1)


@dataclass(frozen=True, slots=True)
class Term:
    """What is indexed and looked up, with the characters of the text it was made from."""

    text: str  # folded
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A word of a script with spaces, or one letter of a script without."""

    text: str  # folded
    start: int
    end: int
    unspaced: bool
    joined: bool  # both this and the piece before it are letters of one run
    acronym: bool  # written in capitals


def pieces(text: str) -> list[Piece]:
    """Return the words and letters of a text, in reading order."""
    found: list[Piece] = []
    for match in PIECE.finditer(text):
        folded = fold(written := match.group())
        if folded:
            unspaced, start = match["cluster"] is not None, match.start()
            joined = bool(found and unspaced and found[-1].unspaced and NOTHING.fullmatch(text, found[-1].end, start))
            found.append(Piece(folded, start, match.end(), unspaced, joined, written.isupper() and len(folded) in ACRONYM_LETTERS))
    return found


def placed(text: str) -> tuple[tuple[int, Piece], ...]:
    """The pieces of a text, each with where the stretch without spaces begins from which it is counted: quicker than `pieces`, since most were cut before."""
    at, found = 0, list[tuple[int, Piece]]()
    for written in text.split():  # no piece reaches over a space
        at = text.index(written, at)
        found += [(at, piece) for piece in (_pieces(written) if len(written) <= REMEMBERED else pieces(written))]
        at += len(written)
    return tuple(found)


placed_lately = lru_cache(maxsize=LATELY)(placed)  # of passages; of what a reader asks only single words are remembered, in memory


def terms(text: str) -> list[Term]:
    """Return the terms of a text, in reading order."""
    return paired(pieces(text))


def paired(found: Sequence[Piece]) -> list[Term]:
    """Return the terms that pieces make: letters of one run in overlapping pairs, the last one alone; words as they are."""
    made = [Term(one.text + (two.text if two.joined else ""), one.start, two.end if two.joined else one.end) for one, two in pairwise(found)]
    return made + [Term(last.text, last.start, last.end) for last in found[-1:]]


def indexed(text: str) -> str:
    """Return what the full-text index keeps of a passage: its terms in order, then the keys of its acronyms and names, between spaces."""
    cut = [_cut(word) if len(word) <= REMEMBERED else _cut_anew(word) for word in text.split()]  # no term reaches over a space
    keys = dict.fromkeys([*(key for one in cut for key in one.acronyms), *(key for one in cut for key in one.names)])
    return " ".join([*(one.terms for one in cut if one.terms), *keys])


class _Cut(NamedTuple):
    """What is indexed of a text without spaces."""

    terms: str
    acronyms: tuple[str, ...]
    names: tuple[str, ...]


def _cut_anew(text: str) -> _Cut:
    found = pieces(text)
    acronyms = tuple(ACRONYM + piece.text for piece in found if piece.acronym)
    names = (key for piece in found if not piece.unspaced for key in kept_keys(text[piece.start : piece.end], piece.text))
    return _Cut(" ".join(term.text for term in paired(found)), acronyms, tuple(names))


_cut = lru_cache(maxsize=1 << 16)(_cut_anew)
_pieces = lru_cache(maxsize=1 << 16)(pieces)


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """Reduce a word to what its readers type: no case, no width, no marks that may be left out, one form of each letter and digit."""
    if word.isascii():
        return word.lower().replace(".", "")
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    folded = NOT_LETTERS.sub("", folded)
    for pattern, replacement in FOLDS:
        folded = pattern.sub(replacement, folded)
    folded = FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit.group(), digit.group())), folded.translate(VARIANTS))
    folded = LATIN_LETTER.sub(lambda letter: "".join(filter(str.isalnum, anyascii(letter.group()).lower())), folded)
    return unicodedata.normalize("NFC", folded)
