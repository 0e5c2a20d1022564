"""Verification: every kind of damage is found, and nothing where there is none."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from filling import fill, publication

from index import generations
from index.changes import Changes
from index.jobs import Jobs
from index.verification import faults, remarks


@pytest.fixture
def sound(library, encoder, tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    digest = hashlib.sha256(b"%PDF-1.4").hexdigest()
    library.keep_file(tmp_path / "a.pdf", digest)
    work = publication("woods", ["th"])
    fill(library, encoder, replace(work, editions=(replace(work.editions[0], digest=digest),)), {"th": ["ป่า"]})
    generations.build(library)
    return library


def test_a_sound_library_has_no_faults(sound):
    assert list(faults(sound)) == []


def test_a_changed_original_is_found(sound):
    path = next((sound.folder / "files").glob("*/*.pdf"))
    path.write_bytes(b"%PDF-1.5")
    assert [fault.split(":")[0] for fault in faults(sound)] == [str(path)]


def test_a_missing_original_is_found(sound):
    next((sound.folder / "files").glob("*/*.pdf")).unlink()
    assert [fault.split(":")[0] for fault in faults(sound)] == ["woods.th"]


@pytest.mark.parametrize("value", [0, 7, -128])
def test_a_damaged_vector_is_found(sound, value):
    with sound.transaction() as run:
        run("UPDATE vectors SET vector = ?", (np.full(5, value, np.int8).tobytes(),))
    assert any("its vector is damaged" in fault for fault in faults(sound))


def test_a_damaged_generation_is_found(sound):
    (sound.folder / "generations" / "0001" / "keys.npy").write_bytes(b"")
    assert any("has changed since it was built" in fault for fault in faults(sound))


def test_a_passage_without_a_vector_is_found(sound):
    with sound.transaction() as run:
        run("DELETE FROM vectors WHERE key = 2")
    assert any("passage 2: it has no vector" in fault for fault in faults(sound))


def test_a_file_that_an_edition_is_yet_to_be_read_from_is_missed(sound):
    with sound.transaction() as run:
        run("UPDATE editions SET file = ?", ("ab" * 32,))
    assert [fault.split(":")[0] for fault in faults(sound)] == ["woods.th"]


def test_a_file_that_an_undo_needs_is_missed(sound):
    work = sound.entry("woods")
    other = replace(work, titles={"th": "ป่าไม้"})
    Changes(sound).put("ana", "edited", work, other)
    Changes(sound).remove("ana", other)
    next((sound.folder / "files").glob("*/*.pdf")).unlink()
    assert [fault.split(":")[0] for fault in faults(sound)] == ["undoing change 1 of woods"]


def test_a_file_of_an_upload_is_missed_once_it_has_come_whole(sound):
    with sound.transaction() as run:
        for number, state in enumerate(("receiving", "examined", "discarded")):
            run(
                "INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state, digest) VALUES (?, 'ana', 'ลับ.pdf', 1, '', '', ?, ?)",
                (str(number), state, f"{number}" * 64),
            )
    assert [fault.split(":")[0] for fault in faults(sound)] == ["the upload 'ลับ.pdf'"]


@pytest.mark.embedded_only("writes into the table of FTS5's; an engine keeps no words without their passage")
def test_words_that_are_missing_from_the_index_or_left_in_it_are_found(sound):
    with sound.transaction() as run:
        run("DELETE FROM words WHERE rowid = 2")
        run("INSERT INTO words (rowid, terms) VALUES (99, 'x')")
    assert [fault.split(";")[0] for fault in faults(sound)] == [
        "passage 2: its words are not in the index",
        "passage 99: the index has words of it, though it is gone",
    ]


@pytest.mark.embedded_only("an engine keeps its foreign keys; SQLite does so for connections that ask for it")
def test_a_row_that_points_to_nothing_is_found(sound):
    with sqlite3.connect(sound.folder / "library.sqlite") as connection:
        connection.execute("DELETE FROM editions")
    assert any("points to nothing" in fault for fault in faults(sound))


def test_what_is_left_behind_is_remarked_when_it_is_old_and_is_no_fault(sound):
    old, young = sound.folder / "files" / "ab" / ".copying-old", sound.folder / ".writing-young"
    for path in (old, young):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    spare = sound.folder / "files" / "ab" / f"{hashlib.sha256(b'').hexdigest()}.pdf"
    spare.write_bytes(b"")
    (sound.folder / "generations" / "damaged-0007-1").mkdir()
    Jobs(sound).add("reading", "ana", ["woods.th", "gone.th"])
    assert list(faults(sound)) == []
    said = "\n".join(remarks(sound))
    assert [word in said for word in ("gone.th", "1 originals", ".copying-old", "damaged-0007-1")] == [True] * 4
    assert "woods.th" not in said
    assert "young" not in said


@pytest.mark.parametrize(("role", "said"), [(generations.BEFORE, "brought back"), (generations.CANDIDATE, "published")])
def test_a_damaged_generation_that_serves_nobody_is_remarked_and_no_fault(sound, role, said):
    other = generations.save(sound, generations.make(sound)).named
    generations.assign(sound, {role: other})
    assert list(remarks(sound)) == []
    path = sound.folder / "generations" / other.name / "keys.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert list(faults(sound)) == [] and [said in remark and "keys.npy" in remark for remark in remarks(sound)] == [True]


def test_a_library_without_a_generation_is_sound(library):
    assert list(faults(library)) == []
    assert "No generation has been built yet" in "\n".join(remarks(library))
