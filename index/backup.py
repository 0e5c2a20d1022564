"""A second copy of a library that costs what has changed, and the way back from it.

    library.sqlite        as it was at one moment
    files/                the originals, named by their digests
    prior-*.npz           what was learnt of the encoder's languages
    imports/*.report      what imports of catalogues decided
    backup.json           when it was made, and the checksum of library.sqlite

It is a library itself. What can be made again is not in it (generations, pictures, evaluations), nor is what ends with the machine: sessions, the key
of cookies and uploads that have not come whole. The database is copied first and put in place last: an original is there before a row names it, and
never changes, so whatever the copy names can still be copied; until all of it is there, the former backup stays whole.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from index import generations, originals, room
from index.database import EMBEDDED
from index.durable import checksum, make_folder, replacing, sync_file, sync_folder
from index.library import MANIFEST, ChangedFileError, Library
from index.store import BusyLibraryError
from ingest.records import IsoglossError

FORMAT = 1  # of backup.json
OTHERS = ("prior-*.npz", "imports/*.report")  # small files that are kept beside the originals
UNFINISHED = ".restoring"  # lies in a folder that is not restored yet
PASSING = (  # what a backup does not keep
    "PRAGMA secure_delete = ON",
    "DELETE FROM sessions",
    "DELETE FROM failed_attempts",
    "DELETE FROM uploads WHERE state IN ('receiving', 'discarded')",
    "DELETE FROM meta WHERE key LIKE 'generation%'",
)

Progress = Callable[[str, int, int], None]  # what is copied, how much of it, of how much


class UnusableBackupError(IsoglossError):
    """The folder holds no backup that can be used, or something else."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup came to."""

    copied: int  # originals
    there: int  # originals that an earlier backup had copied
    pruned: int  # originals that nothing needs any more
    lost: tuple[str, ...]  # originals that only the backup still has, a line each
    faults: tuple[str, ...]  # what is wrong with the library, a line each; where there is any, the former backup stays in place


def back_up(library: Library, folder: Path, prune: bool = False, progress: Progress = lambda *_: None) -> Backup:
    """Bring the backup in `folder` up to date with a library that may be in use. Interrupted, it goes on where it stopped.

    `prune` deletes the originals that nothing in the library needs any more. Raises UnusableBackupError, FullDiskError and BusyLibraryError.
    """
    _admit(library, folder)
    make_folder(folder)
    folder.chmod(0o700)  # accounts are in it, with the hashes of their passwords
    with _holding(folder) as target, tempfile.TemporaryDirectory(dir=folder, prefix=".copying-") as scratch:
        room.require(folder, _size(library.folder))
        copy = _copied(library, Path(scratch), progress)
        faults = copy.faults()
        if faults:
            return Backup(0, 0, 0, (), tuple(faults))
        needed = originals.needed(copy)
        copy.close()
        missing = {digest: user for digest, user in sorted(needed.items()) if not _is_there(library, target, digest)}
        room.require(folder, sum(path.stat().st_size for path in map(library.file, missing) if path.is_file()))
        unkept = _keep(library, target, missing, progress)
        if not unkept.keys() <= originals.needed(library).keys():
            raise BusyLibraryError("A file that was uploaded has been discarded since this began; back up again.")
        if not unkept:
            _put_in_place(library, folder, Path(scratch) / "library.sqlite")
        pruned = _prune(folder, needed) if prune and not unkept else 0
        lost = [f"{user}: its original {digest} is missing or damaged in the library; the backup has it" for digest, user in sorted(needed.items())
                if digest not in missing and not _alike(library.file(digest), target.file(digest))]  # fmt: skip
    return Backup(len(missing) - len(unkept), len(needed) - len(missing), pruned, tuple(lost), tuple(unkept.values()))


def restore(backup: Path, folder: Path, progress: Progress = lambda *_: None) -> list[str]:
    """Make a library in `folder`, which must be empty, of a backup, ready for search; return which originals could not be restored, a line each.

    Interrupted, it goes on where it stopped. Raises UnusableBackupError, when the database is not what it was or the folder is not empty, and
    FullDiskError.
    """
    _require_sound(backup)
    if folder.exists() and any(folder.iterdir()) and not (folder / UNFINISHED).exists():
        raise UnusableBackupError(f"Expected a new or an empty folder, found something in {folder}; nothing was changed. Name another with --library")
    if not folder.exists():
        make_folder(folder)
        folder.chmod(0o700)
    with room.noticing(folder):
        (folder / UNFINISHED).touch()
        sync_folder(folder)
        with _holding(folder) as target:
            paths = [path for path in originals.kept(backup) if not target.file(path.stem).exists()]
            room.require(folder, sum(path.stat().st_size for path in paths) + _size(backup))
            unkept = _keep(Library(backup, EMBEDDED), target, {path.stem: "an edition" for path in paths}, progress)
            _copy_others(backup, folder)
            if not (folder / "library.sqlite").exists():
                with replacing(folder / "library.sqlite", mode=0o600) as written:
                    shutil.copyfile(backup / "library.sqlite", written)
            generations.build(Library.open(folder, EMBEDDED))
            (folder / UNFINISHED).unlink()
            sync_folder(folder)
    return list(unkept.values())


