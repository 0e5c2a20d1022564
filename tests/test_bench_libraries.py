"""Libraries drawn for benches are such as an ingest makes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import LexiconEncoder

from bench import libraries, material
from bench.size import size_of
from index.library import Library
from ingest.records import primary

TEXTS = {
    "en": "The forest keeps water. A school stands in the forest. The bus comes at noon.",
    "ar": "الغابة تحفظ ماء. المدرسة في الغابة. الحافلة تأتي ظهرا.",
    "th": "ป่าเก็บน้ำไว้มากมาย โรงเรียนอยู่ในป่าที่ห่างไกลจากเมือง รถบัสมาถึงตอนเที่ยงของทุกวัน",
    "zh": "森林保存着水。学校在森林里。公共汽车中午来。",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [{"_id": f"{tag}-{subject}", "text": text, "language": tag} for tag, text in TEXTS.items() for subject in range(40)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return tmp_path


@pytest.fixture
def drawn(folder: Path, encoder: LexiconEncoder) -> Library:
    read = material.read([folder], encoder, folder / "kept.npz")
    return libraries.make(folder / "drawn", 600, read, encoder)


def test_a_library_has_the_size_that_was_asked_for_and_is_sound(drawn: Library):
    assert 600 <= drawn.passage_count() < 610
    assert drawn.faults() == []


def test_every_passage_stands_on_its_page_and_every_sentence_in_its_passage(drawn: Library):
    for state in drawn.edition_states():
        pages = {page.number: page.text for page in drawn.pages(state.edition.edition_id)}
        for passage in drawn.passages_of(state.edition.edition_id).values():
            assert pages[passage.first_page][passage.start : passage.end] == passage.text
            assert passage.sentences[0][0] == 0 and passage.sentences[-1][1] == len(passage.text)
            assert passage.language == primary(state.edition.language)


def test_vectors_have_unit_length_and_differ(drawn: Library):
    _, vectors = drawn.vectors()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-2)
    assert len(np.unique(vectors, axis=0)) > 1


def test_the_same_seed_draws_the_same_library(folder: Path, encoder: LexiconEncoder):
    read = material.read([folder], encoder, folder / "kept.npz")
    one, other = (libraries.make(folder / name, 200, read, encoder, seed=3) for name in ("one", "other"))
    assert one.passages(range(1, 100)) == other.passages(range(1, 100))
    assert one.publications() == other.publications()


def test_real_passages_are_encoded_once(folder: Path, encoder: LexiconEncoder):
    material.read([folder], encoder, folder / "kept.npz")
    encoded = len(encoder.encoded)
    material.read([folder], encoder, folder / "kept.npz")
    assert encoded and len(encoder.encoded) == encoded


def test_the_size_of_a_library_is_that_of_its_parts(drawn: Library):
    size = size_of(drawn.folder)
    drawn.close()
    assert sum(size.parts.values()) <= (drawn.folder / "library.sqlite").stat().st_size
    assert 0 < size.text < sum(size.parts.values())
    assert {"passages", "pages", "vectors", "words"} <= size.parts.keys()
