"""The command that reads and encodes for libraries on other machines."""

from __future__ import annotations

import click

from search_app.options import ENCODER, plain_errors


@click.command("ingest-worker", epilog="Example: isogloss ingest-worker tcp://127.0.0.1:8786")
@click.argument("address")
@click.option("--readers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that read files.")
@click.option("--threads", type=click.IntRange(0, 64), default=0, help="Threads that encode; 0 is as many as the processor is made for.")
@click.option("--memory-limit", default="auto", show_default=True, help='At which the worker is started anew: "4 GiB"; auto is what the machine has.')
@ENCODER
def ingest_worker(address: str, readers: int, threads: int, memory_limit: str, encoder_name: str) -> None:
    """Read and encode for whoever asks the Dask scheduler at ADDRESS, until interrupted; as many of these as you like, on any machine.

    The encoder must be that of the library. Exit code 2 when the scheduler has gone.
    """
    with plain_errors():
        from search_app.intake import needing_dask

        with needing_dask():
            from search_app.cluster.worker import Setup, work_for

        work_for(address, Setup(encoder_name, threads, readers), memory_limit)
    click.echo("Interrupted. What was in hand is given to other workers.", err=True)


COMMANDS = (ingest_worker,)
