"""Sketches: the same text is told whatever its layout, other texts and other languages are far, and estimates keep to their error."""

from __future__ import annotations

import random

import numpy as np
import pytest

from index.language_priors import declaration
from ingest.sketch import BINS, NEAR, SHINGLE, nearest, resemblance, shared, sketch, standard_error

SAMPLES = ["ar", "fa", "he", "hi", "bn", "ta", "th", "lo", "km", "my", "am", "ja", "zh", "ko", "en"]
NEIGHBOURS = [("pt", "es"), ("hr", "sr"), ("id", "ms"), ("cs", "sk"), ("da", "nb"), ("ru", "uk"), ("fa", "ar"), ("lo", "th"), ("hi", "mr")]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for language, text in declaration():
        found.setdefault(language.split("-")[0], []).append(text)
    return {language: "\n".join(articles) for language, articles in found.items()}


def alike(one: str, other: str) -> float:
    return float(resemblance(sketch([one]), sketch([other])[None])[0])


@pytest.mark.parametrize("language", SAMPLES)
def test_the_same_text_is_told_however_its_lines_and_pages_are_cut(texts, language):
    text = texts.get(language) or pytest.skip(f"the Declaration is not here in {language}")
    cut = "-\n".join(text[at : at + 40] for at in range(0, len(text), 40))
    assert resemblance(sketch([text[:1000], text[1000:].upper()]), sketch([cut])[None])[0] == 1.0


@pytest.mark.parametrize("language", SAMPLES)
def test_a_text_with_a_sentence_more_is_nearly_the_same_and_half_of_it_is_not(texts, language):
    text = texts.get(language) or pytest.skip(f"the Declaration is not here in {language}")
    assert shared(alike(text, text + text[100:200][::-1])) > 0.9
    assert alike(text, text[: len(text) // 3]) < NEAR


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_the_same_publication_in_a_near_language_is_far(texts, one, other):
    if not {one, other} <= texts.keys():
        pytest.skip("the Declaration is not here in both")
    assert alike(texts[one], texts[other]) < 0.3 < NEAR


def test_estimates_lie_within_four_standard_errors_of_the_truth():
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=40)) for _ in range(400)]
    for kept in (100, 200, 300, 380):
        one, other = "".join(words), "".join(words[:kept])
        sets = [{text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)} for text in (one, other)]
        truth = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        assert abs(alike(one, other) - truth) < 4 * standard_error(truth)


def test_texts_without_letters_are_like_none_not_even_each_other():
    assert alike("", "") == alike(" … 。", "") == alike("short", "short") == 0.0


def test_broken_halves_of_characters_do_no_harm():
    assert sketch(["\ud800 a lone surrogate in a text that is long enough"]).shape == (BINS,)


def test_nearest_finds_the_rows_that_are_near_the_most_alike_first(texts):
    text, other = texts["en"], texts["fr"]
    rows = np.stack([sketch([other]), sketch([text + other[:300]]), sketch([text]), sketch([""])])
    found = nearest(sketch([text]), rows)
    assert [row for row, _ in found] == [2, 1] and found[0][1] == 1.0 and NEAR < found[1][1] < 1
    assert nearest(sketch([text]), rows[:0].reshape(0, BINS)) == []
