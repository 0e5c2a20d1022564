"""Write what is cited in the formats that reference managers read: RIS, BibTeX and CSL-JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import rispy

from search_app.plain import one_line

COMMA = re.compile(r"\s*[,،]\s*")  # parts a family name from the names given
KINDS = {"interview": ("interview", "misc", "PCOMM")}  # what is no report, as CSL, BibTeX and RIS call it
REPORT = ("report", "techreport", "RPRT")
BOOK = ("book", "book", "BOOK")
# Braces are counted by BibTeX even behind a backslash, so those of a text are written as commands. What is no ASCII stays as it is.
TEX = str.maketrans(
    {char: "\\" + char for char in "$&#_%"}
    | {"\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An edition of a publication as it is cited, or a passage of it where there is a page."""

    edition_id: str
    kind: str  # as the catalogue says: "study"
    part: str  # of the publication: "whole", "executive summary"
    title: str  # of the edition, in its language
    translated_title: str  # in the reader's language, or ""
    language: str  # of the edition, BCP 47
    authors: tuple[str, ...]
    publisher: str
    year: int | None
    isbn: str
    doi: str
    abstract: str
    url: str  # where it stands for good
    page: str = ""  # as printed on it, else its number
    quotation: str = ""  # in the language of the edition

    @property
    def types(self) -> tuple[str, str, str]:
        """What it is called in CSL, BibTeX and RIS."""
        return KINDS.get(self.kind.casefold()) or (BOOK if self.isbn else REPORT)

    @property
    def genre(self) -> str:
        return ", ".join(filter(None, (self.kind, "" if self.part == "whole" else self.part)))

    @property
    def key(self) -> str:
        """A name for it of ASCII letters and digits, the same every time."""
        name = re.sub("[^a-z0-9]+", "-", self.edition_id.lower()).strip("-")
        if not self.edition_id.isascii():
            name = f"{name}-{hashlib.sha256(self.edition_id.encode()).hexdigest()[:8]}".strip("-")
        page = "".join(filter(str.isalnum, self.page.encode("ascii", "ignore").decode()))
        return f"{name}-p{page}" if page else name


def family_and_given(author: str) -> tuple[str, str] | None:
    """The family name and the names given of "Family, Given".

    None where no comma tells them apart: an organisation, or a name whose order nobody stated. Such a name is cited as it stands, since
    which part of a name is the family's cannot be guessed across languages.
    """
    parts = COMMA.split(author.strip())
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def ris(reference: Reference) -> str:
    """RIS as reference managers import it: lines end with CR LF."""
    entry = {
        "type_of_reference": reference.types[2],
        "id": reference.key,
        "title": reference.title,
        "translated_title": reference.translated_title,
        "authors": [", ".join(family_and_given(author) or (author,)) for author in reference.authors],
        "year": str(reference.year or ""),
        "publisher": reference.publisher,
        "type_of_work": reference.genre,
        "language": reference.language,
        "issn": reference.isbn,
        "doi": reference.doi,
        "start_page": reference.page,
        "notes": [reference.quotation] if reference.quotation else [],
        "abstract": reference.abstract,
        "urls": [reference.url],
    }
    return str(rispy.dumps([{name: _flat(value) for name, value in entry.items() if value}], implementation=_RisWriter))


def bibtex(reference: Reference) -> str:
    """BibTeX in UTF-8: what TeX would take for a command is escaped, letters of every script stay as they are."""
    type_ = reference.types[1]
    fields = {
        "title": f"{{{_tex(reference.title)}}}",  # braced once more: styles may not change its capitals
        "author": " and ".join(map(_tex_name, reference.authors)),
        "institution" if type_ == "techreport" else "publisher": _tex(reference.publisher),
        "year": str(reference.year or ""),
        "type": _tex(reference.genre),
        "language": reference.language,
        "isbn": reference.isbn,
        "doi": _verbatim(reference.doi),
        "pages": _tex(reference.page),
        "annote": _tex(reference.quotation),
        "abstract": _tex(reference.abstract),
        "url": _verbatim(reference.url),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return ",\n".join([f"@{type_}{{{reference.key}", *lines]) + "\n}\n"


def csl_json(reference: Reference) -> str:
    """CSL-JSON: a list of one item."""
    names = [(author, family_and_given(author)) for author in reference.authors]
    item = {
        "id": reference.key,
        "type": reference.types[0],
        "title": reference.title,
        "author": [{"family": parts[0], "given": parts[1]} if parts else {"literal": author} for author, parts in names],
        "publisher": reference.publisher,
        "issued": {"date-parts": [[reference.year]]} if reference.year else None,
        "genre": reference.genre,
        "language": reference.language,
        "ISBN": reference.isbn,
        "DOI": reference.doi,
        "page": reference.page,
        "note": reference.quotation,
        "abstract": reference.abstract,
        "URL": reference.url,
    }
    return json.dumps([{name: value for name, value in item.items() if value}], ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, tuple[str, Callable[[Reference], str]]] = {  # by the end of the address: media type, writer
    "ris": ("application/x-research-info-systems", ris),
    "bib": ("application/x-bibtex", bibtex),
    "csl.json": ("application/vnd.citationstyles.csl+json", csl_json),
}


class _RisWriter(rispy.RisWriter):  # type: ignore[misc]
    NEWLINE = "\r\n"

    def set_header(self, count: int) -> str:
        """Write no number before a reference; the format knows none."""
        return ""


def _flat(value: Any) -> Any:
    """A value on one line each, since in RIS a line is a field."""
    return list(map(one_line, value)) if isinstance(value, list) else one_line(value)


def _tex(text: str) -> str:
    return one_line(text).translate(TEX)


def _verbatim(address: str) -> str:
    """An address as TeX packages take it, letter by letter; only braces are counted there too."""
    return one_line(address).translate({ord(char): f"%{ord(char):02X}" for char in "{}\\"})


def _tex_name(author: str) -> str:
    parts = family_and_given(author)
    return ", ".join(map(_tex, parts)) if parts else f"{{{_tex(author)}}}"
