"""Text with its marks, as HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

AROUND = 220  # characters shown before and after the marks of a hit


def marked(text: str, marks: Sequence[Mapping[str, Any]]) -> Markup:
    """The stretch of the text around its first mark as HTML, with each mark in a <mark> whose classes say why."""
    first, last = (marks[0]["start"], marks[0]["end"]) if marks else (0, 0)
    at, stop = _space(text, first - AROUND), _space(text, last + AROUND)
    html = Markup("… " if at else "")
    html += highlighted(text, at, stop, marks)
    html += " …" if stop < len(text) else ""
    return Markup("<br>").join(html.split("\n"))


def highlighted(text: str, first: int, last: int, marks: Sequence[Mapping[str, Any]]) -> Markup:
    """The characters from `first` up to `last` as HTML, with each mark (start, end, why) in a <mark> whose classes say why; marks may overlap."""
    html = Markup()
    borders = sorted({first, last, *(place for mark in marks for place in (mark["start"], mark["end"]) if first < place < last)})
    for start, end in pairwise(borders):
        why = " ".join(dict.fromkeys(mark["why"] for mark in marks if mark["start"] <= start and end <= mark["end"]))
        html += Markup('<mark class="{}">{}</mark>').format(why, text[start:end]) if why else escape(text[start:end])
    return html


def _space(text: str, near: int) -> int:
    """The place of white space at or shortly before `near`; in a script without, `near` or the next place that parts no letter from its marks."""
    if near <= 0 or near >= len(text):
        return max(0, min(near, len(text)))
    found = max(text.rfind(" ", near - 30, near), text.rfind("\n", near - 30, near))
    if found >= 0:
        return found
    return next((place for place in range(near, len(text)) if not unicodedata.category(text[place]).startswith("M")), len(text))
