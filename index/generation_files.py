"""The files of generations: a folder each in the library's own, and in the engine too where its rows are there, so that whoever has not the folder gets it.

generations/0007/     keys.npy, alignment.npz, manifest.json (format, encoder, checksums); preview.json where it was a candidate; in a large
                      one vectors.faiss and lengths.npy, or table.txt, which names the table of the engine that has its vectors
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from index.durable import checksum, sync_file, sync_folder
from index.library import Library

TABLE = "table.txt"
PIECE = 4 << 20  # bytes of a file that are sent at a time


class Named(NamedTuple):
    """A generation as the library notes it; another one of its number, of a library.sqlite that a backup has replaced, has another token."""

    name: str
    token: str  # checksum of its manifest


@contextmanager
def written(library: Library) -> Iterator[Path]:
    """Give an empty folder to write the files of a generation in, the manifest last; `put` makes them one. What it holds is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=home(library), prefix=".building-") as scratch:
        folder = Path(scratch) / "generation"
        folder.mkdir()
        yield folder


def put(library: Library, folder: Path) -> Named:
    """Make the files in this folder a generation, whole or not at all; it has no role yet."""
    named = Named(f"{max([0, *_numbers(library)]) + 1:04}", checksum(folder / "manifest.json"))
    for path in folder.iterdir():
        sync_file(path)
    sync_folder(folder)
    if library.store.large:
        _send(library, named, folder)
    folder.replace(home(library) / named.name)
    sync_folder(home(library))
    return named


def folder_of(library: Library, named: Named) -> Path:
    """Where the files of a generation lie, or would lie; they come out of the engine where the folder has them not."""
    folder = home(library) / named.name
    if named.token and library.store.large and not _is(folder, named):
        _fetch(library, named, folder)
    return folder


def read(library: Library, named: Named, file: str, expected: str) -> dict[str, Any] | None:
    """What a file in JSON holds that has this checksum; None when there is no such file."""
    try:
        path = folder_of(library, named) / file
        return dict(json.loads(path.read_text("utf-8"))) if checksum(path) == expected else None
    except OSError:
        return None


def sweep(library: Library, kept: Collection[Named]) -> None:
    """Remove the generations that are not to be kept, and what an interrupted build has left."""
    names = {named.name for named in kept}
    for path in home(library).iterdir():
        if path.is_dir() and (path.name.startswith(".building-") or (path.name.isdigit() and path.name not in names)):
            shutil.rmtree(path, ignore_errors=True)  # what stays goes the next time
    (home(library) / "current").unlink(missing_ok=True)  # what format 4 of the library had in place of its note
    if library.store.large:
        tokens = {named.token for named in kept}
        for (token,) in library.rows("SELECT DISTINCT token FROM generation_files"):
            if token not in tokens:
                with library.transaction(contents=False) as run:
                    run("DELETE FROM generation_files WHERE token = ?", (token,))
        tables = [str(content, "utf-8") for (content,) in library.rows("SELECT content FROM generation_files WHERE file = ?", (TABLE,))]
        library.store.large.sweep(tables)


def set_aside(library: Library, named: Named) -> None:
    """Move a generation that is damaged out of the way; it is left for whoever wants to know what happened."""
    folder = home(library) / named.name
    if named.name and folder.is_dir():
        folder.replace(folder.with_name(f"damaged-{named.name}-{secrets.token_hex(4)}"))


def home(library: Library) -> Path:
    return library.folder / "generations"


def _numbers(library: Library) -> Iterator[int]:
    """The numbers that are taken, also by what was set aside."""
    names = [path.name for path in home(library).iterdir()]
    if library.store.large:
        names += [name for (name,) in library.rows("SELECT DISTINCT name FROM generation_files")]
    yield from (int(match[1]) for name in names if (match := re.fullmatch(r"(?:damaged-)?(\d+)(?:-.*)?", name)))


def _is(folder: Path, named: Named) -> bool:
    try:
        return checksum(folder / "manifest.json") == named.token
    except OSError:
        return False


def _send(library: Library, named: Named, folder: Path) -> None:
    """Store the files in the engine, piece by piece, so that nobody who writes has to wait long."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            for piece, content in enumerate(iter(lambda file=file: file.read(PIECE), b"")):  # type: ignore[misc]
                with library.transaction(contents=False) as run:
                    run("INSERT INTO generation_files VALUES (?, ?, ?, ?, ?)", (named.token, named.name, path.name, piece, content))


def _fetch(library: Library, named: Named, folder: Path) -> None:
    """Write the files of a generation out of the engine, where that has them all; whatever lay there under its name is set aside."""
    home(library).mkdir(exist_ok=True)
    with written(library) as scratch:
        pieces = library.rows("SELECT file, piece FROM generation_files WHERE token = ? ORDER BY file, piece", (named.token,))
        for file, piece in pieces:
            found = library.rows("SELECT content FROM generation_files WHERE token = ? AND file = ? AND piece = ?", (named.token, file, piece))
            with (scratch / Path(file).name).open("ab") as out:
                out.write(found[0][0] if found else b"")
        if not _is(scratch, named) or _is(folder, named):
            return
        for path in scratch.iterdir():
            sync_file(path)
        set_aside(library, named)
        with suppress(OSError):  # another process has just done the same
            scratch.replace(folder)
    tokens = {token for (token,) in library.rows("SELECT DISTINCT token FROM generation_files")}
    for path in home(library).iterdir():  # what has been swept where it was made
        if path.name.isdigit() and not any(_is(path, Named(path.name, token)) for token in tokens):
            shutil.rmtree(path, ignore_errors=True)
