"""Marks: the sentence that answers, and the words in it that mean what was asked, in any language."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import ContextEncoder, LexiconTokenEncoder
from filling import fill, publication

from index import marks as marks_module
from index.common_words import CommonWords
from index.encoder import Tokens
from index.marks import Asked, Mark, SentenceMarker, Shown
from index.passage_encoding import codebook_of, encode
from index.related import TokenMeans, load_means, ready, save_means, shipped_means
from index.words import parse
from ingest.records import Passage

MEANS = TokenMeans((1, 2), np.zeros((2, LexiconTokenEncoder.width), np.float32))
ANSWERS = [
    ("The slow bus, in spring.", "bus"),
    ("Der Autobus-Fahrer kommt.", "Autobus"),
    ("El autobús (lento) viene.", "autobús"),
    ("تصل حافلة إلى المدينة غدا.", "حافلة"),
    ("เขามารถบัสช้ามาก", "รถบัส"),
    ("這裡有很多bus站 今天。不是車站。", "bus"),
]


def as_it_is(vectors):
    return vectors


def passage(*sentences: str, language: str = "en") -> Passage:
    text, spans = "", []
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    return Passage(f"woods.{language}", 0, 1, 0, 1, len(text), language, text, tuple(spans))


def asked(encoder, query: str) -> Asked:
    return Asked(encoder.encode_queries([query]), query, parse(query).free)


def marked(page: Passage, marks: tuple[Mark, ...], why: str) -> list[str]:
    return [page.text[mark.start : mark.end] for mark in marks if mark.why == why]


@pytest.fixture
def token_encoder() -> LexiconTokenEncoder:
    return LexiconTokenEncoder()


@pytest.fixture
def marker(token_encoder) -> SentenceMarker:
    return SentenceMarker(token_encoder, MEANS)


@pytest.mark.parametrize("means", [None, MEANS], ids=["vectors", "tokens"])
@pytest.mark.parametrize("query", ["water", "Wasser", "agua", "น้ำ", "ماء"])
@pytest.mark.parametrize("answer", ["The water rises in spring.", "ในฤดูฝนน้ำขึ้นสูงมาก", "يرتفع ماء النهر في الربيع."])
def test_the_sentence_nearest_in_meaning_is_marked_whatever_its_language(token_encoder, means, query, answer):
    page = passage("The forest grows slowly.", answer, "The school is closed today.")
    ((marks, _),) = SentenceMarker(token_encoder, means).mark(asked(token_encoder, query), [Shown(1, page)], as_it_is)
    assert marked(page, marks, "meaning") == [answer]


@pytest.mark.parametrize(("sentence", "word"), ANSWERS)
@pytest.mark.parametrize("query", ["Autobus wann?", "رأى حافلة", "รถบัสไหน"])
def test_words_that_mean_the_same_are_marked_on_their_borders(token_encoder, marker, sentence, word, query):
    page = passage("Some words come first.", sentence, "School is over.")
    ((marks, _),) = marker.mark(Asked(token_encoder.encode_queries(["bus"]), query), [Shown(1, page)], as_it_is)
    assert (marked(page, marks, "meaning"), marked(page, marks, "related")) == ([sentence], [word])


def test_a_token_that_cuts_a_letter_marks_the_whole_letter():
    layer = np.eye(4, LexiconTokenEncoder.width, dtype=np.float32)
    tokens = Tokens(layer[0], np.asarray([(0, 1), (1, 2), (2, 4), (4, 6)]), (layer, layer))
    (sentence,) = ready(["ปี่รถ ไ"], [tokens], MEANS, 0)
    assert sentence.spans == ((0, 3), (0, 4), (4, 5))


def test_only_the_sentence_that_answers_has_related_words(token_encoder, marker):
    page = passage("A bus, a bus and another bus.", "Ein Autobus.", "The school has a bus.")
    ((marks, _),) = marker.mark(Asked(token_encoder.encode_queries(["bus"]), "autobús"), [Shown(1, page)], as_it_is)
    (sentence,) = (mark for mark in marks if mark.why == "meaning")
    related = [mark for mark in marks if mark.why == "related"]
    assert related and all(sentence.start <= mark.start and mark.end <= sentence.end for mark in related)


def test_a_word_of_the_query_stays_an_exact_one(token_encoder, marker):
    page = passage("The Autobus is a bus here.")
    ((marks, _),) = marker.mark(asked(token_encoder, "bus"), [Shown(1, page)], as_it_is)
    assert [(page.text[mark.start : mark.end], mark.why) for mark in marks[1:]] == [("Autobus", "related"), ("bus", "words")]


def test_related_words_that_touch_are_one_mark(token_encoder, marker):
    page = passage("เขามารถบัสน้ำช้ามาก")
    ((marks, _),) = marker.mark(asked(token_encoder, "bus agua"), [Shown(1, page)], as_it_is)
    assert marked(page, marks, "related") == ["รถบัสน้ำ"]


def test_common_words_of_the_library_are_not_marked_for_their_meaning(token_encoder, library):
    fill(library, token_encoder, publication("lines", ["en"]), {"en": ["The bus comes."] * 10})
    page = passage("The bus is an Autobus here.")
    marker = SentenceMarker(token_encoder, MEANS, CommonWords(library))
    ((marks, _),) = marker.mark(Asked(token_encoder.encode_queries(["bus"]), "autobús"), [Shown(1, page)], as_it_is)
    assert marked(page, marks, "related") == ["Autobus"]


@pytest.mark.parametrize("means", [None, MEANS], ids=["vectors", "tokens"])
def test_a_heading_is_marked_only_where_there_is_nothing_else(token_encoder, means):
    with_more, alone, nothing = passage("Water", "The forest grows slowly."), passage("Water"), passage()
    shown = [Shown(1, with_more), Shown(2, alone), Shown(3, nothing)]
    marks, scores = zip(
        *SentenceMarker(token_encoder, means).mark(Asked(token_encoder.encode_queries(["water"]), "water"), shown, as_it_is), strict=True
    )
    assert marked(with_more, marks[0], "meaning") == ["The forest grows slowly."]
    assert marked(alone, marks[1], "meaning") == ["Water"]
    assert marks[2] == ()
    assert scores[1] > 0.9 > scores[0]
    assert scores[2] == 0


@pytest.mark.parametrize("query", ["", "?!", "💧"])
@pytest.mark.parametrize("sentence", ["", "…", "💧 💧 💧 💧 💧 💧 💧"])
def test_texts_without_words_do_no_harm(token_encoder, marker, query, sentence):
    ((marks, _),) = marker.mark(Asked(token_encoder.encode_queries([query]), query), [Shown(1, passage(sentence))], as_it_is)
    assert [(mark.start, mark.end, mark.why) for mark in marks] == [(0, len(sentence), "meaning")]


def test_sentences_are_encoded_once(encoder):
    marker = SentenceMarker(encoder)
    first = marker.mark(asked(encoder, "water"), [Shown(1, passage("The water rises in spring."))], as_it_is)
    assert marker.mark(asked(encoder, "water"), [Shown(1, passage("The water rises in spring."))], as_it_is) == first
    assert encoder.encoded == ["The water rises in spring."]


def test_memory_stays_within_its_bound_and_answers_stay_the_same(token_encoder, monkeypatch):
    marker = SentenceMarker(token_encoder, MEANS)
    shown = [Shown(key, passage(f"The water rises {key} times.")) for key in range(20)]
    first = marker.mark(asked(token_encoder, "water"), shown, as_it_is)
    monkeypatch.setattr(marks_module, "CACHE", 1000)
    for key, page, *_ in shown:
        marker.mark(asked(token_encoder, "forest"), [Shown(key + 100, page)], as_it_is)
        assert sum(reading.size for reading in marker._kept.values()) == marker._size <= 1000
    assert marker.mark(asked(token_encoder, "water"), shown, as_it_is) == first


def test_an_encoder_that_shows_no_tokens_is_marked_by_vectors(encoder):
    ((marks, _),) = SentenceMarker(encoder, MEANS).mark(
        Asked(encoder.encode_queries(["agua"]), "agua"), [Shown(1, passage("The water rises."))], as_it_is
    )
    assert [mark.why for mark in marks] == ["meaning"]


@pytest.mark.parametrize("means", [None, MEANS], ids=["vectors", "tokens"])
def test_a_sentence_that_passages_share_is_encoded_once_and_the_query_with_it(token_encoder, monkeypatch, means):
    given: list[list[str]] = []
    name = "encode_passages" if means is None else "encode_tokens"
    real = getattr(token_encoder, name)
    monkeypatch.setattr(token_encoder, name, lambda texts, *layers: given.append(list(texts)) or real(texts, *layers))
    shared, pages = "ในฤดูฝนน้ำขึ้นสูงมาก", ["The forest grows slowly.", "يرتفع ماء النهر في الربيع."]
    marker, query = SentenceMarker(token_encoder, means), asked(token_encoder, "น้ำ")
    together = marker.mark(query, [Shown(1, passage(pages[0], shared)), Shown(2, passage(shared, pages[1]))], as_it_is)
    assert given == [[pages[0], shared, pages[1], *([] if means is None else ["น้ำ"])]]
    alone = SentenceMarker(token_encoder, means).mark(query, [Shown(2, passage(shared, pages[1]))], as_it_is)
    assert together[1:] == alone


def test_token_means_are_stored_and_loaded_alike(tmp_path):
    save_means(TokenMeans((8, 12), np.eye(2, 5, dtype=np.float32)), tmp_path / "means.npz")
    loaded = load_means(tmp_path / "means.npz")
    assert loaded.layers == (8, 12) and np.array_equal(loaded.means, np.eye(2, 5))


TOKENS = ["Who may check a recruiter?", "ใครตรวจสอบนายหน้าได้", "谁可以检查招聘人员？", "من يراقب  وكالة التوظيف؟", "L’été — 2024 🚌", ""]


def test_tokens_of_the_default_encoder_lie_where_their_text_stands(real_encoder):
    found = real_encoder.encode_tokens(TOKENS, (8, 12))
    assert np.allclose(np.stack([tokens.vector for tokens in found]), real_encoder.encode_passages(TOKENS), atol=1e-4)
    for text, tokens in zip(TOKENS, found, strict=True):
        covered = {place for start, end in tokens.spans for place in range(start, end)}
        assert covered >= {place for place, letter in enumerate(text) if not letter.isspace()}
        assert all(layer.shape == (len(tokens.spans), real_encoder.dimension) for layer in tokens.layers)
        assert all(0 <= start < end <= len(text) for start, end in tokens.spans)


@pytest.mark.parametrize(
    ("query", "word"),
    [("ใครตรวจสอบนายหน้าจัดหางาน", "check"), ("¿Quién controla las agencias de contratación?", "agencies"), ("学校什么时候关门？", "schools")],
)
def test_the_default_encoder_marks_words_across_languages(real_encoder, query, word):
    page = passage(
        "The committee met in spring.", "Inspectors check all recruiters and agencies twice.", "When it rains, schools close early.", "It was late."
    )
    marker = SentenceMarker(real_encoder, shipped_means(real_encoder.fingerprint))
    ((marks, _),) = marker.mark(Asked(real_encoder.encode_queries([query]), query), [Shown(1, page)], as_it_is)
    assert word in marked(page, marks, "meaning")[0] and word in marked(page, marks, "related")


@pytest.fixture
def keeping(context_encoder) -> SentenceMarker:
    """A marker for passages of which codes are kept."""
    return SentenceMarker(context_encoder, MEANS, codebook=codebook_of(context_encoder))


def kept(encoder, *pages: Passage, title: str = "Über den Wald\n") -> list[Shown]:
    """Passages with what is kept of them, encoded below a title."""
    made = encode(encoder, [title + page.text for page in pages], pages)
    return [Shown(key, *each) for key, each in enumerate(zip(pages, made.vectors, made.codes, strict=True), start=1)]


def question(marker: SentenceMarker, text: str) -> Asked:
    vector, tokens = marker.question(text)
    return Asked(vector, text, parse(text).free, tokens)


@pytest.mark.parametrize("closely", [False, True], ids=["list", "page"])
@pytest.mark.parametrize(("sentence", "word"), ANSWERS)
@pytest.mark.parametrize("query", ["Autobus wann?", "حافلة", "รถบัส"])
def test_what_is_kept_marks_the_sentence_that_answers_and_its_words(context_encoder, keeping, sentence, word, query, closely):
    page = passage("Some words come first.", sentence, "ትምህርት ቤቱ አዲስ ነው።")
    ((marks, _),) = keeping.mark(question(keeping, query), kept(context_encoder, page), as_it_is, closely)
    assert marked(page, marks, "meaning") == [sentence]
    assert {word} == {*marked(page, marks, "related"), *marked(page, marks, "words")}


@pytest.mark.parametrize("closely", [False, True], ids=["list", "page"])
def test_of_what_is_kept_only_marked_sentences_are_encoded_and_only_to_look_closely(context_encoder, keeping, closely):
    pages = passage("The forest grows.", "El agua sube."), passage("น้ำขึ้นสูง", "다른 문장입니다."), passage()
    shown, asked = kept(context_encoder, *pages), question(keeping, "Wasser")
    context_encoder.encoded.clear()
    keeping.mark(asked, shown, as_it_is, closely)
    assert context_encoder.encoded == (["El agua sube.", "น้ำขึ้นสูง", "Wasser"] if closely else [])


@pytest.mark.parametrize("closely", [False, True], ids=["list", "page"])
def test_passages_with_and_without_codes_stand_in_one_answer(context_encoder, keeping, closely):
    pages = [passage("The forest grows.", answer, "ደኑ ያድጋል።") for answer in ("Das Wasser steigt.", "น้ำขึ้นสูงมาก", "يرتفع ماء النهر.")]
    first, second, third = kept(context_encoder, *pages)
    second = second._replace(codes=b"")
    asked = question(keeping, "agua sube")
    together = keeping.mark(asked, [first, second, third], as_it_is, closely)
    assert [marked(page, marks, "meaning") for page, (marks, _) in zip(pages, together, strict=True)] == [
        [page.text[slice(*page.sentences[1])]] for page in pages
    ]
    alone = [keeping.mark(asked, [one], as_it_is, closely)[0] for one in (first, second, third)]
    assert [marks for marks, _ in together] == [marks for marks, _ in alone]
    assert [score for _, score in together] == pytest.approx([score for _, score in alone])
    assert together[1].marks == SentenceMarker(context_encoder, MEANS).mark(asked, [second], as_it_is)[0].marks


@pytest.mark.parametrize(
    "damage", [lambda codes: codes[:-1], lambda codes: codes[:3], lambda codes: b"\xff" * len(codes), lambda codes: codes + b"x"]
)
def test_a_passage_whose_codes_are_damaged_is_encoded_as_if_it_had_none(context_encoder, keeping, caplog, damage):
    page = passage("The forest grows.", "ফরেস্ট water আছে।")
    (one,) = kept(context_encoder, page)
    asked = question(keeping, "water")
    assert keeping.mark(asked, [one._replace(codes=damage(one.codes))], as_it_is) == keeping.mark(asked, [one._replace(key=2, codes=b"")], as_it_is)
    assert "codes of passage 1 cannot be read" in caplog.text and "forest" not in caplog.text and "water" not in caplog.text


def test_a_question_is_encoded_once_for_its_vector_and_its_words(context_encoder, keeping, monkeypatch):
    given = []
    real = context_encoder.encode_query_tokens
    monkeypatch.setattr(context_encoder, "encode_query_tokens", lambda texts, layers: given.append(texts) or real(texts, layers))
    monkeypatch.setattr(ContextEncoder, "encode_tokens", None)
    asked = question(keeping, "น้ำ")
    assert given == [["น้ำ"]] and np.array_equal(asked.vector, context_encoder.encode_queries(["น้ำ"]))
