"""Codes: what is kept of a passage to mark it later says where its words stand, and about what they and its sentences mean."""

from __future__ import annotations

import re
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from index.encoder import Tokens
from index.related import answers, unit, words_of
from index.residual_codes import CENTROIDS, ResidualCodes
from index.terms import pieces
from index.word_codes import WEIGHT, Codebook, load_codebook, save_codebook, shipped_codebook
from ingest.records import Passage

WIDTH, KEPT, STAGES = 72, 48, 4
TEXTS = [
    ["The river rises in spring.", "Nobody fishes there any more."],
    ["يرتفع ماء النهر في الربيع.", "لا أحد يصطاد هناك."],
    ["آب رودخانه در بهار بالا می‌آید.", "دیگر کسی آنجا ماهی نمی‌گیرد."],
    ["מי הנהר עולים באביב.", 'צה"ל אינו שם.'],
    ["वसंत में नदी का पानी बढ़ता है।", "अब वहाँ कोई मछली नहीं पकड़ता।"],
    ["বসন্তে নদীর জল বাড়ে।", "সেখানে আর কেউ মাছ ধরে না।"],
    ["வசந்த காலத்தில் ஆற்று நீர் உயர்கிறது.", "அங்கே யாரும் மீன் பிடிப்பதில்லை."],
    ["ในฤดูใบไม้ผลิน้ำในแม่น้ำขึ้น", "ไม่มีใครตกปลาที่นั่นแล้ว"],
    ["ນ້ຳໃນແມ່ນ້ຳຂຶ້ນໃນລະດູບານໃໝ່", "ບໍ່ມີໃຜຫາປາຢູ່ນັ້ນ"],
    ["ទឹកទន្លេឡើងនៅនិទាឃរដូវ។", "គ្មាននរណានេសាទនៅទីនោះទេ។"],
    ["နွေဦးတွင် မြစ်ရေတက်သည်။", "ထိုနေရာတွင် ငါးမဖမ်းတော့ပါ။"],
    ["በጸደይ የወንዙ ውሃ ይጨምራል።", "እዚያ ማንም ዓሣ አያጠምድም።"],
    ["春には川の水が増える。", "もう誰もそこで釣りをしない。"],
    ["春天河水上涨。", "那里不再有人钓鱼，COVID-19之后。"],
    ["봄에는 강물이 불어난다.", "이제 아무도 낚시하지 않는다."],
    ["𝐓𝐡𝐞 river 🌊 rises.", "👍🏽 — … !", "Δεν ψαρεύει πια κανείς εκεί."],
]


def passage(*sentences: str, between: str = " ") -> Passage:
    text, spans = "", []
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + between
    return Passage("woods", 0, 1, 0, 1, len(text), "en", text, tuple(spans))


def row(word: str) -> np.ndarray:
    return np.random.default_rng(crc32(word.strip().casefold().encode())).normal(size=WIDTH).astype(np.float32)


def tokens_of(text: str, most: int = 10_000) -> Tokens:
    """Words in pieces of three letters, with the space before them, as tokenizers cut; each has a vector of its own."""
    spans = [match.span() for match in re.finditer(r"\s?\w{1,3}|\s?[^\w\s]", text)][:most]
    layer = np.stack([row(text[start:end]) for start, end in spans]) if spans else np.zeros((0, WIDTH), np.float32)
    return Tokens(unit(layer.sum(axis=0) + 0.1), np.asarray(spans, np.int64).reshape(-1, 2), (layer,))


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    chance = np.random.default_rng(0)
    stages = chance.normal(size=(STAGES, CENTROIDS, KEPT)) * np.asarray([0.6, 0.5, 0.4, 0.3])[:, None, None] / np.sqrt(KEPT)
    matrix = np.linalg.qr(chance.normal(size=(WIDTH, WIDTH)))[0][:, :KEPT]
    turn = np.linalg.qr(chance.normal(size=(WIDTH, WIDTH)))[0]
    arrays = (array.astype(np.float32) for array in (np.zeros(WIDTH), matrix, stages, turn))
    mean, matrix, stages, turn = arrays
    return Codebook((12,), mean, matrix, ResidualCodes(stages), turn, 0.4)


def written(page: Passage, sentences) -> list[list[str]]:
    parts = [page.text[start:end] for start, end in page.sentences]
    return [[part[start:end] for start, end in sentence.spans] for part, sentence in zip(parts, sentences, strict=True)]


@pytest.mark.parametrize("sentences", TEXTS, ids=[texts[0][:9] for texts in TEXTS])
@pytest.mark.parametrize("title", ["", "Rivers and lakes\n"])
def test_words_are_read_where_they_stood(codebook, sentences, title):
    page = passage(*sentences)
    tokens = tokens_of(title + page.text)
    vectors, read = codebook.read(codebook.coded(page, len(title), tokens), page, tokens.vector)
    there = words_of(page.text, tokens.spans - len(title))
    wanted = [[page.text[a:b] for a, b in there if start <= a < end] for start, end in page.sentences]
    assert written(page, read) == wanted
    assert any(wanted)
    assert vectors.shape == (len(sentences), WIDTH)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("between", [" ", "\n", "\u00a0", "\u3000", "\u2028", " \t\x1f "])
