"""Tell which way a line is read, which runs within it are read the other way, and which way its brackets face."""

from __future__ import annotations

import unicodedata
from functools import cache

import regex

from ingest.typeset import Typeset

RIGHT_TO_LEFT = regex.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc--[\p{N}\p{P}\p{M}]]", regex.V1)
LETTER = regex.compile(r"\p{L}")
# Runs that are read from left to right within a line that is read from right to left; by the classes of `class_of`, and in its order.
CLASSES = {"L": "L", "EN": "N", "AN": "A", "ES": "D", "CS": "S", "ET": "T", "R": "R", "AL": "R"}  # B: what takes its direction from around it
DECIMAL = "\u066b\u066c"  # the Arabic decimal and thousands separators, which stand between Persian digits too
LEFT_TO_RIGHT = regex.compile(r"(?=[NATSDB]*L)[LNAT](?:[LNATSDB]*[LNAT])?|T*N+(?:[SD]N+)*T*|A+(?:SA+)*")
OPENING, CLOSING = "([{«", ")]}»"
BRACKETS, STOPS = OPENING + CLOSING, ".,:;!?،؛؟۔"
BRACKET = regex.compile(r"[()\[\]{}«»]")


def is_right_to_left(text: str) -> bool:
    """Whether most letters of a line are of a script that is read from the right."""
    letters = len(RIGHT_TO_LEFT.findall(text))
    return letters > 0 and 2 * letters > len(LETTER.findall(text))


@cache
def class_of(char: str) -> str:
    """The class by which digits and foreign letters run: after the bidirectional algorithm, Unicode Standard Annex 9."""
    return "S" if char in DECIMAL else CLASSES.get(unicodedata.bidirectional(char), "B")


def with_brackets(text: Typeset) -> Typeset:
    """PDFium mirrors some brackets and not others: one opens after a space and closes before one."""

    def facing(found: regex.Match[str]) -> str:
        bracket = found.group()
        kind = OPENING.find(bracket) if bracket in OPENING else CLOSING.find(bracket)
        before, after = text.text[: found.start()][-1:], text.text[found.end() :][:1]
        opens, closes = (not before or before.isspace() or before in BRACKETS), (not after or after.isspace() or after in BRACKETS or after in STOPS)
        return bracket if opens == closes else OPENING[kind] if opens else CLOSING[kind]

    return text.sub(BRACKET, facing)
