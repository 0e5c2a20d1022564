"""The doctor says what is there, what is missing and how to install it, and only what is needed makes it end with an error."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from index.library import Library
from ingest.ocr import RecognitionError, Tesseract
from ingest.records import Edition, Publication
from search_app import cli, doctor
from search_app.doctor import SYSTEMS, Finding, examine, installing


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Import no heavy library, and be on Debian."""
    monkeypatch.setattr(doctor, "LIBRARIES", {"pypdf": "ingest.catalogue"})
    monkeypatch.setattr(doctor, "this_system", lambda: "Debian, Ubuntu")
    monkeypatch.setattr(doctor, "hindrance", lambda: "")


@pytest.fixture
def tesseract(monkeypatch):
    """Be a machine with tesseract and these packs, or without it."""

    def install(*packs: str) -> None:
        def find() -> Tesseract:
            if not packs:
                raise RecognitionError("not there")
            return Tesseract("/bin/tesseract", "5.3.0", frozenset(packs))

        monkeypatch.setattr(doctor, "find_tesseract", find)

    return install


@pytest.fixture
def library(tmp_path):
    made = Library.create(tmp_path / "library")
    editions = tuple(Edition(f"woods.{language}", "woods", language, "", "whole", None) for language in ("km", "th", "zh-TW", "mni-Mtei"))
    made.put_publication(Publication("woods", {"km": "ព្រៃ"}, {}, 2020, "", (), (), "", editions), "", [], np.zeros((0, 3), np.float32))
    return tmp_path / "library"


def found(folder, what: str) -> Finding:
    return next(finding for finding in examine(folder, "my-encoder") if finding.what == what)


def test_the_packs_of_the_languages_in_the_library_are_looked_for(library, tesseract):
    tesseract("eng", "tha")
    assert found(library, "tesseract") == Finding("tesseract", "there", "5.3.0, with 2 language packs")
    assert found(library, "language packs") == Finding(
        "language packs",
        "optional",
        "none for Khmer (khm), Chinese (chi_tra); their pages without text stay unread",
        "sudo apt-get install tesseract-ocr tesseract-ocr-chi-tra tesseract-ocr-khm",
    )
    assert "Manipuri" in found(library, "recognition").found


def test_what_tells_the_script_of_a_scan_is_looked_for(library, tesseract):
    tesseract("eng", "tha")
    assert found(library, "scripts").state == "optional" and found(library, "scripts").remedy.endswith("tesseract-ocr-osd")
    tesseract("eng", "osd")
    assert "scripts" not in {finding.what for finding in examine(library, "x")}


def test_nothing_is_missing_where_all_packs_are_there(library, tesseract):
    tesseract("eng", "tha", "khm", "chi_tra")
    assert found(library, "language packs").state == "there"


def test_without_tesseract_all_packs_of_the_library_are_proposed(library, tesseract):
    tesseract()
    finding = found(library, "tesseract")
    assert finding.state == "optional" and finding.remedy.endswith("tesseract-ocr-chi-tra tesseract-ocr-eng tesseract-ocr-khm tesseract-ocr-tha")


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("Debian, Ubuntu", "sudo apt-get install tesseract-ocr tesseract-ocr-khm tesseract-ocr-chi-sim tesseract-ocr-script-latn"),
        ("Fedora", "sudo dnf install tesseract tesseract-langpack-khm tesseract-langpack-chi_sim tesseract-script-latin"),
        ("macOS", "brew install tesseract tesseract-lang"),
        ("Windows", "winget install --interactive UB-Mannheim.TesseractOCR, choose khm, chi_sim, script/Latin among its additional data, and add its folder to PATH"),
    ],
)  # fmt: skip
def test_every_system_has_its_own_command(system, command):
    assert installing(["khm", "chi_sim", "script/Latin"], system) == command


def test_an_unknown_system_is_told_all_commands(library, tesseract, monkeypatch):
    tesseract()
    monkeypatch.setattr(doctor, "this_system", lambda: "")
    assert all(f"{system}: {installing(['chi_tra', 'eng', 'khm', 'tha'], system)}" in found(library, "tesseract").remedy for system in SYSTEMS)
    with pytest.raises(ValueError, match="got Plan 9"):
        installing([], "Plan 9")


def test_a_library_that_cannot_be_opened_is_missing(tmp_path, tesseract):
    tesseract("eng")
    (tmp_path / "library.sqlite").write_text("no database")
    assert (found(tmp_path, "library").state, found(tmp_path, "tesseract").state) == ("missing", "there")


def test_a_folder_without_a_library_can_be_written_and_is_not_made(tmp_path, tesseract):
    tesseract("eng")
    assert found(tmp_path / "new" / "library", "library").state == "there" and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_missing(tmp_path, tesseract):
    tesseract("eng")
    (tmp_path / "file").write_text("in the way")
    assert found(tmp_path / "file" / "library", "library").state == "missing"


def test_a_library_that_cannot_be_imported_is_missing(tmp_path, tesseract, monkeypatch):
    tesseract("eng")
    monkeypatch.setattr(doctor, "LIBRARIES", {"pypdf": "ingest.of_nowhere"})
    assert found(tmp_path, "pypdf").state == "missing" and "pip install" in found(tmp_path, "pypdf").remedy


def test_the_encoder_is_there_or_can_be_unpacked(tmp_path, tesseract):
    tesseract("eng")
    assert next(finding for finding in examine(tmp_path) if finding.what == "encoder").state in {"there", "optional"}


@pytest.mark.parametrize("packs", [(), ("eng",)])
def test_what_is_optional_is_told_and_ends_with_0(library, tesseract, packs):
    tesseract(*packs)
    result = CliRunner().invoke(cli.main, ["doctor", "--library", str(library), "--encoder", "x"])
    assert result.exit_code == 0 and "optional" in result.output and "sudo apt-get install tesseract-ocr" in result.output


def test_what_is_needed_and_missing_ends_with_1(tmp_path, tesseract):
    tesseract("eng")
    (tmp_path / "library.sqlite").write_text("no database")
    result = CliRunner().invoke(cli.main, ["doctor", "--library", str(tmp_path), "--encoder", "x", "--json"])
    states = {finding["what"]: finding["state"] for finding in json.loads(result.stdout)}
    assert result.exit_code == 1 and states["library"] == "missing" and states["tesseract"] == "there"


@pytest.mark.parametrize(
    ("hindered", "state", "said"),
    [("", "there", "are cut off"), ("Operation not permitted", "optional", "could reach the network: Operation not permitted")],
)
def test_it_is_said_whether_files_are_read_by_processes_without_a_network(tmp_path, light, monkeypatch, hindered, state, said):
    monkeypatch.setattr(doctor, "hindrance", lambda: hindered)
    finding = found(tmp_path / "none", "isolation")
    assert finding.state == state and said in finding.found and bool(finding.remedy) == bool(hindered)