@pytest.mark.parametrize("sentences", TEXTS, ids=[texts[0][:9] for texts in TEXTS])
def test_words_are_those_of_the_whole_text_though_they_are_cut_between_its_spaces(sentences, between):
    text = between.join([*sentences, "don't", "Art. 12(3)", "U.N.", *sentences])
    letters = np.asarray([(place, place + 1) for place in range(len(text))])
    assert {(one.start, one.end) for one in pieces(text) if not one.unspaced} <= set(words_of(text, letters))
    assert {place for span in words_of(text, letters) for place in range(*span)} == {at for one in pieces(text) for at in range(one.start, one.end)}


@pytest.mark.parametrize("sentences", TEXTS, ids=[texts[0][:9] for texts in TEXTS])
def test_a_sentence_is_told_from_the_others_by_its_vector_and_its_words(codebook, sentences):
    page = passage(*sentences)
    tokens = tokens_of(page.text)
    vectors, read = codebook.read(codebook.coded(page, 0, tokens), page, tokens.vector)
    for place, sentence in enumerate(sentences):
        alone = tokens_of(sentence)
        own = unit(alone.layers[0].mean(axis=0))
        assert int(np.argmax(vectors @ own)) == place
        query = codebook.query(sentence, alone)
        if query.spans:
            assert int(np.argmax([answers(query, other) for other in read])) == place


def test_a_vector_read_lies_nearer_to_its_sentence_than_that_of_the_passage(codebook):
    page = passage(*TEXTS[0], *TEXTS[1])
    tokens = tokens_of(page.text)
    vectors, _ = codebook.read(codebook.coded(page, 0, tokens), page, tokens.vector)
    for (start, end), vector in zip(page.sentences, vectors, strict=True):
        own = [row(page.text[a:b]) for a, b in tokens.spans if a < end and b > start]
        sentence = unit(np.mean(own, axis=0))
        assert vector @ sentence > tokens.vector @ sentence


def test_a_query_and_a_passage_find_the_same_word_alike(codebook):
    page = passage("The river rises.")
    tokens = tokens_of(page.text)
    ((sentence,), query) = codebook.read(codebook.coded(page, 0, tokens), page, tokens.vector)[1], codebook.query("river", tokens_of("river"))
    cosines = query.words.astype(np.float32) @ sentence.words.astype(np.float32).T
    assert written(page, [sentence])[0][int(cosines.argmax())] == "river"
    assert np.allclose(query.tokens, WEIGHT * query.words, atol=1e-3)


def test_codes_come_nearer_with_every_stage(codebook):
    words = unit(np.random.default_rng(1).normal(size=(200, KEPT)).astype(np.float32))
    left = [
        np.linalg.norm(words - cut.rows(cut.codes(words)), axis=1).mean() for cut in (ResidualCodes(codebook.residual.stages[:n]) for n in (1, 2, 4))
    ]
    assert 1 > left[0] > left[1] > left[2]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("One two three four.", 0),
        ("واحد اثنان ثلاثة أربعة.", 0),
        ("One two " + "-" * 40 + " three " + "o" * 40 + ".", 0),
        ("森 林 保 存", 4),
        ("森 林 " + "-" * 40 + " 保 存", 4 + 8),
        ("森 林 " + "-" * 40 + " 保 " + "o" * 40, 4 + 2 * 8),
    ],
)
def test_where_words_stand_takes_bytes_only_where_the_text_does_not_tell(codebook, text, places):
    page = passage(text)
    tokens = tokens_of(page.text)
    blob = codebook.coded(page, 0, tokens)
    assert len(blob) == 1 + 2 + 2 + WIDTH // 8 + 4 * STAGES + places
    assert written(page, codebook.read(blob, page, tokens.vector)[1]) == [re.findall(r"\w+", page.text)]


def test_words_that_a_text_no_longer_tells_alike_are_refused(codebook):
    page, another = passage("The river rises."), passage("The river rose up.")
    tokens = tokens_of(page.text)
    with pytest.raises(ValueError, match="codes must be of the words of the passage, 4; got 3"):
        codebook.read(codebook.coded(page, 0, tokens), another, tokens.vector)


def test_words_beyond_what_the_encoder_saw_have_no_code_and_their_sentence_the_vector_of_the_passage(codebook):
    page = passage("River rises.", "Nobody fishes.")
    tokens = tokens_of(page.text, most=4)
    vectors, read = codebook.read(codebook.coded(page, 0, tokens), page, tokens.vector)
    assert written(page, read) == [["River", "rises"], []]
    assert np.allclose(vectors[1], tokens.vector, atol=1e-6)


