"""What goes to the engine and what comes back: statements with its placeholders, many rows in one statement, and rows by the names of their columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

AT_ONCE = 500  # rows of one statement; PostgreSQL takes 65,535 values in one
QUOTED = r"'[^']*'|\"[^\"]*\""
VALUES = re.compile(r"VALUES (\((?:[^()']|'[^']*'|\([^()]*\))*\))")


class Row(Sequence[Any]):
    """A row: its values in order, or by the names of its columns."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[Any]) -> None:
        self._places, self._values = places, values

    def __getitem__(self, column: Any) -> Any:
        return self._values[self._places[column] if isinstance(column, str) else column]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self.keys(), list(self)) == (other.keys(), list(other))

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def __repr__(self) -> str:
        return f"Row({dict(zip(self._places, self._values, strict=True))})"

    def keys(self) -> list[str]:
        return list(self._places)


def rows_of(cursor: Any) -> Callable[[Sequence[Any]], Row]:
    """What makes rows of a cursor of psycopg's."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: Row(places, values)


@lru_cache(1000)
def translated(statement: str) -> str:
    """A statement with the placeholders ? and ?1 as PostgreSQL has them: $1. What is quoted stays."""
    count = 0

    def placeholder(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] is None:
            return match[0]
        count += 1
        return f"${match[1] or count}"

    return re.sub(rf"{QUOTED}|\?(\d*)", placeholder, statement)


def gathered(statement: str, rows: Sequence[Sequence[object]]) -> tuple[str, list[object]] | None:
    """One INSERT of many rows, so that what it sets off happens once; None for a statement that is none, or numbers its placeholders."""
    found = VALUES.search(statement)
    if not found or "?" not in found[1] or re.search(r"\?\d", statement):
        return None
    several = ", ".join([found[1]] * len(rows))
    return statement[: found.start(1)] + several + statement[found.end(1) :], [value for row in rows for value in row]
