"""The tables of library.sqlite, and how records become rows and rows records."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from index.encoder import Vectors
from index.terms import indexed
from ingest.records import BOX, Edition, Page, Passage, Publication, WordBoxes

FORMAT = 4  # of library.sqlite; raise it when an older Isogloss could not read the file, and say in MIGRATIONS how it becomes that

NOW = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"  # when it happened, in UTC

# FTS5 with the ascii tokenizer takes every character beyond ASCII for a letter: terms come folded and cut, with spaces between them.
SCHEMA = (
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)""",
    """CREATE TABLE publications (
       publication_id TEXT PRIMARY KEY, folder TEXT NOT NULL, titles TEXT NOT NULL, abstracts TEXT NOT NULL, year INTEGER,
       kind TEXT NOT NULL, topics TEXT NOT NULL, countries TEXT NOT NULL, source TEXT NOT NULL, authors TEXT NOT NULL DEFAULT '[]',
       publisher TEXT NOT NULL DEFAULT '', isbn TEXT NOT NULL DEFAULT '', doi TEXT NOT NULL DEFAULT '',
       added TEXT NOT NULL DEFAULT '', changed TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE editions (
       edition_id TEXT PRIMARY KEY, publication_id TEXT NOT NULL REFERENCES publications ON DELETE CASCADE, position INTEGER NOT NULL,
       language TEXT NOT NULL, label TEXT NOT NULL, part TEXT NOT NULL, digest TEXT, state TEXT NOT NULL, reason TEXT NOT NULL,
       reading_version INTEGER NOT NULL, wants TEXT NOT NULL DEFAULT '')""",
    """CREATE INDEX editions_of ON editions (publication_id)""",
    """CREATE TABLE pages (
       edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, number INTEGER NOT NULL, label TEXT NOT NULL, text TEXT NOT NULL,
       health TEXT NOT NULL, cause TEXT NOT NULL DEFAULT '', boxes BLOB NOT NULL DEFAULT x'', footnotes INTEGER NOT NULL DEFAULT -1,
       confidence REAL NOT NULL DEFAULT 1.0, PRIMARY KEY (edition_id, number)) WITHOUT ROWID""",
    """CREATE TABLE passages (
       key INTEGER PRIMARY KEY AUTOINCREMENT, edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, ordinal INTEGER NOT NULL,
       first_page INTEGER NOT NULL, start INTEGER NOT NULL, last_page INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
       text TEXT NOT NULL, sentences TEXT NOT NULL, vector BLOB NOT NULL, headings TEXT NOT NULL DEFAULT '[]')""",
    """CREATE INDEX passages_of ON passages (edition_id)""",
    """CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = 'ascii')""",
    """CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row)""",
    """CREATE TRIGGER words_of AFTER DELETE ON passages BEGIN DELETE FROM words WHERE rowid = old.key; END""",
)
MIGRATIONS = {  # from the format of this number to the next; what the new columns hold comes with the next ingest
    2: (
        "ALTER TABLE editions ADD COLUMN wants TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE pages ADD COLUMN cause TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE pages ADD COLUMN boxes BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE pages ADD COLUMN footnotes INTEGER NOT NULL DEFAULT -1",
        "ALTER TABLE pages ADD COLUMN confidence REAL NOT NULL DEFAULT 1.0",
        "ALTER TABLE passages ADD COLUMN headings TEXT NOT NULL DEFAULT '[]'",
    ),
    3: (
        "ALTER TABLE publications ADD COLUMN authors TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE publications ADD COLUMN publisher TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE publications ADD COLUMN isbn TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE publications ADD COLUMN doi TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE publications ADD COLUMN added TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE publications ADD COLUMN changed TEXT NOT NULL DEFAULT ''",
        f"UPDATE publications SET added = {NOW}, changed = {NOW}",
    ),
}
PAGE_COLUMNS = "edition_id, number, label, text, health, cause, boxes, footnotes, confidence"
PASSAGE_COLUMNS = 'edition_id, ordinal, first_page, start, last_page, "end", language, text, sentences, headings'


def migrate(run: Any, found: int) -> None:
    """Bring the tables from the format that was found to FORMAT, one format after the other."""
    for number in range(found, FORMAT):
        for statement in MIGRATIONS[number]:
            run(statement)
    run("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT),))


def insert_pages(run: Any, pages: Iterable[Page]) -> None:
    for page in pages:
        run(
            f"INSERT INTO pages ({PAGE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",
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


def insert_passages(run: Any, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Store passages with their raw vectors and their words; row i of `vectors` belongs to passage i."""
    for passage, vector in zip(passages, vectors, strict=True):
        key = run(
            f"INSERT INTO passages ({PASSAGE_COLUMNS}, vector) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
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
                vector.astype(np.float16).tobytes(),
            ),
        ).lastrowid
        run("INSERT INTO words (rowid, terms) VALUES (?, ?)", (key, indexed(passage.text)))


def put_catalogue_entry(run: Any, publication: Publication, folder: str) -> None:
    """Store what the catalogue says of a publication; the editions it no longer has leave, and so do the passages of the former entry."""
    kept = [edition.edition_id for edition in publication.editions]
    run(
        f"INSERT INTO publications VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,{NOW},{NOW}) ON CONFLICT DO UPDATE SET folder = excluded.folder, "
        "titles = excluded.titles, abstracts = excluded.abstracts, year = excluded.year, kind = excluded.kind, topics = excluded.topics, "
        "countries = excluded.countries, source = excluded.source, authors = excluded.authors, publisher = excluded.publisher, "
        "isbn = excluded.isbn, doi = excluded.doi, changed = excluded.changed",
        publication_row(publication, folder),
    )
    run(
        f"DELETE FROM editions WHERE publication_id = ? AND edition_id NOT IN ({','.join('?' * len(kept))})",
        (publication.publication_id, *kept),
    )
    for position, edition in enumerate(publication.editions):
        run(
            "INSERT INTO editions VALUES (?1,?2,?3,?4,?5,?6,NULL,?7,'',0,'') "
            "ON CONFLICT DO UPDATE SET position = ?3, language = ?4, label = ?5, part = ?6",
            (edition.edition_id, edition.publication_id, position, edition.language, edition.label, edition.part, "no file"),
        )
    run(
        "DELETE FROM passages WHERE first_page = 0 AND edition_id IN (SELECT edition_id FROM editions WHERE publication_id = ?)",
        (publication.publication_id,),
    )


def count_documents(connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    one, many = "SELECT doc FROM vocabulary WHERE term = ?", "SELECT sum(doc) FROM vocabulary WHERE term >= ?1 AND term < ?1 || char(0x10ffff)"
    rows = {term: connection.execute(many if term.endswith("*") else one, (term.rstrip("*"),)).fetchone() for term in terms}
    return {term: int(row[0] or 0) if row else 0 for term, row in rows.items()}


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


def publication_from(row: sqlite3.Row, editions: Sequence[Edition]) -> Publication:
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


def edition_from(row: sqlite3.Row) -> Edition:
    return Edition(row["edition_id"], row["publication_id"], row["language"], row["label"], row["part"], row["digest"])


def page_from(row: sqlite3.Row) -> Page:
    return Page(**{**dict(row), "boxes": boxes_unpacked(row["boxes"])})


def passage_from(row: sqlite3.Row) -> Passage:
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
