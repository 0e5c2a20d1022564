"""Text with its marks, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape


def highlighted(text: str, first: int, last: int, marks: Sequence[Mapping[str, Any]]) -> Markup:
    """The characters from `first` up to `last` as HTML, with each mark (start, end, why) in a <mark> whose classes say why; marks may overlap."""
    html = Markup()
    borders = sorted({first, last, *(place for mark in marks for place in (mark["start"], mark["end"]) if first < place < last)})
    for start, end in pairwise(borders):
        why = " ".join(dict.fromkeys(mark["why"] for mark in marks if mark["start"] <= start and end <= mark["end"]))
        html += Markup('<mark class="{}">{}</mark>').format(why, text[start:end]) if why else escape(text[start:end])
    return html
