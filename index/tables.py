"""How records become rows of library.sqlite, and rows records."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from index.encoder import Vectors
from index.rounded import rounded
from index.schema import NOW, PAGE_COLUMNS
from index.store import Row, Run
from index.terms import indexed
from ingest.records import BOX, Edition, Page, Passage, Publication, WordBoxes

PASSAGE_COLUMNS = 'edition_id, ordinal, first_page, start, last_page, "end", language, text, sentences, headings'


def insert_pages(run: Run, pages: Iterable[Page]) -> None:
    run.many(
        f"INSERT INTO pages ({PAGE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",
        (
            (
                page.edition_id,
                page.number,
                page.label,
                page.text,
                page.health,
                page.cause,
                boxes_packed(page.boxes),
                page.footnotes,
                page.confidence,
            )
            for page in pages
        ),
    )


def boxes_packed(boxes: WordBoxes) -> bytes:
    """The boxes byte by byte, all first bytes before all second ones: like bytes stand together, and zlib takes a third of the space."""
    if not boxes:
        return b""
    return zlib.compress(np.frombuffer(boxes.packed, np.uint8).reshape(-1, BOX.size).T.tobytes(), level=1)


def boxes_unpacked(blob: bytes) -> WordBoxes:
    if not blob:
        return WordBoxes()
    return WordBoxes(np.frombuffer(zlib.decompress(blob), np.uint8).reshape(BOX.size, -1).T.tobytes())


def encoder_number(run: Run, fingerprint: str) -> int:
    """The number under which vectors of the encoder with this fingerprint are stored."""
    run("INSERT INTO encoders (fingerprint) VALUES (?) ON CONFLICT DO NOTHING", (fingerprint,))
    return int(run("SELECT number FROM encoders WHERE fingerprint = ?", (fingerprint,)).fetchone()[0])


def insert_vectors(run: Run, number: int, keys: Sequence[int], vectors: Vectors, codes: Sequence[bytes | None] = ()) -> None:
    """Store what the encoder of this number made of the passages with these keys, which have nothing by it: raw vectors, and codes where it makes any."""
    rows = zip(keys, rounded(vectors) if len(vectors) else (), codes or repeat(None, len(keys)), strict=True)
    run.many("INSERT INTO vectors VALUES (?,?,?,?)", ((key, number, vector.tobytes(), made) for key, vector, made in rows))


def insert_passages(run: Run, passages: Sequence[Passage], vectors: Vectors, fingerprint: str, codes: Sequence[bytes] = ()) -> None:
    """Store passages with their words, and what the encoder with this fingerprint made of them: their raw vectors, row i of passage i, and, where
    it makes any, their codes, in the same order."""
    number, first = encoder_number(run, fingerprint), last_key(run) + 1
    run.many(
        f"INSERT INTO passages (key, {PASSAGE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            (
                key,
                passage.edition_id,
                passage.ordinal,
                passage.first_page,
                passage.start,
                passage.last_page,
                passage.end,
                passage.language,
                passage.text,
                json.dumps(passage.sentences),
                json.dumps(passage.headings, ensure_ascii=False),
            )
            for key, passage in enumerate(passages, first)
        ),
    )
    insert_vectors(run, number, range(first, first + len(passages)), vectors, codes)
    run.store.words.put(run, ((key, indexed(passage.text)) for key, passage in enumerate(passages, first)))


def last_key(run: Run) -> int:
    """The last key that was given to a passage; who writes gives the next ones."""
    return int(run(run.store.last_key).fetchone()[0])


def put_catalogue_entry(run: Run, publication: Publication, folder: str) -> None:
    """Store what the catalogue says of a publication; the editions it no longer has leave, and so do the passages of the former entry."""
    kept = [edition.edition_id for edition in publication.editions]
    run(
        f"INSERT INTO publications VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,{NOW},{NOW}) ON CONFLICT (publication_id) DO UPDATE SET folder = excluded.folder, "
        "titles = excluded.titles, abstracts = excluded.abstracts, year = excluded.year, kind = excluded.kind, topics = excluded.topics, "
        "countries = excluded.countries, source = excluded.source, authors = excluded.authors, publisher = excluded.publisher, "
        "isbn = excluded.isbn, doi = excluded.doi, changed = excluded.changed",
        publication_row(publication, folder),
    )
    run(
        "DELETE FROM editions WHERE publication_id = ? AND edition_id NOT IN (SELECT value FROM json_each(?))",
        (publication.publication_id, json.dumps(kept)),
    )
    run.many(
        "INSERT INTO editions VALUES (?1,?2,?3,?4,?5,?6,NULL,?7,'',0,'',?8) "
        "ON CONFLICT (edition_id) DO UPDATE SET position = ?3, language = ?4, label = ?5, part = ?6, file = ?8",
        (
            (
                edition.edition_id,
                edition.publication_id,
                position,
                edition.language,
                edition.label,
                edition.part,
                "no file" if edition.digest is None else "waiting",
                edition.digest,
            )
            for position, edition in enumerate(publication.editions)
        ),
    )
    delete_catalogue_passages(run, publication.publication_id)


def copy_edition(run: Run, old: str, new: str) -> None:
    """Store an edition once more under another id, with its pages and passages; what the catalogue says of it is still to be stored.

    The passages get keys of their own: a search that goes on meanwhile shows the old ones, or nothing.
    """
    columns = "publication_id, position, language, label, part, digest, state, reason, reading_version, wants, file"
    run(f"INSERT INTO editions (edition_id, {columns}) SELECT ?2, {columns} FROM editions WHERE edition_id = ?1", (old, new))
    columns = PAGE_COLUMNS.removeprefix("edition_id, ")
    run(f"INSERT INTO pages (edition_id, {columns}) SELECT ?2, {columns} FROM pages WHERE edition_id = ?1", (old, new))
    columns = PASSAGE_COLUMNS.removeprefix("edition_id, ")
    run(
        f"INSERT INTO passages (key, edition_id, {columns}) SELECT ?3 + row_number() OVER (ORDER BY ordinal), ?2, {columns} FROM passages "
        "WHERE edition_id = ?1 AND first_page > 0 ORDER BY ordinal",
        (old, new, last_key(run)),
    )
    pairs = "passages one JOIN passages other ON one.edition_id = ?1 AND other.edition_id = ?2 AND one.ordinal = other.ordinal AND one.first_page > 0"
    run(f"INSERT INTO vectors SELECT other.key, encoder, vector, codes FROM {pairs} JOIN vectors ON vectors.key = one.key", (old, new))
    there = run("SELECT key, text FROM passages WHERE edition_id = ?", (new,)).fetchall()
    run.store.words.put(run, ((key, indexed(text)) for key, text in there))


def empty_edition(run: Run, edition_id: str) -> None:
    """Forget what was read of an edition that has no file."""
    run("DELETE FROM pages WHERE edition_id = ?", (edition_id,))
    run("DELETE FROM passages WHERE edition_id = ?", (edition_id,))
    run("UPDATE editions SET digest = NULL, state = 'no file', reason = '', wants = '' WHERE edition_id = ?", (edition_id,))


def delete_catalogue_passages(run: Run, publication_id: str) -> None:
    run("DELETE FROM passages WHERE first_page = 0 AND edition_id IN (SELECT edition_id FROM editions WHERE publication_id = ?)", (publication_id,))


def publication_row(publication: Publication, folder: str) -> tuple[Any, ...]:
    def as_json(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    return (
        publication.publication_id,
        folder,
        as_json(dict(publication.titles)),
        as_json(dict(publication.abstracts)),
        publication.year,
        publication.kind,
        as_json(publication.topics),
        as_json(publication.countries),
        publication.source,
        as_json(publication.authors),
        publication.publisher,
        publication.isbn,
        publication.doi,
    )


def publication_from(row: Row, editions: Sequence[Edition]) -> Publication:
    return Publication(
        row["publication_id"],
        json.loads(row["titles"]),
        json.loads(row["abstracts"]),
        row["year"],
        row["kind"],
        tuple(json.loads(row["topics"])),
        tuple(json.loads(row["countries"])),
        row["source"],
        tuple(editions),
        tuple(json.loads(row["authors"])),
        row["publisher"],
        row["isbn"],
        row["doi"],
    )


def edition_from(row: Row) -> Edition:
    return Edition(row["edition_id"], row["publication_id"], row["language"], row["label"], row["part"], row["digest"])


def page_from(row: Row) -> Page:
    return Page(**{**dict(row), "boxes": boxes_unpacked(row["boxes"])})


def passage_from(row: Row) -> Passage:
    sentences = tuple((start, end) for start, end in json.loads(row["sentences"]))
    return Passage(
        row["edition_id"],
        row["ordinal"],
        row["first_page"],
        row["start"],
        row["last_page"],
        row["end"],
        row["language"],
        row["text"],
        sentences,
        tuple(json.loads(row["headings"])),
    )
