"""Examination: what files say of themselves, one that kills its reader among them, and going on after an interruption."""

from __future__ import annotations

import pytest
from conftest import CORPUS, pdf_of
from filling import fill, publication
from hostile import form_that_draws_itself

from index.jobs import Jobs
from index.sketches import Sketches
from index.uploads import Uploads
from ingest.sketch import BINS, resemblance, sketch
from search_app.work import examination
from search_app.work.task import CancelledError, Task

FOREST = ["The forest grows slowly over many years, and the water of the river runs through it in every season of the year."]


def send(library, name: str, content: bytes) -> str:
    box = Uploads(library)
    upload = box.create("ana", name, len(content))
    box.append(upload.upload_id, 0, [content])
    box.finish(upload.upload_id, lambda _: "")
    return upload.upload_id


def work(library) -> Task:
    task = Task(library, Jobs(library).take(), lambda _: pytest.fail("no encoder is needed"))
    examination.run(task)
    return task


def test_language_title_year_and_pages_are_found_and_a_hostile_file_costs_no_other(library):
    thai = send(library, "a.pdf", (CORPUS / "river-corridor" / "th.pdf").read_bytes())
    broken = send(library, "b.pdf", b"%PDF-1.7 and nothing more")
    hostile = send(library, "c.pdf", form_that_draws_itself())
    arabic = send(library, "d.pdf", (CORPUS / "platform-reporting-law" / "ar.pdf").read_bytes())
    task = work(library)
    found = {upload.upload_id: upload for upload in Uploads(library).uploads()}
    assert [found[name].state for name in (thai, broken, hostile, arabic)] == ["examined", "refused", "examined", "examined"]
    said = found[thai].findings
    assert (said["language"], said["year"], said["pages"]) == ("th", 2020, 4) and said["title"].startswith("ระเบียงแม่น้ำบัวหลวง")
    assert (
        found[arabic].findings["language"] == "ar" and "damaged" in found[broken].reason and "reading gave up" in found[hostile].findings["summary"]
    )
    states = {document.name: document.state for document in Jobs(library).documents(task.job.job_id)}
    assert [states[name] for name in (thai, broken, hostile, arabic)] == ["read", "failed", "partly read", "read"]
    assert len(Sketches(library).all()[0]) == 3


def test_an_interrupted_examination_goes_on_and_does_nothing_twice(library, monkeypatch):
    names = [send(library, f"{place}-fr.pdf", pdf_of(FOREST, [str(place)])) for place in range(3)]
    task = Task(library, Jobs(library).take(), lambda _: pytest.fail("no encoder is needed"))

    def cancelled(done: int, total: int, doing: str = "") -> None:
        if done == 1:
            raise CancelledError

    with pytest.MonkeyPatch.context() as patched, pytest.raises(CancelledError):
        patched.setattr(Task, "progress", lambda _, *said: cancelled(*said))
        examination.run(task)
    first = {upload.upload_id: upload.state for upload in Uploads(library).uploads()}
    assert list(first.values()) == ["examined", "complete", "complete"]
    read: list[str] = []
    real = examination.read_files
    monkeypatch.setattr(examination, "read_files", lambda files: real(read.append(source.edition_id) or source for source in files))
    work(library)
    assert read == names[1:] and {upload.state for upload in Uploads(library).uploads()} == {"examined"}


def test_what_was_discarded_before_is_left_out(library):
    name = send(library, "a.pdf", pdf_of(FOREST))
    Uploads(library).discard([name], "ana")
    task = work(library)
    assert [document.state for document in Jobs(library).documents(task.job.job_id)] == ["cancelled"]


def test_a_file_without_a_language_takes_that_of_its_name(library):
    name = send(library, "summary-km.pdf", pdf_of(["1 2 3"]))
    work(library)
    assert Uploads(library).upload(name).findings["language"] == "km"


@pytest.mark.parametrize("text", ["ป่าไม้เติบโตช้าๆ ตลอดหลายปี", "ព្រៃឈើលូតលាស់យឺតៗ", "تنمو الغابة ببطء على مر السنين", "森林在许多年里慢慢生长起来"])
def test_editions_that_have_no_sketch_are_given_one_from_their_pages(library, encoder, text):
    fill(library, encoder, publication("woods", ["und"]), {"und": [text * 3, text[::-1] * 2]})
    send(library, "a.pdf", pdf_of(FOREST))
    work(library)
    digests, sketches = Sketches(library).all()
    place = digests.index("0" * 64)
    assert sketches.shape == (2, BINS) and resemblance(sketch([text * 3, text[::-1] * 2]), sketches)[place] == 1.0
    assert list(Sketches(library).missing()) == []
