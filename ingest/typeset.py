"""Text whose characters remember the glyphs they were read from, so that it can be edited and still be found on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import regex

UNPLACED = -1  # the glyph of a character that nobody drew: a space between two lines
Written = str | Callable[["regex.Match[str]"], str]


@dataclass(frozen=True, slots=True)
class Typeset:
    """A text and, for each of its characters, the number of its glyph on the page. Edits give a new one."""

    text: str
    glyphs: list[int] = field(repr=False)  # as long as the text

    @classmethod
    def unplaced(cls, text: str) -> Typeset:
        """A text of which nobody knows where it stands."""
        return cls(text, [UNPLACED] * len(text))

    def __len__(self) -> int:
        return len(self.text)

    def __add__(self, more: Typeset | str) -> Typeset:
        added = Typeset.unplaced(more) if isinstance(more, str) else more
        return Typeset(self.text + added.text, self.glyphs + added.glyphs)

    def between(self, start: int, end: int) -> Typeset:
        return Typeset(self.text[start:end], self.glyphs[start:end])

    def strip(self) -> Typeset:
        start = len(self.text) - len(self.text.lstrip())
        return self.between(start, start + len(self.text.strip()))

    def sub(self, pattern: regex.Pattern[str], written: Written) -> Typeset:
        """Replace as `re.sub` does. What is written takes the glyphs of what it replaces, spread evenly over it."""
        if pattern.search(self.text) is None:
            return self
        parts = list(self._edited(pattern, written))
        return Typeset("".join(text for text, _ in parts), [glyph for _, glyphs in parts for glyph in glyphs])

    def _edited(self, pattern: regex.Pattern[str], written: Written) -> Iterator[tuple[str, Sequence[int]]]:
        at = 0
        for found in pattern.finditer(self.text):
            start, end = found.span()
            yield self.text[at:start], self.glyphs[at:start]
            new = written(found) if callable(written) else found.expand(written)
            yield new, [self.glyphs[start + place * (end - start) // len(new)] if end > start else UNPLACED for place in range(len(new))]
            at = end
        yield self.text[at:], self.glyphs[at:]
