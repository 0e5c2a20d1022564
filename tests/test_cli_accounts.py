from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner
from conftest import LexiconEncoder

from index.accounts import Accounts
from index.changes import Changes
from index.library import Library
from search_app import cli
from search_app.cli_accounts import account
from search_app.factory import create_app

PASSWORD = "กขค three blue horses"


@pytest.fixture
def isogloss(tmp_path, monkeypatch):
    monkeypatch.delenv("ISOGLOSS_LIBRARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(cli.main, ["account", *arguments], **options)


@pytest.fixture
def library(isogloss, tmp_path) -> Library:
    assert isogloss("add", "Ana", "--password-stdin", input=f"{PASSWORD}\r\n").exit_code == 0
    return Library.open(tmp_path / "library")


def log(library):
    return [(change.by, change.what, change.about) for change in reversed(Changes(library).changes())]


def test_an_account_can_be_added_before_there_is_a_library(library):
    assert Accounts(library).is_right("ana", PASSWORD, "127.0.0.1") and log(library) == [("command line", "account added", "ana")]


def test_a_password_is_asked_for_twice_and_never_shown(isogloss, tmp_path):
    result = isogloss("add", "بهار", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0 and PASSWORD not in result.output and "The account بهار is added; sign in at /desk." in result.stdout
    assert Accounts(Library.open(tmp_path / "library")).has("بهار")


def test_an_account_added_while_the_server_runs_can_sign_in(isogloss, library):
    client = create_app(library, LexiconEncoder()).test_client()
    client.application.config["WTF_CSRF_ENABLED"] = False
    assert isogloss("add", "李明", "--password-stdin", input=PASSWORD).exit_code == 0
    assert client.post("/desk/sign-in", data={"name": "李明", "password": PASSWORD}).status_code == 303 and client.get("/desk").status_code == 200
    assert isogloss("password", "李明", "--password-stdin", input="another long password").exit_code == 0
    assert client.get("/desk").status_code == 303


def test_accounts_are_listed_given_other_passwords_and_removed(isogloss, library):
    Accounts(library).open_session("ana")
    assert re.search(r"ana .*20\d\d-\d\d-\d\dT[\d:]+Z .* 1 ", isogloss("list").stdout)
    assert isogloss("password", "ana", "--password-stdin", input="another long password\n").exit_code == 0
    assert Accounts(library).is_right("ana", "another long password", "127.0.0.1") and Accounts(library).accounts()[0].sessions == 0
    assert isogloss("remove", "ANA").stdout == "The account ana is removed.\n" and Accounts(library).accounts() == []
    assert log(library)[1:] == [("command line", "password changed", "ana"), ("command line", "account removed", "ana")]
    result = isogloss("list")
    assert (result.exit_code, result.stdout) == (0, "") and "account add NAME" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said", "reason"),
    [(["add", "ana"], PASSWORD, "There is an account 'ana' already"), (["add", "x"], "short", "at least 12 characters"), (["add", "\u202e"], PASSWORD, "can be seen"),
     (["password", "nobody"], PASSWORD, "There is no account 'nobody'"), (["remove", "nobody"], "", "There is no account 'nobody'")],
)  # fmt: skip
def test_what_cannot_be_done_ends_with_2_and_a_reason_and_changes_nothing(isogloss, library, arguments, said, reason):
    before = log(library)
    result = isogloss(*arguments, *(["--password-stdin"] if said else []), input=said)
    assert result.exit_code == 2 and re.search(f"Error: .*{reason}", result.stderr)
    assert log(library) == before and Accounts(library).is_right("ana", PASSWORD, "127.0.0.1")


@pytest.mark.parametrize("command", account.commands.values(), ids=account.commands)
def test_every_command_has_a_help_with_an_example_that_can_be_typed(isogloss, command):
    example = re.search(rf"Example: isogloss account {command.name}(.*)", command.epilog)[1]
    assert command.help and isogloss(command.name, "--help").exit_code == 0
    command.make_parser(click.Context(command)).parse_args(shlex.split(example))
