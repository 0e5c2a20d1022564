"""The same passage in another edition: where it stands, which sentence it is, and silence where it is missing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from filling import DIGEST, fill, publication

from index import counterparts as module
from index.contents import EditionState
from index.counterparts import CERTAIN, LIKELY, Counterparts, Wanted, edition_for, heaviest_path, preferences
from index.view import View
from ingest.records import Edition, Page, Passage, edition_id

TEXTS = {
    "en": ["The forest grows.", "The water rises.", "The school opens.", "The bus comes."],
    "de": ["Der Wald wächst.", "Das Wasser steigt.", "Die Schule öffnet.", "Der Autobus kommt."],
    "th": ["ป่าเติบโต", "น้ำขึ้นสูง", "โรงเรียนเปิด", "รถบัสมา"],
    "ar": ["تنمو غابة.", "يرتفع ماء.", "تفتح مدرسة.", "تصل حافلة."],
}


@pytest.fixture
def counterparts(library, encoder):
    return Counterparts(library, encoder)


def passages_of(library, language, name="woods"):
    return list(library.passages_of(edition_id(name, language)).values())


def ask(library, counterparts, passage, target, span=None):
    return counterparts.of(View.of(library, None), [Wanted(passage, span or passage.sentences[0], target)])[0]


def put(library, encoder, language, *pages):
    """Make an edition anew, each page one passage of several sentences."""
    edition = Edition(edition_id("woods", language), "woods", language, "", "whole", DIGEST)
    passages = []
    for number, sentences in enumerate(pages, start=1):
        text, spans = "", []
        for sentence in sentences:
            spans.append((len(text), len(text) + len(sentence)))
            text += sentence + " "
        passages.append(Passage(edition.edition_id, number - 1, number, 0, number, len(text), language, text, tuple(spans)))
    read = [Page(edition.edition_id, one.first_page, "", one.text, "good") for one in passages]
    library.put_reading(EditionState(edition, "read", "", 1, ""), read, passages, encoder.encode_passages([one.text for one in passages]))


@pytest.mark.parametrize("source", TEXTS)
@pytest.mark.parametrize("target", TEXTS)
def test_the_same_passage_is_found_whatever_the_scripts(library, encoder, counterparts, source, target):
    fill(library, encoder, publication("woods", list(TEXTS)), TEXTS)
    for place, passage in enumerate(passages_of(library, source)):
        found = ask(library, counterparts, passage, edition_id("woods", target))
        assert (found.passage.text, found.page, found.confidence) == (TEXTS[target][place], place + 1, "certain")


@pytest.mark.parametrize("language", ["de", "th", "ar"])
def test_what_the_other_edition_leaves_out_has_no_counterpart(library, encoder, counterparts, language):
    texts = TEXTS | {language: TEXTS[language][:2] + TEXTS[language][3:]}
    fill(library, encoder, publication("woods", ["en", language]), texts)
    found = [ask(library, counterparts, passage, edition_id("woods", language)) for passage in passages_of(library, "en")]
    assert [one and one.passage.text for one in found] == [texts[language][0], texts[language][1], None, texts[language][2]]


def test_another_work_has_no_counterpart(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en"]), {"en": TEXTS["en"][:2]})
    fill(library, encoder, publication("lines", ["th"]), {"th": TEXTS["th"][2:]})
    assert [ask(library, counterparts, passage, "lines.th") for passage in passages_of(library, "en")] == [None, None]


def test_order_decides_between_passages_that_say_the_same(library, encoder, counterparts):
    texts = {"en": ["The forest.", "The water.", "The school.", "The water."], "th": ["ป่า", "น้ำ", "โรงเรียน", "น้ำ"]}
    fill(library, encoder, publication("woods", ["en", "th"]), texts)
    assert [ask(library, counterparts, passage, "woods.th").page for passage in passages_of(library, "en")] == [1, 2, 3, 4]


def test_a_chapter_at_another_place_is_still_found(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en", "th"]), {"en": TEXTS["en"], "th": [*TEXTS["th"][2:], *TEXTS["th"][:2]]})
    assert [ask(library, counterparts, passage, "woods.th").page for passage in passages_of(library, "en")] == [3, 4, 1, 2]


@pytest.mark.parametrize(("sentence", "expected"), [(0, "ป่าเติบโต"), (1, "โรงเรียนเปิด")])
def test_the_sentence_is_marked_not_only_its_passage(library, encoder, counterparts, sentence, expected):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    put(library, encoder, "en", ["The forest grows.", "The school opens."], ["The bus comes."])
    put(library, encoder, "th", ["รถบัสมา"], ["น้ำขึ้นสูง"], ["ป่าเติบโต", "โรงเรียนเปิด"])
    passage = passages_of(library, "en")[0]
    found = ask(library, counterparts, passage, "woods.th", passage.sentences[sentence])
    assert (found.page, found.passage.text[slice(*found.span)]) == (3, expected)


def test_a_sentence_in_two_passages_is_looked_for_by_both(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    put(library, encoder, "en", ["The forest grows.", "The bus comes."], ["The bus comes.", "The school opens."])
    put(library, encoder, "th", ["ป่าเติบโต", "น้ำขึ้นสูง"], ["รถบัสมา"], ["โรงเรียนเปิด"])
    passage = passages_of(library, "en")[0]
    assert ask(library, counterparts, passage, "woods.th", passage.sentences[1]).passage.text.strip() == "รถบัสมา"


@pytest.mark.parametrize("span", [(17, 34), (20, 26), (10, 40)])
def test_part_of_a_sentence_stands_for_the_sentence(library, encoder, counterparts, span):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    put(library, encoder, "en", ["The water rises."], ["The school opens."], ["The forest grows.", "The bus comes."])
    assert ask(library, counterparts, passages_of(library, "en")[2], "woods.th", span).passage.text == "รถบัสมา"


def test_the_catalogue_entry_has_no_counterpart(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    entry = replace(passages_of(library, "en")[0], first_page=0, last_page=0)
    assert ask(library, counterparts, entry, "woods.th") is None


@pytest.mark.parametrize("target", ["woods.fr", "nothing"])
def test_an_edition_that_cannot_be_read_has_no_counterpart(library, encoder, counterparts, target):
    fill(library, encoder, publication("woods", ["en", "fr"]), {"en": TEXTS["en"]})
    assert ask(library, counterparts, passages_of(library, "en")[0], target) is None


def test_editions_too_large_to_be_compared_are_left_alone(library, encoder, counterparts, monkeypatch):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    monkeypatch.setattr(module, "LARGEST", 15)
    assert ask(library, counterparts, passages_of(library, "en")[0], "woods.th") is None


def test_a_change_of_the_library_is_noticed(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    passage = passages_of(library, "en")[0]
    assert ask(library, counterparts, passage, "woods.th").page == 1
    put(library, encoder, "th", ["รถบัสมา"], ["น้ำขึ้นสูง"], ["โรงเรียนเปิด"], ["ป่าเติบโต"])
    assert ask(library, counterparts, passage, "woods.th").page == 4


def test_a_passage_that_was_replaced_meanwhile_has_no_counterpart(library, encoder, counterparts):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    passage, view = passages_of(library, "en")[0], View.of(library, None)
    put(library, encoder, "en", ["The school opens."])
    assert counterparts.of(view, [Wanted(passage, passage.sentences[0], "woods.th")]) == [None]
    assert ask(library, counterparts, passage, "woods.th") is None


def test_editions_are_aligned_once_and_forgotten_when_there_are_too_many(library, encoder, counterparts, monkeypatch):
    fill(library, encoder, publication("woods", list(TEXTS)), TEXTS)
    aligned = []
    real = module.preferences
    monkeypatch.setattr(module, "preferences", lambda similarities: aligned.append(1) or real(similarities))
    monkeypatch.setattr(module, "CACHE", 2500)  # two pairs
    view, passage = View.of(library, None), passages_of(library, "en")[0]
    for target in ("de", "de", "th", "de", "ar", "th"):
        counterparts.of(view, [Wanted(passage, passage.sentences[0], edition_id("woods", target))])
    assert len(aligned) == 4


def test_only_the_sentences_that_are_compared_are_encoded_and_each_once(library, encoder, counterparts, monkeypatch):
    fill(library, encoder, publication("woods", ["en", "th"]), TEXTS)
    put(library, encoder, "en", ["The forest grows.", "The water rises."], ["The bus comes."])
    put(library, encoder, "th", ["ป่าเติบโต", "น้ำขึ้นสูง"], ["รถบัสมา"])
    passage, encoded = passages_of(library, "en")[0], len(encoder.encoded)
    first = ask(library, counterparts, passage, "woods.th", passage.sentences[1])
    assert encoder.encoded[encoded:] == ["The water rises.", "ป่าเติบโต", "น้ำขึ้นสูง"]
    assert ask(library, counterparts, passage, "woods.th", passage.sentences[1]) == first
    assert len(encoder.encoded) == encoded + 3
    monkeypatch.setattr(module, "SENTENCES", 2)
    assert ask(library, counterparts, passage, "woods.th", passage.sentences[1]) == first
    assert len(counterparts._seen) == 2


def test_threads_get_the_same_answers(library, encoder, counterparts, monkeypatch):
    fill(library, encoder, publication("woods", list(TEXTS)), TEXTS)
    monkeypatch.setattr(module, "CACHE", 2500)
    view = View.of(library, None)
    wanted = [Wanted(one, one.sentences[0], edition_id("woods", to)) for language in TEXTS for one in passages_of(library, language) for to in TEXTS]
    expected = counterparts.of(view, wanted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: counterparts.of(view, [one])[0], wanted * 3))
    assert found == expected * 3 and all(expected)


@pytest.mark.parametrize(
    ("gains", "path"),
    [
        ([[1, 0], [0, 1]], [(0, 0), (1, 1)]),
        ([[0, 1], [2, 0]], [(1, 0)]),
        ([[0, 3, 0], [1, 0, 0], [0, 1, 0]], [(0, 1)]),
        ([[1, 0, 0], [0, 0, 0], [0, 0, 1]], [(0, 0), (2, 2)]),
        ([[-1, -1], [-1, -2]], []),
        ([[1, 1, 1]], [(0, 0)]),
    ],
)
def test_the_path_is_the_heaviest_that_rises_in_both(gains, path):
    assert [tuple(pair) for pair in heaviest_path(np.asarray(gains, np.float32))] == path


def test_the_path_is_as_heavy_as_any_that_can_be_tried():
    draw = np.random.default_rng(0)
    for _ in range(30):
        gains = draw.normal(size=(5, 4)).astype(np.float32)
        path = heaviest_path(gains)
        assert (np.diff(path, axis=0) > 0).all()
        assert sum(gains[tuple(pair)] for pair in path) == pytest.approx(heaviest(gains), abs=1e-5)


def heaviest(gains):
    """The same by trying everything."""
    rows, columns = gains.shape
    pairs = ((gains[row, column], gains[row + 1 :, column + 1 :]) for row in range(rows) for column in range(columns))
    return max((gain + heaviest(rest) for gain, rest in pairs), default=0) if gains.size and (gains > 0).any() else 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 50)])
def test_editions_of_any_length_can_be_aligned(shape):
    assert np.isfinite(preferences(np.full(shape, 0.5, np.float32))).all()


def test_certain_is_more_than_likely():
    assert LIKELY < CERTAIN


@pytest.mark.parametrize(
    ("shown", "readers", "chosen"),
    [
        ("woods.en", ("fr",), "woods.fr"),
        ("woods.en", ("am", "zh-TW"), "woods.zh-Hant"),
        ("woods.en", ("pt-BR",), "woods.pt-BR"),
        ("woods.en", ("pt",), "woods.pt"),
        ("woods.en", ("de", "fr"), "woods.de"),
        ("woods.en", ("ar", "de"), "woods.de"),  # the Arabic one has no file
        ("woods.en", ("en", "fr"), None),
        ("woods.pt", ("pt-BR", "fr"), None),
        ("woods.en", (), None),
        ("woods.en", ("km",), None),
    ],
)
def test_the_edition_beside_is_the_readers_first_and_a_whole_one(shown, readers, chosen):
    names = ["en", "fr", "pt", "pt-BR", "zh-Hant"]
    editions = [Edition(edition_id("woods", name), "woods", name, "", "whole", DIGEST) for name in names]
    editions += [Edition(edition_id("woods", "de", part), "woods", "de", "", part, DIGEST) for part in ("executive summary", "whole")]
    editions += [Edition("woods.ar", "woods", "ar", "", "whole", None)]
    found = edition_for(publication("woods", [], editions=tuple(editions)), shown, readers)
    assert (found and found.edition_id) == chosen
