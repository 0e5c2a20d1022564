from __future__ import annotations

from typing import get_args

import pytest
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound

from index.contents import State
from ingest.records import Health, Part
from search_app import wording


@pytest.mark.parametrize(("numbers", "said"), [([], ""), ([3], "3"), ([1, 2, 3], "1–3"), ([1, 2, 4, 7, 8], "1–2, 4, 7–8"), ([2, 4, 6], "2, 4, 6")])
def test_page_numbers_are_written_short(numbers, said):
    assert wording.ranges(numbers) == said


@pytest.mark.parametrize(("table", "codes"), [(wording.HEALTH, Health), (wording.PARTS, Part), (wording.STATES, State)])
def test_every_code_of_the_records_has_words(table, codes):
    assert set(table) == set(get_args(codes))


def test_words_of_the_question_are_told_once_as_they_stand_in_the_hit():
    marks = [{"start": 0, "end": 15, "why": "meaning"}, {"start": 0, "end": 4, "why": "words"}, {"start": 5, "end": 9, "why": "words"},
             {"start": 10, "end": 12, "why": "words"}, {"start": 13, "end": 14, "why": "related"}]  # fmt: skip
    assert wording.words_found({"text": "Wald WALD ป่ า", "marks": marks}) == ["Wald", "ป่"]


def test_an_error_says_what_was_said_of_it_and_an_address_without_a_page_what_that_means():
    assert wording.error(NotFound("No edition.")) == ("Not found", "No edition.")
    assert wording.error(NotFound())[1].startswith("There is no page at this address")
    assert wording.error(MethodNotAllowed()) == ("This address is not for that", "")
    assert wording.error(BadRequest("k must be a number.")) == ("This cannot be asked so", "k must be a number.")
