"""Read what reference managers write: RIS, with rispy, and BibTeX, with pybtex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import pybtex.errors
import regex
import rispy
from pybtex.database import BibliographyData, Person
from pybtex.database.input.bibtex import Parser
from pybtex.exceptions import PybtexError
from pybtex.richtext import Text

from ingest.imported import Problem, Records, Remark, Said, SaidEdition
from ingest.listing import labels_of
from ingest.records import Part

RIS_START = regex.compile(r"(?m)^TY {0,2}- ?")
RIS_LINE = regex.compile(r"(?m)^([A-Z][A-Z0-9]) {0,2}-(?: |$)")
RIS_TAKEN = frozenset(
    ["TY", "TI", "T1", "TT", "AB", "N2", "AU", "A1", "PB", "PY", "Y1", "DA", "LA", "SN", "DO", "UR", "L1", "L2", "KW", "M3", "ID", "ER", "N1", "SP", "EP"]
)  # fmt: skip
BIBTEX_START = regex.compile(r"(?m)^[ \t]*@[ \t]*([A-Za-z]+)[ \t]*[{(]")
BIBTEX_ASIDE = {"comment", "preamble", "string"}
BIBTEX_TAKEN = frozenset({
    "title", "abstract", "publisher", "institution", "organization", "school", "year", "date", "type", "language", "langid", "isbn", "doi", "url",
    "keywords", "file", "month", "pages", "annote", "note", "howpublished",
})  # fmt: skip
COMMANDS = {  # that pybtex leaves as they are, and what they stand for
    r"\\\$": "$", r"\\textbraceleft(?:\{\}|\b\s?)": "{", r"\\textbraceright(?:\{\}|\b\s?)": "}", r"\\textasciicircum(?:\{\}|\b\s?)": "^",
    r"\\textbackslash(?:\{\}|\b\s?)": "\\", r"\\textasciitilde(?:\{\}|\b\s?)": "~", r"\\%": "%", r"\\&": "&", r"\\#": "#", r"\\_": "_",
    r"\\\{": "{", r"\\\}": "}",
}  # fmt: skip
KEPT = {command: chr(0xE000 + place) for place, command in enumerate(COMMANDS)}  # letters of nobody, in their places meanwhile
BACK = str.maketrans({chr(0xE000 + place): letter for place, letter in enumerate(COMMANDS.values())})
LIST = regex.compile(r"\s*[;,]\s*")
PARTS: tuple[Part, ...] = ("executive summary", "annex")


def is_ris(text: str) -> bool:
    return bool(RIS_START.search(text)) and bool(regex.search(r"(?m)^ER {0,2}-", text))


def is_bibtex(text: str) -> bool:
    return any(match[1].lower() not in BIBTEX_ASIDE for match in BIBTEX_START.finditer(text))


def read_ris(text: str) -> Records:
    """Read every reference; what stands before the first, or after the end of one, is a problem of its own."""
    said, problems, others = [], [], set()
    starts = [match.start() for match in RIS_START.finditer(text)]
    if text[: starts[0]].strip() if starts else text.strip():
        problems.append(Problem(1, Remark("before", {"found": text.strip()[:80], "expected": "TY  - RPRT"})))
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line = text.count("\n", 0, start) + 1
        fields, unended = _ris_fields(text[start:end])
        others |= fields.keys() - RIS_TAKEN
        if unended:
            problems.append(Problem(line, Remark("unended", {"expected": "ER  - "})))
        said.append(_from_ris(line, fields))
    return Records(tuple(said), tuple(problems), _left_out(others))


def read_bibtex(text: str) -> Records:
    """Read every entry, each by itself, so that one without its closing brace hides no other; macros hold for all that follow."""
    said, problems, others = [], [], set()
    macros = ""
    for line, kind, chunk in _chunks(text):
        if kind in BIBTEX_ASIDE:
            macros += chunk + "\n" if kind == "string" else ""
            continue
        with pybtex.errors.capture() as faults:
            try:
                found = Parser().parse_string(macros + chunk)
            except PybtexError as error:
                faults.append(error)
                found = BibliographyData()
        entries = list(found.entries.values())
        if faults or not entries or not (entries[0].fields or entries[0].persons):
            reason = "; ".join(_reason(fault) for fault in faults) or "no fields"
            problems.append(Problem(line, Remark("no entry", {"found": " ".join(chunk.split())[:80], "reason": reason})))
            continue
        fields = {name.lower(): _from_tex(value) for name, value in entries[0].fields.items()}
        others |= fields.keys() - BIBTEX_TAKEN
        said.append(_from_bibtex(line, fields, [_name(person) for person in entries[0].persons.get("author", ())]))
    return Records(tuple(said), tuple(problems), _left_out(others))


class _Ris(rispy.RisParser):  # type: ignore[misc]
    """Keeps tags as they are, and every value of each; takes the one space that some programs write before the hyphen."""

    DEFAULT_MAPPING: ClassVar = {tag: tag for tag in rispy.TAG_KEY_MAPPING}
    DEFAULT_LIST_TAGS: ClassVar = [tag for tag in rispy.TAG_KEY_MAPPING if tag not in ("TY", "ER", "UK")]
    DEFAULT_DELIMITER_MAPPING: ClassVar[dict[str, str]] = {}

    def parse_line(self, line: str) -> tuple[str | None, str]:
        found = RIS_LINE.match(line)
        return (found[1], line[found.end() :].strip()) if found else (None, line.strip())


def _ris_fields(chunk: str) -> tuple[dict[str, list[str]], bool]:
    """The values of every tag, and whether the reference lacks its end."""
    unended = not regex.search(r"(?m)^ER {0,2}-", chunk)
    read = rispy.loads(chunk.rstrip() + ("\nER  - \n" if unended else "\n"), implementation=_Ris)
    found = read[0] if read else {}
    known = {tag: [str(value) for value in values] for tag, values in found.items() if isinstance(values, list)}
    return known | {tag: list(values) for tag, values in dict(found.get("UK", {})).items()}, unended


def _from_ris(line: int, fields: Mapping[str, Sequence[str]]) -> Said:
    def first(*tags: str) -> str:
        return next((value for tag in tags for value in fields.get(tag, ()) if value), "")

    kind, part = _kind_and_part(first("M3"))
    titles = [first("TI", "T1"), first("TT")]
    languages = "; ".join(fields.get("LA", ()))
    return Said(
        line, "", tuple(("", title) for title in titles if title), _texts(first("AB", "N2")), _editions(languages, part, first("L1") if not _is_address(first("L1")) else ""),
        values={
            "year": first("PY", "Y1", "DA"), "kind": kind, "source": first("UR") or (first("L1", "L2") if _is_address(first("L1", "L2")) else ""),
            "publisher": first("PB"), "isbn": first("SN"), "doi": first("DO"),
        },
        lists={"authors": (*fields.get("AU", ()), *fields.get("A1", ())), "topics": tuple(filter(None, fields.get("KW", ())))},
    )  # fmt: skip


def _from_bibtex(line: int, fields: Mapping[str, str], authors: Sequence[str]) -> Said:
    def first(*names: str) -> str:
        return next((fields[name] for name in names if fields.get(name)), "")

    kind, part = _kind_and_part(first("type"))
    file = first("file")
    return Said(
        line, "", _texts(first("title")), _texts(first("abstract")), _editions(first("language", "langid"), part, "" if _is_address(file) or ":" in file else file),
        values={
            "year": first("year", "date"), "kind": kind, "source": first("url"), "publisher": first("publisher", "institution", "organization", "school"),
            "isbn": first("isbn"), "doi": first("doi"),
        },
        lists={"authors": tuple(authors), "topics": tuple(filter(None, LIST.split(first("keywords"))))},
    )  # fmt: skip


def _editions(languages: str, part: Part, file: str) -> tuple[SaidEdition, ...]:
    named = labels_of(languages)
    if not named:
        return (SaidEdition("", "", part, file),) if part != "whole" or file else ()
    return tuple(SaidEdition(label, label, of if of != "whole" else part, file if not place else "") for place, (label, of) in enumerate(named))


def _kind_and_part(said: str) -> tuple[str, Part]:
    """Of "study, executive summary", as search_app/references.py writes it."""
    for part in PARTS:
        if said == part or said.endswith(f", {part}"):
            return said.removesuffix(part).removesuffix(", "), part
    return said, "whole"


def _chunks(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, kind and text of everything that begins with "@" at the beginning of a line."""
    found = list(BIBTEX_START.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    for match, end in zip(found, ends, strict=True):
        yield text.count("\n", 0, match.start()) + 1, match[1].lower(), text[match.start() : end]


def _from_tex(value: str) -> str:
    """What TeX would print, on one line."""
    for command, letter in KEPT.items():
        value = regex.sub(command, letter, value)
    return " ".join(str(Text.from_latex(value)).translate(BACK).split())


def _name(person: Person) -> str:
    """ "Family, Given", or an organisation as it stands; what is in braces is one name."""
    given, family = [*person.first_names, *person.middle_names], [*person.prelast_names, *person.last_names, *person.lineage_names]
    names = [_from_tex(" ".join(part)) for part in (family, given) if part]
    return ", ".join(names)


def _reason(fault: Exception) -> str:
    return " ".join(str(fault).split())


def _is_address(said: str) -> bool:
    return said.startswith(("http://", "https://"))


def _texts(text: str) -> tuple[tuple[str, str], ...]:
    return (("", text),) if text else ()


def _left_out(names: set[str]) -> tuple[Remark, ...]:
    return (Remark("fields", {"names": ", ".join(sorted(names))}),) if names else ()
