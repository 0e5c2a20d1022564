"""What lets any test run on the engine: real servers as fixtures, and --store=engine, which gives every library of a test a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from engine.servers import HASTE, NoServersError, Server, programs

NUMBERS = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=("embedded", "engine"), default="embedded", help="where the libraries of the tests keep their rows")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded_only(reason): looks into what only the embedded store has; skipped with --store=engine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--store") == "engine":
        for item in items:
            for marker in item.iter_markers("embedded_only"):
                item.add_marker(pytest.mark.skip(reason=f"embedded only: {marker.args[0]}"))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for the whole run, quick and forgetful; tests that need one are skipped where there is none."""
    try:
        programs()
    except NoServersError as error:
        pytest.skip(str(error))
    with Server.create(HASTE) as running:
        yield running


@pytest.fixture
def new_database(server: Server) -> Iterator[Callable[[], str]]:
    """Create empty databases with pgvector: new_database() -> its address; they are gone after the test."""
    names: list[str] = []

    def create() -> str:
        names.append(f"library_{next(NUMBERS)}")
        return server.create_database(names[-1])

    yield create
    for name in names:
        server.drop_database(name)


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --store=engine, an empty database for the library of the test."""
    if request.config.getoption("--store") == "engine":
        monkeypatch.setenv("ISOGLOSS_STORE", request.getfixturevalue("new_database")())
