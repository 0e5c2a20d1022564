"""What of moving a library needs no engine."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from conftest import LexiconEncoder
from furnishing import furnish

from index.database import EMBEDDED
from index.library import Library
from index.moving import MovingError, move, source
from index.store import LEFT, MovedLibraryError, ReadOnlyLibraryError
from search_app.cli import main
from search_app.factory import create_app


@pytest.fixture
def filled(tmp_path) -> Library:
    return furnish(Library.create(tmp_path / "library", EMBEDDED), tmp_path)


@pytest.mark.parametrize("options", [[], ["--to", "postgresql://a@b/c", "--to-folder"]])
def test_one_place_has_to_be_named(filled, options):
    done = CliRunner().invoke(main, ["move", *options, "--library", str(filled.folder)])
    assert (done.exit_code, "Expected one of --to ADDRESS and --to-folder" in done.output) == (2, True)


def test_a_library_in_its_folder_stays_there(filled):
    with pytest.raises(MovingError, match="already"):
        move(filled, EMBEDDED)
    done = CliRunner().invoke(main, ["move", "--to-folder", "--library", str(filled.folder)])
    assert (done.exit_code, "already" in done.output) == (2, True)


def test_an_address_that_is_none_is_refused_and_not_repeated_since_a_password_may_be_in_it(filled):
    done = CliRunner().invoke(main, ["move", "--to", "postgresql://ana:geheim@[", "--library", str(filled.folder)])
    assert done.exit_code == 2
    assert "geheim" not in done.output


def test_an_engine_that_does_not_answer_leaves_the_library_as_it_was(filled):
    done = CliRunner().invoke(main, ["move", "--to", "postgresql://ana@127.0.0.1:1/library", "--library", str(filled.folder)])
    assert (done.exit_code, "does not answer" in done.output) == (2, True)
    with filled.transaction():
        assert source(filled.folder).publications() == filled.publications()


def test_what_has_left_is_read_and_takes_no_change(filled):
    filled.set_meta(LEFT, "postgresql://db.example/library")
    other = Library.open(filled.folder, EMBEDDED)
    assert len(other.publications()) == 2
    with pytest.raises(MovedLibraryError, match=r"postgresql://db\.example/library"), other.transaction(contents=False):
        pass
    assert issubclass(MovedLibraryError, ReadOnlyLibraryError)  # pages say what they say of a library that cannot be changed
    with pytest.raises(MovingError, match="left for"):
        move(other, "postgresql://db.example/another")


def test_a_server_that_still_runs_answers_readers_and_tells_analysts_that_nothing_can_be_changed(filled):
    client = create_app(filled, LexiconEncoder()).test_client()
    before = client.get("/?q=ป่า").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/sign-in").text)
    filled.set_meta(LEFT, "postgresql://db.example/library")
    answer = client.post("/desk/sign-in", data={"name": "ana", "password": "a long enough password", "csrf_token": token[1]})
    assert (answer.status_code, "nothing in it can be changed now" in answer.text) == (503, True)
    assert client.get("/?q=ป่า").text == before
