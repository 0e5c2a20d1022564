from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from conftest import CORPUS
from filling import publication

from index.changes import Changes
from index.contents import EditionState
from index.decisions import WHOLE, Decisions
from index.durable import checksum
from index.jobs import Jobs
from ingest.records import Page
from search_app.factory import create_app

MIXED = "letters unlikely: words in two scripts"
PACK = "an image without text; recognising Arabic needs the language pack ara"
TEXT = "<script>alert(1)</script>\nغابة كبيرة"
CONDITIONS = [
    ("good", "", TEXT),
    ("suspect", MIXED, "ﻏ<b>"),
    ("suspect", MIXED, "x"),
    ("image only", PACK, ""),
    ("recognised", "an image without text", "غابة"),
]


@pytest.fixture
def shelf(library, encoder):
    """A library with a PDF in Arabic that was read in part, and a file in Khmer that could not be read."""
    library.set_meta("encoder", encoder.fingerprint)
    files = {"ar": CORPUS / "platform-reporting-law" / "ar.pdf", "km": library.folder / "not.html"}
    files["km"].write_text("<html><p>ព្រៃ")
    digests = {language: checksum(file) for language, file in files.items()}
    plain = publication("woods", ["ar", "km"], titles={"ar": "<i>غابة"})
    work = replace(plain, editions=tuple(replace(edition, digest=digests[edition.language]) for edition in plain.editions))
    library.put_publication(work, "", [], encoder.encode_passages([]))
    for edition in work.editions:
        library.keep_file(files[edition.language], digests[edition.language])
        conditions = CONDITIONS if edition.language == "ar" else []
        pages = [Page(edition.edition_id, place, "", text, health, cause=cause, confidence=0.5 if health == "recognised" else 1.0)
                 for place, (health, cause, text) in enumerate(conditions, start=1)]  # fmt: skip
        state = EditionState(edition, "partly read" if pages else "failed", "<u>it is damaged", 5, "")
        assert library.put_reading(state, pages, [], encoder.encode_passages([]))
    return library


@pytest.fixture
def app(shelf, encoder):
    return create_app(shelf, encoder)


def digest(shelf, language="ar") -> str:
    return str(shelf.digest(f"woods.{language}"))


def post(analyst, shelf, edition="ar", query="", **fields):
    return analyst.post(f"/desk/report/woods.{edition}{query}", data={"digest": digest(shelf, edition)[:16], **fields})


def decided(shelf, language="ar") -> dict[int, tuple[str, str]]:
    return {page: (one.remedy, one.by) for page, one in Decisions(shelf).of(digest(shelf, language)).items()}


def asked_to_read(shelf) -> list[list[str]]:
    return [[document.name for document in Jobs(shelf).documents(job.job_id)] for job in Jobs(shelf).jobs() if job.kind == "reading"]


def test_nobody_sees_the_report_or_decides_who_is_not_signed_in(app, shelf):
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/desk/report", "/desk/report/woods.ar")] == [303, 303]
    app.config["WTF_CSRF_ENABLED"] = False
    assert client.post("/desk/report/woods.ar", data={"action": "ignore"}).status_code == 303 and decided(shelf) == {}


def test_no_form_that_another_site_has_sent_decides(app, analyst, shelf):
    app.config["WTF_CSRF_ENABLED"] = True
    assert post(analyst, shelf, action="ignore", page="2").status_code == 400 and decided(shelf) == {}


def test_the_desk_says_how_many_documents_need_a_decision(analyst, shelf):
    assert "2 documents need a decision." in analyst.get("/desk").text
    post(analyst, shelf, "km", action="ignore", page=WHOLE)
    assert "1 document needs a decision." in analyst.get("/desk").text
    post(analyst, shelf, action="ignore", page=WHOLE)
    assert "a decision" not in analyst.get("/desk").text


def test_the_report_counts_pages_by_cause_and_lists_what_needs_a_decision_first(analyst):
    shown = analyst.get("/desk/report").text
    row = re.search(r"<tr><th[^>]*><a href=\"([^\"]*)\">[^<]*<span>unlikely letters: words in two scripts</span></a></th><td>2</td><td>1</td>", shown)
    assert row and "&lt;i&gt;غابة" in shown and "<i>غابة" not in shown and "&lt;u&gt;it is damaged" in shown
    assert shown.count("<strong>needs a decision</strong>") == 2
    narrowed = analyst.get(html.unescape(row[1])).text
    assert "/desk/report/woods.ar" in narrowed and "/desk/report/woods.km" not in narrowed


@pytest.mark.parametrize(
    ("asked", "found"),
    [("state=failed", ["km"]), ("language=ar", ["ar"]), ("undecided=1&health=image only", ["ar"]), ("language=he", []), ("health=nonsense", [])],
)
def test_the_report_is_narrowed_down(analyst, asked, found):
    shown = analyst.get(f"/desk/report?{asked}").text
    assert [language for language in ("ar", "km") if f"/desk/report/woods.{language}" in shown] == found


def test_a_document_shows_its_pages_that_are_not_good_with_picture_and_text_side_by_side(analyst, shelf):
    shown = analyst.get("/desk/report/woods.ar").text
    assert re.findall(r'id="page-(\d)"', shown) == ["2", "3", "4"]
    assert f'<img src="/pages/{digest(shelf)[:16]}/2-600.webp" loading="lazy"' in shown
    assert '<div class="page-text" lang="ar" dir="rtl">' in shown and "ﻏ&lt;b&gt;" in shown
    assert f'<span lang="en" dir="ltr">{PACK}</span>' in shown and "<span>unlikely letters: words in two scripts</span>" in shown
    assert "/desk/publications/woods" in shown and "/desk/files" in shown


