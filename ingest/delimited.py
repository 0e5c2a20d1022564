"""Read a catalogue in CSV: a row an edition, or a row a publication with its languages in one cell; columns are told by their usual names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

import langcodes
import regex

from ingest.imported import Problem, Records, Remark, Said, SaidEdition
from ingest.labels import folded, language_of
from ingest.listing import labels_of
from ingest.records import UNDETERMINED, Part

DELIMITERS = ",;\t|"
FORMULA = regex.compile("^'(?=[=+\\-@\t\r＝＋－＠])")  # an apostrophe that keeps a spreadsheet from running a formula
SEVERAL = regex.compile(r"\s*[;|\n]\s*")
ALIASES: Mapping[str, Sequence[str]] = {
    "publication_id": ("publication id", "publication", "id", "identifier", "key", "record id", "slug"),
    "title": ("title", "titles", "name", "publication title", "titulo", "titre", "titel", "título", "название", "العنوان", "عنوان", "शीर्षक", "ចំណងជើង", "ชื่อ", "ชื่อเรื่อง", "tiêu đề", "标题", "題名"),
    "abstract": ("abstract", "abstracts", "description", "summary", "resumen", "resume", "résumé", "resumo", "descripcion", "zusammenfassung", "beschreibung", "аннотация", "الملخص", "چکیده", "सारांश", "សង្ខេប", "บทคัดย่อ", "tóm tắt", "摘要"),
    "language": ("language", "languages", "lang", "available in", "idioma", "idiomas", "langue", "langues", "sprache", "sprachen", "lingua", "язык", "языки", "اللغة", "اللغات", "زبان", "भाषा", "ភាសា", "ภาษา", "ngôn ngữ", "语言", "語言"),
    "label": ("label", "language label"),
    "part": ("part",),
    "year": ("year", "date", "publication year", "published", "date published", "publication date", "ano", "año", "annee", "année", "jahr", "год", "السنة", "سال", "वर्ष", "ឆ្នាំ", "ปี", "năm", "年", "年份"),
    "kind": ("kind", "type", "document type", "resource type", "tipo", "typ", "genre"),
    "topics": ("topics", "topic", "subject", "subjects", "keywords", "keyword", "tags", "temas", "themes"),
    "countries": ("countries", "country", "pais", "paises", "pays", "land", "länder"),
    "source": ("source", "url", "link", "address", "web address", "website", "web page"),
    "authors": ("authors", "author", "creator", "creators", "autor", "autores", "auteur", "auteurs", "verfasser"),
    "publisher": ("publisher", "institution", "organisation", "organization", "editorial", "editeur", "verlag"),
    "isbn": ("isbn",),
    "doi": ("doi",),
    "file": ("file", "files", "filename", "file name", "pdf", "path"),
}  # fmt: skip
FIELDS = {folded(alias): field for field, aliases in ALIASES.items() for alias in aliases}
WITH_LANGUAGE = ("title", "abstract")
LISTED = ("authors", "topics", "countries")
PARTS: Mapping[str, Part] = {
    "": "whole",
    "whole": "whole",
    "executive summary": "executive summary",
    "summary": "executive summary",
    "annex": "annex",
}
Column = tuple[str, str]  # field, and the language in which the heading says it is


def is_table(text: str) -> bool:
    """Whether the first line names columns that are known, a title or an id among them."""
    _, columns, _, _ = _head(text)
    fields = {field for field, _ in columns.values()}
    return bool(fields & {"title", "publication_id"}) and len(fields) > 1


def read_table(text: str) -> Records:
    """Read every row; one that has more cells than there are columns, or that is not quoted rightly, is a problem of its own."""
    delimiter, columns, skipped, unknown = _head(text)
    if not columns:
        return Records((), (Problem(1, Remark("columns", {"found": (text.split("\n") or [""])[0][:200], "expected": "title, language, year"})),))
    said, problems = [], []
    width = len(columns) + len(unknown)
    for line, cells in _rows(text, delimiter, skipped):
        if isinstance(cells, str):
            problems.append(Problem(line, Remark("quoted wrongly", {"found": cells})))
        elif len(cells) > width and any(cells[width:]):
            problems.append(Problem(line, Remark("cells", {"found": str(len(cells)), "expected": str(width)})))
        elif any(cell.strip() for cell in cells):
            said.append(_said(line, {column: _plain(cell) for place, cell in enumerate(cells) if (column := columns.get(place))}))
    remarks = (Remark("fields", {"names": ", ".join(unknown)}),) if any(unknown) else ()
    return Records(tuple(said), tuple(problems), remarks)


def _head(text: str) -> tuple[str, dict[int, Column], int, list[str]]:
    """The delimiter, what is in which column, how many lines to skip, and the names of columns that are not known."""
    lines = text.split("\n", 2)
    skipped = 1 if regex.fullmatch("sep=.", lines[0].strip()) else 0  # as Excel writes it
    rest = text.split("\n", skipped)[-1]
    read = {mark: next(csv.reader(io.StringIO(rest, newline=""), delimiter=mark), []) for mark in DELIMITERS}
    told = {mark: {place: column for place, name in enumerate(cells) if (column := _column(name))} for mark, cells in read.items()}
    best = max(DELIMITERS, key=lambda mark: len(told[mark]))
    return best, told[best], skipped + 1, [name.strip() for place, name in enumerate(read[best]) if place not in told[best]]


def _column(name: str) -> Column | None:
    """Of "title", "Título" or "Title (es)", "title_es", "title [Spanish]"."""
    plain = folded(name.replace("_", " "))
    if plain in FIELDS:
        return FIELDS[plain], ""
    found = regex.fullmatch(r"\s*(\p{L}+)\s*[_:\[(\s-]\s*([\p{L}-]+(?:\s\([\p{L}\s]+\))?)\s*[\])]?\s*", name)
    field = FIELDS.get(folded(found[1])) if found else None
    tag = language_of(found[2]).tag if found and field in WITH_LANGUAGE else UNDETERMINED
    return (field, tag) if field and tag != UNDETERMINED else None


def _rows(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with its line; after one that cannot be read, reading goes on with the next line."""
    lines = list(io.StringIO(text, newline=""))
    start = skipped
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
        begun = start
        try:
            for cells in reader:
                yield begun + 1, cells
                begun = start + reader.line_num
            return
        except csv.Error as error:
            yield begun + 1, str(error)
            start = begun + 1


