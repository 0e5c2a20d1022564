"""Does everything survive kill -9? Web server, worker, ingest and analysts' changes run together; at a random moment one of them, or all, are killed.

Run: python -m bench.survival [--kills 200] [--seed 1] [--folder FOLDER]

Every second kill waits for the step that was hit least so far. After each, at once: a new Searcher answers, and each hit shows the passage
that it scored. Then what was killed is started again, and once the jobs are done: every change that was acknowledged is there, with its file
by its digest and its pages; uploads that were acknowledged are there; `isogloss verify` finds no fault; no job is left open or failed. The
encoder needs no model (bench/hashing.py). Prints how often each step was hit; exit code 1 when anything failed.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import click

from bench import survivors
from index.accounts import Accounts
from index.durable import checksum
from index.jobs import Jobs
from index.library import Library
from index.searcher import Query, Searcher
from index.verification import faults

PASSWORD = "a password of the bench"
SCRIPTS = ["ป่าไม้เป็นของชุมชน", "الغابة ملك للمجتمع", "森林属于社区。", "ደኑ የማህበረሰቡ ነው።", "जंगल समुदाय का है।", "သစ်တောသည် ရပ်ရွာပိုင်ဖြစ်သည်။"]
NAMES = [f"work-{number}" for number in range(12)]  # of publications that are added, changed and removed again and again
PATIENCE = 180.0  # seconds until everything that was left must be done
context = multiprocessing.get_context("forkserver")


@dataclass
class Bench:
    """A library, the processes that work on it, and what was promised."""

    folder: Path
    random: random.Random
    port: int
    running: dict[str, BaseProcess] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)  # publication: the word that stands in it; "" when it was removed
    pending: tuple[str, str] | None = None  # what was asked for and not acknowledged
    uploaded: set[str] = field(default_factory=set)  # digests
    said: int = 0  # lines of the ledger that were read
    hits: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def library(self) -> Library:
        return Library.open(self.folder / "library")

    # -- processes

    def start(self, name: str, what: Callable[..., None], *given: Any) -> None:
        """Start a process unless it runs."""
        if name not in self.running or not self.running[name].is_alive():
            seed = self.random.randrange(2**31)
            self.running[name] = context.Process(target=what, args=(self.folder / "library", seed, *given), name=name)
            self.running[name].start()

    def start_all(self) -> None:
        self.start("web", survivors.web, self.port)
        self.start("worker", survivors.work)
        self.start("ingest", survivors.ingest, self.folder / "corpus")

    def kill(self, names: list[str]) -> None:
        for name in names:
            note = self.folder / f"step-{name}"
            if self.running[name].is_alive():
                os.kill(self.running[name].pid or 0, signal.SIGKILL)
                self.hits[f"{name}: {note.read_text() if note.exists() else 'it starts'}"] += 1
            self.running[name].join()
            note.unlink(missing_ok=True)

    # -- what is done in a round

    def busy(self) -> None:
        """Let analysts, an ingest and a rebuild begin."""
        for number in range(self.random.randrange(1, 4)):
            corpus = self.folder / "corpus" / f"bare-{self.random.randrange(6)}.html"
            corpus.write_text(f"<!doctype html><meta charset=utf-8><p>{self.text(f'corpus{number}')}", "utf-8")
        actions = []
        for name in self.random.sample(NAMES, 4):
            word = "" if self.random.random() < 0.2 else f"w{self.random.randrange(10**9):09}"
            actions.append((name, word, self.text(word)))
        self.start_all()
        self.start("desk", survivors.desk, actions, self.folder / "ledger")
        if self.random.random() < 0.3:
            self.start("rebuild", survivors.rebuild)

    def text(self, word: str) -> str:
        said = self.random.choice(SCRIPTS)
        return f"{word} " + f"{said} " * self.random.randrange(20, 200)

    def strike(self, kill_number: int) -> None:
        """Kill one process, or all, at a random moment or in the step that was hit least."""
        time.sleep(self.random.uniform(0.0, 1.5))
        names = [name for name, process in self.running.items() if process.is_alive()]
        if kill_number % 2:
            names = self._rarest(names) or names
        self.kill(names if self.random.random() < 0.15 else [self.random.choice(names)])

    def _rarest(self, names: list[str]) -> list[str]:
        """Wait up to two seconds for a process to come to a step that was not hit yet, or least."""
        seen: dict[str, str] = {}
        until, most = time.monotonic() + 2, 0
        while time.monotonic() < until:
            for name in names:
                note = self.folder / f"step-{name}"
                step = note.read_text() if note.exists() else ""
                if step and step != "between steps" and self.hits[f"{name}: {step}"] <= most:
                    return [name]
                seen[name] = step
            most = 0 if time.monotonic() < until - 1 else min(self.hits.values(), default=0) + 1
            time.sleep(0.001)
        return []

    # -- what must hold

    def check_at_once(self) -> None:
        """A fresh searcher answers whatever was left lying about."""
        self.read_ledger()
        searcher = Searcher(self.library, survivors.encoder())
        for query in ("ป่าไม้", "森林", "الغابة"):
            searcher.search(Query(query), 5)
        for word in filter(None, self.promised.values()):
            for hit in searcher.search(Query(f'"{word}"', exact=True), 3):
                if word not in hit.hit.passage.text:
                    self.failures.append(f"a hit for {word} shows a passage without it: {hit.hit.passage.text[:80]}")

    def read_ledger(self) -> None:
        ledger = self.folder / "ledger"
        lines = ledger.read_text().splitlines()[self.said :] if ledger.exists() else []
        for line in lines:
            said, name, word = json.loads(line)
            self.pending = (name, word) if said == "asked" else None
            if said == "acknowledged":
                self.promised[name] = word
        self.said += len(lines)

    def settle(self) -> None:
        """Start again what was killed, and wait until nothing is left to do."""
        until = time.monotonic() + PATIENCE
        self.start_all()
        while time.monotonic() < until:
            calm = not any(self.running[name].is_alive() for name in ("ingest", "desk", "rebuild") if name in self.running)
            if calm and self.running["ingest"].exitcode:
                self.start("ingest", survivors.ingest, self.folder / "corpus")
            elif calm and not Jobs(self.library).any_open():
                return
            time.sleep(0.05)
        self.failures.append(f"still open after {PATIENCE:.0f} seconds: {Jobs(self.library).open_jobs()}")

    def check(self) -> None:
        """Everything that was promised is there."""
        self.read_ledger()
        library = self.library
        if self.pending:
            name, word = self.pending
            entry = library.entry(name)
            there = next(iter(entry.titles.values())).split()[0] if entry else ""
            if there == word:  # it was committed, and nobody heard of it
                self.promised[name] = word
            self.pending = None
        self.failures += list(faults(library))
        self.failures += [f"job {job.job_id} ({job.kind}) {job.state}: {job.problem}" for job in Jobs(library).jobs(20) if job.state == "failed"]
        searcher = Searcher(library, survivors.encoder())
        for name, word in self.promised.items():
            self.failures += [f"{name}: {problem}" for problem in self._problems(library, searcher, name, word)]
        for digest in self.uploaded:
            if not library.file(digest).is_file() or checksum(library.file(digest)) != digest:
                self.failures.append(f"the upload {digest} is not there")

    def _problems(self, library: Library, searcher: Searcher, name: str, word: str) -> list[str]:
        entry = library.entry(name)
        if entry is None or not word:
            return [] if entry is None and not word else ["expected to be there" if word else "expected to be gone"]
        states = library.edition_states(name)
        problems = [f"its title is not that of {word}"] if word not in next(iter(entry.titles.values())) else []
        for state in states:
            if state.state not in ("read", "partly read") or state.file != state.edition.digest:
                problems.append(f"{state.edition.edition_id} is {state.state} {state.reason}")
            elif not any(word in page.text for page in library.pages(state.edition.edition_id)):
                problems.append(f"{state.edition.edition_id} has the pages of another file")
        found = searcher.search(Query(f'"{word}"', exact=True), 3)
        if [hit.publication.publication_id for hit in found] != [name] or word not in found[0].hit.passage.text:
            problems.append(f"a search for {word} finds {[hit.publication.publication_id for hit in found]}")
        return problems

    # -- uploads over HTTP

    def upload(self) -> None:
        """Send files to the desk, as long as the server is there; what it acknowledges is promised. Nothing where the desk takes no files."""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        opener = urllib.request.build_opener(jar)
        base = f"http://127.0.0.1:{self.port}/desk"
        digest, path = survivors.write(self.folder, self.text(f"u{time.monotonic_ns()}"))
        content = path.read_bytes()
        path.unlink()
        head = 'Content-Disposition: form-data; name="files"; filename="given.html"\r\nContent-Type: text/html'
        body = f"--edge\r\n{head}\r\n\r\n".encode() + content + b"\r\n--edge--\r\n"
        try:
            sign_in = urllib.parse.urlencode({"name": "ana", "password": PASSWORD}).encode()
            opener.open(f"{base}/sign-in", sign_in, timeout=10).read()
            request = urllib.request.Request(f"{base}/files", body, {"Content-Type": "multipart/form-data; boundary=edge"})
            with opener.open(request, timeout=10) as answer:
                if answer.status == 200 and answer.url.startswith(f"{base}/files"):
                    self.uploaded.add(digest)
        except (OSError, http.client.HTTPException):
            return  # it was killed, or is not there yet: nothing was acknowledged


@click.command()
@click.option("--kills", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the library is made, and kept after a failure; else a temporary folder.")
def main(kills: int, seed: int, folder: Path | None) -> None:
    """Kill, and look what is left."""
    context.set_forkserver_preload(["bench.survivors"])
    home = folder or Path(tempfile.mkdtemp(prefix="survival-"))
    (home / "corpus").mkdir(parents=True, exist_ok=True)
    Accounts(Library.create(home / "library")).put("ana", PASSWORD)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bench = Bench(home, random.Random(seed), port)
    for number in range(kills):
        bench.busy()
        sender = threading.Thread(target=bench.upload)
        sender.start()
        bench.strike(number)
        bench.check_at_once()
        bench.settle()
        sender.join()
        bench.check()
        click.echo(f"kill {number + 1}: {len(bench.failures)} failures", err=True)
        if len(bench.failures) > 20:
            break
    for process in bench.running.values():
        process.kill()
        process.join()
    report(bench)
    if not bench.failures and not folder:
        shutil.rmtree(home)
    sys.exit(1 if bench.failures else 0)


def report(bench: Bench) -> None:
    click.echo(f"{bench.hits.total()} processes killed; {len(bench.promised)} publications and {len(bench.uploaded)} uploads promised\n")
    click.echo("| killed while | times |\n|---|---|")
    for step, times in sorted(bench.hits.items()):
        click.echo(f"| {step} | {times} |")
    click.echo(f"\n{len(bench.failures)} failures")
    for failure in bench.failures:
        click.echo(f"  {failure}")


if __name__ == "__main__":
    main()
