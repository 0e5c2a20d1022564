"""A catalogue entry as it is typed into the form: rows of text that may be wrong, and the publication they make when they are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from ingest.catalogue import PublicationForm, checked
from ingest.records import Edition, Publication, edition_id

EMPTY_ROWS = 2  # below those that are filled, for what is to be added
ONCE = "expected each language once"
ONE_EDITION = "expected one edition for a language and part"
A_FILE = "expected a file that the library has, or one that was uploaded"
Texts = Sequence[tuple[str, str]]  # language and text, row by row
Faults = dict[str, str]  # by the id of the field: what was expected there


@dataclass(frozen=True, slots=True)
class EditionDraft:
    """One edition as it is typed."""

    language: str = ""
    label: str = ""
    part: str = "whole"
    file: str = ""  # the digest of the file that is chosen; "" for none
    edition_id: str = ""  # that of the edition which the row came from; "" for a new one

    @property
    def empty(self) -> bool:
        return not (self.language.strip() or self.label.strip() or self.file or self.edition_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """All that the form holds, as it is typed."""

    titles: Texts = ()
    abstracts: Texts = ()
    year: str = ""
    kind: str = ""
    source: str = ""
    publisher: str = ""
    isbn: str = ""
    doi: str = ""
    topics: Sequence[str] = ()
    countries: Sequence[str] = ()
    authors: Sequence[str] = ()
    editions: Sequence[EditionDraft] = field(default=())

    @classmethod
    def of(cls, entry: Publication) -> Draft:
        """What the form shows of an entry before anything is typed."""
        editions = [EditionDraft(one.language, one.label, one.part, one.digest or "", one.edition_id) for one in entry.editions]
        return cls(
            list(entry.titles.items()), list(entry.abstracts.items()), str(entry.year or ""), entry.kind, entry.source, entry.publisher,
            entry.isbn, entry.doi, entry.topics, entry.countries, entry.authors, editions,
        )  # fmt: skip

    @classmethod
    def sent(cls, form: MultiDict[str, str]) -> Draft:
        """What was typed; rows in which nothing stands are left out."""

        def texts(name: str) -> Texts:
            rows = zip(form.getlist(f"{name}_language"), form.getlist(f"{name}_text"), strict=False)
            return [(language.strip(), text) for language, text in rows if language.strip() or text.strip()]

        def values(name: str) -> list[str]:
            return [value for value in form.getlist(name) if value.strip()]

        columns = [form.getlist(f"edition_{name}") for name in ("language", "label", "part", "file", "id")]
        editions = [EditionDraft(*row) for row in zip(*columns, strict=False)]
        said = {name: form.get(name, "") for name in ("year", "kind", "source", "publisher", "isbn", "doi")}
        return cls(
            texts("title"), texts("abstract"), **said, topics=values("topics"), countries=values("countries"), authors=values("authors"),
            editions=[edition for edition in editions if not edition.empty],
        )  # fmt: skip

    def checked(self, publication_id: str, files: Collection[str]) -> tuple[Publication | None, Faults]:
        """The publication that is meant, or what is wrong; `files` are the digests that an edition may have."""
        form, found = checked(self._said())
        faults = {self._field(key): expected for key, expected in reversed(found)}
        faults |= {f"{name}-{row}": ONCE for name, rows in (("title", self.titles), ("abstract", self.abstracts)) for row in _repeated(rows)}
        faults |= {f"edition-{row}": A_FILE for row, one in enumerate(self.editions) if one.file and one.file not in files}
        publication = _publication(publication_id, form, self.editions) if form and not faults else None
        ids = [edition.edition_id for edition in publication.editions] if publication else []
        faults |= {f"edition-{row}": ONE_EDITION for row, name in enumerate(ids) if name in ids[:row]}
        return (None if faults else publication), faults

    def _said(self) -> dict[str, Any]:
        """The same in the words of publication.toml."""
        year = self.year.strip()
        return {
            "title": dict(self.titles), "abstract": dict(self.abstracts), "year": int(year) if year.isdecimal() and len(year) == 4 else year or None,
            "kind": _line(self.kind), "topics": list(self.topics), "countries": [code.strip().upper() for code in self.countries],
            "source": self.source.strip(), "authors": list(self.authors), "publisher": _line(self.publisher), "isbn": self.isbn.strip(),
            "doi": self.doi.strip(),
            "editions": [{"language": one.language.strip(), "label": _line(one.label), "part": one.part} for one in self.editions],
        }  # fmt: skip

    def _field(self, key: str) -> str:
        """The id of the field, or of the row, that a key of publication.toml speaks of."""
        name, _, rest = key.partition(".")
        if name in ("title", "abstract"):
            rows = self.titles if name == "title" else self.abstracts
            return f"{name}-{next((row for row, (language, _) in enumerate(rows) if language == rest), 0)}"
        name = "edition" if name == "editions" else name
        return name if name in ("year", "source", "isbn", "doi", "kind", "publisher") else f"{name}-{rest.split('.')[0] or 0}"


def _publication(publication_id: str, form: PublicationForm, rows: Sequence[EditionDraft]) -> Publication:
    editions = tuple(
        Edition(edition_id(publication_id, said.language, said.part), publication_id, said.language, said.label, said.part, row.file or None)
        for said, row in zip(form.editions, rows, strict=True)
    )
    return Publication(
        publication_id, form.title, form.abstract, form.year, form.kind, tuple(form.topics), tuple(form.countries), form.source, editions,
        tuple(form.authors), form.publisher, form.isbn, form.doi,
    )  # fmt: skip


def _repeated(rows: Texts) -> Iterator[int]:
    """The rows whose language stands in an earlier one."""
    seen: Mapping[str, int] = {language.casefold(): row for row, (language, _) in reversed(list(enumerate(rows)))}
    return (row for row, (language, _) in enumerate(rows) if seen[language.casefold()] != row)


def _line(text: str) -> str:
    return " ".join(text.split())
