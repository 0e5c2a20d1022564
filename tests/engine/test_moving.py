"""A library moves into an engine and back: the same in every table, whenever it is interrupted, and searched meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import LexiconEncoder
from furnishing import TEXTS, add, furnish

from index import backup, generations, moving, transfer, verification
from index.backup import back_up, restore
from index.database import EMBEDDED
from index.library import Library
from index.moving import MovingError, move
from index.searcher import Query, Searcher
from index.store import NOTE, MovedLibraryError, UnusableLibraryError
from index.transfer import DifferentRowsError, Sum, bring
from search_app.cli import main

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def filled(tmp_path) -> Library:
    return furnish(Library.create(tmp_path / "library", EMBEDDED), tmp_path)


@pytest.fixture
def address(new_database) -> str:
    return str(new_database())


def sums(library: Library) -> dict[str, Sum]:
    """What each table holds."""
    with library.snapshot():
        return bring(library, library).sums


def answers(library: Library) -> list[tuple[str, str, float]]:
    searcher = Searcher(library, LexiconEncoder())
    queries = [Query(text) for text in ("forest", "water", "school")] + [Query(text, exact=True) for text in ("ป่า", "森", "숲과", "غابة", "бор")]
    return [(hit.publication.publication_id, query.text, round(hit.score, 6)) for query in queries for hit in searcher.search(query)]


def test_there_and_back_it_is_the_same_in_every_table(filled, address):
    before, found = sums(filled), answers(filled)
    assert move(filled, address) == before
    there = Library.open(filled.folder, address)
    assert sums(there) == before
    assert list(verification.faults(there)) == []
    assert answers(there) == found
    assert there.extent() == filled.extent()
    assert move(there, EMBEDDED) == before
    back = Library.open(filled.folder, EMBEDDED)
    assert sums(back) == before
    assert list(verification.faults(back)) == []
    assert answers(back) == found
    assert {path.name for path in filled.folder.iterdir()} & {NOTE, moving.HOME} == set()


def test_verification_names_the_rows_that_were_left_behind(filled, address):
    def named(library: Library) -> list[str]:
        return [line for line in verification.remarks(library) if "before the library moved" in line]

    assert named(filled) == []
    move(filled, address)
    there = Library.open(filled.folder, address)
    assert [line.split(":")[0] for line in named(there)] == [str(filled.folder / "library.sqlite")]
    move(there, EMBEDDED)
    assert [line.split(":")[0] for line in named(Library.open(filled.folder, EMBEDDED))] == [str(filled.folder / "former.sqlite")]


def test_what_is_changed_there_comes_back(filled, address):
    move(filled, address)
    there = Library.open(filled.folder, address)
    add(there, "bus", {"th": ["รถบัสสีเขียว"]})
    there.remove_publication("woods")
    move(there, EMBEDDED)
    back = Library.open(filled.folder, EMBEDDED)
    assert [work.publication_id for work in back.publications()] == ["bus", "school"]
    assert list(verification.faults(back)) == []


def test_it_has_an_index_at_once_wherever_it_is(filled, address):
    move(filled, address)
    there = Library.open(filled.folder, address)
    assert generations.check(there)["passages"] == there.passage_count()
    move(there, EMBEDDED)
    back = Library.open(filled.folder, EMBEDDED)
    assert generations.check(back)["passages"] == back.passage_count()


def test_the_former_place_is_read_as_it_was_and_takes_no_change(filled, address):
    found = answers(filled)
    move(filled, address)
    assert answers(filled) == found
    for contents in (True, False):
        with pytest.raises(MovedLibraryError, match=r"127\.0\.0\.1"), filled.transaction(contents=contents):
            pass
    there = Library.open(filled.folder, address)
    move(there, EMBEDDED)
    with pytest.raises(MovedLibraryError, match=r"library\.sqlite"), there.transaction():
        pass


def test_what_is_written_while_it_moves_is_there_afterwards(filled, address):
    acknowledged: list[str] = []

    def write() -> None:
        try:
            for number in range(10_000):
                add(filled, f"more-{number}", {"km": [f"{TEXTS['km']} {number}"]})
                acknowledged.append(f"more-{number}")
        except MovedLibraryError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    try:
        move(filled, address)
    finally:
        writer.join()
    there = Library.open(filled.folder, address)
    assert acknowledged
    assert {*acknowledged} <= {work.publication_id for work in there.publications()}
    assert sums(there) == sums(filled)
    assert list(verification.faults(there)) == []


def test_it_is_searched_while_it_moves(filled, address):
    found, missed, end = answers(filled), [], threading.Event()

    def ask() -> None:
        while not end.is_set():
            if answers(Library.open(filled.folder, EMBEDDED)) != found:
                missed.append(1)

    ask_before_the_switch = pytest.MonkeyPatch()
    reader = threading.Thread(target=ask)
    switch = moving._switch

    def ended(*both: Library) -> None:
        end.set()
        reader.join()
        switch(*both)

    ask_before_the_switch.setattr(moving, "_switch", ended)
    reader.start()
    try:
        move(filled, address)
    finally:
        end.set()
        ask_before_the_switch.undo()
    assert missed == []


KILLED = """
import os, signal, sys
from pathlib import Path
from index.database import EMBEDDED
from index.library import Library
from index import moving