def test_a_passage_of_which_the_encoder_saw_nothing_can_be_read(codebook):
    page = passage("River rises.")
    nothing = Tokens(unit(np.ones(WIDTH, np.float32)), np.zeros((0, 2), np.int64), (np.zeros((0, WIDTH), np.float32),))
    vectors, (sentence,) = codebook.read(codebook.coded(page, 0, nothing), page, nothing.vector)
    assert sentence.spans == () and sentence.words.shape == (0, KEPT)
    assert np.allclose(vectors, nothing.vector, atol=1e-6)


@pytest.mark.parametrize("text", ["", "?!", "— …"])
def test_a_query_without_words_has_nothing_to_compare(codebook, text):
    query = codebook.query(text, tokens_of(text))
    assert query.spans == () and query.words.shape == query.tokens.shape == (0, KEPT)


def test_a_passage_without_sentences_has_no_codes(codebook):
    assert codebook.coded(passage(), 0, tokens_of("river")) == b""


def test_words_outside_of_sentences_are_not_kept_and_none_reaches_out_of_its_own(codebook):
    page = Passage("woods", 0, 1, 0, 1, 30, "en", "Head 7 River rises. Tail ends.", ((7, 16), (16, 19)))
    tokens = tokens_of(page.text)
    _, read = codebook.read(codebook.coded(page, 0, tokens), page, tokens.vector)
    assert written(page, read) == [["River", "ris"], []]


def test_codes_of_another_passage_are_refused(codebook):
    page, other, longer = passage(*TEXTS[0]), passage("River.", "Fish."), passage(*TEXTS[0], "It rains.")
    tokens = tokens_of(page.text)
    blob = codebook.coded(page, 0, tokens)
    for another in (other, longer, passage(TEXTS[0][0])):
        with pytest.raises(ValueError, match=r"codes|places"):
            codebook.read(blob, another, tokens.vector)


@pytest.mark.parametrize("sentences", TEXTS[::3], ids=[texts[0][:9] for texts in TEXTS[::3]])
def test_what_is_cut_or_longer_is_refused(codebook, sentences):
    page = passage(*sentences)
    tokens = tokens_of(page.text)
    blob = codebook.coded(page, 0, tokens)
    for damaged in [blob[:size] for size in range(len(blob))] + [blob + b"\0", blob + bytes(8)]:
        with pytest.raises(ValueError, match=r"codes|places"):
            codebook.read(damaged, page, tokens.vector)


def test_damage_is_refused_or_read_within_the_passage(codebook):
    page = passage(*TEXTS[0])
    tokens = tokens_of(page.text)
    blob, chance = codebook.coded(page, 0, tokens), np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(blob)
        damaged[chance.integers(len(blob))] = chance.integers(256)
        try:
            vectors, read = codebook.read(bytes(damaged), page, tokens.vector)
        except ValueError:
            continue
        assert np.isfinite(vectors).all()
        assert all(0 <= a < b <= end - start for (start, end), one in zip(page.sentences, read, strict=True) for a, b in one.spans)


def test_a_codebook_saved_and_loaded_reads_what_it_coded(codebook, tmp_path):
    save_codebook(codebook, tmp_path / "codes.npz")
    loaded, page = load_codebook(tmp_path / "codes.npz"), passage(*TEXTS[0])
    tokens = tokens_of(page.text)
    assert (loaded.layers, loaded.related) == (codebook.layers, codebook.related)
    save_codebook(loaded, tmp_path / "again.npz")
    again = load_codebook(tmp_path / "again.npz")
    assert again.coded(page, 0, tokens) == loaded.coded(page, 0, tokens)
    _, read = again.read(loaded.coded(page, 0, tokens), page, tokens.vector)
    assert written(page, read)[0] == ["The", "river", "rises", "in", "spring"]


def test_a_codebook_ships_with_the_default_encoder_and_with_no_other():
    shipped = shipped_codebook("2026b164b5bea836")
    assert shipped is not None and shipped.layers == (12,)
    assert (shipped.matrix.shape, shipped.residual.stages.shape, shipped.turn.shape) == ((384, 128), (5, CENTROIDS, 128), (384, 192))
    assert np.allclose(shipped.turn.T @ shipped.turn, np.eye(192), atol=0.01)
    assert shipped_codebook("lexicon") is None


def test_what_another_version_of_the_codebook_kept_is_refused(codebook):
    page = passage(*TEXTS[7])
    tokens = tokens_of(page.text)
    blob = codebook.coded(page, 0, tokens)
    with pytest.raises(ValueError, match="must be of version 1 of the codebook, got 0"):
        replace(codebook, version=1).read(blob, page, tokens.vector)