def fault(backup: Path) -> str:
    """What is wrong with the database in a backup; "" when it is the one that was put there, and when there is no backup."""
    try:
        if is_backup(backup):
            _require_sound(backup)
    except UnusableBackupError as error:
        return str(error)
    return ""


def _require_sound(backup: Path) -> None:
    """Raise UnusableBackupError unless the database in `backup` is the one that was put there."""
    try:
        said = json.loads((backup / MANIFEST).read_text("utf-8"))
        known = {one["sha256"] for one in said["databases"]}
    except FileNotFoundError as error:
        raise UnusableBackupError(f"No backup in {backup}; make one with: isogloss backup FOLDER") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableBackupError(f"{backup / MANIFEST} is damaged: {error}") from error
    found = checksum(backup / "library.sqlite") if (backup / "library.sqlite").exists() else "none"
    if found not in known:
        raise UnusableBackupError(f"{backup / 'library.sqlite'} is not as it was backed up (SHA-256 {found}); use another backup")


def is_backup(folder: Path) -> bool:
    return (folder / MANIFEST).exists()


def _admit(library: Library, folder: Path) -> None:
    """Refuse a folder that holds something else than a backup, finished or not."""
    held = {path.name for path in folder.iterdir()} if folder.exists() else set()
    begun = {"files", "imports", ".writing", MANIFEST}
    if folder.resolve() == library.folder.resolve() or library.folder.resolve() in folder.resolve().parents:
        raise UnusableBackupError(f"Expected a folder outside the library, on another disk if there is one, found {folder}")
    if MANIFEST not in held and any(name not in begun and not name.startswith((".copying-", ".writing-", "prior-")) for name in held):
        raise UnusableBackupError(f"Expected an empty folder or a backup, found something else in {folder}; nothing was changed")


def _copied(library: Library, scratch: Path, progress: Progress) -> Library:
    """A copy of the database as it is now, without what passes."""
    library.copy(scratch / "library.sqlite", lambda done, total: progress("the database", done, total))
    (scratch / "library.sqlite").chmod(0o600)
    copy = Library.open(scratch, EMBEDDED)
    with copy.transaction(contents=False) as run:
        for statement in PASSING:
            run(statement)
    return copy


@contextmanager
def _holding(folder: Path) -> Iterator[Library]:
    """The library in `folder` for writing, cleared of what an interrupted run left there; it may have no database yet."""
    target = Library(folder, EMBEDDED)
    with target.writing():
        for leftover in [*folder.glob(".copying-*"), *folder.glob(".writing-*")]:
            shutil.rmtree(leftover)
        yield target


def _is_there(library: Library, target: Library, digest: str) -> bool:
    """Whether the backup has an original, whole; one that is not is taken away."""
    there = target.file(digest)
    if not there.is_file() or _alike(there, library.file(digest)):
        return there.is_file()
    if checksum(there) != digest:
        there.unlink()
    return there.exists()


def _alike(one: Path, other: Path) -> bool:
    """Whether two copies of an original have the same size; they only got their names when they were whole."""
    return one.is_file() and other.is_file() and one.stat().st_size == other.stat().st_size


def _keep(source: Library, target: Library, wanted: dict[str, str], progress: Progress) -> dict[str, str]:
    """Copy originals, each proven by its digest; return what is wrong with those that could not be, by digest."""
    faults = {}
    for done, (digest, user) in enumerate(wanted.items(), start=1):
        path = source.file(digest)
        try:
            target.keep_file(path, digest)
        except ChangedFileError:
            faults[digest] = f"{path}: expected the file that {user} needs, found another content"
        except OSError as error:
            faults[digest] = f"{path}: expected the file that {user} needs: {error.strerror}"
        progress("files", done, len(wanted))
    return faults


def _put_in_place(library: Library, folder: Path, database: Path) -> None:
    """Let the new database take the place of the former one; backup.json knows both, so that it is right before and after."""
    _copy_others(library.folder, folder)
    former = _databases(folder)[:1] if is_backup(folder) and (folder / "library.sqlite").exists() else []
    new = {"sha256": checksum(database), "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    with replacing(folder / MANIFEST, mode=0o600) as written:
        written.write_text(json.dumps({"format": FORMAT, "databases": [new, *former]}, indent=1), "utf-8")
    for leftover in ("library.sqlite-wal", "library.sqlite-shm"):  # of somebody who looked into the former one
        (folder / leftover).unlink(missing_ok=True)
    sync_file(database)
    database.replace(folder / "library.sqlite")
    sync_folder(folder)


def _databases(folder: Path) -> list[dict[str, str]]:
    """What backup.json says of the database that lies there, and of the one before it, if that is still the one."""
    found = checksum(folder / "library.sqlite")
    return [one for one in json.loads((folder / MANIFEST).read_text("utf-8"))["databases"] if one["sha256"] == found]


def _copy_others(source: Path, folder: Path) -> None:
    for path in sorted(path for pattern in OTHERS for path in source.glob(pattern)):
        target = folder / path.relative_to(source)
        make_folder(target.parent)
        with replacing(target, mode=0o600) as written:
            shutil.copyfile(path, written)


def _prune(folder: Path, needed: Collection[str]) -> int:
    gone = [path for path in originals.kept(folder) if path.stem not in needed]
    for path in gone:
        path.unlink()
    return len(gone)


def _size(folder: Path) -> int:
    return (folder / "library.sqlite").stat().st_size
