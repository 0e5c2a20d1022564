from __future__ import annotations

import os
from pathlib import Path, PosixPath

import pytest
from conftest import CORPUS, pdf_of

from ingest import pipeline
from ingest.pipeline import read_files


class Deadly(PosixPath):
    """A file that ends the process which opens it, as a hostile PDF can."""

    def open(self, *_args, **_options):
        os._exit(7)


class Greedy(PosixPath):
    """A file that asks for more memory than a worker may have."""

    def open(self, *_args, **_options):
        return bytearray(2 * pipeline.READING_BYTES)


class Odd(PosixPath):
    """A file that fails in a way nobody foresaw."""

    def open(self, *_args, **_options):
        raise LookupError("ไม่พบ")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "ပညာရေး.pdf"
    path.write_bytes(pdf_of(["The forest."], title="Woods"))
    return path


def test_readings_come_in_the_order_of_the_files_whatever_their_size(good):
    files = [(f"{path.parent.name}.{path.stem}", path) for path in sorted(CORPUS.glob("*/??.pdf"))[:10]]
    files[1:1] = files[7:7] = [("woods.en", good)]
    readings = list(read_files(files, workers=3))
    assert [reading.edition_id for reading in readings] == [edition_id for edition_id, _ in files]
    assert [reading.content.pages[0].edition_id for reading in readings] == [edition_id for edition_id, _ in files]
    assert readings[1].content.title == "Woods"


def test_a_file_that_cannot_be_read_gives_its_reason_and_the_others_are_read(tmp_path, good):
    (tmp_path / "notes.pdf").write_text("เอกสาร")
    bad = {
        "gone": (tmp_path / "nowhere.pdf", "FileNotFoundError: "),
        "folder": (tmp_path, "IsADirectoryError: "),
        "text": (tmp_path / "notes.pdf", "not a PDF: it begins with"),
        "deadly": (Deadly(good), "the reading process died (exit code 7); the file may be damaged or hostile"),
        "greedy": (Greedy(good), "reading needed more than 2 GiB of memory"),
        "odd": (Odd(good), "LookupError: ไม่พบ"),
    }
    files = [pair for name, (path, _) in bad.items() for pair in ((name, path), (f"{name}, then good", good))]
    readings = {reading.edition_id: reading for reading in read_files(files, workers=2)}
    assert list(readings) == [name for name, _ in files]
    for name, (_, reason) in bad.items():
        assert readings[name].content is None and readings[name].problem.startswith(reason)
        after = readings[f"{name}, then good"]
        assert (after.problem, after.content.pages[0].text) == ("", "The forest.")


def test_a_file_that_takes_too_long_is_given_up(tmp_path, good, monkeypatch):
    monkeypatch.setattr(pipeline, "READING_SECONDS", 1)
    os.mkfifo(tmp_path / "endless.pdf")  # nobody ever writes into it
    endless, after = read_files([("a", tmp_path / "endless.pdf"), ("b", good)], workers=1)
    assert (endless.content, endless.problem) == (None, "reading took longer than 1 seconds")
    assert after.content.pages[0].text == "The forest."


def test_files_are_asked_for_only_as_they_are_needed(good):
    asked = []

    def files():
        for number in range(20):
            asked.append(number)
            yield str(number), good

    readings = read_files(files(), workers=1)
    next(readings)
    assert len(asked) <= 2 * pipeline.WAITING
    readings.close()


def test_nothing_to_read_gives_nothing():
    assert list(read_files([])) == []
