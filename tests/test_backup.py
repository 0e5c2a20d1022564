"""Backup and restore: consistent while the library is written, cheap the second time, never worse than the one before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index import backup, generations, room, verification
from index.accounts import Accounts
from index.alignment import LanguagePrior
from index.backup import UnusableBackupError, back_up, restore
from index.language_priors import save_prior
from index.library import Library
from index.searcher import Query, Searcher
from index.store import UnusableLibraryError
from ingest.catalogue import sha256


@pytest.fixture
def filled(library, tmp_path) -> Library:
    """A library of three publications with an original each, an account, and a generation."""
    for name, text in (("woods", "ป่า"), ("sea", "ماء"), ("school", "schule")):
        add(library, tmp_path, name, text)
    Accounts(library).put("ana", "a long enough password")
    generations.build(library)
    return library


def add(library: Library, folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.pdf"
    path.write_bytes(f"%PDF-1.4 {text}".encode())
    digest = sha256(path)
    library.keep_file(path, digest)
    work = publication(name, ["th"])
    fill(library, LexiconEncoder(), replace(work, editions=(replace(work.editions[0], digest=digest),)), {"th": [text]})
    return digest


def answers(library: Library) -> list[tuple[str, float]]:
    searcher = Searcher(library, LexiconEncoder())
    return [(hit.publication.publication_id, round(hit.score, 6)) for query in ("forest", "water", "school") for hit in searcher.search(Query(query))]


def test_what_is_restored_answers_as_the_library_did_and_is_sound(filled, tmp_path):
    assert list(verification.faults(filled)) == []
    back_up(filled, tmp_path / "backup")
    assert list(verification.faults(Library.open(tmp_path / "backup"))) == []
    assert restore(tmp_path / "backup", tmp_path / "restored") == []
    restored = Library.open(tmp_path / "restored")
    assert answers(restored) == answers(filled)
    assert list(verification.faults(restored)) == []
    assert restored.publications() == filled.publications()
    assert [account.name for account in Accounts(restored).accounts()] == ["ana"]


def test_the_second_backup_copies_what_is_new(filled, tmp_path):
    assert back_up(filled, tmp_path / "backup").copied == 3
    add(filled, tmp_path, "bus", "รถบัส")
    done = back_up(filled, tmp_path / "backup")
    assert (done.copied, done.there) == (1, 3)
    assert len(Library.open(tmp_path / "backup").publications()) == 4


def test_only_the_owner_may_look_into_a_backup_and_no_session_is_in_it(filled, tmp_path):
    token = Accounts(filled).open_session("ana")
    back_up(filled, tmp_path / "backup")
    assert oct((tmp_path / "backup").stat().st_mode)[-3:] == "700"
    assert oct((tmp_path / "backup" / "library.sqlite").stat().st_mode)[-3:] == "600"
    assert Accounts(filled).signed_in(token) == "ana"
    assert Accounts(Library.open(tmp_path / "backup")).signed_in(token) is None


def test_a_backup_while_somebody_writes_is_of_one_moment(filled, tmp_path):
    end = threading.Event()

    def write() -> None:
        for number in range(10_000):
            if end.is_set():
                return
            add(filled, tmp_path, f"more-{number}", f"forest {number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        faults = [back_up(filled, tmp_path / "backup").faults for _ in range(5)]
    finally:
        end.set()
        writer.join()
    assert faults == [()] * 5
    assert list(verification.faults(Library.open(tmp_path / "backup"))) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from index import backup, durable
from index.library import Library

left = int(sys.argv[3])

def die(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "shutil.copyfile", "sqlite3.connect"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

library = Library.open(Path(sys.argv[1]))
sys.addaudithook(die)
backup.back_up(library, Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", [1, 8, 15, 22, 29, 36, 43, 50])
def test_a_backup_that_is_killed_leaves_the_former_one_whole_and_goes_on(filled, tmp_path, moment):
    back_up(filled, tmp_path / "backup")
    add(filled, tmp_path, "bus", "รถบัส")
    run = subprocess.run(
        [sys.executable, "-c", KILLED, filled.folder, tmp_path / "backup", str(moment)], cwd=Path(__file__).parent.parent, env={**os.environ},
    )  # fmt: skip
    assert run.returncode in (-9, 0)
    found = Library.open(tmp_path / "backup")
    assert list(verification.faults(found)) == []
    assert len(found.publications()) in (3, 4)
    found.close()
    back_up(filled, tmp_path / "backup")
    assert not list((tmp_path / "backup").glob(".copying-*"))
    assert restore(tmp_path / "backup", tmp_path / "restored") == []
    assert answers(Library.open(tmp_path / "restored")) == answers(filled)


def test_a_damaged_library_does_not_take_the_place_of_a_good_backup(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    digest = add(filled, tmp_path, "bus", "รถบัส")
    filled.file(digest).write_bytes(b"%PDF-1.4 other")
    done = back_up(filled, tmp_path / "backup")
    assert len(done.faults) == 1
    assert "bus.th" in done.faults[0]
    assert len(Library.open(tmp_path / "backup").publications()) == 3
    with filled.transaction() as run:
        run("DELETE FROM vectors WHERE key = 1")
    assert "passage 1: it has no vector" in back_up(filled, tmp_path / "backup").faults[0]
    assert list(verification.faults(Library.open(tmp_path / "backup"))) == []


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "emptied"])
def test_an_original_that_only_the_backup_still_has_is_kept_there_and_said(filled, tmp_path, damage):
    back_up(filled, tmp_path / "backup")
    digest = filled.digest("woods.th")
    damage(filled.file(digest))
    done = back_up(filled, tmp_path / "backup")
    assert (done.faults, [line.split(":")[0] for line in done.lost]) == ((), ["woods.th"])
    assert Library.open(tmp_path / "backup").file(digest).read_text("utf-8") == "%PDF-1.4 ป่า"


def test_originals_that_nothing_needs_stay_until_they_are_pruned(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    filled.remove_publication("sea")
    assert (back_up(filled, tmp_path / "backup").pruned, len(list((tmp_path / "backup").glob("files/*/*.pdf")))) == (0, 3)
    assert (back_up(filled, tmp_path / "backup", prune=True).pruned, len(list((tmp_path / "backup").glob("files/*/*.pdf")))) == (1, 2)


def test_a_folder_with_something_else_in_it_is_refused(filled, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear-ana.txt").write_text("...")
    for folder in (tmp_path / "letters", filled.folder, filled.folder / "backup"):
        with pytest.raises(UnusableBackupError, match="Expected"):
            back_up(filled, folder)
    back_up(filled, tmp_path / "backup")
    with pytest.raises(UnusableBackupError, match="found something in"):
        restore(tmp_path / "backup", tmp_path / "letters")


def test_a_database_that_is_not_as_it_was_backed_up_is_not_restored(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    path = tmp_path / "backup" / "library.sqlite"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UnusableBackupError, match="not as it was backed up"):
        restore(tmp_path / "backup", tmp_path / "restored")
    assert any("not as it was backed up" in fault for fault in verification.faults(Library.open(tmp_path / "backup")))


def test_one_damaged_original_keeps_the_others_from_nothing(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    (tmp_path / "backup").joinpath("files", filled.digest("sea.th")[:2], f"{filled.digest('sea.th')}.pdf").write_bytes(b"%PDF-1.4 rotten")
    assert len(restore(tmp_path / "backup", tmp_path / "restored")) == 1
    assert answers(Library.open(tmp_path / "restored")) == answers(filled)
    assert [fault.split(":")[0] for fault in verification.faults(Library.open(tmp_path / "restored"))] == ["sea.th"]


def test_a_restore_that_was_interrupted_goes_on(filled, tmp_path, monkeypatch):
    back_up(filled, tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "backup", tmp_path / "restored", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(UnusableLibraryError):
        Library.open(tmp_path / "restored")
    assert restore(tmp_path / "backup", tmp_path / "restored") == []
    assert answers(Library.open(tmp_path / "restored")) == answers(filled)


def test_what_imports_decided_is_in_the_backup_and_comes_back(filled, tmp_path):
    (filled.folder / "imports").mkdir()
    (filled.folder / "imports" / "0a.report").write_text("ป่า → th", "utf-8")
    (filled.folder / "imports" / "0a").write_text("what waits for somebody to choose", "utf-8")
    for _ in range(2):
        back_up(filled, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    assert [(path.name, path.read_text("utf-8")) for path in (tmp_path / "restored" / "imports").iterdir()] == [("0a.report", "ป่า → th")]


def test_room_is_looked_for_before_anything_is_copied(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "SPARE", 10**12)
    with pytest.raises(room.FullDiskError, match="nothing was written"):
        back_up(filled, tmp_path / "backup")
    assert not (tmp_path / "backup" / "library.sqlite").exists()


def test_a_backup_of_an_older_format_is_not_changed(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    old = Library.open(tmp_path / "backup")
    with old.transaction() as run:
        run("UPDATE meta SET value = '4' WHERE key = 'format'")
    old.close()
    with pytest.raises(UnusableLibraryError, match="isogloss restore"):
        Library.open(tmp_path / "backup")


def test_what_was_learnt_of_languages_is_in_the_backup(filled, tmp_path):
    save_prior(LanguagePrior({"th": np.ones(5, np.float32)}, None), filled.folder / "prior-lexicon.npz")
    back_up(filled, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    assert (tmp_path / "restored" / "prior-lexicon.npz").read_bytes() == (filled.folder / "prior-lexicon.npz").read_bytes()
    assert [one["sha256"] for one in json.loads((tmp_path / "backup" / "backup.json").read_text())["databases"]] == [
        sha256(tmp_path / "backup" / "library.sqlite")
    ]
    assert backup.fault(tmp_path / "backup") == ""
