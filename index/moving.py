"""Move the rows of a library from its folder into an engine, and back, while it is searched; its files stay where they are.

The rows are brought over while everybody works (index/transfer.py), and a generation is made there, so that nobody meets a library without one. Then
all rows are gone through once more while nobody can write, until nothing differs. The former place notes that the library has left: from
then on it takes no change, and processes that have it open go on reading what it had. Last, one file in the folder takes another's place, and
that is the switch. Whenever this is interrupted, one of the two places has everything, and the same call goes on.

    .arriving/      what is not there yet: the folder's future `store`, or its future library.sqlite
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from index import generations
from index.database import EMBEDDED
from index.durable import make_folder, sync_folder
from index.library import Library
from index.store import FILE, LEFT, NOTE, BusyLibraryError
from index.transfer import Progress, Sum, bring, settle
from ingest.records import IsoglossError

HOME = ".arriving"
FORMER = "former.sqlite"  # what library.sqlite is called after that of an engine has come into its place


class MovingError(IsoglossError):
    """A library cannot be moved there; it is where it was."""


def move(library: Library, address: str, progress: Progress = lambda *_: None) -> dict[str, Sum]:
    """Move the rows to the engine at an address, or to the folder where it is EMBEDDED; return what each table held, there and here.

    The library is to be opened anew afterwards, with the other address. Interrupted, it goes on where it stopped. Raises MovingError, DifferentRowsError
    and, when somebody is in the middle of writing, BusyLibraryError.
    """
    with ExitStack() as held:
        try:
            held.enter_context(library.store.lock("moving", patience=0))
        except TimeoutError as error:
            raise BusyLibraryError(f"Another process is moving {library.folder}; wait until it has ended.") from error
        target = Library(library.folder / HOME, address)
        place = target.store.where if address else str(library.folder / FILE)
        if library.store.where == place:
            raise MovingError(f"The rows of {library.folder} are in {place} already.")
        if library.meta(LEFT) not in ("", place):
            raise MovingError(f"{library.store.where} has left for {library.meta(LEFT)} already; move it there.")
        sums = {} if library.meta(LEFT) else _bring(library, address, place, progress)
        _switch(library, target, address)
    return sums


def source(folder: Path) -> Library:
    """The library in a folder, where its rows are now, whatever ISOGLOSS_STORE says of where they are to be."""
    return Library.open(folder, None if (folder / NOTE).exists() else EMBEDDED)


def former(folder: Path) -> list[Path]:
    """The files that moves of this library have left behind."""
    left = [folder / FORMER, *([folder / FILE] if (folder / NOTE).exists() else [])]
    return [path for path in left if path.exists()]


def _target(library: Library, address: str) -> Library:
    """The library as it is to be: new, or as an interrupted run has left it. Its files are those of the one that moves."""
    home = library.folder / HOME
    begun = home.exists()
    make_folder(home)
    try:
        target = Library.create(home, address)
    except IsoglossError as error:
        if begun:
            raise MovingError(f"{error} A move was begun before; where that was to another place, delete {home} to begin anew.") from error
        if not (home / NOTE).exists():
            shutil.rmtree(home)
        raise
    target.folder = library.folder
    return target


def _bring(library: Library, address: str, place: str, progress: Progress) -> dict[str, Sum]:
    """Bring all rows; when this returns, nobody writes to the former place any more."""
    target = _target(library, address)
    with library.snapshot():
        bring(library, target, whole=False, progress=progress)
    _make_generation(library, target, progress)
    with library.writing(), generations.building(library), library.transaction(contents=False) as run:
        sums = settle(library, target, progress)
        if not _has_generation(target):
            raise BusyLibraryError(f"Another process has put an index of {library.folder} in use meanwhile; do the same again.")
        run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", (LEFT, place))
    target.close()
    return sums


def _make_generation(library: Library, target: Library, progress: Progress) -> None:
    """Have a generation at the target, made of the vectors that it has."""
    if not _has_generation(target):
        made = generations.make(target, progress=lambda done, total: progress("index", done, total))
        with generations.building(library), target.transaction(contents=False):
            generations.assign(target, {generations.IN_USE: generations.save(target, made).named})


def _has_generation(target: Library) -> bool:
    """Whether there is one, whole, or none is needed yet."""
    try:
        return not target.meta("encoder") or bool(generations.check(target))
    except generations.DamagedGenerationError:
        return False


def _switch(library: Library, target: Library, address: str) -> None:
    """Let whoever opens the library from now on find it in its new place."""
    home, folder = library.folder / HOME, library.folder
    if address:
        (home / NOTE).replace(folder / NOTE)
    else:
        if (home / FILE).exists():
            _put_file(target, home, folder)
        (folder / NOTE).unlink()
    sync_folder(folder)
    shutil.rmtree(home)


def _put_file(target: Library, home: Path, folder: Path) -> None:
    """Put the file into its place, all of it; one that was left behind when the library went into an engine gets another name."""
    target.revision()
    target.close()  # which brings into the file what is beside it
    if (home / f"{FILE}-wal").exists():
        raise BusyLibraryError(f"Another process has {home / FILE} open; do the same again once it has ended.")
    for suffix in ("-wal", "-shm", ""):
        if (folder / f"{FILE}{suffix}").exists():
            (folder / f"{FILE}{suffix}").replace(folder / f"{FORMER}{suffix}")
    sync_folder(folder)
    (home / FILE).replace(folder / FILE)
    sync_folder(folder)
