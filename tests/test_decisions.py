from __future__ import annotations

import re

from index.decisions import WHOLE, Decisions

ONE, OTHER = "a" * 64, "b" * 64


def test_a_decision_tells_who_made_it_and_when_and_belongs_to_one_file(library):
    decisions = Decisions(library)
    decisions.put("สมหญิง", ONE, [3, 7], "recognise")
    decisions.put("ana", ONE, [WHOLE], "ignore")
    found = decisions.of(ONE)
    assert {page: (one.remedy, one.by) for page, one in found.items()} == {
        0: ("ignore", "ana"), 3: ("recognise", "สมหญิง"), 7: ("recognise", "สมหญิง"),
    }  # fmt: skip
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.at) for one in found.values())
    assert decisions.recognise(ONE) == {3, 7} and (decisions.of(OTHER), decisions.recognise(OTHER)) == ({}, frozenset())


def test_the_last_decision_about_a_page_counts_and_can_be_taken_back(library):
    decisions = Decisions(library)
    decisions.put("ana", ONE, [3, 4], "recognise")
    decisions.put("eva", ONE, [3], "ignore")
    assert {page: (one.remedy, one.by) for page, one in decisions.of(ONE).items()} == {3: ("ignore", "eva"), 4: ("recognise", "ana")}
    decisions.take_back(ONE, [3, 9])
    assert list(decisions.of(ONE)) == [4]


def test_a_decision_changes_nothing_that_readers_see(library):
    before = library.revision()
    Decisions(library).put("ana", ONE, [1], "ignore")
    Decisions(library).take_back(ONE, [1])
    assert library.revision() == before