def _said(line: int, cells: Mapping[Column, str]) -> Said:
    plain = {field: text for (field, tag), text in cells.items() if not tag}
    texts = {
        field: tuple((tag, text) for (name, tag), text in cells.items() if name == field and text) for field in WITH_LANGUAGE
    }  # fmt: skip
    tag = _tag(plain.get("language", ""))
    texts = {field: tuple((said or tag, text) for said, text in pairs) for field, pairs in texts.items()}  # as it is said here, without a doubt
    remarks = []
    part = PARTS.get(folded(plain.get("part", "")))
    if part is None:
        remarks.append(Remark("value", {"field": "part", "found": plain["part"], "expected": "whole, executive summary, annex"}))
    return Said(
        line, plain.get("publication_id", ""), texts["title"], texts["abstract"], _editions(plain, part or "whole"),
        values={field: plain.get(field, "") for field in ("year", "kind", "source", "publisher", "isbn", "doi")},
        lists={field: tuple(filter(None, SEVERAL.split(plain.get(field, "")))) for field in LISTED}, remarks=tuple(remarks),
    )  # fmt: skip


def _editions(plain: Mapping[str, str], part: Part) -> tuple[SaidEdition, ...]:
    """One for every language in the cell; the cell of labels has as many, or one for the only language, or none."""
    label, file = plain.get("label", ""), plain.get("file", "")
    language = plain.get("language", "") or label
    named = labels_of(language)
    if len(named) <= 1 and "label" in plain:
        return (SaidEdition(language, label, part, file),) if language or file else ()
    if not named:
        return (SaidEdition("", "", part, file),) if file else ()
    labels = [said for said, _ in labels_of(label)]
    if len(labels) != len(named):
        labels = [said for said, _ in named]
    return tuple(
        SaidEdition(said, labels[place], of if part == "whole" else part, file if place == 0 else "") for place, (said, of) in enumerate(named)
    )  # fmt: skip


def _tag(language: str) -> str:
    """The tag that a cell holds, and nothing else; "" where it holds names, or several."""
    return (
        language if langcodes.tag_is_valid(language) and language.lower() != UNDETERMINED and language == langcodes.standardize_tag(language) else ""
    )


def _plain(cell: str) -> str:
    return FORMULA.sub("", cell).strip()
