"""Prove that a library is sound: the truth, the originals, and what was derived from them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from index import backup, generations, moving, originals
from index.durable import checksum
from index.library import Library

OLD = 24 * 3600  # seconds after which a file that should have been passing was left behind
PASSING = (".copying-*", ".writing-*", ".building-*")


def faults(library: Library) -> Iterator[str]:
    """Yield what is wrong, one line each; nothing when all is well. Reads every file, writes nothing."""
    changed = backup.fault(library.folder)
    if changed:
        yield changed
    broken = library.faults()
    yield from broken
    if broken:
        return  # the rest cannot be trusted to be readable
    yield from _words(library)
    yield from _originals(library)
    yield from _vectors(library)
    if generations.current_name(library):
        try:
            generations.load(library)
        except generations.DamagedGenerationError as error:
            yield f"{error}; it is built again at the next search or ingest"


def remarks(library: Library) -> Iterator[str]:
    """Yield what is worth knowing and no fault, one line each. Only for a library whose database is sound."""
    if not generations.current_name(library):
        yield "No generation has been built yet; the first search does it."
    for row in library.rows(
        "SELECT job_id, name FROM documents JOIN jobs USING (job_id) WHERE kind = 'reading' AND jobs.state IN ('waiting', 'running', 'cancelling') "
        "AND name NOT IN (SELECT edition_id FROM editions) ORDER BY job_id, position"
    ):
        yield f"job {row['job_id']}: the edition {row['name']} has been removed since; nothing will be read for it"
    for role, what in ((generations.CANDIDATE, "published"), (generations.BEFORE, "brought back")):
        if generations.named(library, role) != generations.NONE:
            try:
                generations.check(library, role)
            except generations.DamagedGenerationError as error:
                yield f"{error}; it cannot be {what}, and the one in use is not concerned"
    needed = originals.needed(library)
    spare = [path for path in originals.kept(library.folder) if path.stem not in needed]
    if spare:
        yield f"{len(spare)} originals that nothing needs any more, {sum(path.stat().st_size for path in spare)} bytes; they may be deleted: {spare[0]} ..."
    for path in moving.former(library.folder):
        yield f"{path}: the rows as they were before the library moved; it may be deleted once nobody wants to go back to them"
    for path in _left_behind(library.folder):
        yield f"{path}: left behind by a process that was interrupted; it may be deleted"
    for path in sorted([*library.folder.glob("damaged-*"), *library.folder.glob("generations/damaged-*")]):
        yield f"{path}: set aside because it was damaged; it may be deleted once nobody wants to look into it"


def _words(library: Library) -> Iterator[str]:
    """Every passage has its words in the full-text index, and nothing else has."""
    words = library.store.words
    for said, keys in (("its words are not in the index", words.missing()), ("the index has words of it, though it is gone", words.stray())):
        for key in keys:
            yield f"passage {key}: {said}; run: isogloss ingest FOLDER --again"


def _originals(library: Library) -> Iterator[str]:
    for digest, user in sorted(originals.needed(library).items()):
        if not library.file(digest).is_file():
            yield f"{user}: its original {digest} is missing; put it back from a backup, or run: isogloss ingest FOLDER --again"
    for path in originals.kept(library.folder):
        found = checksum(path)
        if found != path.stem:
            yield f"{path}: content has changed (SHA-256 {found}); put it back from a backup, or delete it and run: isogloss ingest FOLDER --again"


def _vectors(library: Library) -> Iterator[str]:
    """Every passage has a vector of the library's encoder (the database has been asked whether it has one at all, and how long)."""
    for key in library.damaged_vectors():
        yield f"passage {key}: its vector is damaged; run: isogloss ingest FOLDER --again"


def _left_behind(folder: Path) -> list[Path]:
    homes = [folder, folder / "generations", *(folder / "files").glob("*")]
    found = [path for home in homes for pattern in PASSING for path in home.glob(pattern)]
    return sorted(path for path in found if time.time() - path.stat().st_mtime > OLD)
