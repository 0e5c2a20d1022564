"""How many readers one server bears: over HTTP, on one machine that both the server and those who ask must share.

    python -m bench.load --library FOLDER --queries QUERIES.jsonl [--seconds 10]

First a closed loop: 1, 8, 32 and more readers, each of whom asks the next question as soon as the last is answered, twice: questions that nobody
has asked before, and the same again. Then an open loop: questions arrive at random moments, at a rate that rises until the server breaks. The
highest rate whose 99th percentile stays under the limit, and the first that does not, are published; past that, what counts is how soon "busy,
try again" comes, and how soon a page comes that costs nothing. Times are from the moment at which a question was to be asked, so a client that
falls behind makes nothing look better. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import click
import numpy as np

from bench.readers import serving
from bench.table import Row, table

LIMIT = 0.25  # seconds at the 99th percentile
READERS = (1, 8, 32, 64)
ASKED_FOR = (1, 8, 32)  # at which the 99th percentile is to stay under the limit
KNOWN = 30  # questions that are asked over and over; what their answers are made of stays in memory
GROWTH = 1.25  # from one rate of arrivals to the next
PAST = (2, 4)  # times the highest rate that was borne, at which the server is to stay polite
HANG = 10.0  # seconds after which a question counts as never answered
QUICK = 1.5  # seconds within which "busy" must be said: as long as a reader is let wait, and half a second
PAUSE = 0.1  # seconds after a question that failed, so that a server that is gone is not asked thousands of times
CROWD = 400  # questions under way at once, at most, so that the client stays a client


@dataclass
class Tally:
    """What one round of questions met with, in seconds from the moment when each was to be asked."""

    answered: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cheap: list[float] = field(default_factory=list)  # what /health took meanwhile
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.answered) / self.seconds

    @property
    def share_busy(self) -> float:
        return len(self.busy) / max(1, len(self.busy) + len(self.answered) + len(self.failed))

    def is_borne(self) -> bool:
        return not self.busy and not self.failed and at(self.answered, 99) < LIMIT


class Questions:
    """Questions of a collection in an order drawn by chance, each once; then from the start again."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = random.Random(7).sample(texts, len(texts))
        self._next, self._lock = 0, threading.Lock()

    def take(self) -> str:
        with self._lock:
            self._next += 1
            return self._texts[(self._next - 1) % len(self._texts)]

    def others(self, count: int) -> Questions:
        """The next so many, to be asked over and over."""
        return Questions([self.take() for _ in range(count)])


class Reader:
    """Asks over one connection, which is kept open; a browser's request without a browser's work."""

    def __init__(self, address: str, path: str = "/?q=") -> None:
        self._place, self._path = urlsplit(address), path
        self._line: http.client.HTTPConnection | None = None

    def ask(self, question: str, tally: Tally, since: float) -> None:
        try:
            status = self._status(self._path + quote(question))
        except (OSError, http.client.HTTPException) as error:
            tally.failed.append(type(error).__name__)
            self._line = None
            time.sleep(PAUSE)
            return
        seconds = time.monotonic() - since
        if status == 200:
            tally.answered.append(seconds)
        elif status == 503:
            tally.busy.append(seconds)
        else:
            tally.failed.append(str(status))

    def _status(self, path: str) -> int:
        if self._line is None:
            self._line = http.client.HTTPConnection(str(self._place.hostname), self._place.port, timeout=HANG)
            self._line.connect()
            self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept-Language": "en"})
        answer = self._line.getresponse()
        answer.read()
        return answer.status


