"""A full disk and one that cannot be written: said in words, nothing lost, and it goes on when there is room. `bench/disk_full.py` does the same with real disks."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import LexiconEncoder
from filling import fill, passage_of, publication
from flask import Flask

from index import generations, room
from index.accounts import Accounts
from index.changes import Changes
from index.contents import EditionState
from index.jobs import Jobs
from index.library import Library
from index.room import FullDiskError
from index.searcher import Query, Searcher
from index.store import ReadOnlyLibraryError
from ingest.records import Page
from search_app.factory import create_app
from search_app.storing import store_entry

LONG = "ป่า forest " * 3000
UNLIMITED = 1_073_741_823  # pages


@pytest.fixture
def filled(library, encoder) -> Library:
    fill(library, encoder, publication("woods", ["th", "en"]), {"th": ["ป่า"], "en": ["forest", "water"]})
    generations.build(library)
    return library


def read(library: Library) -> None:
    state = next(state for state in library.edition_states() if state.edition.edition_id == "woods.th")
    page = Page("woods.th", 1, "1", LONG, "good")
    passage = passage_of(state.edition, 0, LONG, 1)
    assert library.put_reading(EditionState(state.edition, "read", "", 2, "folder"), [page], [passage], LexiconEncoder().encode_passages([LONG]))


def edit(library: Library) -> None:
    entry = library.entry("woods")
    bare = replace(entry, editions=tuple(replace(edition, digest=None) for edition in entry.editions))
    Changes(library).put("ana", "edited", entry, replace(bare, abstracts={"th": LONG}))


WRITES: dict[str, Callable[[Library], object]] = {
    "an entry": lambda library: store_entry(library, LexiconEncoder(), publication("more", ["lo"], abstracts={"lo": LONG}), "folder"),
    "a reading": read,
    "a change": edit,
    "a note": lambda library: Changes(library).note("ana", "code", LONG),
    "a job": lambda library: Jobs(library).add("reading", "ana", [f"woods.{number}" for number in range(2000)]),
    "other languages": lambda library: library.put_languages(dict.fromkeys([key for key, _, _ in library.passage_table()], LONG)),
    "a meta": lambda library: library.set_meta("x", LONG),
}


def limit(library: Library, pages: int) -> None:
    library._connection().execute(f"PRAGMA max_page_count = {pages}")


def state_of(library: Library) -> tuple[object, ...]:
    tables = ("publications", "editions", "pages", "passages", "vectors", "words", "changes", "jobs", "documents", "accounts")
    return library.revision(), library.publications(), *(library.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables)


@pytest.mark.parametrize("write", WRITES)
def test_what_does_not_fit_is_not_there_at_all_and_the_same_works_once_there_is_room(filled, write):
    before = state_of(filled)
    limit(filled, filled.rows("PRAGMA page_count")[0][0])
    with pytest.raises(FullDiskError, match=r"There is no room on the disk that holds .* Make room"):
        WRITES[write](filled)
    assert state_of(filled) == before == state_of(Library.open(filled.folder))
    assert [hit.publication.publication_id for hit in Searcher(filled, LexiconEncoder()).search(Query("forest"))] == ["woods"]
    limit(filled, UNLIMITED)
    WRITES[write](filled)
    assert state_of(filled) != before
    assert state_of(Library.open(filled.folder)) == state_of(filled)  # committed, and not only in the transaction of this thread
    assert filled.faults() == []


def test_a_library_that_cannot_be_brought_up_to_date_stays_as_it_is(filled, monkeypatch):
    filled.set_meta("format", "4")
    monkeypatch.setattr("index.embedded.migrate", lambda run, _: run("INSERT INTO meta VALUES ('new', ?)", (LONG,)))
    opened = "index.embedded._connected"
    real = __import__("index.embedded", fromlist=["_connected"])._connected

    def small(folder: Path, address: str) -> object:
        connection = real(folder, address)
        connection.execute(f"PRAGMA max_page_count = {filled.rows('PRAGMA page_count')[0][0]}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(opened, small)
        with pytest.raises(FullDiskError):
            Library.open(filled.folder)
    assert filled.meta("format") == "4"
    assert filled.meta("new") == ""
    assert Library.open(filled.folder).meta("new") == LONG


LIMITED = """
import resource, signal, sys
from pathlib import Path
from index import generations
from index.library import Library
from index.room import FullDiskError
from search_app.exporting import export
from ingest.catalogue import sha256

folder, what, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
library, original = Library.open(folder), folder.parent / "original.pdf"
done = {
    "build": lambda: generations.build(library),
    "build large": lambda: (setattr(generations, "EXACT", 0), generations.build(library)),
    "keep": lambda: library.keep_file(original, sha256(original)),
    "export": lambda: export(library, folder.parent / "out"),
}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
try:
    done[what]()
