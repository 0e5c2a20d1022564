"""The words of the engine: for each passage a `tsvector` with positions, made of the same terms as FTS5 gets, and expressions of FTS5 said as a `tsquery`.

Of a term a tsvector keeps 256 positions, none beyond the 16,383rd, and no term of more than 2,046 bytes. A passage that goes past any of these is kept as
one text, ` term term term `, and searched by its letters; there are next to none, and all of them are found as FTS5 finds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import regex

from index.store import Keys, Run
from index.terms import indexed

if TYPE_CHECKING:
    from index.store import Store

LONGEST = 2046  # bytes of a term
POSITIONS = 255  # of a term
LAST = 16_382  # the greatest position
LARGEST = 500_000  # bytes of a tsvector, about; it may have a million
BLOCK = 1000  # passages whose words are made anew at a time
NOWHERE = "' '"  # a term that no passage holds, since spaces divide them

WORDS = (
    "CREATE TABLE words (key BIGINT PRIMARY KEY REFERENCES passages ON DELETE CASCADE, terms TSVECTOR, whole TEXT)",
    # fastupdate would leave what was added last in a list that every search goes through
    "CREATE INDEX words_terms ON words USING gin (terms) WITH (fastupdate = off)",
    "CREATE INDEX words_whole ON words (key) WHERE whole IS NOT NULL",
    # Planned for the very expression; and never by going through all passages, whose vectors of terms PostgreSQL takes to cost nothing to look at.
    """CREATE FUNCTION words_matching (asked tsquery, after bigint, last bigint) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
       SET enable_seqscan = off AS $$ BEGIN
       RETURN QUERY EXECUTE 'SELECT key FROM words WHERE terms @@ $1 AND key > $2 AND key <= $3' USING asked, after, last; END $$""",
)
TOKEN = regex.compile(r'\s*(?:"(?P<phrase>[^"]*)"\s*(?P<prefix>\*)?|(?P<word>AND|OR|NOT|\(|\)))\s*')
OPERATORS = {"AND": ("&", "AND"), "OR": ("|", "OR"), "NOT": ("& !", "AND NOT"), "(": ("(", "("), ")": (")", ")")}
TERM = regex.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")  # what FTS5's ascii tokenizer takes for one


class Asked(NamedTuple):
    """An expression of FTS5 in the words of PostgreSQL."""

    query: str  # a tsquery
    condition: str  # the same of a text `whole`, with a placeholder for each of `values`
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineWords:
    """As `WordRows` says."""

    _store: Store

    def put(self, run: Run, terms: Iterable[tuple[int, str]]) -> None:
        run.many("INSERT INTO words VALUES (?, CAST(? AS tsvector), ?)", ((key, *kept(said)) for key, said in terms))

    def matching(self, expression: str, after: int, last: int, most: int = -1) -> Keys:
        found, values = self._found(expression, after, last)
        some = f"SELECT key FROM ({found}) found ORDER BY key LIMIT ?"
        row = self._store.connection().execute(f"SELECT string_agg(int8send(key), '') FROM ({some}) those", (*values, most if most >= 0 else None))
        return np.frombuffer(row.fetchone()[0] or b"", ">i8").astype(np.int64)

    def count_matching(self, expression: str, after: int, last: int) -> int:
        found, values = self._found(expression, after, last)
        return int(self._store.connection().execute(f"SELECT count(*) FROM ({found}) found", values).fetchone()[0])

    def count_about(self, expression: str, after: int, last: int) -> int:
        return self.count_matching(expression, after, last)  # a GIN index goes through all passages of a word, however few are asked for

    def anew(self, run: Run) -> None:
        run("DELETE FROM words")
        after = 0
        while rows := run("SELECT key, text FROM passages WHERE key > ? ORDER BY key LIMIT ?", (after, BLOCK)).fetchall():
            self.put(run, [(key, indexed(text)) for key, text in rows])
            after = rows[-1][0]

    def settle(self, run: Run, anew: bool) -> bool:
        return False  # what was added has its place already

    def missing(self) -> list[int]:
        return self._keys("SELECT key FROM passages EXCEPT SELECT key FROM words ORDER BY key")

    def stray(self) -> list[int]:
        return self._keys("SELECT key FROM words EXCEPT SELECT key FROM passages ORDER BY key")

    def _found(self, expression: str, after: int, last: int) -> tuple[str, tuple[object, ...]]:
        """A statement that gives the keys of what matches, and its values."""
        asked = said(expression)
        words = "SELECT words_matching(CAST(? AS tsquery), ?, ?) AS key"
        whole = f"SELECT key FROM words WHERE whole IS NOT NULL AND key > ? AND key <= ? AND ({asked.condition})"
        return f"{words} UNION ALL {whole}", (asked.query, after, last, after, last, *asked.values)

    def _keys(self, statement: str) -> list[int]:
        return [key for (key,) in self._store.connection().execute(statement)]


def kept(terms: str) -> tuple[str | None, str | None]:
    """What is kept of the terms of a passage, one of two: a tsvector, or all of them as one text."""
    found: list[str] = TERM.findall(terms)
    places: dict[str, list[str]] = defaultdict(list)
    for place, term in enumerate(found, start=1):
        places[term].append(str(place))
    lengths = [len(term.encode()) for term in places]
    most = max(map(len, places.values()), default=0)
    if len(found) > LAST or most > POSITIONS or max(lengths, default=0) > LONGEST or sum(lengths) + 4 * len(found) > LARGEST:
        return None, f" {' '.join(found)} "
    return " ".join(f"{_quoted(term)}:{','.join(at)}" for term, at in places.items()), None


def said(expression: str) -> Asked:
    """Say an expression of FTS5, of phrases between quotation marks, prefix*, AND, OR, NOT and brackets, in the words of PostgreSQL.

    In both NOT binds closer than AND, and AND closer than OR. Raises ValueError for what is no such expression.
    """
    query: list[str] = []
    condition: list[str] = []
    values: list[str] = []
    end = 0
    while match := TOKEN.match(expression, end):
        if match["word"]:
            for parts, part in zip((query, condition), OPERATORS[match["word"]], strict=True):
                parts.append(part)
        else:
            terms = TERM.findall(match["phrase"])
            query.append(_phrase(terms, bool(match["prefix"])))
            condition.append("strpos(whole, ?) > 0" if terms else "false")
            values += [f" {' '.join(terms)}" + " " * (not match["prefix"])] if terms else []
        end = match.end()
    if end < len(expression) or not query:
        raise ValueError(f"expected phrases between quotation marks, AND, OR, NOT and brackets, found {expression!r}")
    return Asked(" ".join(query), " ".join(condition), tuple(values))


def _phrase(terms: list[str], prefix: bool) -> str:
    if not terms or any(len(term.encode()) > LONGEST for term in terms):
        return NOWHERE
    return f"({' <-> '.join(map(_quoted, terms))}{':*' * prefix})"


def _quoted(term: str) -> str:
    """A term as tsvector and tsquery read it; it holds no quotation mark."""
    return f"'{term}'"
