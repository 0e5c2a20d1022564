"""What FAISS serves: one folder a generation, built beside the one in use and swapped in by an atomic rename.

    generations/0007/     vectors.faiss, keys.npy, alignment.npz, manifest.json (format, encoder fingerprint, checksums)
    generations/current   names the generation in use

All of it is derived from the library and may be thrown away. A generation that is damaged is set aside, never deleted.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from index import room
from index.alignment import Alignment, fit
from index.contents import Keys
from index.durable import checksum, replacing, sync_file, sync_folder
from index.encoder import Vectors
from index.language_priors import prior_for, prior_name
from index.library import Library
from index.vectors import VectorIndex

log = logging.getLogger(__name__)

FORMAT = 5  # of a generation; an older one is built again. Raise it when the formula of the alignment changes
KEPT = 2  # generations: the one in use and the one before, so that it can be brought back


class DamagedGenerationError(Exception):
    """A generation is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One built index: row i of `index` is the passage `keys[i]`; keys grow."""

    name: str
    keys: Keys
    index: VectorIndex
    alignment: Alignment | None
    close: float | None = None  # nearness from which a passage may answer; None while nobody has measured the encoder

    def aligned(self, vectors: Vectors) -> Vectors:
        """Move raw vectors to where the index has its own."""
        return self.alignment.apply(vectors) if self.alignment and len(vectors) else vectors

    def judged(self, vectors: Vectors) -> Vectors:
        """Move raw vectors to where nearness means the same in every library."""
        whole = self.alignment and self.alignment.whole
        return whole.apply(vectors) if whole and len(vectors) else vectors

    @property
    def last_key(self) -> int:
        """The newest passage in it; later ones are searched beside it."""
        return int(self.keys[-1]) if len(self.keys) else 0


def build(library: Library) -> Generation:
    """Build a generation from the library's vectors, without the encoder, and put it in use."""
    folder = library.folder / "generations"
    with room.noticing(library.folder):
        folder.mkdir(exist_ok=True)
        with FileLock(library.folder / ".building"):
            return _built(library, folder)


def _built(library: Library, folder: Path) -> Generation:
    token = secrets.token_hex(8)  # ties the generation to this library file: one restored from a backup has other passages under the same keys
    prior = prior_for(library)
    with library.snapshot():
        keys, vectors = library.vectors()
        alignment = fit(vectors, library.passage_languages(), prior)
    index = VectorIndex.of(alignment.apply(vectors) if alignment else vectors)
    name = f"{max([0, *map(int, _names(folder))]) + 1:04}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        made = Path(scratch) / "generation"
        made.mkdir()
        index.save(made / "vectors.faiss")
        np.save(made / "keys.npy", keys)
        if alignment:
            whole = alignment.whole or alignment
            np.savez(made / "alignment.npz", matrix=alignment.matrix, offset=alignment.offset, whole_matrix=whole.matrix, whole_offset=whole.offset)
        checksums = {path.name: checksum(path) for path in sorted(made.iterdir())}
        close = prior.close if prior else None
        about = {"encoder": library.meta("encoder"), "prior": prior_name(library), "close": close}
        manifest = {"format": FORMAT, **about, "token": token, "passages": len(keys), "checksums": checksums}
        (made / "manifest.json").write_text(json.dumps(manifest, indent=1))
        for path in made.iterdir():
            sync_file(path)
        sync_folder(made)
        made.replace(folder / name)
    _put_in_use(folder, name)
    library.set_meta("generation", token)
    for old in _names(folder)[:-KEPT]:
        shutil.rmtree(folder / old)
    return Generation(name, keys, index, alignment, close)


def current_name(library: Library) -> str:
    """The name of the generation in use, or "" when none was built yet."""
    try:
        name = (library.folder / "generations" / "current").read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    return name if name.isdigit() else ""


def load(library: Library) -> Generation:
    """Load the generation in use; raises DamagedGenerationError when there is none or its files are not as built."""
    name = current_name(library)
    folder = library.folder / "generations" / name
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] != FORMAT or manifest["encoder"] != library.meta("encoder"):
            raise DamagedGenerationError(f"generation {name} was made by another version or another encoder")
        if manifest["prior"] != prior_name(library):
            raise DamagedGenerationError(f"generation {name} was made when less, or something else, was known of the encoder's languages")
        if manifest["token"] != library.meta("generation"):
            raise DamagedGenerationError(f"generation {name} was not built from this library.sqlite")
        for file, expected in manifest["checksums"].items():
            if checksum(folder / file) != expected:
                raise DamagedGenerationError(f"{folder / file} has changed since it was built")
        index = VectorIndex.load(folder / "vectors.faiss")
        return Generation(name, np.load(folder / "keys.npy"), index, _alignment(folder / "alignment.npz"), manifest["close"])
    except (OSError, ValueError, KeyError) as error:
        raise DamagedGenerationError(f"generation {name or '(none)'} cannot be read: {error}") from error


def load_or_build(library: Library) -> Generation:
    """Load the generation in use; a damaged one is set aside and built again from the library."""
    try:
        return load(library)
    except DamagedGenerationError:
        (library.folder / "generations").mkdir(exist_ok=True)
        with FileLock(library.folder / ".building"):
            return _load_or_build_again(library)


def _load_or_build_again(library: Library) -> Generation:
    """Do so alone: another process may just have put things right."""
    try:
        return load(library)
    except DamagedGenerationError as error:
        name = current_name(library)
        folder = library.folder / "generations" / name
        if name and folder.exists():
            log.warning("%s; setting it aside and building it again.", error)
            folder.replace(folder.with_name(f"damaged-{name}-{os.getpid()}"))
        return _built(library, folder.parent if name else folder)


def _alignment(path: Path) -> Alignment | None:
    if not path.exists():
        return None
    with np.load(path) as stored:
        return Alignment(stored["matrix"], stored["offset"], Alignment(stored["whole_matrix"], stored["whole_offset"]))


def _put_in_use(folder: Path, name: str) -> None:
    with replacing(folder / "current") as written:
        written.write_text(name)


def _names(folder: Path) -> list[str]:
    return sorted((path.name for path in folder.iterdir() if path.is_dir() and path.name.isdigit()), key=int)