except FullDiskError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize(("what", "most"), [("build", 100), ("build large", 300), ("keep", 50_000), ("export", 500)])
def test_a_file_that_cannot_be_written_whole_is_not_there_and_the_same_works_once_there_is_room(filled, tmp_path, what, most):
    (tmp_path / "original.pdf").write_bytes(b"%PDF-1.4" + b"." * 100_000)
    before = files_of(filled.folder)
    command = [sys.executable, "-c", LIMITED, filled.folder, what]
    run = subprocess.run([*command, str(most)], cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert (run.returncode, "There is no room" in run.stdout) == (2, True), run.stderr
    assert files_of(filled.folder) == before
    assert [hit.publication.publication_id for hit in Searcher(filled, LexiconEncoder()).search(Query("forest"))] == ["woods"]
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith((".copying-", ".writing-", ".building-"))]
    assert subprocess.run([*command, str(10**9)], cwd=Path(__file__).parent.parent, check=False).returncode == 0


def files_of(folder: Path) -> dict[Path, bytes]:
    """The files of a library but SQLite's, which may move pages between them."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.startswith("library.sqlite")}


@pytest.fixture
def unwritable(filled, tmp_path) -> Library:
    """A library beside which SQLite cannot make the file that it needs, as on a full or a read-only disk."""
    filled.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return Library(blocked(filled.folder, tmp_path / "unwritable"))


def blocked(folder: Path, copy: Path) -> Path:
    shutil.copytree(folder, copy)
    (copy / "library.sqlite-shm").unlink()
    (copy / "library.sqlite-shm").symlink_to("nowhere")  # SQLite follows no link there
    return copy


def test_a_folder_that_cannot_be_written_can_be_searched(unwritable):
    assert [hit.publication.publication_id for hit in Searcher(Library.open(unwritable.folder), LexiconEncoder()).search(Query("ป่า"))] == ["woods"]


def test_writing_to_it_says_so_and_changes_nothing(unwritable):
    with pytest.raises(ReadOnlyLibraryError, match="it can be searched only"):
        unwritable.set_meta("x", "y")
    assert unwritable.meta("x") == ""


def test_once_it_can_be_written_again_what_others_write_is_seen_and_so_is_what_is_written_here(unwritable):
    assert unwritable.meta("x") == ""
    (unwritable.folder / "library.sqlite-shm").unlink()
    Library.open(unwritable.folder).set_meta("x", "theirs")
    assert unwritable.meta("x") == "theirs"
    unwritable.set_meta("x", "ours")
    assert Library.open(unwritable.folder).meta("x") == "ours"


def test_what_waits_in_the_log_is_never_passed_over(filled, tmp_path):
    filled.set_meta("x", "in the log")
    copy = blocked(filled.folder, tmp_path / "copy")
    assert (copy / "library.sqlite-wal").stat().st_size
    with pytest.raises(ReadOnlyLibraryError):
        Library.open(copy)


@pytest.fixture
def app(filled) -> Flask:
    return create_app(filled, LexiconEncoder())


@pytest.mark.parametrize("error", [FullDiskError("no room"), OSError(errno.ENOSPC, "No space left on device")], ids=["ours", "the system's"])
def test_pages_and_the_api_say_that_there_is_no_room(app, monkeypatch, error):
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Searcher, "search", full)
    page = app.test_client().get("/?q=forest")
    assert (page.status_code, "There is no room on the disk" in page.text) == (507, True)
    told = app.test_client().get("/api/v1/search?q=forest")
    assert (told.status_code, json.loads(told.data)["status"], told.content_type) == (507, 507, "application/problem+json")


def test_a_library_that_can_only_be_read_is_said_on_pages(app, monkeypatch):
    monkeypatch.setattr(Accounts, "is_right", lambda *_: (_ for _ in ()).throw(ReadOnlyLibraryError("read-only")))
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/desk/sign-in", data={"name": "ana", "password": "a long enough password"})
    assert (answer.status_code, "nothing in it can be changed now" in answer.text) == (503, True)


def test_other_errors_of_the_system_are_not_called_so(app, monkeypatch):
    monkeypatch.setattr(Searcher, "search", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    assert app.test_client().get("/?q=forest").status_code == 500


def test_sizes_are_said_as_people_say_them():
    assert [room.shown(size) for size in (12, 34_000, 5_600_000, 7_800_000_000)] == ["12 bytes", "34.0 kB", "5.6 MB", "7.8 GB"]
    assert room.is_full(Path(os.sep)) in (True, False)
