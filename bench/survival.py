"""Does everything survive kill -9? Web server, worker, ingest and analysts' changes run together; at a random moment one of them, or all, are killed.

Run: python -m bench.survival [--kills 200] [--seed 1] [--folder FOLDER]

Every second kill waits for the step that was hit least so far. After each, at once: a new Searcher answers, and each hit shows the passage
that it scored. Then what was killed is started again, and once the jobs are done: every change that was acknowledged is there, with its file
by its digest and its pages; uploads that were acknowledged are there; `isogloss verify` finds no fault; no job is left open or failed. The
encoder needs no model (bench/hashing.py). Prints how often each step was hit; exit code 1 when anything failed.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
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
from index.uploads import Uploads
from index.verification import faults

PASSWORD = "a password of the bench"
SCRIPTS = ["ป่าไม้เป็นของชุมชน", "الغابة ملك للمجتمع", "森林属于社区。", "ደኑ የማህበረሰቡ ነው።", "जंगल समुदाय का है।", "သစ်တောသည် ရပ်ရွာပိုင်ဖြစ်သည်။"]
NAMES = [f"work-{number}" for number in range(12)]  # of publications that are added, changed and removed again and again
WAITING = 200  # uploads
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
    uploaded: set[str] = field(default_factory=set)  # digests, of those that still wait
    sent: int = 0
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
        if self.random.random() < 0.7:
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
        library = self.library
        searcher = Searcher(library, survivors.encoders(library)(""), survivors.encoders(library))
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
        searcher = Searcher(library, survivors.encoders(library)(""))
        for name, word in self.promised.items():
            self.failures += [f"{name}: {problem}" for problem in self._problems(library, searcher, name, word)]
        for digest in self.uploaded:
            if not library.file(digest).is_file() or checksum(library.file(digest)) != digest:
                self.failures.append(f"the upload {digest} is not there")

    def tidy(self) -> None:
        """Discard what was uploaded, as an analyst would, before it comes to the most that an account may leave waiting."""
        if len(self.uploaded) > WAITING:
            uploads = Uploads(self.library)
            uploads.discard([upload.upload_id for upload in uploads.uploads()], "ana")
            self.uploaded.clear()

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


@dataclass
class Sender:
    """An analyst's browser, which sends files to the desk until the round ends; what is acknowledged is promised."""

    bench: Bench
    over: threading.Event = field(default_factory=threading.Event)  # the round
    opener: urllib.request.OpenerDirector = field(default_factory=lambda: urllib.request.build_opener(urllib.request.HTTPCookieProcessor()))
    signed_in: bool = False
    open: tuple[str, bytes] | None = None  # the address of an upload that was broken off, and all of its bytes

    def run(self) -> None:
        """Send until the round is over, going on after every broken line; nothing where the desk takes no files."""
        while not self.over.wait(0.05):
            try:
                if not self.signed_in:
                    said = urllib.parse.urlencode({"name": "ana", "password": PASSWORD}).encode()
                    self.signed_in = self._ask("POST", "/desk/sign-in", said).url.endswith("/desk")
                if self.open or self.bench.random.random() < 0.7:
                    self._send_in_pieces()
                else:
                    self._send_form()
            except urllib.error.HTTPError as error:
                if error.code >= 500:
                    self.bench.failures.append(f"the server answered {error.code} to {error.url}")
                self.open = None
                if error.code == 404:
                    return
            except (OSError, http.client.HTTPException):
                continue  # it was killed, or is not there yet: nothing was acknowledged

    def _send_form(self) -> None:
        content = self._content()
        head = 'Content-Disposition: form-data; name="files"; filename="given.pdf"\r\nContent-Type: application/pdf'
        body = f"--edge\r\n{head}\r\n\r\n".encode() + content + b"\r\n--edge--\r\n"
        self._ask("POST", "/desk/files", body, {"Content-Type": "multipart/form-data; boundary=edge"})
        self.bench.sent += 1
        self.bench.uploaded.add(hashlib.sha256(content).hexdigest())

    def _send_in_pieces(self) -> None:
        """Send by tus, in a few requests; one that was broken off is asked for how far it came."""
        version = {"Tus-Resumable": "1.0.0"}
        if self.open is None:
            content = self._content()
            name = base64.b64encode("ไฟล์.pdf".encode()).decode()
            created = self._ask("POST", "/desk/uploads", b"", version | {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"})
            self.open = str(created.headers["Location"]), content
        address, content = self.open
        at = int(self._ask("HEAD", address, None, version).headers["Upload-Offset"])
        while at < len(content):
            piece = content[at : at + len(content) // 3 + 1]
            headers = version | {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            at = int(self._ask("PATCH", address, piece, headers).headers["Upload-Offset"])
        self.bench.sent += 1
        self.bench.uploaded.add(hashlib.sha256(content).hexdigest())
        self.open = None

    def _content(self) -> bytes:
        return survivors.pdf(f"u{time.monotonic_ns()} " + "the forest belongs to the community " * 40)

    def _ask(self, method: str, address: str, body: bytes | None, headers: dict[str, str] | None = None) -> Any:
        url = address if address.startswith("http") else f"http://127.0.0.1:{self.bench.port}{address}"
        with self.opener.open(urllib.request.Request(url, body, headers or {}, method=method), timeout=10) as answer:
            answer.read()
            return answer


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
    sender = Sender(bench)
    for number in range(kills):
        bench.busy()
        sender.over.clear()
        sending = threading.Thread(target=sender.run)
        sending.start()
        bench.strike(number)
        bench.check_at_once()
        sender.over.set()
        bench.settle()
        sending.join()
        bench.check()
        bench.tidy()
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
    click.echo(f"{bench.hits.total()} processes killed; {len(bench.promised)} publications and {bench.sent} uploads promised\n")
    click.echo("| killed while | times |\n|---|---|")
    for step, times in sorted(bench.hits.items()):
        click.echo(f"| {step} | {times} |")
    click.echo(f"\n{len(bench.failures)} failures")
    for failure in bench.failures:
        click.echo(f"  {failure}")


if __name__ == "__main__":
    main()
