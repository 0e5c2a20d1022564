from __future__ import annotations

import pytest
from click.testing import CliRunner
from test_listing import LISTING

from index.library import Library
from search_app.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


@pytest.fixture
def catalogue(tmp_path):
    path = tmp_path / "catalogue.anything"
    path.write_text(LISTING, "utf-8")
    return path


def test_a_catalogue_is_imported_shown_and_flagged(catalogue, tmp_path):
    answer = run(catalogue, "--library", tmp_path / "library")
    assert answer.exit_code == 1 and "3 added, 2 loose, 6 editions" in answer.output and "de-AT" in answer.output
    again = run(catalogue, "--library", tmp_path / "library")
    assert again.exit_code == 0 and "5 skipped" in again.output


def test_a_dry_run_stores_nothing_and_needs_no_library(catalogue, tmp_path):
    answer = run(catalogue, "--library", tmp_path / "library", "--dry-run")
    assert answer.exit_code == 1 and "Nothing was stored." in answer.output and not (tmp_path / "library").exists()


def test_what_is_no_catalogue_ends_with_a_message(tmp_path):
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    answer = run(tmp_path / "picture", "--library", tmp_path / "library")
    assert answer.exit_code == 2 and "Expected a CSV table" in answer.output and "Traceback" not in answer.output


def test_same_as_new_or_merged_is_chosen_for_all(catalogue, tmp_path):
    table = tmp_path / "table"
    table.write_text("title,language\nWoods,en\nWoods,km\n", "utf-8")
    for same, editions in (("skip", 2), ("merge", 2)):
        assert run(table, "--library", tmp_path / "library", "--same", same).exit_code in (0, 1)
        assert Library.open(tmp_path / "library").counts()["editions"] == editions
