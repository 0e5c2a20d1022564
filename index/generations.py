"""What a library is searched by: one generation, built beside the one in use and put in its place by one transaction of the library.

What is small is searched exactly, by the vectors that the library has, so none of them is kept twice; what is large by an index of FAISS's, or of the
engine's where the rows are there. The library notes which generation is in use, which one was before it, and which one waits to be published
(index/candidate.py). All of it is derived from the library and may be thrown away. A generation that is damaged is set aside, never deleted.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from index import common_words, room
from index import generation_files as files
from index.alignment import Alignment, Languages, fit_languages, load_alignment, save_alignment
from index.durable import checksum
from index.encoder import Vectors
from index.generation_files import Named
from index.inverted import InvertedIndex
from index.language_priors import prior_for, prior_name
from index.library import Library
from index.store import BusyLibraryError
from index.stored import Lengths, StoredVectors, exact, inverted, raw_blocks
from index.vector_rows import Keys
from index.vectors import Index
from ingest.records import IsoglossError

log = logging.getLogger(__name__)

STEPS = 1000  # at most, in which words are settled: whoever writes meanwhile makes more of them
FORMAT = 6  # of a generation; an older one is built again. Raise it when the formula of the alignment changes
EXACT = 20_000  # passages, at most, that are searched exactly, all in memory; bench/vector_search.py argues it
PATIENCE = 600  # seconds that another process may take to write a generation

Progress = Callable[[int, int], None]  # passages done, of how many; may raise, to end what is done

Role = Literal["generation", "generation_before", "generation_candidate"]  # what a generation is to the library; its name in the table meta
IN_USE: Role = "generation"
BEFORE: Role = "generation_before"  # kept so that it can be brought back
CANDIDATE: Role = "generation_candidate"
ROLES = (IN_USE, BEFORE, CANDIDATE)


class DamagedGenerationError(Exception):
    """A generation is not what its manifest says."""


NONE = Named("", "")


@dataclass(frozen=True, slots=True)
class Generation:
    """One built index: row i of `index` is the passage `keys[i]`; keys grow, and up to the last of them none is left out that was there."""

    named: Named  # NONE until it is on disk
    keys: Keys
    index: Index
    alignment: Alignment | None
    close: float | None  # nearness from which a passage may answer; None while nobody has measured the encoder
    encoder: str  # fingerprint; "" where it was made of a library that had none yet, and holds nothing
    prior: str  # what was known of the encoder's languages, as prior_name tells it
    lengths: Lengths | None = None  # of the vectors once moved, where the index reads them from the library

    @property
    def name(self) -> str:
        return self.named.name

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


def make(library: Library, encoder: str | None = None, progress: Progress = lambda *_: None) -> Generation:
    """Make a generation in memory from the vectors of an encoder, given by its fingerprint; None stands for that of the library.

    It ends before the first passage that has no such vector: what comes after counts as newer than the generation. The vectors are gone through
    twice, some at a time, so that a million take no more room than a few; what is removed meanwhile is left out.
    """
    fingerprint = library.meta("encoder") if encoder is None else encoder
    prior, known = prior_for(library, fingerprint), prior_name(library, fingerprint)
    last, total = library.last_with_vector(fingerprint)
    keys, gathered = np.zeros(0, np.int64), Languages()
    parts = []
    for block, vectors in raw_blocks(library, fingerprint, last):
        gathered.add(vectors, library.languages_of(block))
        parts.append(block)
        progress(sum(map(len, parts)) // 3, total)
    keys = np.concatenate([keys, *parts])
    stored = StoredVectors(library, fingerprint, keys, fit_languages(gathered, prior), np.zeros(len(keys), np.float32))
    large = library.store.large.make if library.store.large else inverted
    index = exact(stored) if len(keys) <= EXACT else large(stored, lambda share: progress(int((1 + 2 * share) * total / 3), total))
    lengths = stored.lengths if isinstance(index, InvertedIndex) else None
    return Generation(NONE, keys, index, stored.alignment, prior.close if prior else None, fingerprint, known, lengths)


def build(library: Library) -> Generation:
    """Make a generation by the library's encoder, without running it, and put it in use."""
    made = make(library)
    with building(library):
        made = save(library, made)
        put_in_use(library, made)
    return made


