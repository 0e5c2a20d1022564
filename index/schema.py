"""The tables of library.sqlite, and how those of an older library become these."""

from __future__ import annotations

from typing import Any

FORMAT = 7  # of library.sqlite; raise it when an older Isogloss could not read the file, and say in MIGRATIONS how it becomes that

NOW = "utc_now()"  # when it happened: ISO 8601 in UTC, by a function that every store has
EVENTS = {"INSERT": "new", "UPDATE": "new", "DELETE": "old"}


def _touching(table: str, publication: str) -> tuple[str, ...]:
    """The triggers that note which publication a change of this table touches; `publication` finds its id in what happened to {row}."""
    return tuple(
        f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} BEGIN "
        "INSERT INTO touched SELECT publication_id, (SELECT value + 1 FROM meta WHERE key = 'revision') "
        f"FROM {publication.format(row=row)} ON CONFLICT DO UPDATE SET revision = excluded.revision WHERE revision < excluded.revision; END"
        for event, row in EVENTS.items()
    )


ENCODERS = "CREATE TABLE encoders (number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '')"
VECTORS = (  # of the library's own encoder, and of the one it is to have next: vectors as index/rounded.py says; codes by the same pass, NULL where none
    # were made. With rowids, since what leads to rows of this length would else be as long as they are.
    """CREATE TABLE vectors (
       key INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE, encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
       vector BLOB NOT NULL, codes BLOB, PRIMARY KEY (key, encoder))"""
)
DESK = (  # what analysts do; times are ISO 8601 in UTC
    """CREATE TABLE jobs (
       job_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, state TEXT NOT NULL, "by" TEXT NOT NULL, arguments TEXT NOT NULL,
       created TEXT NOT NULL, started TEXT NOT NULL DEFAULT '', ended TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
       total INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '', problem TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
       reached INTEGER NOT NULL DEFAULT 0, dismissed TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX jobs_in ON jobs (state)",
    """CREATE TABLE documents (
       job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, name TEXT NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL,
       reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job_id, name))""",
    "CREATE INDEX documents_of ON documents (name)",
    """CREATE TABLE changes (
       change_id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, "by" TEXT NOT NULL, what TEXT NOT NULL, publication_id TEXT NOT NULL,
       before TEXT NOT NULL, after TEXT NOT NULL, about TEXT NOT NULL, undone INTEGER REFERENCES changes,
       folder TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX changes_of ON changes (publication_id)",
    """CREATE TABLE uploads (
       upload_id TEXT PRIMARY KEY, "by" TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, likeness TEXT NOT NULL, created TEXT NOT NULL,
       state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', digest TEXT, findings TEXT NOT NULL DEFAULT '{}')""",
    """CREATE TABLE loose_entries (
       entry_id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL, flags TEXT NOT NULL, source TEXT NOT NULL, "by" TEXT NOT NULL, at TEXT NOT NULL)""",
    """CREATE TABLE decisions (
       digest TEXT NOT NULL, page INTEGER NOT NULL, remedy TEXT NOT NULL, "by" TEXT NOT NULL, at TEXT NOT NULL,
       PRIMARY KEY (digest, page)) WITHOUT ROWID""",
    "CREATE TABLE sketches (digest TEXT PRIMARY KEY, sketch BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE questions (question_id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE, "by" TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, hash TEXT NOT NULL, created TEXT NOT NULL)",
    """CREATE TABLE sessions (
       token TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, created INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE failed_attempts (at INTEGER NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL)",
)
PAGES = """CREATE TABLE pages (
    edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, number INTEGER NOT NULL, label TEXT NOT NULL, text TEXT NOT NULL,
    health TEXT NOT NULL, cause TEXT NOT NULL DEFAULT '', boxes BLOB NOT NULL DEFAULT x'', footnotes INTEGER NOT NULL DEFAULT -1,
    confidence REAL NOT NULL DEFAULT 1.0, PRIMARY KEY (edition_id, number))"""  # without rowids, rows of this length would half fill what they lie on
PAGE_COLUMNS = "edition_id, number, label, text, health, cause, boxes, footnotes, confidence"
HEALTHS = "CREATE INDEX healths ON pages (edition_id, health, cause)"  # to count pages without going through their texts
PASSAGES_OF = (  # to tell where all passages belong without going through their texts; those of the catalogue stand on page 0
    "CREATE INDEX passages_of ON passages (edition_id, language, first_page)"
)
TOUCHED = (  # in which revision a publication changed last, or left: whoever knows an earlier one asks for these only
    "CREATE TABLE touched (publication_id TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX touched_in ON touched (revision)",
)
NOTING = (
    *_touching("publications", "(SELECT {row}.publication_id AS publication_id) WHERE true"),
    *_touching("editions", "(SELECT {row}.publication_id AS publication_id) WHERE true"),
    *_touching("passages", "editions WHERE edition_id = {row}.edition_id"),  # where the edition goes with them, its own trigger has noted it
)

# FTS5 with the ascii tokenizer takes every character beyond ASCII for a letter: terms come folded and cut, with spaces between them. It keeps
# no copy of them: `indexed`, which every connection brings, makes them of the text again, to take them out or to build the index anew.
WORDS = (
    "CREATE VIEW passage_terms AS SELECT key, indexed(text) AS terms FROM passages",
    "CREATE VIRTUAL TABLE words USING fts5 (terms, content = 'passage_terms', content_rowid = 'key', tokenize = 'ascii')",
    """CREATE TRIGGER words_of AFTER DELETE ON passages BEGIN
       INSERT INTO words (words, rowid, terms) VALUES ('delete', old.key, indexed(old.text));
       UPDATE meta SET value = value + 1 WHERE key = 'removed'; END""",
)
WORDS_ANEW = "INSERT INTO words (words) VALUES ('rebuild')"

TABLES = (  # in the words of SQLite; index/engine_schema.py says them in those of the engine
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)""",
    """CREATE TABLE publications (
       publication_id TEXT PRIMARY KEY, folder TEXT NOT NULL, titles TEXT NOT NULL, abstracts TEXT NOT NULL, year INTEGER,
       kind TEXT NOT NULL, topics TEXT NOT NULL, countries TEXT NOT NULL, source TEXT NOT NULL, authors TEXT NOT NULL DEFAULT '[]',
       publisher TEXT NOT NULL DEFAULT '', isbn TEXT NOT NULL DEFAULT '', doi TEXT NOT NULL DEFAULT '',
       added TEXT NOT NULL DEFAULT '', changed TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE editions (
       edition_id TEXT PRIMARY KEY, publication_id TEXT NOT NULL REFERENCES publications ON DELETE CASCADE, position INTEGER NOT NULL,
       language TEXT NOT NULL, label TEXT NOT NULL, part TEXT NOT NULL, digest TEXT, state TEXT NOT NULL, reason TEXT NOT NULL,
       reading_version INTEGER NOT NULL, wants TEXT NOT NULL DEFAULT '', file TEXT)""",
    """CREATE INDEX editions_of ON editions (publication_id)""",
    PAGES,
    """CREATE TABLE passages (
       key INTEGER PRIMARY KEY AUTOINCREMENT, edition_id TEXT NOT NULL REFERENCES editions ON DELETE CASCADE, ordinal INTEGER NOT NULL,
       first_page INTEGER NOT NULL, start INTEGER NOT NULL, last_page INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
       text TEXT NOT NULL, sentences TEXT NOT NULL, headings TEXT NOT NULL DEFAULT '[]')""",
    PASSAGES_OF,
    HEALTHS,
    ENCODERS,
    VECTORS,
    *DESK,
    *TOUCHED,
)
SCHEMA = (*TABLES, *WORDS, *NOTING)
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
    4: (
        ENCODERS,
        VECTORS,
        *DESK,
        "DELETE FROM meta WHERE key = 'generation'",  # it named none; the next one that is built is noted
        "INSERT INTO encoders (fingerprint) SELECT value FROM meta WHERE key = 'encoder'",
        "INSERT INTO vectors (key, encoder, vector) SELECT passages.key, number, vector FROM passages, encoders",
        "ALTER TABLE passages DROP COLUMN vector",
        "ALTER TABLE editions ADD COLUMN file TEXT",
        "UPDATE editions SET file = digest",
        HEALTHS,
        "DROP INDEX passages_of",
        PASSAGES_OF,
    ),
    5: (  # the space of the terms that were kept is used again by what comes
        "ALTER TABLE pages RENAME TO former_pages",
        PAGES,
        f"INSERT INTO pages ({PAGE_COLUMNS}) SELECT {PAGE_COLUMNS} FROM former_pages",
        "DROP TABLE former_pages",
        HEALTHS,
        *TOUCHED,
        *NOTING,
        "DROP TRIGGER words_of",
        "DROP TABLE vocabulary",
        "DROP TABLE words",
        *WORDS,
        "INSERT INTO meta SELECT 'removed', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0) - (SELECT count(*) FROM passages)",
    ),
    6: (
        "ALTER TABLE vectors RENAME TO former_vectors",
        VECTORS,
        "INSERT INTO vectors (key, encoder, vector) SELECT key, encoder, from_half(vector) FROM former_vectors",
        "DROP TABLE former_vectors",
    ),
}


def migrate(run: Any, found: int) -> None:
    """Bring the tables from the format that was found to FORMAT, one format after the other."""
    for number in range(found, FORMAT):
        for statement in MIGRATIONS[number]:
            run(statement)
    run("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT),))
