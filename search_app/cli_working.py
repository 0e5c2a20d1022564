"""The command that does the jobs of the desk."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import click

from search_app.options import ENCODER, LIBRARY, LOG_FORMAT, WORKERS, encoders_of, open_library, plain_errors


@click.command(epilog="Example: isogloss work --until-idle")
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do, instead of waiting for more.")
@click.option("--tied", is_flag=True, help="End when standard input does: the process that started this one has died.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads that encode. Readers want the other processors.")
@click.option("--nice", type=click.IntRange(0, 19), default=10, show_default=True, help="How far readers and other programs go first.")
@LOG_FORMAT
@WORKERS
@LIBRARY
@ENCODER
def work(until_idle: bool, tied: bool, threads: int, nice: int, log_format: str, workers: int | str, folder: Path, encoder_name: str) -> None:
    """Do the jobs that analysts asked for at the desk. `isogloss serve` does so by itself unless it is told --no-work.

    One process at a time does the jobs of a library: a second one waits until that has ended, or with --until-idle says so and ends with 0. What is
    stopped or dies is taken up by the next.
    """
    os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))  # before anything that computes is imported
    from search_app import logs, supervision, worker

    with plain_errors():
        logs.set_format(log_format)
        library = open_library(folder)
        _end_politely(tied)
        if not until_idle:
            same = ("--threads", str(threads), "--nice", str(nice), "--workers", str(workers))
            with suppress(KeyboardInterrupt):  # which is how this ends when all is well
                supervision.Supervisor(library, supervision.command(folder, encoder_name, *same)).run()
            return
        os.nice(nice)
        opened = encoders_of(library, threads)
        if not worker.work(library, lambda name: opened(name or library.encoder_name() or encoder_name), linger=worker.LINGER, workers=workers):
            click.echo(f"Another process does the jobs of {folder} already.", err=True)


def _end_politely(tied: bool) -> None:
    """Treat SIGTERM, and with `tied` the end of standard input, as Ctrl-C; only the first of them counts."""

    def end(*_: object) -> None:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, end)
    if tied:
        threading.Thread(target=_until_input_ends, daemon=True).start()


def _until_input_ends() -> None:
    while os.read(sys.stdin.fileno(), 1):  # not through sys.stdin, whose lock this thread would hold when the process ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


COMMANDS = (work,)
