"""Leave out the readings in kana that Japanese sets small above its characters: they say again what stands below them, and cut its lines to pieces."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from ingest.shaping import Fragment

READING = regex.compile(r"[\p{Hiragana}\p{Katakana}ー・\s]+")
CHARACTERS = regex.compile(r"\p{Han}")
SIZES = 0.4, 0.62  # of the type below; half of it is the rule
RISE = 0.6, 1.15  # type sizes of the line below, between the two baselines; a line of its own stands higher


def without_readings(fragments: Sequence[Fragment], text: str) -> list[Fragment]:
    """The fragments of a page, in their order, without the readings of others."""
    if not CHARACTERS.search(text):
        return list(fragments)
    bases = [fragment for fragment in fragments if CHARACTERS.search(text, fragment.start, fragment.end)]
    return [fragment for fragment in fragments if not _is_reading(fragment, text, bases)]


def _is_reading(fragment: Fragment, text: str, bases: Sequence[Fragment]) -> bool:
    return READING.fullmatch(text, fragment.start, fragment.end) is not None and any(_stands_above(fragment, base) for base in bases)


def _stands_above(fragment: Fragment, base: Fragment) -> bool:
    small = SIZES[0] * base.size <= fragment.size <= SIZES[1] * base.size
    close = RISE[0] * base.size <= fragment.baseline - base.baseline <= RISE[1] * base.size
    return small and close and base.left - base.size <= fragment.left and fragment.right <= base.right + base.size