def test_all_pages_or_those_with_one_cause_are_shown_when_asked_for_a_few_at_a_time(analyst, monkeypatch):
    shown = analyst.get("/desk/report/woods.ar?show=all").text
    assert re.findall(r'id="page-(\d)"', shown) == ["1", "2", "3", "4", "5"] and "&lt;script&gt;" in shown and "<script>alert" not in shown
    assert "sure to 50%" in shown
    assert re.findall(r'id="page-(\d)"', analyst.get("/desk/report/woods.ar", query_string={"health": "suspect", "cause": MIXED}).text) == ["2", "3"]
    monkeypatch.setattr("search_app.desk.report.PAGES", 2)
    assert re.findall(r'id="page-(\d)"', analyst.get("/desk/report/woods.ar?offset=2").text) == ["4"]


def test_what_is_no_pdf_has_no_picture_and_cannot_be_recognised(analyst, shelf):
    shown = analyst.get("/desk/report/woods.km").text
    assert 'value="recognise"' not in shown and "&lt;u&gt;it is damaged" in shown and "Leave the document as it is" in shown
    assert post(analyst, shelf, "km", action="recognise", page="1").status_code == 409


@pytest.mark.parametrize(
    ("fields", "pages"),
    [
        ({"page": "2"}, [2]),
        ({"page": "1"}, [1]),
        ({"health": "suspect", "cause": MIXED}, [2, 3]),
        ({"health": "image only", "cause": PACK}, [4]),
        ({}, [2, 3, 4]),
    ],
)
def test_pages_are_asked_to_be_recognised_one_by_one_by_cause_or_all_that_are_not_good(analyst, shelf, fields, pages):
    answer = post(analyst, shelf, query="?show=all&offset=0", action="recognise", **fields)
    anchor = f"#page-{pages[0]}" if len(pages) == 1 else ""
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/report/woods.ar?show=all&offset=0{anchor}")
    assert decided(shelf) == dict.fromkeys(pages, ("recognise", "ana")) and Decisions(shelf).recognise(digest(shelf)) == set(pages)
    assert asked_to_read(shelf) == [["woods.ar"]] and Jobs(shelf).jobs()[0].arguments == {"publication_id": "woods"}
    (change,) = Changes(shelf).changes("woods")
    assert (change.by, change.what) == ("ana", "asked to recognise") and change.about.startswith("woods.ar: ")
    shown = analyst.get("/desk/report/woods.ar").text
    assert "This document is being read" in shown and "ana asked on" in shown


def test_leaving_pages_as_they_are_is_shown_with_who_and_when_and_can_be_taken_back(analyst, shelf):
    post(analyst, shelf, action="ignore", health="suspect", cause=MIXED)
    post(analyst, shelf, action="ignore", page="4")
    assert decided(shelf) == dict.fromkeys((2, 3, 4), ("ignore", "ana")) and asked_to_read(shelf) == []
    shown = analyst.get("/desk/report/woods.ar").text
    assert "Pages 2–4:" in shown and "ana decided on" in shown and "This document needs a decision" not in shown
    post(analyst, shelf, action="take back", page=["2", "3"])
    assert decided(shelf) == {4: ("ignore", "ana")} and "This document needs a decision" in analyst.get("/desk/report/woods.ar").text
    assert [change.what for change in Changes(shelf).changes("woods")] == ["decision taken back", "left as it is", "left as it is"]


def test_who_takes_back_a_recognition_has_the_file_read_again(analyst, shelf):
    post(analyst, shelf, action="recognise", page="1")
    post(analyst, shelf, action="ignore", page="2")
    post(analyst, shelf, action="take back", page="2")
    assert len(asked_to_read(shelf)) == 1
    post(analyst, shelf, action="take back", page="1")
    assert decided(shelf) == {} and len(asked_to_read(shelf)) == 2


def test_who_asks_for_recognition_no_longer_leaves_the_document_as_it_is(analyst, shelf):
    post(analyst, shelf, action="ignore", page=WHOLE)
    post(analyst, shelf, action="recognise")
    assert WHOLE not in decided(shelf)


def test_a_decision_about_another_file_than_is_there_is_refused(analyst, shelf):
    answer = post(analyst, shelf, action="ignore", page="2", digest="0" * 16)
    assert answer.status_code == 409 and "replaced meanwhile" in answer.text and decided(shelf) == {} and Changes(shelf).changes() == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"action": "burn"}, 400), ({}, 400), ({"action": "ignore", "page": "99"}, 409), ({"action": "ignore", "page": "x"}, 409),
        ({"action": "recognise", "page": "0"}, 409), ({"action": "ignore", "health": "suspect", "cause": "gone"}, 409),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_and_changes_nothing(analyst, shelf, fields, status):
    assert post(analyst, shelf, **fields).status_code == status
    assert (decided(shelf), asked_to_read(shelf)) == ({}, [])


@pytest.mark.parametrize("path", ["/desk/report/nowhere.am", "/desk/report/woods.he", "/desk/report/%3Cscript%3E"])
def test_a_document_that_is_not_there_is_not_found(analyst, path):
    answer = analyst.get(path)
    assert answer.status_code == 404 and "<script>" not in answer.text.replace('<script src="', "")


@pytest.mark.parametrize("query", ["offset=x", "offset=-1", "offset=99999999999"])
def test_an_offset_that_is_no_number_is_refused(analyst, query):
    assert [analyst.get(f"/desk/report{place}?{query}").status_code for place in ("", "/woods.ar")] == [400, 400]


def test_odd_parameters_do_no_harm(analyst, shelf):
    assert analyst.get("/desk/report?_anchor=x&_external=1&endpoint=y&state=nonsense").status_code == 200
    assert post(analyst, shelf, query="?edition_id=x&_external=1&values=y", action="ignore", page="2").status_code == 303
