"""Fill a small file system at every stage of a library's life, and see that nothing is lost: as root, python -m bench.disk_full

For each stage the room that it takes is measured; then it is run again and again with less room than that, so that it fails at another point each time. Tried
is one such run, failed is one after which any of these is not so: the command ended well, or with exit code 2 and a message that says there is no room; the
library is sound (`isogloss verify`) and holds what it held; a process that was searching before still finds the same, and so does one that opens the library
on the full disk; and when room is made, the same command ends well and the library is sound. The last stage searches a library that is mounted read-only.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zlib import crc32

import click
import numpy as np

from index import generations, verification
from index.accounts import Accounts
from index.backup import back_up, restore
from index.contents import EditionState
from index.decisions import Decisions
from index.durable import checksum
from index.encoder import Vectors
from index.jobs import Jobs
from index.library import Library
from index.rounded import restored
from index.schema import FORMAT
from index.searcher import Query, Searcher
from index.uploads import LIMITS, Uploads
from ingest.records import Edition, Page, Passage, Publication, edition_id
from search_app.exporting import export
from search_app.options import UNUSABLE, plain_errors
from search_app.storing import change_entry, store_entry

SIZE = 32  # MB of the file system
OLDER = "bring an older library up to date"  # the one stage at which no other process can have the library open
PAGE = 4096  # bytes that a tmpfs gives at least
WORDS = ["forest", "ป่า", "غابة", "森林", "bosque", "वन", "ព្រៃ", "숲", "ጫካ", "தமிழ்", "water", "น้ำ", "ماء", "水", "agua", "school", "bus", "ရထား"]
QUESTIONS = ("forest water", "ป่า", "غابة", "森林 水", "bus")


class HashEncoder:
    """An encoder that needs no model: a text is the sum of the directions of its words."""

    fingerprint = "hash"

    def encode_queries(self, texts: Any) -> Vectors:
        vectors = np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, 64))
        return np.asarray(vectors, np.float32)

    encode_passages = encode_queries

    def count_tokens(self, texts: Any) -> list[int]:
        return [len(text.split()) for text in texts]

    def _vector(self, text: str) -> Any:
        whole = sum(np.random.default_rng(crc32(word.encode())).standard_normal(64) for word in text.lower().split() or [""])
        return whole / np.linalg.norm(whole)


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that is done to the library in `disk`/library, again and again with less room."""

    name: str
    act: Callable[[Path], object]
    prepare: Callable[[Path], object] = lambda _: None
    sound: str = "library"  # what must be sound afterwards, below `disk`
    makes: str = ""  # what must be sound when it has ended well
    whole: bool = True  # whether all of it is there or nothing; else part of it may be acknowledged, and found


def publication(number: int) -> Publication:
    name = f"work-{number}"
    editions = tuple(Edition(edition_id(name, tag), name, tag, "", "whole", None) for tag in ("th", "ar"))
    return Publication(name, {"th": f"ป่า {number}", "ar": f"غابة {number}"}, {}, 2020, "study", (), (), "", editions)


def text(number: int, words: int) -> str:
    chosen = np.random.default_rng(number).integers(0, len(WORDS), words)
    return " ".join(WORDS[place] for place in chosen)


def reading(edition: Edition, pages: int, seed: int) -> tuple[EditionState, list[Page], list[Passage], Vectors]:
    """Something to store: what an edition's file might have said."""
    written = [Page(edition.edition_id, number, str(number), text(seed + number, 120), "good") for number in range(1, pages + 1)]
    passages = [
        Passage(page.edition_id, place, page.number, 0, page.number, len(page.text), edition.language, page.text, ((0, len(page.text)),))
        for place, page in enumerate(written)
    ]  # fmt: skip
    vectors = HashEncoder().encode_passages([passage.text for passage in passages])
    return EditionState(edition, "read", "", 1, "folder", file=edition.digest), written, passages, vectors