@contextmanager
def building(library: Library, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the folder of generations; whatever changes in it, or in what is in use, happens within. Raises BusyLibraryError and FullDiskError."""
    with room.noticing(library.folder):
        (library.folder / "generations").mkdir(exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(library.store.lock("building", patience))
            except TimeoutError as error:
                raise BusyLibraryError(f"Another process is writing a generation of {library.folder}; try again in a minute.") from error
            yield


def save(library: Library, made: Generation, preview: str = "") -> Generation:
    """Write a generation to disk, whole or not at all, with what is to be seen before it is published; it is not in use yet. Within `building`."""
    _settle_words(library)
    common_words.keep(library)
    with files.written(library) as folder:
        _write(library, made, folder)
        if preview:
            (folder / "preview.json").write_text(preview, "utf-8")
        about = {"encoder": made.encoder, "prior": made.prior, "close": made.close, "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        counted = {"passages": len(made.keys), "last_key": made.last_key, "salt": secrets.token_hex(8)}
        manifest = {"format": FORMAT, **about, **counted, "checksums": {path.name: checksum(path) for path in sorted(folder.iterdir())}}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        return replace(made, named=files.put(library, folder))


def named(library: Library, role: Role = IN_USE) -> Named:
    """Which generation has this role; NONE where none has."""
    name, _, token = library.meta(role).partition(" ")
    return Named(name, token) if name.isdecimal() else NONE


def current_name(library: Library) -> str:
    """The name of the generation in use, or "" when none was built yet."""
    return named(library).name


def assign(library: Library, roles: Mapping[Role, Named]) -> None:
    """Note which generation has which role, in the transaction that is open in this thread, if any. Within `building`."""
    with library.transaction(contents=IN_USE in roles):
        for role, one in roles.items():
            library.set_meta(role, " ".join(one).strip())


def put_in_use(library: Library, made: Generation) -> None:
    """Let readers be served by a generation that is on disk; the one that served them is kept, the one before that goes. Within `building`."""
    assign(library, {BEFORE: named(library), IN_USE: made.named})
    sweep(library)


def sweep(library: Library) -> None:
    """Remove the generations without a role, and what an interrupted build has left. Within `building`."""
    files.sweep(library, [named(library, role) for role in ROLES])


def is_current(library: Library) -> bool:
    """Whether another one would be made now of the same passages, with the same known of the encoder's languages; looks at what is noted only."""
    try:
        manifest = json.loads((files.folder_of(library, named(library)) / "manifest.json").read_text())
        there, newer = library.passages_around(manifest["last_key"])
        return bool(
            (manifest["format"], manifest["encoder"], manifest["prior"], manifest["passages"], 0)
            == (FORMAT, library.meta("encoder"), prior_name(library), there, newer)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check(library: Library, role: Role = IN_USE) -> dict[str, Any]:
    """The manifest of a generation; raises DamagedGenerationError when its files are not as built, or it cannot serve this library."""
    with library.snapshot():
        (name, token), encoder = named(library, role), library.meta("encoder")
    try:
        folder = files.folder_of(library, Named(name, token))
        if checksum(folder / "manifest.json") != token:
            raise DamagedGenerationError(f"generation {name} was not built from this library.sqlite, or its manifest has changed")
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] != FORMAT or (role == IN_USE and manifest["encoder"] not in ("", encoder)):
            raise DamagedGenerationError(f"generation {name} was made by another version or another encoder")
        for file, expected in manifest["checksums"].items():
            if checksum(folder / file) != expected:
                raise DamagedGenerationError(f"{folder / file} has changed since it was built")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedGenerationError(f"generation {name or '(none)'} cannot be read: {error}") from error
    return manifest | {"named": Named(name, token)}


def load(library: Library, role: Role = IN_USE) -> Generation:
    """Load a generation; raises DamagedGenerationError as `check` does."""
    manifest = check(library, role)
    folder = files.home(library) / manifest["named"].name
    try:
        keys, alignment = np.load(folder / "keys.npy"), load_alignment(folder / "alignment.npz")
        lengths = np.load(folder / "lengths.npy") if "lengths.npy" in manifest["checksums"] else None
        stored = StoredVectors(library, manifest["encoder"], keys, alignment, lengths)
        index = _index(library, folder, manifest["checksums"], stored)
    except (OSError, RuntimeError, ValueError, LookupError) as error:  # swept since it was checked, because others have been published
        raise DamagedGenerationError(f"generation {folder.name} cannot be read: {error}") from error
    return Generation(manifest["named"], keys, index, alignment, manifest["close"], manifest["encoder"], manifest["prior"], lengths)


def load_or_build(library: Library) -> Generation:
    """Load the generation in use. A damaged one is set aside and made again, exactly, from the library; where that cannot be written, it serves from memory."""
    if not library.meta("encoder"):
        return make(library)  # nothing was encoded yet, so there is nothing to keep
    try:
        return load(library)
    except DamagedGenerationError:
        pass  # looked at again below, alone: another process may just have put things right
    made = None
    try:
        with building(library):
            try:
                return load(library)
            except DamagedGenerationError as error:
                if named(library) != NONE:  # where none is noted, nothing is wrong: the library is new, or an older version made it
                    log.warning("%s; setting it aside and building it again.", error)
            if library.store.large:
                set_aside(library, IN_USE)
                with suppress(DamagedGenerationError):
                    return load(library)  # its files are in the engine too
            made = make(library)
            set_aside(library, IN_USE)
            made = save(library, made)
            assign(library, {IN_USE: made.named})
            sweep(library)
            return made
    except (OSError, IsoglossError) as error:
        log.warning("No generation can be written: %s. Search goes on from memory; run: isogloss ingest, or restart, once that is mended.", error)
        return replace(made or make(library), named=named(library))


def set_aside(library: Library, role: Role) -> None:
    """Move a generation that is damaged out of the way; it is left for whoever wants to know what happened. Within `building`."""
    files.set_aside(library, named(library, role))


def _settle_words(library: Library) -> None:
    """Let words be found fastest, a step at a time, between which others may write."""
    for step in range(STEPS):
        with library.transaction(contents=False) as run:
            if not library.store.words.settle(run, anew=step == 0):
                return


def _write(library: Library, made: Generation, folder: Path) -> None:
    np.save(folder / "keys.npy", made.keys)
    if isinstance(made.index, InvertedIndex) and made.lengths is not None:
        made.index.save(folder / "vectors.faiss")
        np.save(folder / "lengths.npy", made.lengths)
    elif library.store.large and len(made.keys) > EXACT:
        (folder / files.TABLE).write_text(library.store.large.keep(made.index))
    if made.alignment:
        save_alignment(made.alignment, folder / "alignment.npz")


def _index(library: Library, folder: Path, there: Mapping[str, str], stored: StoredVectors) -> Index:
    """The index of a generation with these files."""
    if files.TABLE in there:
        if library.store.large is None:
            raise LookupError("its vectors are in an engine, and the library's rows are not")
        return library.store.large.load((folder / files.TABLE).read_text(), stored)
    return InvertedIndex.load(folder / "vectors.faiss", stored) if "vectors.faiss" in there else exact(stored)
