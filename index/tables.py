"""The tables of library.sqlite, and how records become rows and rows records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from index.encoder import Vectors
from index.terms import indexed
from ingest.records import Edition, Passage, Publication

# FTS5 with the ascii tokenizer takes every character beyond ASCII for a letter: terms come folded and cut, with spaces between them.
SCHEMA = (
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)""",
    """CREATE TABLE publications (
       publication_id TEXT PRIMARY KEY, folder TEXT NOT NULL, titles TEXT NOT NULL, abstracts TEXT NOT NULL, year INTEGER,
       kind TEXT NOT NULL, topics TEXT NOT NULL, countries TEXT NOT NULL, source TEXT NOT NULL)""",
    """CREATE TABLE editions (
       edition_id TEXT PRIMARY KEY, publication_id TEXT NOT NULL REFERENCES publications ON DELETE CASCADE, position INTEGER NOT NULL,
       language TEXT NOT NULL, label TEXT NOT NULL, part TEXT NOT NULL, digest TEXT, state TEXT NOT NULL, reason TEXT NOT NULL,
       reading_version INTEGER NOT NULL)""",
    """CREATE INDEX editions_of ON editions (publication_id)""",
    """CREATE TABLE pages (
       edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, number INTEGER NOT NULL, label TEXT NOT NULL, text TEXT NOT NULL,
       health TEXT NOT NULL, PRIMARY KEY (edition_id, number)) WITHOUT ROWID""",
    """CREATE TABLE passages (
       key INTEGER PRIMARY KEY AUTOINCREMENT, edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, ordinal INTEGER NOT NULL,
       first_page INTEGER NOT NULL, start INTEGER NOT NULL, last_page INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
       text TEXT NOT NULL, sentences TEXT NOT NULL, vector BLOB NOT NULL)""",
    """CREATE INDEX passages_of ON passages (edition_id)""",
    """CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = 'ascii')""",
    """CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row)""",
    """CREATE TRIGGER words_of AFTER DELETE ON passages BEGIN DELETE FROM words WHERE rowid = old.key; END""",
)
PASSAGE_COLUMNS = 'edition_id, ordinal, first_page, start, last_page, "end", language, text, sentences'


def insert_passages(run: Any, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Store passages with their raw vectors and their words; row i of `vectors` belongs to passage i."""
    for passage, vector in zip(passages, vectors, strict=True):
        key = run(
            f"INSERT INTO passages ({PASSAGE_COLUMNS}, vector) VALUES (?,?,?,?,?,?,?,?,?,?)",
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
                vector.astype(np.float16).tobytes(),
            ),
        ).lastrowid
        run("INSERT INTO words (rowid, terms) VALUES (?, ?)", (key, indexed(passage.text)))


def put_catalogue_entry(run: Any, publication: Publication, folder: str) -> None:
    """Store what the catalogue says of a publication; the editions it no longer has leave, and so do the passages of the former entry."""
    kept = [edition.edition_id for edition in publication.editions]
    run(
        "INSERT INTO publications VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET folder = excluded.folder, titles = excluded.titles, "
        "abstracts = excluded.abstracts, year = excluded.year, kind = excluded.kind, topics = excluded.topics, "
        "countries = excluded.countries, source = excluded.source",
        publication_row(publication, folder),
    )
    run(
        f"DELETE FROM editions WHERE publication_id = ? AND edition_id NOT IN ({','.join('?' * len(kept))})",
        (publication.publication_id, *kept),
    )
    for position, edition in enumerate(publication.editions):
        run(
            "INSERT INTO editions VALUES (?1,?2,?3,?4,?5,?6,NULL,?7,'',0) "
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
    )


def edition_from(row: sqlite3.Row) -> Edition:
    return Edition(row["edition_id"], row["publication_id"], row["language"], row["label"], row["part"], row["digest"])


def passage_from(row: sqlite3.Row) -> Passage:
    sentences = tuple((start, end) for start, end in json.loads(row["sentences"]))
    return Passage(
        row["edition_id"], row["ordinal"], row["first_page"], row["start"], row["last_page"], row["end"], row["language"], row["text"], sentences
    )