def original(folder: Path, number: int, size: int = 20_000) -> tuple[Path, str]:
    """A file to keep; `folder` is on another disk."""
    path = folder / f"{number}-{size}.pdf"
    path.write_bytes(b"%PDF-1.4\n" + np.random.default_rng(number).bytes(size))
    return path, checksum(path)


def add(library: Library, elsewhere: Path, number: int, pages: int = 6) -> None:
    path, digest = original(elsewhere, number)
    library.keep_file(path, digest)
    work = publication(number)
    work = replace(work, editions=(replace(work.editions[0], digest=digest), work.editions[1]))
    store_entry(library, HashEncoder(), work, "folder")
    library.put_reading(*reading(work.editions[0], pages, 1000 * number))


def make_base(elsewhere: Path) -> None:
    """The library with which every stage begins."""
    library = Library.create(elsewhere / "base")
    library.set_meta("encoder", HashEncoder.fingerprint)
    for number in range(20):
        add(library, elsewhere, number)
    Accounts(library).put("ana", "a long enough password")
    generations.build(library)


def stages(elsewhere: Path) -> list[Stage]:
    big = original(elsewhere, 99, 600_000)

    def opened(disk: Path) -> Library:
        return Library.open(disk / "library")

    def edit(disk: Path) -> object:
        library = opened(disk)
        entry = library.entry("work-3")
        return change_entry(library, "ana", "edited", entry, replace(entry, abstracts={"th": text(5, 20_000)})) if entry else None

    def add_more(disk: Path) -> None:
        add(opened(disk), elsewhere, 77, 30)

    def receive(disk: Path) -> None:
        uploads, content = Uploads(opened(disk), replace(LIMITS, room=0)), big[0].read_bytes()
        upload = next(iter(uploads.uploads()), None) or uploads.create("ana", "ป่า.pdf", len(content))
        if upload.state == "receiving":
            at = uploads.offset(upload)
            uploads.append(upload.upload_id, at, [content[start : start + 65_536] for start in range(at, len(content), 65_536)])
            uploads.finish(upload.upload_id, lambda _: "")

    def back_up_and_add(disk: Path) -> None:
        back_up(opened(disk), disk / "backup")
        add_more(disk)

    def make_old(disk: Path) -> None:
        """As format 6 was: vectors twice as long, and no codes."""
        with opened(disk).transaction() as run:
            rows = run("SELECT vector, key, encoder FROM vectors").fetchall()
            former = ((restored([vector])[0].astype(np.float16).tobytes(), key, encoder) for vector, key, encoder in rows)
            run.many("UPDATE vectors SET vector = ? WHERE key = ? AND encoder = ?", former)
            run("ALTER TABLE vectors DROP COLUMN codes")
            run(f"UPDATE meta SET value = {FORMAT - 1} WHERE key = 'format'")

    return [
        Stage("make a library", lambda disk: Library.create(disk / "new"), makes="new"),
        Stage("keep an original", lambda disk: opened(disk).keep_file(*big)),
        Stage("receive a file", receive, whole=False),
        Stage(
            "store an entry",
            lambda disk: store_entry(opened(disk), HashEncoder(), replace(publication(50), abstracts={"th": text(1, 9000)}), "folder"),
        ),
        Stage("store a reading", lambda disk: opened(disk).put_reading(*reading(publication(2).editions[1], 60, 7))),
        Stage("add a publication", add_more, whole=False),
        Stage("change the catalogue", edit),
        Stage("ask for a job", lambda disk: Jobs(opened(disk)).add("reading", "ana", [f"work-{number}.th" for number in range(5000)])),
        Stage("decide about pages", lambda disk: Decisions(opened(disk)).put("ana", "0" * 64, range(1, 5000), "ignore")),
        Stage("build and publish a generation", lambda disk: generations.build(opened(disk)), add_more),
        Stage(OLDER, opened, make_old),
        Stage("back up", lambda disk: back_up(opened(disk), disk / "backup"), back_up_and_add, makes="backup"),
        Stage(
            "restore", lambda disk: restore(disk / "backup", disk / "restored"), lambda disk: back_up(opened(disk), disk / "backup"), makes="restored"
        ),
        Stage("export", lambda disk: export(opened(disk), disk / "out")),
    ]


