"""Read what a folder of publications holds: catalogue entries beside their files, and bare files. The only module that imports pydantic."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import langcodes
from babel import Locale
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest.formats import ACCEPTED, PDF, REMEDY, is_accepted, is_refused
from ingest.identifiers import DOI, valid_isbn
from ingest.records import UNDETERMINED, Edition, IsoglossError, Part, Publication, edition_id

ENTRY = "publication.toml"
EXPECTED = {  # where pydantic would speak of its types
    ("year", "int_type"): "expected a year as a valid integer, such as 2019",
    ("year", "int_parsing"): "expected a year as a valid integer, such as 2019",
    ("year", "greater_than_equal"): "expected a year greater than or equal to 1000",
    ("year", "less_than_equal"): "expected a year of four digits",
    ("source", "string_pattern_mismatch"): 'expected an address that begins with "https://" or "http://"',
    ("title", "too_short"): "expected a title in at least one language",
    ("editions", "too_short"): "expected at least 1 edition",
}
TERRITORIES = frozenset(code for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code)))


class NoPublicationsError(IsoglossError):
    """The folder holds neither catalogue entries nor publications."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A publication as its folder describes it, and where the file of each edition lies."""

    publication: Publication
    files: Mapping[str, Path]  # by edition_id; an edition without a file is not among them
    catalogued: bool  # False for a bare file: its title and its language are still to be read from it


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries of a folder, and everything that is wrong with the others."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]  # one line each: file, key, what was expected, what was found
    faulty: frozenset[str]  # publications described wrongly: leave them as they are in the library
    complete: bool  # False when a folder could not be looked into, so that nobody can say what has gone
    refused: tuple[str, ...] = ()  # one line for each file beside no entry whose format is not read


def read_catalogue(folder: Path) -> Catalogue:
    """Read every publication under `folder`, in the order of their paths.

    A wrong entry never hides the others: each of its faults becomes one of `problems`. Raises NoPublicationsError when there is
    nothing at all, so that an unmounted folder is not taken for a library that was emptied.
    """
    files, problems = _files(folder)
    described = [path for path in files if path.name == ENTRY]
    homes = {path.parent for path in described}
    undescribed = [path for path in files if homes.isdisjoint(path.parents)]
    bare = sorted(
        filter(is_accepted, undescribed), key=lambda path: path.suffix.lower() not in PDF.suffixes
    )  # of two with one name, the PDF keeps it
    complete = not problems
    if not described and not bare:
        raise NoPublicationsError(f"No {ENTRY} under {folder}, nor {ACCEPTED}; nothing was changed. Is this the right folder?")
    refused = [f"{path}: expected {ACCEPTED}, found {path.suffix.lower()!r}; {REMEDY}" for path in filter(is_refused, undescribed)]
    entries: dict[str, Entry] = {}
    faulty: set[str] = set()
    for path in described:
        entry, faults = _read_entry(path)
        if path.parent.name in entries:
            entry, faults = None, [f"{path}: folder name: expected one no other publication has, found {path.parent.name!r} twice"]
        problems += faults
        if entry is None:
            faulty.add(path.parent.name)
        else:
            entries[path.parent.name] = entry
    for path in bare:
        try:
            entry = _bare_entry(path, folder, taken=entries.keys() | faulty)
        except OSError as error:
            problems.append(f"{path}: expected a file that can be read: {error.strerror}")
            complete = False
        else:
            entries[entry.publication.publication_id] = entry
    return Catalogue(tuple(entries.values()), tuple(problems), frozenset(faulty), complete, tuple(refused))


def sha256(path: Path) -> str:
    """Digest of a file's content, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _language(tag: str) -> str:
    if not langcodes.tag_is_valid(tag):
        raise ValueError('expected a BCP 47 tag such as "fr", "pt-BR" or "zh-Hans"')
    return langcodes.standardize_tag(tag)


def _country(code: str) -> str:
    if code not in TERRITORIES:
        raise ValueError('expected an ISO 3166-1 code of two capital letters such as "BO"')
    return code


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("expected some text")
    return " ".join(text.split())


def _isbn(number: str) -> str:
    found = valid_isbn(number)
    if number and not found:
        raise ValueError('expected an ISBN whose check digit is right, such as "978-3-16-148410-0"')
    return found


def _doi(name: str) -> str:
    found = DOI.search(name)
    if name and not found:
        raise ValueError('expected a DOI such as "10.1000/182"')
    return found.group().lower() if found else ""


Language = Annotated[str, AfterValidator(_language)]
Country = Annotated[str, AfterValidator(_country)]
Text = Annotated[str, AfterValidator(_filled)]


class EditionForm(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    language: Language
    label: str = ""
    part: Part = "whole"
    file: str | None = None


class PublicationForm(BaseModel):
    """What publication.toml may say; README, "Describing publications", explains every key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: dict[Language, Text] = Field(min_length=1)
    abstract: dict[Language, Text] = Field(default_factory=dict)
    year: Annotated[int, Field(ge=1000, le=9999)] | None = None
    kind: str = ""
    topics: list[Text] = Field(default_factory=list)
    countries: list[Country] = Field(default_factory=list)
    source: Annotated[str, Field(pattern="^(https?://.*)?$")] = ""
    authors: list[Text] = Field(default_factory=list)
    publisher: str = ""
    isbn: Annotated[str, AfterValidator(_isbn)] = ""
    doi: Annotated[str, AfterValidator(_doi)] = ""
    editions: list[EditionForm] = Field(min_length=1)


