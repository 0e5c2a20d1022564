from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from conftest import LexiconEncoder

from index.contents import EditionState
from index.passage_encoding import encode
from ingest.pipeline import READING_VERSION, Reading
from ingest.records import Content, Edition, Page, Publication
from search_app import storing
from search_app.storing import cut, encoded_ahead, store_entry, store_reading

SENTENCES = {
    "de": "Der Wald wächst langsam. Das Wasser ist klar. Die Schule ist neu.",
    "th": "ป่าเติบโตช้า\nน้ำใสมาก\nโรงเรียนใหม่",
    "ar": "الغابة تنمو ببطء. الماء صاف. المدرسة جديدة.",
    "es": "El bosque crece. El agua es clara. La escuela es nueva.",
    "am": "ደኑ ያድጋል። ውሃው ንጹህ ነው። ትምህርት ቤቱ አዲስ ነው።",
}


class Readers:
    """Stands for processes that read: notes that it was told to stop."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def short_passages(monkeypatch):
    monkeypatch.setattr("ingest.passages.PASSAGE_TOKENS", 6)
    monkeypatch.setattr(storing, "BATCH", 3)


def publication(language: str, title: str = "") -> Publication:
    edition = Edition(f"one.{language}", "one", language, "", "whole", "a" * 64)
    return Publication("one", {language: title or f"title in {language}"}, {}, 2024, "", (), (), "", (edition,))


def cut_of(language: str, pages: int = 1):
    one, encoder = publication(language), LexiconEncoder()
    (edition,) = one.editions
    content = Content("", tuple(Page(edition.edition_id, number, str(number), SENTENCES[language], "good") for number in range(1, pages + 1)))
    return cut(one, edition, Reading(edition.edition_id, content, ""), encoder, described=True)


def cuts(taken: list[str], pages: int = 1):
    for language in SENTENCES:
        taken.append(language)
        yield cut_of(language, pages)


@pytest.mark.parametrize("pages", [1, 4])
def test_editions_that_are_encoded_together_get_the_vectors_that_each_gets_alone(encoder, pages):
    found = list(encoded_ahead(Readers(), cuts([], pages), encoder))
    assert [one.edition.language for one, _ in found] == list(SENTENCES)
    for one, vectors in found:
        assert len(one.entry) == 1 and len(one.passages) >= pages
        assert np.array_equal(vectors.vectors, LexiconEncoder().encode_passages(one.texts))
    assert encoder.encoded == [text for one, _ in found for text in one.texts]  # each once, in order


def test_no_more_is_cut_or_encoded_than_there_is_room_for_while_storing_is_slow(encoder):
    taken = []
    with closing(encoded_ahead(Readers(), (one for _ in range(20) for one in cuts(taken)), encoder)) as encoded:
        for given in range(1, 6):
            next(encoded)
            time.sleep(0.05)
            held = storing.READ_AHEAD + storing.DONE_AHEAD + 2 * storing.BATCH + 2  # those in the hands of the two threads too
            assert len(taken) - given <= held


def test_what_reading_raises_comes_after_what_was_read_before_it(encoder):
    def broken():
        yield cut_of("th")
        raise OSError("ไม่มีที่ว่าง")

    encoded = encoded_ahead(Readers(), broken(), encoder)
    assert next(encoded)[0].edition.language == "th"
    with pytest.raises(OSError, match="ไม่มีที่ว่าง"):
        next(encoded)


def test_what_the_encoder_raises_ends_all_and_leaves_nothing_behind(encoder, monkeypatch):
    def fail(texts):
        raise MemoryError("متن")

    monkeypatch.setattr(encoder, "encode_passages", fail)
    before, readers = threading.active_count(), Readers()
    with pytest.raises(MemoryError, match="متن"):
        list(encoded_ahead(readers, cuts([]), encoder))
    assert readers.stopped and threading.active_count() == before


def test_whoever_wants_no_more_leaves_no_thread_and_no_reader_behind(encoder):
    before, readers, closed = threading.active_count(), Readers(), []

    def endless():
        try:
            while True:
                yield cut_of("am")
        finally:
            closed.append(True)

    with closing(encoded_ahead(readers, endless(), encoder)) as encoded:
        next(encoded)
    assert readers.stopped and closed and threading.active_count() == before


def test_an_edition_whose_title_changed_while_it_was_encoded_is_read_again(library, encoder):
    for title, version in (("title in de", READING_VERSION), ("ein anderer", 0)):
        store_entry(library, encoder, publication("de"), "folder")
        one = cut_of("de")
        store_entry(library, encoder, publication("de", title), "folder")
        assert store_reading(library, one, encode(encoder, one.texts, one.all_passages).part(len(one.entry)), encoder.fingerprint) == "read"
        (state,) = library.edition_states()
        assert isinstance(state, EditionState) and state.reading_version == version
        assert len(library.passages_of("one.de")) == len(one.passages)


def test_an_edition_that_the_catalogue_dropped_meanwhile_is_not_stored(library, encoder):
    one = cut_of("ar")
    made = encode(encoder, one.texts, one.all_passages).part(len(one.entry))
    assert store_reading(library, one, made, encoder.fingerprint) is None
    store_entry(library, encoder, replace(publication("ar"), editions=publication("th").editions), "folder")
    assert store_reading(library, one, made, encoder.fingerprint) is None and library.passages_of("one.ar") == {}