@click.command()
@click.option("--library", "folder", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--queries", type=click.Path(exists=True, path_type=Path), required=True, help='Lines of JSON, each with "text".')
@click.option("--seconds", type=click.IntRange(1), default=10, show_default=True, help="For each round.")
@click.option("--places", type=click.IntRange(1), help="Of the server; its own choice unless given.")
@click.option("--closed", is_flag=True, help="The closed loop only.")
def main(folder: Path, queries: Path, seconds: int, places: int | None, closed: bool) -> None:
    found = list(rows(folder, queries, seconds, places, closed))
    click.echo("Client and server share the processors of this machine.\n")
    click.echo(table(found))
    sys.exit(1 if any(row.reached is False for row in found) else 0)


def rows(folder: Path, queries: Path, seconds: float = 10, places: int | None = None, closed: bool = False) -> Iterator[Row]:
    """Serve the library and ask."""
    texts = [json.loads(line)["text"] for line in queries.read_text("utf-8").splitlines()]
    options = ["--no-work", *(["--places", str(places)] if places else [])]
    with serving(folder, *options) as address:
        questions = Questions(texts)
        closed_loop(address, questions, 2, 2)  # what is opened at the first question is open
        yield from _closed_rows(address, questions, seconds)
        if not closed:
            yield from _open_rows(address, questions, seconds)


def closed_loop(address: str, questions: Questions, readers: int, seconds: float) -> Tally:
    """So many readers ask without a pause for so long."""
    tally, end = Tally(), time.monotonic() + seconds

    def read() -> None:
        reader = Reader(address)
        while (now := time.monotonic()) < end:
            reader.ask(questions.take(), tally, now)

    return _timed(tally, address, lambda: _in_threads(read, readers))


def open_loop(address: str, questions: Questions, rate: float, seconds: float) -> Tally:
    """Questions arrive at random moments, so many a second on average, whether the last are answered or not."""
    tally, chance, idle = Tally(), random.Random(int(rate)), [Reader(address) for _ in range(CROWD)]

    def ask(since: float) -> None:
        reader = idle.pop()
        reader.ask(questions.take(), tally, since)
        idle.append(reader)

    def arrive() -> None:
        due, end = time.monotonic(), time.monotonic() + seconds
        with ThreadPoolExecutor(CROWD) as crowd:
            while (due := due + chance.expovariate(rate)) < end:
                time.sleep(max(0.0, due - time.monotonic()))
                crowd.submit(ask, due)

    return _timed(tally, address, arrive)


def at(seconds: Sequence[float], percentile: float) -> float:
    return float(np.percentile(seconds, percentile)) if seconds else float("inf")


def _closed_rows(address: str, questions: Questions, seconds: float) -> Iterator[Row]:
    known, alone = questions.others(KNOWN), Reader(address)
    for _ in range(KNOWN):
        alone.ask(known.take(), Tally(), time.monotonic())
    for readers in READERS:
        yield _row(f"{readers} readers without pause, new questions", closed_loop(address, questions, readers, seconds), readers in ASKED_FOR)
        yield _row(f"{readers} readers without pause, asked before", closed_loop(address, known, readers, seconds))


def _open_rows(address: str, questions: Questions, seconds: float) -> Iterator[Row]:
    """Rates that rise until one is not borne; then some far past that."""
    rate, borne = 2.0, 1.0
    while (tally := open_loop(address, questions, rate, seconds)).is_borne():
        yield _row(f"{rate:.0f} questions a second arrive", tally)
        rate, borne = rate * GROWTH, rate
    yield _row(f"it breaks: {rate:.0f} questions a second arrive", tally)
    for times in PAST:
        tally = open_loop(address, questions, times * borne, seconds)
        told = at(tally.busy or [0.0], 99)
        yield replace(
            _row(f"{times * borne:.0f} questions a second arrive, {times} times what is borne", tally),
            ratio=f"busy said in {told / QUICK:.2f} x {QUICK:.1f} s",
            target=f"busy within {QUICK:.1f} s, none fails",
            reached=not tally.failed and told < QUICK,
        )


def _timed(tally: Tally, address: str, work: Callable[[], None]) -> Tally:
    """Do it, and look meanwhile how long a page takes that costs nothing."""
    over, watch, start = threading.Event(), Reader(address, "/health?"), time.monotonic()

    def look() -> None:
        seen = Tally()
        while not over.wait(0.1):
            watch.ask("", seen, time.monotonic())
        tally.cheap += seen.answered
        tally.failed += seen.failed

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        work()
        tally.seconds = time.monotonic() - start
    finally:
        over.set()  # else it would look for ever
        looking.join()
    if tally.failed and not (tally.answered or tally.busy):
        raise click.ClickException(f"The server at {address} is gone: {tally.failed[-1]}.")
    return tally


def _in_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _row(what: str, tally: Tally, asked: bool = False) -> Row:
    median, most, last = (_ms(tally.answered, place) for place in (50, 95, 99))
    figure = f"{tally.rate:.1f} answers/s, p50 {median}, p95 {most}, p99 {last}; busy {tally.share_busy:.0%}"
    figure += f", said in {_ms(tally.busy, 99)}" if tally.busy else ""
    figure += f"; {len(tally.failed)} failed" if tally.failed else ""
    figure += f"; a page that costs nothing, p99 {_ms(tally.cheap, 99)}"
    ratio = f"p99 {at(tally.answered, 99) / LIMIT:.2f} x {1000 * LIMIT:.0f} ms"
    return Row("4", what, figure, ratio, f"p99 under {1000 * LIMIT:.0f} ms" if asked else "", tally.is_borne() if asked else None)


def _ms(seconds: Sequence[float], percentile: float) -> str:
    return f"{1000 * at(seconds, percentile):.0f} ms" if seconds else "-"


if __name__ == "__main__":
    main()
