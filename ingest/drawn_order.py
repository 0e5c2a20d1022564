"""Put Indic, Burmese and Khmer letters that a file holds in the order in which they are drawn into the order in which they are written.

A vowel that is drawn before its consonant is written after it. Word processors and TeX leave files in which glyphs stand as they are drawn
and nothing says what was written. Such text has vowels where none can be: at the beginning of a line, or after another vowel; in Khmer and
Burmese also letters that stand below or around the one before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import regex

from ingest.layout import Line
from ingest.typeset import Typeset

BEFORE = (
    "\u093f\u09bf\u09c7\u09c8\u0a3f\u0abf\u0b47\u0bc6-\u0bc8\u0d46-\u0d48\u0dd9\u0ddb\u1031\u17c1-\u17c3"  # vowels that are drawn before their letter
)
FEW = 3  # signs where none can be, on a page; fewer are slips
SHARE = 0.05  # as many as that share of the vowels of a page that are drawn before; sound text has next to none
CARRIERS = r"\u1021\u1025\u103b-\u103e" + "".join(
    rf"\p{{Indic_Syllabic_Category={kind}}}"
    for kind in ("Consonant", "Consonant_Medial", "Consonant_Placeholder", "Consonant_Succeeding_Repha", "Nukta", "Register_Shifter")
)  # what a vowel may follow
CONSONANT = r"[\u1021\u1025\p{Indic_Syllabic_Category=Consonant}]\p{Indic_Syllabic_Category=Nukta}?"
JOINT = r"[\p{Indic_Syllabic_Category=Virama}\p{Indic_Syllabic_Category=Invisible_Stacker}]\u200d?"
CLUSTER = rf"{CONSONANT}(?:{JOINT}{CONSONANT})*[\u103b\u103d\u103e]*"
RA = "\u17d2\u179a|\u103c"  # the Khmer and the Burmese r that is drawn before the letter it follows
INDIC = regex.compile("[\u0900-\u0dff\u1000-\u109f\u1780-\u17ff]")
VOWEL = regex.compile(f"[{BEFORE}]")
STRAY = regex.compile(rf"(?:^|[^\s\u200c\u200d{CARRIERS}])\s*(?:[{BEFORE}]|{RA})|[\u17b6-\u17c5]\u17d2", regex.MULTILINE)
DRAWN_BEFORE = regex.compile(rf"(?P<vowel>[{BEFORE}])(?P<ra>{RA})?(?P<cluster>{CLUSTER})|(?P<ra>{RA})(?P<cluster>{CLUSTER})")
STACKED_LATE = regex.compile("([\u17b6-\u17d1]+)((?:\u17d2[\u1780-\u17a2])+)")  # Khmer letters below a letter are written before its vowel
REPH = regex.compile(
    rf"({CLUSTER}\p{{Indic_Syllabic_Category=Vowel_Dependent}}*)([\u0930\u09b0\u0ab0\u0b30\u0cb0][\u094d\u09cd\u0acd\u0b4d\u0ccd])(?!\u200d)"
)
IN_TWO_PARTS = ((regex.compile("\u17c1\u17b6"), "\u17c4"), (regex.compile("\u17c1\u17b8"), "\u17be"))  # Khmer vowels; Unicode composes the others


def as_written(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page, in the order in which they are written, where the vowels of the page show that they are in that in which they are drawn."""
    text = "\n".join(line.text.text for line in lines)
    strays = len(STRAY.findall(text)) if INDIC.search(text) else 0
    if strays < FEW or strays < SHARE * len(VOWEL.findall(text)):
        return list(lines)
    return [replace(line, text=_written(line.text)) for line in lines]


def _written(text: Typeset) -> Typeset:
    text = text.sub(DRAWN_BEFORE, _behind).sub(STACKED_LATE, r"\2\1").sub(REPH, r"\2\1")
    for parts, whole in IN_TWO_PARTS:
        text = text.sub(parts, whole)
    return text


def _behind(found: regex.Match[str]) -> str:
    vowel, ra, cluster = (found[name] or "" for name in ("vowel", "ra", "cluster"))
    if ra == "\u103c":
        letters = cluster.rstrip("\u103b\u103d\u103e")
        signs = cluster[len(letters) :]
        return letters + "".join(sorted(ra + signs)) + vowel  # medials are written in the order of their codes
    return cluster + ra + vowel
