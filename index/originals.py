"""Which of the original files a library needs, and what for."""

from __future__ import annotations

from pathlib import Path

from index.changes import entry_from_json
from index.library import Library


def needed(library: Library) -> dict[str, str]:
    """By digest, what needs each original: the edition that was read or is to be read from it, an upload, or a change that may be undone."""
    found: dict[str, str] = {}
    for row in library.rows("SELECT edition_id, digest, file FROM editions ORDER BY edition_id"):
        found |= {digest: row["edition_id"] for digest in (row["digest"], row["file"]) if digest}
    for row in library.rows(
        "SELECT digest, name FROM uploads WHERE digest IS NOT NULL AND state NOT IN ('receiving', 'discarded') ORDER BY upload_id"
    ):
        found.setdefault(row["digest"], f"the upload {row['name']!r}")
    for row in library.rows("SELECT change_id, before, after FROM changes ORDER BY change_id"):
        for entry in filter(None, map(entry_from_json, (row["before"], row["after"]))):
            for digest in filter(None, (edition.digest for edition in entry.editions)):
                found.setdefault(digest, f"undoing change {row['change_id']} of {entry.publication_id}")
    return found


def kept(folder: Path) -> list[Path]:
    """Every original that lies in a library's folder, by name; files that are still being copied are none."""
    return sorted((folder / "files").glob("*/[!.]*.*"))
