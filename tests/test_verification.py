"""Verification: every kind of damage is found, and nothing where there is none."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from filling import fill, publication

from index import generations
from index.verification import faults


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


@pytest.mark.parametrize("value", [0, np.nan, 7])
def test_a_damaged_vector_is_found(sound, value):
    with sound.transaction() as run:
        run("UPDATE vectors SET vector = ?", (np.full(5, value, np.float16).tobytes(),))
    assert any("its vector is damaged" in fault for fault in faults(sound))


def test_a_damaged_generation_is_found(sound):
    (sound.folder / "generations" / "0001" / "vectors.faiss").write_bytes(b"")
    assert any("has changed since it was built" in fault for fault in faults(sound))


def test_a_passage_without_a_vector_is_found(sound):
    with sound.transaction() as run:
        run("DELETE FROM vectors WHERE key = 2")
    assert any("passage 2: it has no vector" in fault for fault in faults(sound))
