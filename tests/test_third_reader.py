from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from langdetect import LangDetectException, detect_langs, detector_factory
from test_language import SENTENCES, SOURCES, body

from ingest import third_reader

MIXED = "Les enfants said that there is a Fluss nahe der école, 学校の近く, in 2019 (IBAN 3, tab. 4)."


def told_by_the_library(text: str) -> list[tuple[str, float]]:
    try:
        return [(found.lang, found.prob) for found in detect_langs(text)]
    except LangDetectException:
        return []


@pytest.mark.parametrize("text", [*SENTENCES.values(), MIXED, "EURO NCAP", "2019", ""])
def test_the_answer_is_that_of_the_library_to_the_last_digit(text):
    assert third_reader.read(text) == told_by_the_library(text)


@pytest.mark.parametrize("path", SOURCES[::3], ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_what_leaves_doubt_is_answered_as_the_library_does(path):
    for at in range(0, 400, 40):
        shred = body(path)[at : at + 40]
        assert third_reader.read(shred) == told_by_the_library(shred)


@pytest.mark.parametrize("language", ["km", "lo", "my", "am"])
def test_a_script_without_a_profile_gets_no_answer(language):
    assert third_reader.read(SENTENCES[language]) == []


def test_it_knows_the_languages_that_it_tells():
    assert {language for text in SENTENCES.values() for language, _ in third_reader.read(text)} <= set(third_reader.languages())


def test_threads_that_all_ask_first_get_the_answer_of_one(monkeypatch):
    alone = third_reader.read(MIXED)
    monkeypatch.setattr(detector_factory, "_factory", None)
    third_reader._profiles.cache_clear()
    third_reader._likelihoods.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(third_reader.read, [MIXED] * 8)) == [alone] * 8
