"""Commands for the accounts of analysts. They work while the server runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ingest.records import IsoglossError
from search_app.options import LIBRARY, open_library, plain_errors
from search_app.terminal import print_figures

BY = "command line"  # who changes what, says the log
FROM_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input instead of asking for it.")


@click.group(epilog="Example: isogloss account add ana")
def account() -> None:
    """Add, list and remove the accounts of analysts, and give them other passwords. Readers need none."""


@account.command(epilog="Example: isogloss account add ana --library library")
@click.argument("name")
@FROM_STDIN
@LIBRARY
def add(name: str, password_stdin: bool, folder: Path) -> None:
    """Add an account; a library is made where there is none."""
    with plain_errors():
        _put(name, password_stdin, folder, new=True)


@account.command(epilog="Example: isogloss account password ana")
@click.argument("name")
@FROM_STDIN
@LIBRARY
def password(name: str, password_stdin: bool, folder: Path) -> None:
    """Give an account another password; whoever is signed in with it no longer is, and failed attempts upon it are forgotten."""
    with plain_errors():
        _put(name, password_stdin, folder, new=False)


@account.command(epilog="Example: isogloss account remove ana")
@click.argument("name")
@LIBRARY
def remove(name: str, folder: Path) -> None:
    """Remove an account and end its sessions; the log keeps what it did."""
    from index.accounts import Accounts, normal_name
    from index.changes import Changes

    with plain_errors():
        library = open_library(folder)
        _expect(Accounts(library).has(name), f"There is no account {name!r}; `isogloss account list` shows those there are.")
        with library.transaction(contents=False):
            Accounts(library).remove(name)
            Changes(library).note(BY, "account removed", normal_name(name))
    click.echo(f"The account {normal_name(name)} is removed.")


@account.command(name="list", epilog="Example: isogloss account list")
@LIBRARY
def list_them(folder: Path) -> None:
    """Show the accounts, when they were made, and how many sessions are open."""
    from index.accounts import Accounts

    with plain_errors():
        accounts = Accounts(open_library(folder)).accounts()
    if accounts:
        print_figures("", ["created", "sessions"], {one.name: {"created": one.created, "sessions": one.sessions} for one in accounts})
    else:
        click.echo("There is no account; add one: isogloss account add NAME", err=True)


def _put(name: str, password_stdin: bool, folder: Path, new: bool) -> None:
    from index.accounts import Accounts
    from index.changes import Changes

    library = open_library(folder, create=new)
    accounts = Accounts(library)
    if new:
        _expect(not accounts.has(name), f"There is an account {name!r} already; to give it another password: isogloss account password {name}")
    else:
        _expect(accounts.has(name), f"There is no account {name!r}; `isogloss account list` shows those there are.")
    given = _password(password_stdin)
    with library.transaction(contents=False):
        kept = accounts.put(name, given)
        Changes(library).note(BY, "account added" if new else "password changed", kept)
    click.echo(f"The account {kept} is added; sign in at /desk." if new else f"The account {kept} has another password; its sessions have ended.")


def _password(from_stdin: bool) -> str:
    """One line of standard input, or what is typed twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password (at least 12 characters)", hide_input=True, confirmation_prompt="The same once more", err=True))


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise IsoglossError(otherwise)


COMMANDS = (account,)
