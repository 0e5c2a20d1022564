"""What the commands share: their options, their exit codes, and errors without tracebacks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index import room
from index.encoder import DEFAULT
from ingest.records import IsoglossError
from search_app.plain import for_terminal
from search_app.terminal import errors

if TYPE_CHECKING:
    from index.encoder import Encoder
    from index.library import Library

TROUBLE = 1  # exit code: the work was done, and something in it needs attention
UNUSABLE = 2  # exit code: wrong use, or nothing could be done (click's own code for wrong options)
INTERRUPTED = 130

LIBRARY = click.option(
    "--library", "folder", type=click.Path(file_okay=False, path_type=Path), default="library", show_default=True, envvar="ISOGLOSS_LIBRARY",
    help="The folder of the library. [env: ISOGLOSS_LIBRARY]",
)  # fmt: skip
ENCODER = click.option(
    "--encoder", "encoder_name", default="", envvar="ISOGLOSS_ENCODER",
    help="A sentence-transformers model by folder or hub name; the default one comes with the installation. [env: ISOGLOSS_ENCODER]",
)  # fmt: skip
LOG_FORMAT = click.option(
    "--log-format", type=click.Choice(["plain", "json"]), default="plain", show_default=True, envvar="ISOGLOSS_LOG",
    help="How the log is written to standard error; as JSON, with a line for each request. [env: ISOGLOSS_LOG]",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_library(folder: Path, create: bool = False) -> Library:
    """The library in a folder, made when there is none and `create` says so."""
    from index.library import Library

    return Library.create(folder) if create else Library.open(folder)


def open_encoder(name: str, library: Library | None = None) -> Encoder:
    """The encoder of this name; for "" that of the library, as far as its name is known, else the default one. Loading it is said."""
    from index import sentence_encoder

    name = name or (library.encoder_name() if library else "")

    with errors.status("Loading the encoder (the first time it is prepared, which takes a minute)"):
        return sentence_encoder.open_encoder(name)


def encoders_of(library: Library, threads: int = 0) -> Callable[[str], Encoder]:
    """What opens encoders for a server or a worker: that of the library for "". No hub is asked for what somebody types in a browser."""

    def opened(name: str) -> Encoder:
        from index import sentence_encoder

        return sentence_encoder.open_encoder(name or library.encoder_name(), fetch=False, threads=threads)

    return opened


def remember_encoder(library: Library, encoder: Encoder, name: str) -> None:
    """Note by which name the library's encoder was opened, so that it need not be given to the next command."""
    name = name or library.encoder_name() or DEFAULT
    whole = str(Path(name).absolute()) if Path(name).is_dir() else name
    if encoder.fingerprint == library.meta("encoder") and whole != library.encoder_name():
        library.name_encoder(encoder.fingerprint, whole)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a user can mend into a message and an exit code, without a traceback."""
    try:
        yield
    except (IsoglossError, OSError) as error:  # also a folder that may not be written
        click.echo(for_terminal(f"Error: {_said(error)}"), err=True)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        click.echo("Interrupted. What was done is kept; the same command goes on from there.", err=True)
        sys.exit(INTERRUPTED)


def _said(error: IsoglossError | OSError) -> str:
    if isinstance(error, OSError) and room.is_for_want_of_room(error):
        return str(room.no_room(Path(error.filename or ".").absolute().parent))
    return str(error)
