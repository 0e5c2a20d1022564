"""The export: everything in open formats, from which an ingest makes the same catalogue."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import rispy
from conftest import LexiconEncoder, pdf_of

from index.library import Library
from ingest.catalogue import sha256
from ingest.records import Edition, Publication, edition_id
from search_app.exporting import UnusableFolderError, export
from search_app.ingesting import ingest
from search_app.storing import change_entry

TITLES = {
    "ar": "الغابة «الكبيرة»", "fa": "جنگل بزرگ", "he": "היער", "hi": "जंगल", "bn": "বন", "ta": "காடு", "th": "ป่า", "lo": "ປ່າ", "km": "ព្រៃ", "my": "တော",
    "am": "ጫካ", "ja": "森", "zh-Hant": "森林", "ko": "숲", "de-AT": '=1+1 "Wald" \\ [x] \u202e\x07', "und": "<b>?</b>",
}  # fmt: skip
PARTS = ("whole", "executive summary", "annex")


def kept(library: Library, folder: Path, text: str, name: str = "a.pdf") -> str:
    """Keep a PDF with this text in the library; returns its digest."""
    path = folder / name
    path.write_bytes(pdf_of([text]) if name.endswith(".pdf") else f"<html><body><p>{text}</p></body></html>".encode())
    digest = sha256(path)
    library.keep_file(path, digest)
    return digest


def edition(name: str, language: str, digest: str | None, label: str = "", part: str = "whole") -> Edition:
    return Edition(edition_id(name, language, part), name, language, label, part, digest)


@pytest.fixture
def everything(tmp_path) -> Library:
    """A library with all that a catalogue can say, entered at the desk and read from a folder."""
    library, encoder = Library.create(tmp_path / "library"), LexiconEncoder()
    home = tmp_path / "given" / "Étude n° 1: ป่า?"
    home.mkdir(parents=True)
    (home / "de.pdf").write_bytes(pdf_of(["Der Wald ist gross."], ["Das Wasser."]))
    (home / "publication.toml").write_text(
        '[title]\nde-AT = "Wald"\n[[editions]]\nlanguage = "de-AT"\nlabel = "Austrian"\nfile = "de.pdf"\n[[editions]]\nlanguage = "ar"\n', "utf-8"
    )
    ingest(tmp_path / "given", library, encoder)
    many = tuple(edition("many", tag, kept(library, tmp_path, f"forest {tag}"), f"label {tag}") for tag in TITLES)
    parts = tuple(edition("parts", "es", kept(library, tmp_path, f"agua {part}"), "", part) for part in PARTS)
    page = edition("page", "en", kept(library, tmp_path, "A page about a forest and its water.", "a.html"))
    full = Publication(
        "many", TITLES, {"th": "เกี่ยวกับป่า", "de-AT": "Über den Wald."}, 1999, "-study", ("a; b", "@topic"), ("BO", "KH"), "https://lantern.example/x",
        many, ("Quispe Mamani, Ana", "李明"), "Lantern & Co", "9783161484100", "10.5555/lantern.1",
    )  # fmt: skip
    bare = Publication("parts", {}, {}, None, "", (), (), "", parts)
    for entry in (full, bare, replace(bare, publication_id="page", editions=(page, edition("page", "und", None)))):
        change_entry(library, "ana", "added", None, entry)
    return library


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_ingest_of_the_export_makes_the_same_catalogue(everything, tmp_path):
    assert export(everything, tmp_path / "out").problems == []
    again = Library.create(tmp_path / "again")
    report = ingest(tmp_path / "out", again, LexiconEncoder())
    assert (report.problems, report.refused) == ([], [])
    ids = [publication.publication_id for publication in everything.publications()]
    assert len(ids) == 4
    assert [again.entry(name) for name in ids] == [everything.entry(name) for name in ids]
    assert len(again.publications()) == 4


def test_the_same_library_gives_the_same_bytes_and_what_is_there_is_not_written_again(everything, tmp_path):
    first = export(everything, tmp_path / "one")
    export(everything, tmp_path / "two")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    again = export(everything, tmp_path / "one")
    assert (again.written, again.same) == (0, first.written)
    said = json.loads((tmp_path / "one" / "export.json").read_text("utf-8"))["files"]
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files_of(tmp_path / "one").items() if name != "export.json"}
    assert found == said


def test_texts_are_there_page_by_page(everything, tmp_path):
    export(everything, tmp_path / "out")
    home = tmp_path / "out" / "publications" / "Étude n° 1: ป่า?"
    assert (home / "de-AT.txt").read_text("utf-8") == "Der Wald ist gross.\n\fDas Wasser.\n\f"
    lines = [json.loads(line) for line in (home / "de-AT.jsonl").read_text("utf-8").splitlines()]
    assert [(line["page"], line["health"], line["text"]) for line in lines] == [(1, "good", "Der Wald ist gross."), (2, "good", "Das Wasser.")]


def test_the_table_has_a_row_for_each_edition_and_runs_nothing_in_a_spreadsheet(everything, tmp_path):
    export(everything, tmp_path / "out")
    rows = list(csv.DictReader(StringIO((tmp_path / "out" / "catalogue.csv").read_text("utf-8-sig"), newline="")))
    assert len(rows) == 2 + len(TITLES) + 3 + 2
    austrian = next(row for row in rows if row["publication_id"] == "many" and row["language"] == "de-AT")
    assert (austrian["title"], austrian["kind"], austrian["label"]) == ("'" + TITLES["de-AT"].replace("\x07", ""), "'-study", "label de-AT")
    assert (austrian["authors"], austrian["countries"]) == ("Quispe Mamani, Ana; 李明", "BO; KH")
    assert (tmp_path / "out" / austrian["file"]).read_bytes() == everything.file(everything.entry("many").edition("many.de-AT").digest).read_bytes()
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_reference_managers_read_every_edition(everything, tmp_path):
    export(everything, tmp_path / "out")
    entries = rispy.loads((tmp_path / "out" / "catalogue.ris").read_text("utf-8"))
    assert len(entries) == 2 + len(TITLES) + 3 + 2
    assert TITLES["th"] in [entry.get("title") for entry in entries]


def test_what_an_earlier_export_wrote_leaves_with_its_publication_and_nothing_else_does(everything, tmp_path):
    export(everything, tmp_path / "out")
    (tmp_path / "out" / "publications" / "parts" / "mine.txt").write_text("mine")
    everything.remove_publication("parts")
    everything.remove_publication("page")
    export(everything, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "publications").iterdir()) == ["many", "parts", "Étude n° 1: ป่า?"]
    assert [path.name for path in (tmp_path / "out" / "publications" / "parts").iterdir()] == ["mine.txt"]


def test_an_export_that_was_cut_short_goes_on_and_leaves_no_half_file(everything, tmp_path, monkeypatch):
    written = 0

    def cut_short(*_: object) -> None:
        nonlocal written
        written += 1
        if written == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(everything, tmp_path / "out", cut_short)
    everything.remove_publication("many")
    export(everything, tmp_path / "out")
    export(everything, tmp_path / "fresh")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "fresh")


def test_a_folder_that_holds_something_else_is_refused(everything, tmp_path):
    (tmp_path / "given" / "letter.txt").write_text("Dear Ana")
    with pytest.raises(UnusableFolderError, match="found something else"):
        export(everything, tmp_path / "given")


def test_a_missing_original_is_a_problem_and_the_edition_stays(everything, tmp_path):
    everything.file(everything.entry("many").edition("many.th").digest).unlink()
    problems = export(everything, tmp_path / "out").problems
    assert [problem.split(":")[0] for problem in problems] == ["many.th"]
    assert 'language = "th"' in (tmp_path / "out" / "publications" / "many" / "publication.toml").read_text("utf-8")


@pytest.mark.parametrize("name", ["..", "a/b", "ป" * 100])
def test_an_id_that_no_folder_can_have_is_exported_under_another_and_said(library, tmp_path, name):
    change_entry(library, "ana", "added", None, Publication(name, {"en": "x"}, {}, None, "", (), (), "", (edition(name, "en", None),)))
    problems = export(library, tmp_path / "out").problems
    assert len(problems) == 1
    assert "will have that id" in problems[0]
    assert len(list((tmp_path / "out" / "publications").glob("*/publication.toml"))) == 1
