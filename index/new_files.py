"""Files that were uploaded and examined, and belong to no edition yet."""

from __future__ import annotations

from collections.abc import Iterable

from index.library import Library


def new_files(library: Library) -> dict[str, str]:
    """The names that the files were given, by their SHA-256, oldest first."""
    rows = library.rows("SELECT digest, name FROM uploads WHERE state = 'examined' AND digest IS NOT NULL ORDER BY created, upload_id")
    return {row["digest"]: row["name"] for row in rows}


def forget_new_files(library: Library, digests: Iterable[str]) -> None:
    """Offer these files no longer: editions have them now."""
    with library.transaction(contents=False) as run:
        for digest in digests:
            run("DELETE FROM uploads WHERE digest = ? AND state = 'examined'", (digest,))
