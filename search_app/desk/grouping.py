"""Propose which new files are editions of one publication, and of which: where their names, their numbers or their texts make it plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import PurePath

import langcodes
from babel import Locale

from index.loose_entries import LooseEntry
from index.uploads import Upload
from ingest.catalogue import identifier
from ingest.records import Part, Publication
from search_app.describing import PARTS
from search_app.desk.duplicates import Remark

NEW, LOOSE = "+", "#"  # how places begin that are new publications, by a number, and imported entries; all others are ids of publications
BETWEEN = re.compile(r"[\s_.()\[\]-]+")


def places(
    uploads: Sequence[Upload], remarks: Mapping[str, Sequence[Remark]], publications: Iterable[Publication], entries: Iterable[LooseEntry]
) -> dict[str, str]:
    """Where each upload belongs, by upload_id."""
    there = _known(publications, entries)
    found: dict[str, str] = {}
    for number, group in enumerate(groups(uploads), start=1):
        said = (place for upload in group for place in _places(upload, remarks.get(upload.upload_id, ()), there))
        place = next(said, f"{NEW}{number}")
        found |= {upload.upload_id: place for upload in group}
    return found


def groups(uploads: Sequence[Upload]) -> list[list[Upload]]:
    """The uploads that belong together: with one ISBN or DOI, or with names that differ only in a language."""
    stems = Counter((stem, language) for stem, language in map(stem_of, (upload.name for upload in uploads)))
    shared = Counter(stem for stem, _ in stems)
    found: list[list[Upload]] = []
    homes: dict[tuple[str, str], list[Upload]] = {}
    for upload in uploads:
        stem, _ = stem_of(upload.name)
        keys = [(kind, str(upload.findings.get(kind))) for kind in ("isbn", "doi") if upload.findings.get(kind)]
        keys += [("stem", stem)] if stem and shared[stem] > 1 else []
        together = [homes[key] for key in keys if key in homes]
        home = together[0] if together else []
        for other in together[1:]:
            if other is not home:
                home += other
                found.remove(other)
        home.append(upload)
        if not together:
            found.append(home)
        homes |= dict.fromkeys([*keys, *(key for key, old in homes.items() if old in together)], home)
    return found


def stem_of(name: str) -> tuple[str, str]:
    """A file's name without the language that it says at its start or its end, and that language, "" where it says none."""
    words = [word for word in BETWEEN.split(PurePath(name).stem) if word]
    for place in (-1, 0):
        for size in (2, 1):  # "pt-BR" before "pt"
            said = words[place : place + size] if place == 0 else words[-size:]
            language = _language("-".join(said)) if len(words) >= size else ""
            if language:
                rest = words[size:] if place == 0 else words[:-size]
                return "-".join(rest).casefold(), language
    return "-".join(words).casefold(), ""


def parts(uploads: Sequence[Upload], found: Mapping[str, str]) -> dict[str, Part]:
    """Which part each upload is: of several in one language of a publication the longest is the whole, further ones are guesses."""
    taken: Counter[tuple[str, object]] = Counter()
    said: dict[str, Part] = {}
    for upload in sorted(uploads, key=lambda upload: -int(upload.findings.get("pages", 0))):
        key = (found[upload.upload_id], upload.findings.get("language"))
        said[upload.upload_id] = PARTS[min(taken[key], len(PARTS) - 1)]
        taken[key] += 1
    return said


def _known(publications: Iterable[Publication], entries: Iterable[LooseEntry]) -> dict[tuple[str, str], str]:
    """Places of what is there, by ISBN and DOI; of imported entries by title too, since they wait for files."""
    there = {("title", identifier(title)): f"{LOOSE}{loose.entry_id}" for loose in entries for title in loose.entry.titles.values()}
    for publication in publications:
        there |= {("isbn", publication.isbn): publication.publication_id, ("doi", publication.doi): publication.publication_id}
    return there


def _places(upload: Upload, remarks: Iterable[Remark], there: Mapping[tuple[str, str], str]) -> Iterable[str]:
    yield from (remark.edition.publication_id for remark in remarks if remark.edition)
    said = {kind: str(upload.findings.get(kind) or "") for kind in ("isbn", "doi", "title")}
    keys = [("isbn", said["isbn"]), ("doi", said["doi"]), ("title", identifier(said["title"]))]
    yield from (there[key] for key in keys if key[1] and key in there)


@cache
def _language(said: str) -> str:
    """The language of a tag or an English name, such as "fr", "pt-BR" or "spanish"; "" for anything else."""
    known = Locale("en").languages
    if said.casefold() in _names():
        return _names()[said.casefold()]
    primary = said.split("-")[0].lower()
    return langcodes.standardize_tag(said) if len(primary) == 2 and primary in known and langcodes.tag_is_valid(said) else ""


@cache
def _names() -> dict[str, str]:
    return {str(name).casefold(): str(tag) for tag, name in Locale("en").languages.items() if len(str(tag)) in (2, 3)}
