"""Examine files that were sent: what language they are in, what they call themselves, how well they can be read, and how their text looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from index.sketches import Sketches
from index.uploads import Upload, Uploads
from ingest.health import summary
from ingest.pipeline import Reading, read_files
from ingest.reading import Source
from ingest.records import UNDETERMINED, Content
from ingest.sketch import sketch
from search_app.describing import language_of, named
from search_app.work.task import Task

GONE = "it was discarded before it was examined"


def run(task: Task) -> None:
    """Examine the uploads that are the documents of the task; what was examined before an interruption stays so."""
    uploads = Uploads(task.library)
    names = [document.name for document in task.documents()]
    there = {name: upload for name in names if (upload := uploads.upload(name)) and upload.digest}
    for name in names:
        if name not in there:
            task.document(name, "cancelled", GONE)
    task.progress(0, len(there))
    sketch_editions(task)
    for done, reading in enumerate(read_files(_files(task, there)), start=1):
        _store(task, there[reading.edition_id], reading)
        task.progress(done, len(there), there[reading.edition_id].name)


def sketch_editions(task: Task) -> None:
    """Make the sketches that are missing of files that are in the library already, so that new ones can be compared with them."""
    sketches = Sketches(task.library)
    for digest, texts in sketches.missing():
        sketches.put(digest, sketch(texts))


def _files(task: Task, uploads: dict[str, Upload]) -> Iterator[Source]:
    for name, upload in uploads.items():
        task.document(name, "reading")
        yield Source(name, task.library.file(upload.digest or ""))


def _store(task: Task, upload: Upload, reading: Reading) -> None:
    content = reading.content or Content("", ())
    unread = sum(not page.readable and page.health != "empty" for page in content.pages)
    with task.library.transaction(contents=False):
        Uploads(task.library).put_findings(upload.upload_id, findings(upload.name, content) if reading.content else {}, reading.problem)
        if reading.content:
            Sketches(task.library).put(upload.digest or "", sketch(page.text for page in content.pages))
        state = "failed" if reading.problem else "partly read" if unread else "read"
        task.document(upload.upload_id, state, reading.problem or summary(content.pages))  # type: ignore[arg-type]


def findings(name: str, content: Content) -> dict[str, Any]:
    """What is proposed for the catalogue, and how well the pages can be read; `name` is what the file was called."""
    language, said = language_of(content), content.proposal
    return {
        "language": language if language != UNDETERMINED else named(name),
        "title": said.title or "",
        "authors": list(said.authors),
        "year": said.year,
        "isbn": said.isbn,
        "doi": said.doi,
        "abstract": said.abstract,
        "pages": len(content.pages),
        "health": dict(Counter(page.health for page in content.pages)),
        "summary": summary(content.pages),
    }
