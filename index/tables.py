"""The tables of library.sqlite, and how records become rows and rows records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from index.encoder import Vectors
from ingest.records import Edition, Passage, Publication

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE publications (
    publication_id TEXT PRIMARY KEY, folder TEXT NOT NULL, titles TEXT NOT NULL, abstracts TEXT NOT NULL, year INTEGER,
    kind TEXT NOT NULL, topics TEXT NOT NULL, countries TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE editions (
    edition_id TEXT PRIMARY KEY, publication_id TEXT NOT NULL REFERENCES publications ON DELETE CASCADE, position INTEGER NOT NULL,
    language TEXT NOT NULL, label TEXT NOT NULL, part TEXT NOT NULL, digest TEXT, state TEXT NOT NULL, reason TEXT NOT NULL,
    reading_version INTEGER NOT NULL);
CREATE INDEX editions_of ON editions (publication_id);
CREATE TABLE pages (
    edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, number INTEGER NOT NULL, label TEXT NOT NULL, text TEXT NOT NULL,
    health TEXT NOT NULL, PRIMARY KEY (edition_id, number)) WITHOUT ROWID;
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    first_page INTEGER NOT NULL, start INTEGER NOT NULL, last_page INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
    text TEXT NOT NULL, sentences TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX passages_of ON passages (edition_id);
"""
PASSAGE_COLUMNS = 'edition_id, ordinal, first_page, start, last_page, "end", language, text, sentences'


def insert_passages(run: Any, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Store passages with their raw vectors; row i of `vectors` belongs to passage i."""
    for passage, vector in zip(passages, vectors, strict=True):
        run(
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
        )


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
