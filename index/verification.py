"""Prove that a library is sound: the truth, the originals, and what was derived from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from index import generations
from index.durable import checksum
from index.library import Library

LENGTH_TOLERANCE = 0.01  # a unit vector stored as float16 is that exact


def faults(library: Library) -> Iterator[str]:
    """Yield what is wrong, one line each; nothing when all is well. Reads every file, writes nothing."""
    broken = library.faults()
    yield from broken
    if broken:
        return  # the rest cannot be trusted to be readable
    for state in library.edition_states():
        digest = state.edition.digest
        if digest and not library.file(digest).is_file():
            yield f"{state.edition.edition_id}: its original {digest} is missing; run: isogloss ingest FOLDER --again"
    for path in sorted((library.folder / "files").glob("*/[!.]*.*")):
        found = checksum(path)
        if found != path.stem:
            yield f"{path}: content has changed (SHA-256 {found}); delete it and run: isogloss ingest FOLDER --again"
    keys, vectors = library.vectors()
    lengths = np.linalg.norm(vectors, axis=1) if len(keys) else np.zeros(0)
    for key in keys[~(np.abs(lengths - 1) < LENGTH_TOLERANCE)]:
        yield f"passage {key}: its vector is damaged; run: isogloss ingest FOLDER --again"
    try:
        generations.load(library)
    except generations.DamagedGenerationError as error:
        yield f"{error}; it is built again at the next search or ingest"