# -- what runs in processes of its own, since SQLite may not be carried over a fork


def found(searcher: Searcher) -> list[tuple[str, float]]:
    return [(hit.publication.publication_id, round(hit.score, 5)) for question in QUESTIONS for hit in searcher.search(Query(question), k=30)]


def held(library: Library) -> tuple[object, ...]:
    """All that has been acknowledged."""
    entries = [library.entry(one.publication_id) for one in library.publications()]
    tables = ("pages", "passages", "vectors", "changes", "jobs", "documents", "accounts")
    return (
        entries,
        [account.name for account in Accounts(library).accounts()],
        [library.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables],
    )


def seen(disk: Path) -> tuple[Any, Any]:
    """What a process finds that opens the library, and all that it holds."""
    library = Library.open(disk / "library")
    return found(Searcher(library, HashEncoder())), held(library)


def faults_of(folder: Path) -> list[str]:
    return list(verification.faults(Library.open(folder)))


def _run(connection: Connection, act: Callable[..., object], arguments: tuple[object, ...]) -> None:
    with tempfile.TemporaryFile("w+") as said, contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        value, code = None, 0
        try:
            with plain_errors():
                value = act(*arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException:
            code = 1
            traceback.print_exc()
        said.seek(0)
        connection.send((value if isinstance(value, (list, tuple)) else None, code, said.read()))


def apart(act: Callable[..., object], *arguments: object) -> tuple[Any, int, str]:
    """Run something in a process of its own: what it returns, its exit code, and what it said."""
    here, there = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_run, args=(there, act, arguments))
    process.start()
    answer = here.recv()
    process.join()
    return answer  # type: ignore[no-any-return]


def _search_on_demand(connection: Connection, disk: Path) -> None:
    searcher = Searcher(Library.open(disk / "library"), HashEncoder())
    while True:
        connection.send(found(searcher))
        connection.recv()


@contextlib.contextmanager
def searching(disk: Path) -> Iterator[Callable[[], Any]]:
    """A process that searches before the disk is full, and then when it is asked."""
    here, there = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_search_on_demand, args=(there, disk), daemon=True)
    process.start()
    there.close()
    here.recv()

    def again() -> Any:
        here.send(None)
        return here.recv()

    yield again
    process.terminate()
    process.join()


# -- the disk


@contextlib.contextmanager
def small_disk(base: Path) -> Iterator[Path]:
    """A file system of SIZE MB that holds a copy of the library."""
    with tempfile.TemporaryDirectory() as scratch:
        disk = Path(scratch)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", disk], check=True)
        try:
            shutil.copytree(base, disk / "library")
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


def used(disk: Path) -> int:
    return shutil.disk_usage(disk).used


def fill(disk: Path, left: int) -> Path:
    """Leave only so many bytes free."""
    ballast = disk / "ballast"
    size = max(0, shutil.disk_usage(disk).free - left)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, size // PAGE * PAGE))
    return ballast


def room_for(stage: Stage, base: Path) -> int:
    """How many bytes a stage takes at most, as far as it shows: while it runs it may take more."""
    with small_disk(base) as disk:
        apart(stage.prepare, disk)
        before = used(disk)
        _, code, said = apart(stage.act, disk)
        if code:
            raise click.ClickException(f"{stage.name} fails on an empty disk: {said}")
        return max(used(disk) - before, 8 * PAGE)