folder, source, target, left = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
calls = 0

def count(frame, event, argument):
    global calls
    if event == "call" and "/index/" in frame.f_code.co_filename:
        calls += 1
        if calls == left:
            os.kill(os.getpid(), signal.SIGKILL)

library = Library.open(folder, source)
sys.setprofile(count)
moving.move(library, target)
sys.setprofile(None)
print(calls)
"""


def run(folder: Path, source: str, target: str, calls: int) -> subprocess.CompletedProcess[str]:
    """Move a library in a process of its own, which is killed at this call of a function of index/."""
    command = [sys.executable, "-c", KILLED, str(folder), source, target, str(calls)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("inwards", [True, False], ids=["into the engine", "back"])
def test_it_is_killed_anywhere_and_goes_on(filled, new_database, tmp_path, inwards):
    before, calls = sums(filled), 0
    filled.close()
    for share in (0.0, 0.05, 0.3, 0.6, 0.9, 0.97, 0.985, 0.99, 0.995, 0.998):  # the first time it is not killed, to count
        folder, address = tmp_path / f"killed at {share}", new_database()
        shutil.copytree(filled.folder, folder)
        if not inwards:
            move(Library.open(folder, EMBEDDED), address)
        source, target = (EMBEDDED, address) if inwards else (address, EMBEDDED)
        done = run(folder, source, target, int(calls * share))
        assert (done.returncode, done.stderr) == (-9 if share else 0, "")
        calls = calls or int(done.stdout)
        where = address if (folder / NOTE).exists() else EMBEDDED
        assert sums(Library.open(folder, where)) == before
        if where != target:
            move(Library.open(folder, where), target)
        moved = Library.open(folder, target)
        assert sums(moved) == before
        assert list(verification.faults(moved)) == []


def test_a_database_that_is_not_empty_is_refused(filled, address, tmp_path):
    Library.create(tmp_path / "third", address)
    with pytest.raises(UnusableLibraryError, match="another database that is empty"):
        move(filled, address)
    assert not (filled.folder / moving.HOME).exists()
    assert list(verification.faults(Library.open(filled.folder, EMBEDDED))) == []


def test_one_that_was_begun_to_another_place_does_not_disturb(filled, new_database):
    first, second, third = new_database(), new_database(), new_database()
    move(filled, first)
    there = Library.open(filled.folder, first)
    moving._target(there, second).close()
    move(there, EMBEDDED)
    assert not (filled.folder / NOTE).exists()
    back = Library.open(filled.folder, EMBEDDED)
    before = sums(back)
    moving._target(back, third).close()
    with pytest.raises(MovingError, match="delete"):
        move(back, second)
    assert move(back, third) == before


def test_it_is_not_moved_to_where_it_is(filled, address):
    with pytest.raises(MovingError, match="already"):
        move(filled, EMBEDDED)
    move(filled, address)
    with pytest.raises(MovingError, match="already"):
        move(Library.open(filled.folder, address), address)


def test_a_row_that_the_engine_does_not_keep_as_it_is_stops_the_move_and_it_stays_where_it_was(filled, address, monkeypatch):
    brought = moving.bring

    def spoil(source: Library, target: Library, **more: object) -> object:
        with target.transaction() as statement:
            statement("CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text := 'other'; RETURN NEW; END $$")
            statement("CREATE TRIGGER worse BEFORE INSERT ON passages FOR EACH ROW WHEN (NEW.key = 5) EXECUTE FUNCTION worse()")
        return brought(source, target, **more)

    monkeypatch.setattr(moving, "bring", spoil)
    with pytest.raises(DifferentRowsError, match="passages 5"):
        move(filled, address)
    assert not (filled.folder / NOTE).exists()
    with filled.transaction():
        pass


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pages SET text = 'x' WHERE number = 1",
        "UPDATE vectors SET vector = set_byte(vector, 0, 7)",
        "DELETE FROM sketches",
        "DELETE FROM words",
    ],
)
def test_a_row_that_is_damaged_there_after_it_was_written_is_noticed(filled, address, monkeypatch, damage):
    brought = moving.bring

    def spoil(source: Library, target: Library, **more: object) -> object:
        done = brought(source, target, **more)
        with target.transaction(contents=False) as statement:
            statement(damage)
        return done

    before = sums(filled)
    monkeypatch.setattr(moving, "bring", spoil)
    move(filled, address)
    there = Library.open(filled.folder, address)
    assert sums(there) == before
    assert list(verification.faults(there)) == []


def test_a_backup_of_an_engine_is_a_library_in_a_folder_and_is_restored_to_either(filled, new_database, tmp_path):
    address, found = new_database(), answers(filled)
    move(filled, address)
    there = Library.open(filled.folder, address)
    before = sums(there)
    done = back_up(there, tmp_path / "backup")
    assert (done.faults, done.lost, done.copied) == ((), (), 2)
    assert back_up(there, tmp_path / "backup").copied == 0
    kept = Library.open(tmp_path / "backup", EMBEDDED)
    assert list(verification.faults(kept)) == []
    changed = {"sessions", "failed_attempts"}
    for place in (EMBEDDED, new_database()):
        folder = tmp_path / f"restored-{bool(place)}"
        assert restore(tmp_path / "backup", folder, address=place) == []
        restored = Library.open(folder, place)
        assert (restored.store.where == str(folder / "library.sqlite")) == (place == EMBEDDED)
        after = sums(restored)
        assert {name for name in before if after[name] != before[name]} <= {*changed, "meta"}  # a new generation is a new revision
        assert list(verification.faults(restored)) == []
        assert answers(restored) == found


@pytest.mark.parametrize("at", ["make_folder", "bring", "build"])
def test_a_restore_that_is_interrupted_goes_on(filled, address, tmp_path, monkeypatch, at):
    found = answers(filled)
    back_up(filled, tmp_path / "backup")
    home = {"make_folder": backup, "bring": transfer, "build": generations}[at]
    done = getattr(home, at)

    def interrupted(*arguments: object, **more: object) -> object:
        done(*arguments, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(home, at, interrupted)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "backup", tmp_path / "restored", address=address)
    assert restore(tmp_path / "backup", tmp_path / "restored", address=address) == []
    restored = Library.open(tmp_path / "restored", address)
    assert list(verification.faults(restored)) == []
    assert answers(restored) == found


def test_a_large_library_has_a_large_index_wherever_it_is(filled, address, monkeypatch):
    monkeypatch.setattr(generations, "EXACT", 10)
    generations.build(filled)
    found = answers(filled)
    move(filled, address)
    there = Library.open(filled.folder, address)
    assert list(verification.faults(there)) == []
    assert {answer[:2] for answer in answers(there)} == {answer[:2] for answer in found}
    move(there, EMBEDDED)
    back = Library.open(filled.folder, EMBEDDED)
    assert list(verification.faults(back)) == []
    assert {answer[:2] for answer in answers(back)} == {answer[:2] for answer in found}


def test_a_backup_is_not_restored_over_another_library(filled, address, tmp_path):
    back_up(filled, tmp_path / "backup")
    Library.create(tmp_path / "third", address)
    with pytest.raises(UnusableLibraryError, match="holds a library already"):
        restore(tmp_path / "backup", tmp_path / "restored", address=address)
    assert not list((tmp_path / "restored").glob("files/*"))


def test_a_backup_of_an_engine_that_is_written_meanwhile_is_of_one_moment(filled, address, tmp_path):
    move(filled, address)
    end = threading.Event()

    def write() -> None:
        there, number = Library.open(filled.folder, address), 0
        while not end.is_set():
            number += 1
            add(there, f"more-{number}", {"km": [f"{TEXTS['km']} {number}"]})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        faults = [back_up(Library.open(filled.folder, address), tmp_path / "backup").faults for _ in range(2)]
    finally:
        end.set()
        writer.join()
    assert faults == [()] * 2
    assert list(verification.faults(Library.open(tmp_path / "backup", EMBEDDED))) == []


def test_the_command_says_no_password(filled, address):
    told = address.replace("postgresql://isogloss@", "postgresql://isogloss:geheim@")
    done = CliRunner().invoke(main, ["move", "--to", told, "--library", str(filled.folder)])
    assert done.exit_code == 0 and "ISOGLOSS_STORE set to" in done.output and "geheim" not in done.output
