"""Make publications of the records of a catalogue: which records belong together, in what language each text is, what has which name."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

import langcodes
import regex

from ingest.catalogue import identifier
from ingest.identifiers import DOI, valid_isbn
from ingest.imported import ImportedEntry, Remark, Said
from ingest.labels import country_of, language_of
from ingest.language import identify, known, same_language
from ingest.records import UNDETERMINED, Edition, Publication, edition_id

YEAR = regex.compile(r"(?<!\d)\d{4}(?!\d)")
FIRST_YEAR = 1000
NAME_WORDS, NAME_LETTERS = 8, 60  # of a title, or of the first words of an abstract, in an id
LONG = 100  # characters of text, from which it is asked whether it is in the language that is named
FOLLOWING = 5  # years after this one, in which something may be announced; later ones are of another calendar
PLAIN_KEY = regex.compile(r"[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}_. -]{0,99}")  # can be an id, and stand in an address, as it is
Texts = Sequence[tuple[str, str]]


def entries(records: Sequence[Said]) -> tuple[ImportedEntry, ...]:
    """The publications that the records describe, in the order of their first ones; each has an id that no other one has."""
    groups = _together(records)
    whole = "\n".join(text for said in records for _, text in (*said.titles, *said.abstracts))
    prevailing = identify(whole)
    taken: set[str] = set()
    made = []
    for group in groups:
        entry = _entry(group, prevailing, taken)
        taken.add(entry.publication.publication_id)
        made.append(entry)
    return tuple(made)


def renamed(publication: Publication, name: str) -> Publication:
    """The same under another id."""
    editions: list[Edition] = []
    for edition in publication.editions:
        key = free_name(edition_id(name, edition.language, edition.part), {one.edition_id for one in editions})
        editions.append(Edition(key, name, edition.language, edition.label, edition.part, edition.digest))
    said = {field: getattr(publication, field) for field in Publication.__dataclass_fields__}
    return Publication(**(said | {"publication_id": name, "editions": tuple(editions)}))


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names, number, found = set(taken), 1, name
    while found in names:
        number += 1
        found = f"{name}-{number}"
    return found


def _together(records: Sequence[Said]) -> list[list[Said]]:
    """Records of one id belong together; those without one, of one DOI or one ISBN."""
    groups: dict[str, list[Said]] = {}
    known: dict[str, str] = {}
    for place, said in enumerate(records):
        doi, isbn = _doi(said.values.get("doi", "")), valid_isbn(said.values.get("isbn", ""))
        marks = [f"key {said.key}"] if said.key else [mark for mark, found in ((f"doi {doi}", doi), (f"isbn {isbn}", isbn)) if found]
        name = next((known[mark] for mark in marks if mark in known), f"record {place}")
        groups.setdefault(name, []).append(said)
        known |= dict.fromkeys(marks, name)
    return list(groups.values())


def _entry(group: Sequence[Said], prevailing: str, taken: set[str]) -> ImportedEntry:
    remarks = list(chain.from_iterable(said.remarks for said in group))
    values, checked = _values(group)
    lists = {field: tuple(dict.fromkeys(chain.from_iterable(said.lists.get(field, ()) for said in group))) for field in ("authors", "topics")}
    countries, unknown = _countries(chain.from_iterable(said.lists.get("countries", ()) for said in group))
    told = [_languages_of(said) for said in group]
    titles, abstracts, guessed = _texts(group, [[tag for tag, _ in one] for one in told], prevailing)
    remarks += [*checked, *unknown, *guessed, *chain.from_iterable(remark for one in told for _, remark in one)]
    if not titles:
        remarks.append(Remark("no title" if abstracts else "no text"))
    loose = all(said.loose for said in group)
    name, named = _name(group[0].key, titles, abstracts, group)
    name = free_name(name, taken)
    editions, files, missing = ((), {}, [Remark("no editions")]) if loose else _editions(name, group, told, [*titles, *abstracts])
    publication = Publication(
        name, titles, abstracts, int(values["year"]) if values["year"] else None, values["kind"], lists["topics"], countries, values["source"], editions,
        lists["authors"], values["publisher"], values["isbn"], values["doi"],
    )  # fmt: skip
    return ImportedEntry(publication, group[0].line, named, tuple(_distinct([*remarks, *missing])), files)


def _languages_of(said: Said) -> list[tuple[str, list[Remark]]]:
    """The language of every edition of a record, with the remark on how it was told."""
    return [_told(edition.language) if edition.language else (UNDETERMINED, []) for edition in said.editions]


def _told(label: str) -> tuple[str, list[Remark]]:
    if label.strip().casefold() == UNDETERMINED:
        return UNDETERMINED, []
    found = language_of(label)
    if not found.why:
        return found.tag, []
    return found.tag, [Remark(found.why, {"label": label, "language": found.tag, "about": found.about})]


def _editions(name: str, group: Sequence[Said], told: Sequence[Sequence[tuple[str, list[Remark]]]], written: Sequence[str]) -> tuple[
    tuple[Edition, ...], dict[str, str], list[Remark]
]:  # fmt: skip
    """The editions, the paths of their files as written, and remarks; an entry that names no language has one in that of its text."""
    editions: dict[str, Edition] = {}
    files: dict[str, str] = {}
    remarks: list[Remark] = []
    named = [(edition, tag) for said, tags in zip(group, told, strict=True) for edition, (tag, _) in zip(said.editions, tags, strict=True)]
    guess = next((tag for tag in written if tag != UNDETERMINED), UNDETERMINED)
    for edition, found in named:
        tag = guess if not edition.language and found == UNDETERMINED else found
        key = edition_id(name, tag, edition.part)
        if not edition.language:
            remarks.append(_from_text(tag))
        if key in editions and (tag != UNDETERMINED or editions[key].label == edition.label):
            remarks.append(Remark("twice", {"label": edition.label or edition.language, "language": tag}))
            continue
        key = free_name(key, editions)
        editions[key] = Edition(key, name, tag, edition.label, edition.part, None)
        if edition.file:
            files[key] = edition.file
    if not editions:
        key = edition_id(name, guess)
        editions[key] = Edition(key, name, guess, "", "whole", None)
        remarks.append(_from_text(guess))
    return tuple(editions.values()), files, remarks


def _from_text(tag: str) -> Remark:
    return Remark("no language") if tag == UNDETERMINED else Remark("language", {"language": tag})


def _texts(group: Sequence[Said], languages: Sequence[Sequence[str]], prevailing: str) -> tuple[dict[str, str], dict[str, str], list[Remark]]:
    """Titles and abstracts by language: as said; else the one language of the record; else as the text reads."""
    titles: dict[str, str] = {}
    abstracts: dict[str, str] = {}
    remarks: list[Remark] = []
    for said, tags in zip(group, languages, strict=True):
        own = tags[0] if len(tags) == 1 and tags[0] != UNDETERMINED else ""
        together = "\n".join(texts[0][1] for texts in (said.titles, said.abstracts) if texts and not texts[0][0])
        read = _reading(together, own) if own else _read(together, prevailing)
        if own and read != own:
            remarks.append(Remark("reads", {"language": read, "named": own}))
        for texts, found in ((said.titles, titles), (said.abstracts, abstracts)):
            for place, (tag, text) in enumerate(texts):
                language = _standard(tag) or (read if place == 0 else _read(text, prevailing))
                if language == UNDETERMINED:
                    remarks.append(Remark("unsure", {"text": _clean(text)[:80]}))
                if text.strip() and found.setdefault(language, _clean(text)) != _clean(text):
                    remarks.append(
                        Remark(
                            "differs", {"field": "title" if found is titles else "abstract", "kept": found[language][:80], "other": _clean(text)[:80]}
                        )
                    )
    return titles, abstracts, remarks


def _read(text: str, prevailing: str) -> str:
    return identify(text, prevailing) if text.strip() else UNDETERMINED


def _reading(text: str, named: str) -> str:
    """The language that a record names, unless enough of its text is without doubt in another one: publishers list a work in their site's language."""
    read = identify(text, named) if len(text) >= LONG and known(named) else named
    return named if read == UNDETERMINED or same_language(read, named) else read


