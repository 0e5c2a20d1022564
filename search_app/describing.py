"""Propose a catalogue entry for the files of a folder, from what they say of themselves: the analyst's first step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import langcodes

from ingest.catalogue import ENTRY
from ingest.formats import is_accepted
from ingest.language import identify, prevailing
from ingest.ocr import language_name
from ingest.pipeline import Reading, read_files
from ingest.reading import Source
from ingest.records import UNDETERMINED, Content, IsoglossError, Part, Proposal, primary

PARTS: tuple[Part, ...] = ("whole", "executive summary", "annex")  # what further files in one language may be, in this order
HEAD = "# Proposed by `isogloss describe` from what the files say of themselves. Check every line; lines that are guesses say so."


@dataclass(frozen=True, slots=True)
class Described:
    """One file and what it says of itself."""

    file: str  # its path from the folder on
    language: str  # BCP 47; "und" when neither text nor name tells
    guessed: str  # why the language is a guess, or ""
    proposal: Proposal
    problem: str  # why it could not be read, or ""


def describe(folder: Path, workers: int = 2) -> str:
    """Read the files of `folder` and return the text of a publication.toml. Raises IsoglossError where there is one, or nothing to describe."""
    folder = folder.resolve()
    if (folder / ENTRY).exists():
        raise IsoglossError(f"{folder / ENTRY} exists: this folder is described; remove it, or name another folder")
    paths = sorted(filter(is_accepted, folder.rglob("*")))
    if not paths:
        raise IsoglossError(f"No PDF, Word file (.docx) or HTML file (.html, .htm) in {folder}; nothing can be described")
    names = [str(path.relative_to(folder)) for path in paths]
    readings = read_files((Source(name, path) for name, path in zip(names, paths, strict=True)), workers)
    return "\n".join([HEAD, "", *_entry([_described(reading) for reading in readings])]) + "\n"


def write(folder: Path) -> Path:
    """Write what `describe` proposes into the folder; return where. Raises also OSError, and never writes over anything."""
    entry, path = describe(folder), folder / ENTRY
    with path.open("x", encoding="utf-8") as file:
        file.write(entry)
    return path


def language_of(content: Content) -> str:
    """The language of a file that no catalogue describes, by its text; "und" when nothing tells."""
    language = prevailing(page.text for page in content.pages)
    return language if language != UNDETERMINED else identify(" ".join(page.text for page in content.pages if page.text), content.language)


def _described(reading: Reading) -> Described:
    content = reading.content or Content("", ())
    language, guessed = language_of(content), ""
    if language == UNDETERMINED:
        language, guessed = named(reading.edition_id), "by the name of the file"
    if language == UNDETERMINED:
        guessed = "could not be told; und stands for that"
    return Described(reading.edition_id, language, guessed, content.proposal, reading.problem)


def named(file: str) -> str:
    """The language that a file is called by: "fr.pdf", "report-fr.pdf"."""
    said = Path(file).stem.replace("_", "-")
    for tag in (said, said.rsplit("-", 1)[-1]):
        if langcodes.tag_is_valid(tag) and len(primary(tag)) == 2:
            return langcodes.standardize_tag(tag)
    return UNDETERMINED


def _entry(files: Sequence[Described]) -> Iterator[str]:
    proposals = [file.proposal for file in files]
    yield from _one("year", [found.year for found in proposals if found.year], "printed on the first pages")
    yield from _one(
        "authors", [list(found.authors) for found in proposals if found.authors], "as the files name them; an organisation may be the publisher"
    )
    yield from _one("isbn", [found.isbn for found in proposals if found.isbn], "its check digit is right")
    yield from _one("doi", [found.doi for found in proposals if found.doi], "found on the first or last pages")
    yield '# kind = "study"'
    yield "# topics = []"
    yield "# countries = []  # ISO 3166-1 codes"
    yield '# source = "https://..."'
    yield from ("", "[title]")
    titles = {file.language: file.proposal.title or Path(file.file).stem for file in reversed(files)}
    unsaid = {file.language for file in files if not file.proposal.title}
    for language in dict.fromkeys(file.language for file in files):
        yield f"{language} = {_quoted(titles[language])}" + ("  # the name of the file: it says no title" if language in unsaid else "")
    abstracts = {file.language: file.proposal.abstract for file in reversed(files) if file.proposal.abstract}
    if abstracts:
        yield from ("", "[abstract]", *(f"{language} = {_quoted(text)}" for language, text in abstracts.items()))
    yield from _editions(files)


def _one(key: str, found: Sequence[object], why: str) -> Iterator[str]:
    """A line for what most files say, with what others say; commented out where none says anything."""
    said = Counter(json.dumps(value, ensure_ascii=False) for value in found)
    if not said:
        yield f"# {key} ="
        return
    (value, _), *others = said.most_common()
    yield f"{key} = {value}  # a guess: {why}" + "".join(f"; another file says {other}" for other, _ in others)


def _editions(files: Iterable[Described]) -> Iterator[str]:
    taken: Counter[str] = Counter()
    for file in files:
        place = taken[file.language]
        taken[file.language] += 1
        out = "" if place < len(PARTS) else "# "
        yield ""
        if out:
            yield "# A language has one edition of each part at most: say which this is, or move the file elsewhere."
        yield f"{out}[[editions]]" + (f"  # could not be read: {' '.join(file.problem.split())}" if file.problem else "")
        yield f'{out}language = "{file.language}"' + (f"  # a guess: {file.guessed}" if file.guessed else "")
        yield f"{out}label = {_quoted(language_name(file.language) if file.language != UNDETERMINED else '')}"
        yield f'{out}part = "{PARTS[min(place, len(PARTS) - 1)]}"' + ("  # a guess: another file is in this language too" if place else "")
        yield f"{out}file = {_quoted(file.file)}"


def _quoted(text: str) -> str:
    """A TOML string: JSON's, which leaves one control character as it is."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False).replace("\x7f", "")
