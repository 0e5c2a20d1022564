from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from filling import publication

from index import report
from index.contents import EditionState
from index.decisions import WHOLE, Decisions
from index.jobs import Jobs
from index.report import Tally, Wanted
from ingest.records import Page

MIXED = "letters unlikely: words in two scripts"
PAGES = {  # health and cause of each page, by edition
    "woods.km": ("partly read", [("good", ""), ("suspect", MIXED), ("suspect", MIXED), ("image only", "an image without text")]),
    "woods.th": ("read", [("good", ""), ("empty", "")]),
    "woods.ar": ("failed", []),
    "wells.am": ("partly read", [("good", ""), ("suspect", MIXED)]),
    "wells.hi": ("read", [("recognised", "an image without text")]),
    "wells.my": ("partly read", [("good", "")]),  # the catalogue says another language than the text
}


@pytest.fixture
def filled(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    for number, (name, languages) in enumerate({"woods": ["km", "th", "ar"], "wells": ["am", "hi", "my", "he"]}.items()):
        plain = publication(name, languages)
        digests = [f"{number}{place}" * 32 if edition.language != "he" else None for place, edition in enumerate(plain.editions)]
        work = replace(plain, editions=tuple(replace(edition, digest=digest) for edition, digest in zip(plain.editions, digests, strict=True)))
        library.put_publication(work, "", [], encoder.encode_passages([]))
        for edition in work.editions:
            if edition.digest:
                put(library, encoder, edition, *PAGES[edition.edition_id])
    return library


def put(library, encoder, edition, state, conditions):
    pages = [Page(edition.edition_id, place, "", "x" * 50, health, cause=cause) for place, (health, cause) in enumerate(conditions, start=1)]
    assert library.put_reading(EditionState(edition, state, "why", 5, ""), pages, [], encoder.encode_passages([]))


def named(documents) -> list[str]:
    return [one.edition.edition_id for one in documents]


def undecided(library) -> list[str]:
    return named(report.documents(library, Wanted(undecided=True), 50))


def digest(library, edition_id: str) -> str:
    return library.digest(edition_id)


def test_pages_are_counted_by_health_and_cause_with_the_documents_they_are_in(filled):
    assert set(report.tallies(filled)) == {
        Tally("good", "", 4, 4), Tally("suspect", MIXED, 3, 2), Tally("image only", "an image without text", 1, 1), Tally("empty", "", 1, 1),
        Tally("recognised", "an image without text", 1, 1),
    }  # fmt: skip
    assert report.tallies(filled)[0].health == "good"
    assert report.states(filled) == {"partly read": 3, "read": 2, "failed": 1} and set(report.languages(filled)) == {
        "km",
        "th",
        "ar",
        "am",
        "hi",
        "my",
    }


def test_what_needs_a_decision_comes_first_and_every_document_tells_its_pages(filled):
    documents = report.documents(filled, Wanted(), 50)
    assert named(documents) == ["wells.am", "wells.my", "woods.km", "woods.ar", "wells.hi", "woods.th"]
    assert [one.needs_decision for one in documents] == [True] * 4 + [False] * 2
    assert documents[2].tallies == (Tally("suspect", MIXED, 2), Tally("good", "", 1), Tally("image only", "an image without text", 1))
    assert (documents[3].state, documents[3].reason, documents[3].tallies) == ("failed", "why", ())
    assert named(report.documents(filled, Wanted(), 2, 3)) == ["woods.ar", "wells.hi"] and report.count(filled, Wanted()) == 6
    assert report.document(filled, "woods.km") == documents[2] and report.document(filled, "wells.he") is None is report.document(filled, "x")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(state="failed"), {"woods.ar"}), (Wanted(language="am"), {"wells.am"}), (Wanted(health="suspect"), {"wells.am", "woods.km"}),
        (Wanted(health="suspect", cause=MIXED, language="km"), {"woods.km"}), (Wanted(health="suspect", cause=""), set()),
        (Wanted(health="good", cause=""), {"woods.km", "woods.th", "wells.am", "wells.my"}), (Wanted(language="he"), set()),
        (Wanted(undecided=True, health="image only"), {"woods.km"}),
    ],
)  # fmt: skip
def test_the_report_is_narrowed_down(filled, wanted, found):
    assert set(named(report.documents(filled, wanted, 50))) == found and report.count(filled, wanted) == len(found)


@pytest.mark.parametrize(
    ("edition", "pages"), [("woods.km", [2, 3, 4]), ("woods.km", [WHOLE]), ("woods.ar", [WHOLE]), ("wells.am", [2]), ("wells.my", [WHOLE])]
)
def test_a_document_needs_no_decision_once_all_that_is_wrong_with_it_is_left_so(filled, edition, pages):
    decisions = Decisions(filled)
    for page in pages:
        assert edition in undecided(filled)
        decisions.put("ana", digest(filled, edition), [page], "ignore")
    assert edition not in undecided(filled) and len(undecided(filled)) == 3
    decisions.take_back(digest(filled, edition), pages[:1])
    assert edition in undecided(filled)


def test_asking_for_recognition_is_no_end_of_it_until_the_pages_are_read_well(filled, encoder):
    Decisions(filled).put("ana", digest(filled, "wells.am"), [2], "recognise")
    assert "wells.am" in undecided(filled)
    jobs = Jobs(filled)
    job = jobs.add("reading", "ana", ["wells.am"])
    document = report.document(filled, "wells.am")
    assert (document.needs_decision, document.is_being_read) == (False, True)
    jobs.put_document(job, "wells.am", "read")
    assert "wells.am" in undecided(filled)  # it was read again, and is as it was
    put(filled, encoder, filled.edition("wells.am"), "read", [("good", ""), ("recognised", "recognition was asked for")])
    assert "wells.am" not in undecided(filled)


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_job_that_is_over_reads_nothing(filled, end):
    jobs = Jobs(filled)
    jobs.end(jobs.add("reading", "ana", ["woods.ar"]), end)
    assert "woods.ar" in undecided(filled)


def test_a_file_in_place_of_a_failed_one_needs_no_decision_and_takes_over_none(filled):
    Decisions(filled).put("ana", digest(filled, "woods.ar"), [WHOLE], "ignore")
    with filled.transaction() as run:
        run("UPDATE editions SET file = ? WHERE edition_id = 'woods.ar'", ("c" * 64,))
    assert "woods.ar" not in undecided(filled)
    with filled.transaction() as run:
        run("UPDATE editions SET digest = file WHERE edition_id = 'woods.ar'")
    assert "woods.ar" in undecided(filled)


@pytest.mark.embedded_only("asks SQLite how it goes about it")
def test_counting_touches_no_text_of_a_page(filled):
    plans: Mapping[str, str] = {
        "all": "SELECT health, cause, count(*), count(DISTINCT edition_id) FROM pages GROUP BY health, cause",
        "one": "SELECT health, count(*) FROM pages WHERE edition_id = 'x' GROUP BY health",
    }
    for statement in plans.values():
        assert any("COVERING INDEX healths" in row["detail"] for row in filled.rows(f"EXPLAIN QUERY PLAN {statement}"))
    (plan,) = filled.rows("EXPLAIN QUERY PLAN SELECT edition_id, count(*) FROM passages WHERE first_page > 0 GROUP BY edition_id")
    assert "COVERING INDEX passages_of" in plan["detail"]
