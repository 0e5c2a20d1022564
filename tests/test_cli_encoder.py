"""The library remembers by which name its encoder is opened; another one is asked for by a command and made by the worker."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from conftest import LexiconEncoder
from filling import fill, publication

from index import sentence_encoder
from index.changes import Changes
from index.jobs import Jobs
from index.searcher import WrongEncoderError, require_encoder
from search_app import cli, options


@pytest.fixture
def opened(monkeypatch):
    """The names that are opened, and whether the hub may be asked."""
    names = []

    def open_encoder(name="", cache=None, fetch=True, threads=0):
        names.append((name, fetch))
        return LexiconEncoder(name or "lexicon")

    monkeypatch.setattr(sentence_encoder, "open_encoder", open_encoder)
    return names


def test_the_command_asks_for_the_job_and_says_so_in_the_log(library, tmp_path, monkeypatch):
    (tmp_path / "modèle").mkdir()
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(cli.main, ["encoder", "modèle", "--library", str(library.folder)])
    (job,) = Jobs(library).open_jobs()
    assert answer.exit_code == 0 and f"Job {job.job_id} " in answer.output
    assert (job.kind, job.arguments) == ("encoder", {"name": str(tmp_path / "modèle")})
    assert [(change.what, change.about) for change in Changes(library).changes()] == [("encoder asked for", str(tmp_path / "modèle"))]


def test_commands_after_a_change_open_the_encoder_that_the_library_has(library, encoder, opened):
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    options.open_encoder("", library)
    options.remember_encoder(library, LexiconEncoder("lexicon"), "models/lexicon")
    options.open_encoder("", library)
    options.open_encoder("another", library)
    options.encoders_of(library)("")
    options.encoders_of(library)("theirs")
    assert opened == [("", True), ("models/lexicon", True), ("another", True), ("models/lexicon", False), ("theirs", False)]


def test_only_the_librarys_own_encoder_is_remembered(library, encoder):
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    options.remember_encoder(library, LexiconEncoder("another"), "models/another")
    assert library.encoder_name() == ""


def test_a_command_with_another_encoder_names_the_way_to_change(library, encoder):
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    with pytest.raises(WrongEncoderError, match="isogloss encoder NAME"):
        require_encoder(library, LexiconEncoder("another"))
