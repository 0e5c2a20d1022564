"""The page of jobs: what runs, what failed and why, and what an analyst can do about it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from filling import publication

from index.changes import Changes
from index.jobs import Jobs
from search_app.factory import create_app

HOSTILE = "<script>alert('\u202e')</script>"


@pytest.fixture
def app(library, encoder):
    return create_app(library, encoder)


@pytest.fixture
def jobs(library, app):
    return Jobs(library)


def text_of(response):
    assert response.status_code == 200
    return unescape(re.sub(r"<[^>]*>", " ", response.get_data(as_text=True)))


@pytest.mark.parametrize("address", ["/desk/jobs", "/desk/jobs/1"])
def test_nobody_sees_jobs_who_is_not_signed_in(app, jobs, address):
    jobs.add("reading", "ana")
    assert app.test_client().get(address).status_code == 303
    assert app.test_client().post("/desk/jobs/1/cancel").status_code in (303, 400) and jobs.job(1).state == "waiting"


def test_jobs_are_listed_with_who_asked_and_how_far_they_are(analyst, jobs):
    assert "No job was asked for yet" in text_of(analyst.get("/desk/jobs"))
    jobs.add("reading", "أنا", ["woods.th", "woods.ar"])
    jobs.take()
    jobs.progress(1, 1, 2, "woods.th")
    page = analyst.get("/desk/jobs")
    shown = text_of(page)
    assert "Read publications (1)" in shown and "أنا" in shown and "1 of 2" in shown and "woods.th" in shown
    assert '<progress max="2" value="1"' in page.get_data(as_text=True) and "data-running" in page.get_data(as_text=True)
    assert "1 job is not at its end." in text_of(analyst.get("/desk"))


def test_jobs_are_paged(analyst, jobs):
    for _ in range(60):
        jobs.add("generation", "ana")
    assert "(60)" in text_of(analyst.get("/desk/jobs")) and "(1)" not in text_of(analyst.get("/desk/jobs"))
    assert "(1)" in text_of(analyst.get("/desk/jobs?offset=50")) and analyst.get("/desk/jobs?offset=-1").status_code == 400


def test_a_job_shows_its_documents_with_titles_states_and_reasons_as_text(analyst, library, jobs):
    work = publication("woods", ["th", "ar"], titles={"th": HOSTILE, "ar": "الغابة"})
    Changes(library).put("ana", "added", None, work)
    job_id = jobs.add("reading", "ana", ["woods.th", "woods.ar", HOSTILE])
    jobs.take()
    jobs.put_document(job_id, "woods.th", "failed", f"page 7: {HOSTILE}")
    jobs.end(job_id, "failed", HOSTILE)
    page = analyst.get(f"/desk/jobs/{job_id}")
    html = page.get_data(as_text=True)
    assert HOSTILE not in html and text_of(page).count(HOSTILE) == 4
    assert '<a href="/publications/woods" lang="ar" dir="rtl">الغابة</a>' in html and "data-running" not in html


def test_cancel_retry_and_dismiss_are_done_and_logged(analyst, library, jobs):
    for what in ("cancel", "retry", "cancel"):
        jobs.add("reading", "bo", ["woods.zh"]) if not jobs.job(1) else None
        assert analyst.post(f"/desk/jobs/1/{what}").headers["Location"] == "/desk/jobs/1"
    assert jobs.job(1).state == "cancelled"
    jobs.end(1, "failed", "no room")
    assert "1 job needs a decision." in text_of(analyst.get("/desk")) and "no room" in text_of(analyst.get("/desk/jobs"))
    analyst.post("/desk/jobs/1/dismiss")
    assert jobs.undecided() == [] and jobs.job(1).dismissed == "ana" and "Needs a decision" not in text_of(analyst.get("/desk/jobs"))
    assert [(change.by, change.what, change.about) for change in Changes(library).changes()] == [
        ("ana", "job dismissed", "1"), ("ana", "job cancelled", "1"), ("ana", "job retried", "1"), ("ana", "job cancelled", "1")]  # fmt: skip


def test_one_document_is_done_again_by_itself(analyst, jobs):
    jobs.add("reading", "ana", ["a", "b"])
    jobs.cancel(1)
    assert analyst.post("/desk/jobs/1/retry", data={"name": "b"}).status_code == 303
    assert [document.state for document in jobs.documents(1)] == ["cancelled", "waiting"]


@pytest.mark.parametrize(("address", "status"), [("/desk/jobs/9/retry", 404), ("/desk/jobs/99999999999999999999/retry", 404), ("/desk/jobs/1/retry", 409),
                                                 ("/desk/jobs/1/nonsense", 404)])  # fmt: skip
def test_what_cannot_be_done_is_said(analyst, jobs, address, status):
    jobs.add("reading", "ana", ["a"])
    assert analyst.post(address).status_code == status


def test_forms_without_their_token_change_nothing(app, analyst, jobs):
    app.config["WTF_CSRF_ENABLED"] = True
    jobs.add("reading", "ana")
    assert analyst.post("/desk/jobs/1/cancel").status_code == 400 and jobs.job(1).state == "waiting"


def test_a_new_library_points_analysts_to_the_desk(app):
    assert 'href="/desk"' in app.test_client().get("/").get_data(as_text=True)
