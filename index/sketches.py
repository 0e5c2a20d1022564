"""The sketches of texts, by the digest of their files, in a table of library.sqlite; ingest/sketch.py makes and compares them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from index.library import Library


class Sketches:
    """What is known of how the texts of a library's files look, new ones among them."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def put(self, digest: str, sketch: NDArray[np.uint32]) -> None:
        """Keep the sketch of a file's text, in the transaction that is open in this thread, if any."""
        with self._library.transaction(contents=False) as run:
            run(
                "INSERT INTO sketches VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET sketch = excluded.sketch",
                (digest, sketch.astype("<u4").tobytes()),
            )

    def all(self) -> tuple[list[str], NDArray[np.uint32]]:
        """The digests of all files of which there is a sketch, and the sketches, a row each."""
        rows = self._library.rows("SELECT digest, sketch FROM sketches ORDER BY digest")
        sketches = np.frombuffer(b"".join(row["sketch"] for row in rows), "<u4").astype(np.uint32)
        return [row["digest"] for row in rows], sketches.reshape(len(rows), -1 if rows else 0)

    def missing(self) -> Iterator[tuple[str, list[str]]]:
        """(digest, texts of its pages) of every file that was read as an edition and has no sketch yet."""
        rows = self._library.rows(
            "SELECT digest, min(edition_id) AS edition_id FROM editions WHERE digest IS NOT NULL AND digest NOT IN (SELECT digest FROM sketches) "
            "GROUP BY digest ORDER BY digest"
        )
        for row in rows:
            texts = self._library.rows("SELECT text FROM pages WHERE edition_id = ? ORDER BY number", (row["edition_id"],))
            if texts:
                yield row["digest"], [text for (text,) in texts]
