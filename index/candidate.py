"""Another generation than the one in use: the candidate that waits to be published, and the one before, that can be brought back.

All of it is one transaction of library.sqlite, which notes the encoder too: whatever ends this process, readers are served by one generation
and by the encoder that made it. What comes after the transaction only tidies up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from index.changes import Changes, ConflictError
from index.generation_files import Named, read
from index.generations import (
    BEFORE,
    CANDIDATE,
    IN_USE,
    NONE,
    DamagedGenerationError,
    Generation,
    Role,
    assign,
    building,
    check,
    named,
    save,
    set_aside,
    sweep,
)
from index.library import Library
from ingest.records import IsoglossError

SOON = 20  # seconds that somebody who has pressed a button may wait for another process that writes a generation


class NotReadyError(IsoglossError):
    """A generation cannot serve readers as it is; the message says what to do."""

    def __init__(self, message: str, missing: int = 0) -> None:
        super().__init__(message)
        self.missing = missing  # passages that its encoder has yet to encode; 0 where it is damaged


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a generation without loading it."""

    named: Named
    encoder: str  # fingerprint
    encoder_name: str  # "" for one that nobody has named
    made: str  # ISO 8601, UTC
    passages: int
    newer: int  # passages of the library that came after it; they are searched beside it
    gone: int  # passages in it that have been removed since


def standing(library: Library, role: Role) -> Standing | None:
    """The generation that has this role; None when there is none on disk that can be read."""
    which = named(library, role)
    manifest = read(library, which, "manifest.json", which.token)
    if manifest is None:
        return None
    there, newer = library.passages_around(manifest["last_key"])
    encoder, passages = manifest["encoder"], manifest["passages"]
    return Standing(which, encoder, library.encoder_name(encoder), manifest["made"], passages, newer, passages - there)


def preview(library: Library) -> dict[str, Any] | None:
    """What publishing the candidate would change, as index/preview.py found it; None when there is none."""
    which = named(library, CANDIDATE)
    manifest = read(library, which, "manifest.json", which.token)
    return manifest and read(library, which, "preview.json", manifest["checksums"].get("preview.json", ""))


def keep(library: Library, made: Generation, found: Mapping[str, Any]) -> Named:
    """Keep a generation as the candidate, in place of the one that waits, with its preview; nobody is served by it yet."""
    with building(library):
        saved = save(library, made, json.dumps(found, ensure_ascii=False, indent=1))
        assign(library, {CANDIDATE: saved.named})
        sweep(library)
    return saved.named


def publish(library: Library, by: str, token: str) -> None:
    """Put the candidate of this token in use, and its encoder. Raises ConflictError, NotReadyError, BusyLibraryError."""
    with _swapping(library, CANDIDATE, token) as (candidate, encoder), library.transaction():
        assign(library, {BEFORE: named(library), IN_USE: candidate, CANDIDATE: NONE})
        library.set_meta("encoder", encoder)
        Changes(library).note(by, "generation published", candidate.name)


def roll_back(library: Library, by: str, token: str) -> None:
    """Put the generation before, of this token, in use again, and its encoder; the one in use becomes the one before. Raises as `publish`."""
    with _swapping(library, BEFORE, token) as (before, encoder), library.transaction():
        assign(library, {BEFORE: named(library), IN_USE: before})
        library.set_meta("encoder", encoder)
        Changes(library).note(by, "generation rolled back", before.name)


def discard(library: Library, by: str, token: str) -> None:
    """Drop the candidate of this token. Raises ConflictError."""
    with building(library, SOON):
        candidate = _expected(library, CANDIDATE, token)
        with library.transaction(contents=False):
            assign(library, {CANDIDATE: NONE})
            Changes(library).note(by, "generation discarded", candidate.name)
        sweep(library)


@contextmanager
def _swapping(library: Library, role: Role, token: str) -> Iterator[tuple[Named, str]]:
    """Give a generation that can serve readers, and its encoder, and tidy up once it does."""
    with ExitStack() as held:
        held.enter_context(building(library, SOON))
        wanted = _expected(library, role, token)
        try:
            encoder = str(check(library, role)["encoder"] or library.meta("encoder"))
        except DamagedGenerationError as error:
            set_aside(library, role)
            assign(library, {role: NONE})
            raise NotReadyError(f"{error}. It was set aside; the one in use goes on. Build a new one.") from error
        if encoder != library.meta("encoder"):
            held.enter_context(library.writing())  # nobody is in the middle of encoding by the other one
            missing = len(library.without_vector(encoder))
            if missing:
                raise NotReadyError(
                    f"{missing} passages came, or were read anew, since its encoder was last run. Ask for the change of the encoder once more: "
                    "only those are encoded.",
                    missing,
                )
        yield wanted, encoder
        sweep(library)


def _expected(library: Library, role: Role, token: str) -> Named:
    found = named(library, role)
    if not token or found.token != token:
        raise ConflictError("It is not there any more: somebody else has published, discarded or built one meanwhile. Look at the page again.")
    return found
