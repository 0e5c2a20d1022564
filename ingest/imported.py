"""What the readers of catalogues in other formats hand on, and what an import makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.records import Part, Publication

FLAGS = frozenset({
    "no title", "no text", "no editions", "no language", "apart", "long", "several titles", "several", "ambiguous", "unknown", "unsure", "value", "files", "no file",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """What was decided by a rule or is missing: a code, which search_app/importing.py words, and what the words name."""

    code: str
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def flagged(self) -> bool:
        """Whether somebody should look at it."""
        return self.code in FLAGS


@dataclass(frozen=True, slots=True)
class SaidEdition:
    """An edition as a record says it."""

    language: str  # a label or a tag, to be told
    label: str  # as given, kept
    part: Part = "whole"
    file: str = ""  # a path that somebody wrote


@dataclass(frozen=True, slots=True)
class Said:
    """One record of a catalogue, as it says itself; all of it is still to be checked."""

    line: int  # where it begins, from 1
    key: str = ""  # by which records of one publication know each other
    titles: tuple[tuple[str, str], ...] = ()  # (language or "", text)
    abstracts: tuple[tuple[str, str], ...] = ()
    editions: tuple[SaidEdition, ...] = ()
    loose: bool = False  # whether it stands for no publication, because no language of it is named and its format names them
    values: Mapping[str, str] = field(default_factory=dict)  # year, kind, source, publisher, isbn, doi
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # authors, topics, countries
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be taken, or something of the whole: on which line, and what."""

    line: int
    remark: Remark


@dataclass(frozen=True, slots=True)
class Records:
    """What a reader of one format found."""

    said: tuple[Said, ...]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Remark, ...] = ()  # on the whole


@dataclass(frozen=True, slots=True)
class ImportedEntry:
    """A publication as it would be stored; without editions it is none yet."""

    publication: Publication
    line: int  # where its first record stands
    named: bool  # whether its id was said, and not made of its words
    remarks: tuple[Remark, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # by edition_id, as written

    @property
    def loose(self) -> bool:
        return not self.publication.editions

    @property
    def flagged(self) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if remark.flagged)


@dataclass(frozen=True, slots=True)
class Imported:
    """All that a catalogue holds, and all that is wrong with it."""

    form: str  # of FORMATS in ingest/imports.py
    entries: tuple[ImportedEntry, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[Remark, ...]