def attempt(stage: Stage, base: Path, left: int, warm: bool) -> tuple[bool, list[str]]:
    """One try: whether the disk was full for it, and what went wrong. Without a warm process SQLite's own files must be made on the full disk."""
    with small_disk(base) as disk, searching(disk) if warm else contextlib.nullcontext() as search:
        wrong = []
        apart(stage.prepare, disk)
        before = apart(held_or_nothing, disk)[0]
        answers = search() if search else apart(seen, disk)[0][0] if stage.name != OLDER else None
        ballast = fill(disk, left)
        _, code, said = apart(stage.act, disk)
        if code not in (0, UNUSABLE) or "Traceback" in said or (code == UNUSABLE and "room" not in said):
            wrong.append(f"ended with {code}: {said[-400:]}")
        if code:
            if search and search() != answers and stage.whole:
                wrong.append("the process that was searching finds something else")
            wrong += _when_full(stage, disk, answers, before)
        ballast.unlink()
        if apart(stage.act, disk)[1]:
            wrong.append(f"does not go on when there is room: {apart(stage.act, disk)[2][-400:]}")
        for folder in filter(None, (stage.sound, stage.makes)):
            faults, bad, said = apart(faults_of, disk / folder)
            wrong += [f"{folder} is not sound: {fault}" for fault in faults or []] + ([said] if bad else [])
        return bool(code), wrong


def held_or_nothing(disk: Path) -> tuple[object, ...]:
    """What the library holds; nothing where opening it would change it, since it is of an older format."""
    return held(Library.open(disk / "library")) if Library(disk / "library").meta("format") == str(FORMAT) else ()


def _when_full(stage: Stage, disk: Path, answers: Any, before: Any) -> list[str]:
    """What is wrong on the full disk for a process that opens the library now."""
    if not before:
        return []  # an older library cannot be opened before it is brought up to date
    wrong = []
    faults, code, said = apart(faults_of, disk / "library")
    if code or faults:
        wrong.append(f"not sound when full: {faults or said}")
    value, code, said = apart(seen, disk)
    if code:
        wrong.append(f"cannot be searched when full: {said[-400:]}")
    elif value[0] != answers and stage.whole:
        wrong.append("a process that opens it finds something else")
    elif value[1] != before and stage.whole:
        wrong.append("something that was acknowledged is gone, or something that was not is there")
    return wrong


def read_only(base: Path) -> list[str]:
    """Search a library that is mounted read-only, and try to write."""

    def write(disk: Path) -> None:
        Library.open(disk / "library").set_meta("x", "y")

    with small_disk(base) as disk:
        answers = apart(seen, disk)[0]
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        now, code, said = apart(seen, disk)
        wrong = [] if now == answers and not code else [f"search on a read-only disk: {said[-400:]}"]
        _, code, said = apart(write, disk)
        return wrong + ([] if code == UNUSABLE and "searched only" in said else [f"writing on a read-only disk ended with {code}: {said[-400:]}"])


@click.command()
@click.option("--tries", default=10, show_default=True, help="Runs of each stage, each with less room.")
@click.option("--stages", "only", multiple=True, help="Only these stages, by name; may be repeated.")
def main(tries: int, only: tuple[str, ...]) -> None:
    """Print a table: stage, room it takes, tried, for how many of them the disk was full, failed."""
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        elsewhere = Path(scratch)
        apart(make_base, elsewhere)
        click.echo("| stage | room it takes, kB | tried | full | failed |\n| --- | --: | --: | --: | --: |")
        for stage in stages(elsewhere):
            if only and stage.name not in only:
                continue
            need = room_for(stage, elsewhere / "base")
            results = [
                attempt(stage, elsewhere / "base", need * place**2 // tries**2, place % 2 == 1 and stage.name != OLDER) for place in range(tries)
            ]
            failed = [wrong for _, wrong in results if wrong]
            total += len(failed)
            click.echo(f"| {stage.name} | {need // 1000} | {len(results)} | {sum(full for full, _ in results)} | {len(failed)} |")
            for line in sorted({line for wrong in failed for line in wrong}):
                click.echo(f"    {line}", err=True)
        wrong = [] if only else read_only(elsewhere / "base")
        total += len(wrong)
        click.echo("" if only else f"| search and write on a read-only disk | | 2 | 0 | {len(wrong)} |")
        for line in wrong:
            click.echo(f"    {line}", err=True)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
