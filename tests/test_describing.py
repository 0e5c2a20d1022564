"""An entry that is proposed for a folder can be read as a catalogue entry, and says where it guesses."""

from __future__ import annotations

import shutil
import tomllib

import pytest
from conftest import CORPUS

from ingest.catalogue import read_catalogue
from ingest.records import IsoglossError
from search_app.describing import describe, write


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "new-study"
    made.mkdir()
    return made


def web_page(text: str, title: str, **said: str) -> str:
    meta = "".join(f'<meta name="{name}" content="{content}">' for name, content in said.items())
    return f"<html><head><meta charset=utf-8><title>{title}</title>{meta}</head><body>{text}</body></html>"


GERMAN = "<h2>Zusammenfassung</h2><p>Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit in diesem Wald.</p>"


def test_what_is_proposed_is_a_catalogue_entry_without_faults(folder):
    for name in ("th", "am", "fa"):
        source = {"th": "river-corridor", "am": "school-corridor-clubs", "fa": "platform-reporting-law"}[name]
        shutil.copy(CORPUS / source / f"{name}.pdf", folder)
    (folder / "kurz.html").write_text(web_page(GERMAN, 'Der "Wald" \\ am Fluss', author="Anna Li", date="2019-03-01"), "utf-8")
    path = write(folder)
    catalogue = read_catalogue(folder)
    (entry,) = catalogue.entries
    found = entry.publication
    assert catalogue.problems == () and [edition.language for edition in found.editions] == ["am", "fa", "de", "th"]
    assert (found.titles["th"], found.titles["de"]) == ("ระเบียงแม่น้ำบัวหลวง", 'Der "Wald" \\ am Fluss')
    assert found.abstracts == {"de": "Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit in diesem Wald."}
    said = path.read_text("utf-8")
    assert 'another file says ["Anna Li"]' in said and "year = " in said and said.count("# a guess") >= 2


def test_a_second_file_in_one_language_is_another_part_and_a_fourth_is_left_to_the_reader(folder):
    for number in range(4):
        (folder / f"{number}.html").write_text(web_page(GERMAN, f"Wald {number}"), "utf-8")
    said = tomllib.loads(describe(folder))
    assert [(edition["file"], edition["part"]) for edition in said["editions"]] == [
        ("0.html", "whole"), ("1.html", "executive summary"), ("2.html", "annex"),
    ]  # fmt: skip
    assert said["title"] == {"de": "Wald 0"} and '# file = "3.html"' in describe(folder)


@pytest.mark.parametrize(("name", "language"), [("report-fr.pdf", "fr"), ("pt_BR.pdf", "pt-BR"), ("scan.pdf", "und")])
def test_where_the_text_does_not_tell_the_language_the_name_of_the_file_may(folder, name, language):
    (folder / name).write_text("no publication at all")
    said = describe(folder)
    (edition,) = tomllib.loads(said)["editions"]
    assert edition["language"] == language and "# could not be read: it is in no format that is known here" in said


def test_a_folder_that_is_described_or_empty_is_refused(folder):
    with pytest.raises(IsoglossError, match="nothing can be described"):
        describe(folder)
    (folder / "publication.toml").write_text("year = 2020")
    with pytest.raises(IsoglossError, match="this folder is described"):
        write(folder)
    assert (folder / "publication.toml").read_text() == "year = 2020"
