"""What a library takes on disk, by what it is for."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PARTS = {
    "words": "words",
    "passages": "passages",
    "vectors": "vectors",
    "pages": "pages",
    "publications": "catalogue",
    "editions": "catalogue",
}
TEXTS = (  # in UTF-8, as SQLite stores it
    "SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM passages",
    "SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM pages",
)


@dataclass(frozen=True)
class Size:
    """Bytes on disk. The originals are not counted."""

    passages: int  # how many there are
    parts: Mapping[str, int]  # by what they are for, indexes with their tables, text included; "generation" is what FAISS serves
    text: int  # of passages and pages

    @property
    def each(self) -> float:
        """Bytes a passage without the text."""
        return (sum(self.parts.values()) - self.text) / max(self.passages, 1)

    @property
    def each_with_text(self) -> float:
        return sum(self.parts.values()) / max(self.passages, 1)


def size_of(folder: Path) -> Size:
    """The size of a library, by SQLite's own account and that of the file system; only the generation in use is counted."""
    connection = sqlite3.connect(f"file:{folder / 'library.sqlite'}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name, tbl_name FROM sqlite_master").fetchall()
        owners = dict(tables) | {name: "words" for name, _ in tables if name.startswith("words")}
        parts: Counter[str] = Counter()
        for name, taken in connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            parts[PARTS.get(owners.get(name, ""), "other")] += taken
        (in_use,) = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone() or ("",)
        generation = folder / "generations" / in_use.partition(" ")[0]
        parts["generation"] = sum(path.stat().st_size for path in generation.rglob("*") if path.is_file()) if in_use else 0
        text = sum(connection.execute(statement).fetchone()[0] for statement in TEXTS)
        return Size(connection.execute("SELECT count(*) FROM passages").fetchone()[0], dict(parts), text)
    finally:
        connection.close()