def checked(said: Mapping[str, Any]) -> tuple[PublicationForm | None, list[tuple[str, str]]]:
    """What is said of a publication if it is right, and else all that is wrong: "editions.0.language" and what was expected there."""
    try:
        return PublicationForm.model_validate(said), []
    except ValidationError as error:
        return None, [(_key(detail), _expected(detail)) for detail in error.errors()]


class _FileForm(PublicationForm):
    title: dict[Language, Text]  # "title = {}" says that there is none


def _read_entry(path: Path) -> tuple[Entry | None, list[str]]:
    try:
        form = _FileForm.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        return None, [f"{path}: expected TOML in UTF-8: {error}"]
    except ValidationError as error:
        return None, [_fault(path, detail) for detail in error.errors()]
    return _entry(path, form)


def _entry(path: Path, form: PublicationForm) -> tuple[Entry | None, list[str]]:
    name = path.parent.name
    editions: dict[str, Edition] = {}
    files: dict[str, Path] = {}
    digests: dict[str, str] = {}
    faults, repeated = [], False
    for position, said in enumerate(form.editions):
        key = edition_id(name, said.language, said.part)
        if key in editions:
            faults.append(f"{path}: editions.{position}: expected one edition for a language and part, found {said.language!r}, {said.part!r} twice")
            repeated = True
            continue
        file = path.parent / said.file if said.file else None
        if file is not None and not _lies_in(path.parent, file):
            faults.append(f"{path}: editions.{position}.file: expected {ACCEPTED} in this folder, found no {said.file!r}")
        elif file is not None and not is_accepted(file):
            faults.append(f"{path}: editions.{position}.file: expected {ACCEPTED}, found {said.file!r}; {REMEDY}")
        elif file is not None:
            try:
                digests[key] = sha256(file)
            except OSError as error:
                faults.append(f"{path}: editions.{position}.file: expected a file that can be read: {error.strerror}")
        if file is not None:
            files[key] = file
        editions[key] = Edition(key, name, said.language, said.label, said.part, digests.get(key))
    unnamed = sorted(set(filter(is_accepted, _files(path.parent)[0])) - set(files.values()))
    faults += [f"{path}: editions: expected every publication of the folder, found no edition for {file.name!r}" for file in unnamed]
    publication = Publication(
        name, form.title, form.abstract, form.year, form.kind, tuple(form.topics), tuple(form.countries), form.source, tuple(editions.values()),
        tuple(form.authors), form.publisher, form.isbn, form.doi,
    )  # fmt: skip
    return (None if repeated else Entry(publication, files, catalogued=True)), faults


def _bare_entry(path: Path, folder: Path, taken: set[str]) -> Entry:
    relative = path.relative_to(folder).with_suffix("")
    name = identifier(str(relative))
    if not name or name in taken:
        name = f"{name}-{hashlib.sha256(str(relative).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}".strip("-")
    key = edition_id(name, UNDETERMINED)
    edition = Edition(key, name, UNDETERMINED, "", "whole", sha256(path))
    return Entry(Publication(name, {}, {}, None, "", (), (), "", (edition,)), {key: path}, catalogued=False)


def identifier(name: str) -> str:
    """Keep letters with their marks and digits; everything between them becomes a hyphen."""
    kept = (char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in unicodedata.normalize("NFC", name))
    return "-".join("".join(kept).lower().split())


def _lies_in(folder: Path, file: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    """All files below a folder, by path, and a line for each folder or name that cannot be used."""
    problems: list[str] = []
    files: list[Path] = []
    for home, _, names in os.walk(
        folder, onerror=lambda error: problems.append(f"{error.filename}: expected a folder that can be read: {error.strerror}")
    ):
        files += [Path(home) / name for name in names]
    for path in [path for path in files if not _is_text(str(path))]:
        problems.append(f"{os.fsencode(path)!r}: expected a name in UTF-8")
        files.remove(path)
    return sorted(files), problems


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _fault(path: Path, detail: Any) -> str:
    found = "nothing" if detail["type"] == "missing" else repr(detail["input"])[:80]
    return f"{path}: {_key(detail)}: {_expected(detail)}; found {found}"


def _key(detail: Any) -> str:
    return ".".join(str(step) for step in detail["loc"] if step != "[key]")


def _expected(detail: Any) -> str:
    return EXPECTED.get((_key(detail), detail["type"])) or str(detail["msg"].removeprefix("Value error, "))
