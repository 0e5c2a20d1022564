from __future__ import annotations

import os
import tempfile
from pathlib import Path, PosixPath

import pytest
from conftest import CORPUS, pdf_of
from hostile import word_file

from ingest import pipeline
from ingest.limits import Limits
from ingest.pipeline import read_files
from ingest.reading import Source


class Deadly(PosixPath):
    """A file that ends the process which opens it, as a hostile PDF can."""

    def open(self, *_args, **_options):
        os._exit(7)


class Greedy(PosixPath):
    """A file that asks for more memory than a worker may have."""

    def open(self, *_args, **_options):
        return bytearray(2 * Limits().memory)


class Busy(PosixPath):
    """A file that is never done."""

    def open(self, *_args, **_options):
        while True:
            pass


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
    files = [Source(f"{path.parent.name}.{path.stem}", path, path.stem) for path in sorted(CORPUS.glob("*/??.pdf"))[:10]]
    files[1:1] = files[7:7] = [Source("woods.en", good, "en")]
    readings = list(read_files(files, workers=3))
    assert [reading.edition_id for reading in readings] == [source.edition_id for source in files]
    assert [reading.content.pages[0].edition_id for reading in readings] == [source.edition_id for source in files]
    assert readings[1].content.title == "Woods"


def test_a_file_that_cannot_be_read_gives_its_reason_and_the_others_are_read(tmp_path, good):
    (tmp_path / "notes.pdf").write_text("เอกสาร")
    bad = {
        "gone": (tmp_path / "nowhere.pdf", "FileNotFoundError: "),
        "folder": (tmp_path, "IsADirectoryError: "),
        "text": (tmp_path / "notes.pdf", "it is in no format that is known here"),
        "deadly": (Deadly(good), "the reading process died (exit code 7); the file may be damaged or hostile: if it is sound"),
        "greedy": (Greedy(good), "reading needed more than 2,048 MiB of memory"),
        "odd": (Odd(good), "LookupError: ไม่พบ"),
    }
    files = [file for name, (path, _) in bad.items() for file in (Source(name, path, "th"), Source(f"{name}, then good", good, "my"))]
    readings = {reading.edition_id: reading for reading in read_files(files, workers=2)}
    assert list(readings) == [source.edition_id for source in files]
    for name, (_, reason) in bad.items():
        assert readings[name].content is None and readings[name].problem.startswith(reason)
        after = readings[f"{name}, then good"]
        assert (after.problem, after.content.pages[0].text) == ("", "The forest.")


def test_a_file_that_waits_too_long_is_given_up(tmp_path, good):
    os.mkfifo(tmp_path / "endless.pdf")  # nobody ever writes into it
    endless, after = read_files([Source("a", tmp_path / "endless.pdf", "en"), Source("b", good, "en")], workers=1, limits=Limits(wall_seconds=3))
    assert endless.content is None and endless.problem.startswith("reading took longer than 3 seconds; ")
    assert after.content.pages[0].text == "The forest."


def test_a_file_that_works_too_long_is_given_up_by_its_cpu_time_and_the_next_begins_anew(good):
    files = [Source("busy", Busy(good), "en"), Source("good", good, "en"), Source("good again", good, "en")]
    readings = list(read_files(files, workers=1, limits=Limits(file_seconds=1)))
    assert [reading.problem.split(";")[0] for reading in readings] == ["reading took more than 1 seconds of CPU time", "", ""]
    assert [reading.content is not None for reading in readings] == [False, True, True]


def test_a_word_file_and_a_web_page_are_read_beside_pdfs_whatever_they_are_called(tmp_path, good):
    (tmp_path / "a.pdf").write_bytes(word_file("<w:p><w:r><w:t>ป่าไม้</w:t></w:r></w:p>"))
    (tmp_path / "b.docx").write_bytes("<html lang=am><title>ጫካ</title><p>ጫካው የመንደሩ ነው።".encode())
    word, html, pdf = read_files([Source("a", tmp_path / "a.pdf"), Source("b", tmp_path / "b.docx", "en"), Source("c", good, "en")])
    assert word.content.pages[0].text == "ป่าไม้"
    assert (html.content.title, html.content.language, html.content.pages[0].text) == ("ጫካ", "am", "ጫካው የመንደሩ ነው።")
    assert pdf.content.pages[0].text == "The forest."


def test_nothing_is_left_of_a_run(good, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    assert [reading.problem for reading in read_files([Source("a", good, "en")])] == [""] and list((tmp_path / "scratch").iterdir()) == []


def test_files_are_asked_for_only_as_they_are_needed(good):
    asked = []

    def files():
        for number in range(20):
            asked.append(number)
            yield Source(str(number), good, "en")

    readings = read_files(files(), workers=1)
    next(readings)
    assert len(asked) <= 2 * pipeline.WAITING
    readings.close()


def test_nothing_to_read_gives_nothing():
    assert list(read_files([])) == []
