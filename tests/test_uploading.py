"""Sending files in a real browser: dropped in, cut off in the middle, gone on with by itself and after a reload, grouped, added."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LexiconEncoder, pdf_of
from playwright.sync_api import Page, Route, sync_playwright
from waitress.server import create_server

from index.accounts import Accounts
from index.jobs import Jobs
from index.library import Library
from index.uploads import Uploads
from search_app.factory import create_app
from search_app.work import examination
from search_app.work.task import Task

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; on Debian: apt install chromium")

LINES = [
    "The forest plan of the river country",
    "The forest grows slowly, and every morning the children of the village walk through it to their school.",
]
LONG = b"%" + b"x" * 1_500_000  # a comment that makes a PDF as long as a scan
DROP = """async ([files]) => {
  const moved = new DataTransfer();
  for (const [name, text, length] of files) moved.items.add(new File([atob(text), "%" + "x".repeat(length)], name, { lastModified: 1, type: "application/pdf" }));
  document.querySelector("form.sending").dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def shelf(tmp_path: Path) -> Library:
    encoder = LexiconEncoder()
    library = Library.create(tmp_path / "library")
    library.set_meta("encoder", encoder.fingerprint)
    Accounts(library).put("ana", "a long enough password")
    return library


@pytest.fixture
def page(shelf: Library) -> Iterator[Page]:
    server = create_server(create_app(shelf, LexiconEncoder()), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.effective_port}")
        page.goto("/desk/sign-in?back=/desk/files")
        page.fill("#name", "ana")
        page.fill("#password", "a long enough password")
        page.click("main button")
        page.wait_for_url("**/desk/files")  # with its script
        yield page
        browser.close()
    server.close()


def examine(library: Library) -> None:
    while job := Jobs(library).take():
        examination.run(Task(library, job, lambda _: LexiconEncoder()))
        Jobs(library).end(job.job_id, "done")


def on_disk(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(pdf_of(LINES) + LONG)
    return path


class Line:
    """Lets so many pieces through, and breaks on the others until it is mended."""

    def __init__(self, page: Page, pieces: int) -> None:
        self.left, self.tried = pieces, 0
        page.route("**/desk/uploads/*", self)

    def __call__(self, route: Route) -> None:
        self.tried += 1
        if route.request.method == "PATCH":
            self.left -= 1
        if self.left < 0:
            route.abort("connectionreset")
        else:
            route.continue_()


def test_two_files_are_dropped_in_survive_a_broken_line_and_become_editions_of_one_publication(page, shelf):
    line = Line(page, 2)
    said = {
        "plan-en.pdf": LINES,
        "plan-fr.pdf": ["Le plan de la forêt du pays de la rivière", "La forêt pousse lentement et chaque matin les enfants y marchent."],
    }
    page.evaluate(DROP, [[[name, base64.b64encode(pdf_of(lines)).decode(), 1_500_000] for name, lines in said.items()]])
    page.get_by_text("the line is broken").first.wait_for()
    offsets = [Uploads(shelf).offset(upload) for upload in Uploads(shelf).uploads()]
    assert len(offsets) == 2 and 0 < sum(offsets) < 3_000_000
    line.left = 1000
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator(".sent li", has_text="received").nth(1).wait_for()
    assert [upload.state for upload in Uploads(shelf).uploads()] == ["complete", "complete"] and "2 of 2 files received" in page.locator(
        "#heard"
    ).inner_text()
    examine(shelf)
    page.locator("input[name|=place]").nth(1).wait_for()
    assert [one.input_value() for one in page.locator("input[name|=place]").all()] == ["+1", "+1"]
    page.get_by_role("button", name="Add the chosen files").click()
    page.get_by_text("2 files were added").wait_for()
    (publication,) = shelf.publications()
    assert {edition.language for edition in publication.editions} == {"en", "fr"}  # which came first, the line decided


def test_after_a_reload_the_same_file_goes_on_where_it_stopped(page, shelf, tmp_path):
    file = on_disk(tmp_path, "ป่า.pdf")
    line = Line(page, 1)
    page.set_input_files("#files", file)
    page.get_by_text("the line is broken").wait_for()
    page.reload()
    (upload,) = Uploads(shelf).uploads()
    before = Uploads(shelf).offset(upload)
    assert before > 0 and "ป่า.pdf" in page.locator(".lines [data-upload]").inner_text()
    line.left = 1000
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        page.set_input_files("#files", file)
    assert sent.value.headers["upload-offset"] == str(before)
    page.locator(".sent li", has_text="received").wait_for()
    (done,) = Uploads(shelf).uploads()
    assert done.upload_id == upload.upload_id and shelf.file(done.digest).read_bytes() == file.read_bytes()


def test_sending_can_be_paused_gone_on_with_and_cancelled(page, shelf, tmp_path):
    line = Line(page, 1)
    page.set_input_files("#files", on_disk(tmp_path, "a.pdf"))
    page.get_by_text("the line is broken").wait_for()
    page.get_by_role("button", name="Pause").click()
    tried = line.tried
    line.left = 1000
    page.wait_for_timeout(2500)
    assert line.tried == tried and "paused" in page.locator(".sent li").inner_text()
    page.get_by_role("button", name="Go on").click()
    page.locator(".sent li", has_text="received").wait_for()
    line.left = 0
    page.set_input_files("#files", on_disk(tmp_path, "b.pdf"))
    page.get_by_text("the line is broken").wait_for()
    line.left = 1000
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Cancel").click()
    assert [upload.name for upload in Uploads(shelf).uploads()] == ["a.pdf"]


def test_what_is_no_pdf_is_not_even_sent(page, shelf, tmp_path):
    file = tmp_path / "a.pdf"
    file.write_bytes(b"MZ" * 1000)
    page.set_input_files("#files", file)
    page.get_by_text("This is no PDF").first.wait_for()
    assert Uploads(shelf).uploads() == []
