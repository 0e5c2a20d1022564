"""Marks: the sentence that answers, in any language."""

from __future__ import annotations

import pytest

from index.marks import SentenceMarker
from ingest.records import Passage


def as_it_is(vectors):
    return vectors


def passage(*sentences: str) -> Passage:
    text, spans = "", []
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    return Passage("woods.en", 0, 1, 0, 1, len(text), "en", text, tuple(spans))


@pytest.mark.parametrize("query", ["water", "Wasser", "agua", "น้ำ", "ماء"])
@pytest.mark.parametrize("answer", ["The water rises in spring.", "ในฤดูฝนน้ำขึ้นสูงมาก", "يرتفع ماء النهر في الربيع."])
def test_the_sentence_nearest_in_meaning_is_marked_whatever_its_language(encoder, query, answer):
    page = passage("The forest grows slowly.", answer, "The school is closed today.")
    (marks,) = SentenceMarker(encoder).mark(encoder.encode_queries([query]), [(1, page)], as_it_is)
    assert [page.text[mark.start : mark.end] for mark in marks] == [answer]


def test_a_heading_is_marked_only_where_there_is_nothing_else(encoder):
    marker, query = SentenceMarker(encoder), encoder.encode_queries(["water"])
    with_more, alone = passage("Water", "The forest grows slowly."), passage("Water")
    marks = marker.mark(query, [(1, with_more), (2, alone)], as_it_is)
    assert [with_more.text[mark.start : mark.end] for mark in marks[0]] == ["The forest grows slowly."]
    assert [alone.text[mark.start : mark.end] for mark in marks[1]] == ["Water"]


def test_sentences_are_encoded_once(encoder):
    marker, query = SentenceMarker(encoder), encoder.encode_queries(["water"])
    first = marker.mark(query, [(1, passage("The water rises in spring."))], as_it_is)
    assert marker.mark(query, [(1, passage("The water rises in spring."))], as_it_is) == first
    assert encoder.encoded == ["The water rises in spring."]
