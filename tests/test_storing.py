from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from conftest import ContextEncoder, LexiconEncoder

from index import passage_encoding
from index.contents import EditionState
from index.passage_encoding import codebook_of, encode
from ingest.pipeline import READING_VERSION, Reading
from ingest.records import Content, Edition, Page, Publication
from search_app import storing
from search_app.storing import cut, encode_uncoded, encoded_ahead, store_entry, store_reading

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
            held = storing.READ_AHEAD + storing.DONE_AHEAD + (2 + storing.SEEN_AHEAD) * storing.BATCH + 3  # those in the hands of the threads too
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


def test_vectors_and_codes_come_from_one_pass_below_the_title(context_encoder):
    one = cut_of("am")
    vectors, codes = encode(context_encoder, one.texts, one.all_passages)
    assert context_encoder.encoded == one.texts and np.array_equal(vectors, ContextEncoder().encode_passages(one.texts))
    codebook = codebook_of(context_encoder)
    for passage, vector, blob in zip(one.all_passages, vectors, codes, strict=True):
        near, words = codebook.read(blob, passage, vector)
        assert len(near) == len(words) == len(passage.sentences)
        assert all(sentence.spans for sentence in words)


def test_what_is_stored_has_its_codes(library, context_encoder):
    one = cut_of("ar", pages=2)
    library.set_meta("encoder", context_encoder.fingerprint)
    store_entry(library, context_encoder, publication("ar"), "folder")
    store_reading(library, one, encode(context_encoder, one.texts, one.all_passages).part(len(one.entry)), context_encoder.fingerprint)
    keys = [key for key, _, _ in library.passage_table()]
    assert len(keys) == len(one.all_passages) and library.codes_of(keys).keys() == set(keys)
    assert library.without_codes(context_encoder.fingerprint) == []


def test_codes_of_editions_that_are_encoded_together_are_those_that_each_gets_alone(context_encoder):
    with closing(encoded_ahead(Readers(), cuts([], pages=4), context_encoder)) as encoded:
        found = list(encoded)
    assert [one.edition.language for one, _ in found] == list(SENTENCES)
    for one, made in found:
        alone = encode(context_encoder, one.texts, one.all_passages)
        assert np.array_equal(made.vectors, alone.vectors) and made.codes == alone.codes and all(made.codes)


def test_what_the_making_of_codes_raises_ends_all_and_leaves_nothing_behind(context_encoder, monkeypatch):
    def fail(*_):
        raise MemoryError("متن")

    monkeypatch.setattr(type(codebook_of(context_encoder)), "coded", fail)
    before, readers = threading.active_count(), Readers()
    with pytest.raises(MemoryError, match="متن"):
        list(encoded_ahead(readers, cuts([]), context_encoder))
    assert readers.stopped and threading.active_count() == before


def test_what_an_older_version_stored_gets_the_codes_it_would_have_now(library, context_encoder, monkeypatch):
    now, before = cut_of("th", pages=3), passage_encoding.shipped_codebook
    library.set_meta("encoder", context_encoder.fingerprint)
    monkeypatch.setattr(passage_encoding, "shipped_codebook", lambda fingerprint: None)
    store_entry(library, context_encoder, publication("th"), "folder")
    store_reading(library, now, encode(context_encoder, now.texts, now.all_passages).part(len(now.entry)), context_encoder.fingerprint)
    keys = [key for key, _, _ in library.passage_table()]
    assert library.without_codes(context_encoder.fingerprint) == keys and library.codes_of(keys) == {}
    monkeypatch.setattr(passage_encoding, "shipped_codebook", before)

    def interrupted(done, total):
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_uncoded(library, context_encoder, interrupted)
    assert len(library.codes_of(keys)) == 3
    told = []
    encode_uncoded(library, context_encoder, lambda *progress: told.append(progress))
    assert told[0] == (3, len(keys)) and told[-1] == (len(keys), len(keys)) and library.codes_of(keys).keys() == set(keys)
    stored = dict(zip(library.passages(keys).values(), library.codes_of(keys).values(), strict=True))
    expected = encode(context_encoder, now.texts, now.all_passages).codes
    assert [stored[passage] for passage in now.all_passages] == list(expected)
    encode_uncoded(library, context_encoder, lambda *_: pytest.fail("nothing is left to do"))


def test_codes_of_another_codebook_are_made_again_and_those_of_none_left_alone(library, context_encoder):
    one, codebook = cut_of("am", pages=2), codebook_of(context_encoder)
    library.set_meta("encoder", context_encoder.fingerprint)
    store_entry(library, context_encoder, publication("am"), "folder")
    store_reading(library, one, encode(context_encoder, one.texts, one.all_passages).part(len(one.entry)), context_encoder.fingerprint)
    keys, made = (found := library.vectors())[0].tolist(), library.codes_of(library.vectors()[0].tolist())
    foreign = bytes([2 * codebook.version + 2]) + made[keys[0]][1:]
    library.put_vectors(context_encoder.fingerprint, dict(zip(keys, found[1], strict=True)), {**made, keys[0]: foreign, keys[1]: b""})
    assert library.without_codes(context_encoder.fingerprint, codebook.heads) == keys[:1]
    encode_uncoded(library, context_encoder)
    assert library.codes_of(keys) == {key: blob for key, blob in made.items() if key != keys[1]}


def test_an_encoder_without_a_codebook_leaves_no_codes(library, encoder):
    encode_uncoded(library, encoder, lambda *_: pytest.fail("there is nothing to make codes by"))
    assert encode(encoder, ["ป่า"], cut_of("th").passages[:1]).codes == []
