"""Readers search while the library changes under them: over HTTP, with the default encoder and the sample library.

    python -m bench.readers [--readers 50] [--seconds 60]

Three times: one reader without pauses on the idle machine; all readers, each of whom asks a question of the sample, reads for some ten seconds
and asks the next; and the same while other processes read and encode the whole sample again, edition by edition, and put a new generation in use
every few seconds. Counted: answers that are errors, and wrong hits, whose marked sentence does not begin on the page that is named. Times are
ratios to the median of the idle machine; the ask is a 99th percentile under ten times that. Exit code 1 when anything is missed.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from bench.sample_questions import questions_of
from index import generations
from index.library import Library
from ingest.records import Page

CORPUS = Path("corpus")
READING = (5.0, 15.0)  # seconds that a reader reads before the next question, evenly distributed
SWAP = 5.0  # seconds between two generations
BEGINNING = 12  # characters of a sentence that are looked for on its page
START, END = 300.0, 30.0  # seconds that a server may take to say where it answers, and to end
MOST = 10  # times the idle median, at most, at the 99th percentile
ISOGLOSS = (sys.executable, "-c", "from search_app.cli import main; main()")


@dataclass
class Tally:
    """What readers were answered."""

    seconds: list[float] = field(default_factory=list)
    hits: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@click.command()
@click.option("--readers", type=click.IntRange(1), default=50, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=60, show_default=True)
def main(readers: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([*ISOGLOSS, "ingest", CORPUS, "--library", folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        library = Library.open(folder)
        texts = {state.edition.edition_id: list(map(read_on, library.pages(state.edition.edition_id))) for state in library.edition_states()}
        asked = [question.text for question in questions_of(CORPUS)]
        with serving(folder) as address:
            for question in asked:
                ask(address, question, texts, Tally())  # warm: what is marked once is kept
            idle = ask_for(address, asked, texts, 1, seconds // 3, pauses=False)
            quiet = ask_for(address, asked, texts, readers, seconds)
            before = library.revision(), generations.current_name(library)
            with changing(library):
                busy = ask_for(address, asked, texts, readers, seconds)
            after = library.revision(), generations.current_name(library)
    median = float(np.median(idle.seconds))
    click.echo(f"idle median {1000 * median:.0f} ms; meanwhile {after[0] - before[0]} commits, generations {before[1]} to {after[1]}")
    click.echo("| | answers | errors | hits | wrong | p50 | p95 | p99 |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, tally in (("one reader", idle), (f"{readers} readers", quiet), (f"{readers} readers, ingest and swaps", busy)):
        ratios = np.percentile(tally.seconds, [50, 95, 99]) / median
        figures = " | ".join(f"{ratio:.1f}" for ratio in ratios)
        click.echo(f"| {name} | {len(tally.seconds)} | {len(tally.errors)} | {tally.hits} | {len(tally.wrong)} | {figures} |")
        for line in [*tally.errors, *tally.wrong][:5]:
            click.echo(line)
    missed = any(tally.errors or tally.wrong for tally in (idle, quiet, busy)) or np.percentile(busy.seconds, 99) > MOST * median
    sys.exit(1 if missed else 0)


def read_on(page: Page) -> tuple[str, str]:
    """The text of a page, and its footnotes: a sentence at the end goes on past them, on the next page."""
    border = page.footnotes if page.footnotes >= 0 else len(page.text)
    return page.text[:border].rstrip("\n"), page.text[border:]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """Serve the library in a process of its own; yields its address. The process ends with the block, whatever becomes of it.

    Not by SIGINT, which a shell lets everything ignore that it runs in the background.
    """
    server = subprocess.Popen([*ISOGLOSS, "serve", "--port", "0", "--library", folder, *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    late = threading.Timer(START, server.kill)
    late.start()
    try:
        address = next((word for line in server.stdout for word in line.split() if word.startswith("http://")), None)
        late.cancel()
        if address is None:
            raise click.ClickException(
                f"The server ended with {server.wait()} before it said where it answers, or said nothing for {START:.0f} seconds."
            )
        yield address
    finally:
        late.cancel()
        server.terminate()
        try:
            server.wait(END)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def changing(library: Library) -> Iterator[None]:
    """Read and encode everything again and again, in another process, and swap generations meanwhile."""
    over = threading.Event()

    def ingest() -> None:
        while not over.is_set():
            with subprocess.Popen(
                ["nice", *ISOGLOSS, "ingest", CORPUS, "--again", "--library", library.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                while process.poll() is None and not over.wait(0.2):
                    pass
                process.terminate()

    def swap() -> None:
        while not over.wait(SWAP):
            generations.build(library)

    threads = [threading.Thread(target=ingest), threading.Thread(target=swap)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def ask_for(address: str, asked: Sequence[str], texts: Mapping[str, Sequence[str]], readers: int, seconds: float, pauses: bool = True) -> Tally:
    """Let so many readers ask for so long."""
    tally, end = Tally(), time.monotonic() + seconds

    def read(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.uniform(0, READING[1]) if pauses else 0)
        while time.monotonic() < end:
            ask(address, chance.choice(asked), texts, tally)
            time.sleep(chance.uniform(*READING) if pauses else 0)

    threads = [threading.Thread(target=read, args=[number]) for number in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def ask(address: str, question: str, texts: Mapping[str, Sequence[str]], tally: Tally) -> None:
    """Ask one question as a reader's browser does, and look whether what is marked stands where it is said to."""
    start = time.monotonic()
    try:
        with urllib.request.urlopen(f"{address}/api/v1/search?{urllib.parse.urlencode({'q': question})}", timeout=120) as response:
            answer = json.load(response)
    except (urllib.error.URLError, OSError, ValueError) as error:
        tally.errors.append(f"{type(error).__name__}: {error}")
        return
    tally.seconds.append(time.monotonic() - start)
    for hit in answer["hits"]:
        tally.hits += 1
        sentence = next((mark for mark in hit["marks"] if mark["why"] == "meaning"), None)
        if hit["page"] and sentence:
            (body, notes), (after, _) = [*texts[hit["edition_id"]], ("", "")][hit["page"] - 1 : hit["page"] + 1]
            if hit["text"][sentence["start"] : sentence["end"]][:BEGINNING] not in f"{body} {after}\n{body}{after}\n{notes}":
                tally.wrong.append(f"{hit['edition_id']}, page {hit['page']}: {hit['text'][:80]}")


if __name__ == "__main__":
    main()