def _standard(tag: str) -> str:
    return langcodes.standardize_tag(tag) if tag and langcodes.tag_is_valid(tag) else ""


def _clean(text: str) -> str:
    """Without control characters; paragraphs stay."""
    lines = (" ".join("".join(char if unicodedata.category(char) != "Cc" else " " for char in line).split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))


def _values(group: Sequence[Said]) -> tuple[dict[str, str], list[Remark]]:
    """What is said once of a publication: the first that holds, and remarks on the others."""
    found = dict.fromkeys(CHECKS, "")
    remarks: list[Remark] = []
    for field, written in ((field, written) for said in group for field, written in said.values.items() if written.strip()):
        value = CHECKS[field](written)
        if not value:
            remarks.append(Remark("value", {"field": field, "found": written[:80], "expected": EXPECTED[field]}))
        elif found[field] and found[field] != value:
            remarks.append(Remark("differs", {"field": field, "kept": found[field], "other": value}))
        found[field] = found[field] or value
    return found, remarks


def _year(written: str) -> str:
    years = (int(match.group()) for match in YEAR.finditer(written))
    return next((str(year) for year in years if FIRST_YEAR <= year <= datetime.now(UTC).year + FOLLOWING), "")


def _doi(written: str) -> str:
    found = DOI.search(written)
    return found.group().lower() if found else ""


def _address(written: str) -> str:
    return written.strip() if regex.fullmatch(r"https?://\S+", written.strip()) else ""


CHECKS = {"year": _year, "kind": _clean, "source": _address, "publisher": _clean, "isbn": valid_isbn, "doi": _doi}
EXPECTED = {"year": "2019", "kind": "", "source": "https://...", "publisher": "", "isbn": "978-3-16-148410-0", "doi": "10.1000/182"}


def _countries(written: Iterable[str]) -> tuple[tuple[str, ...], list[Remark]]:
    said = list(dict.fromkeys(written))
    codes = [country_of(name) for name in said]
    remarks = [Remark("value", {"field": "countries", "found": name, "expected": "BO"}) for name, code in zip(said, codes, strict=True) if not code]
    return tuple(dict.fromkeys(filter(None, codes))), remarks


def _name(key: str, titles: Mapping[str, str], abstracts: Mapping[str, str], group: Sequence[Said]) -> tuple[str, bool]:
    """An id, and whether it was said: the key, else the title, else the first words of the abstract, else made of what the editions are called."""
    if key:
        return (key if PLAIN_KEY.fullmatch(key) and key == key.strip() else identifier(key)[:100]), True
    words = titles.get("en") or next(iter(titles.values()), "") or abstracts.get("en") or next(iter(abstracts.values()), "")
    name = "-".join(identifier(words[:200]).split("-")[:NAME_WORDS])[:NAME_LETTERS].strip("-")
    labels = "\n".join(edition.label for said in group for edition in said.editions)
    return name or f"untitled-{hashlib.sha256(labels.encode()).hexdigest()[:8]}", False


def _distinct(remarks: Sequence[Remark]) -> list[Remark]:
    return [remark for place, remark in enumerate(remarks) if remark not in remarks[:place]]
