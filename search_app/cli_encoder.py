"""The command that changes a library's encoder."""

from __future__ import annotations

from pathlib import Path

import click

from search_app.options import LIBRARY, open_library, plain_errors

BY = "isogloss encoder"  # who asked, in the log


@click.command(epilog="Example: isogloss encoder models/multilingual-e5-base --library library")
@click.argument("name")
@LIBRARY
def encoder(name: str, folder: Path) -> None:
    """Ask for the change to the encoder NAME: a sentence-transformers model by folder or hub name, or "default".

    The worker encodes every passage anew while the former encoder serves; what that changes is seen, and published, at the desk.
    """
    from index.changes import Changes
    from index.jobs import Jobs

    with plain_errors():
        library = open_library(folder)
        whole = str(Path(name).absolute()) if Path(name).is_dir() else name
        with library.transaction(contents=False):
            job_id = Jobs(library).add("encoder", BY, arguments={"name": whole})
            Changes(library).note(BY, "encoder asked for", whole)
    click.echo(f"Job {job_id} waits for the worker; the desk shows how far it is, and what comes of it under Search index.")


COMMANDS = (encoder,)
