"""What lets any test run on the engine: real servers as fixtures, and --store=engine, which gives every library of a test a database of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from engine.servers import HASTE, NoServersError, Server, programs
from index import database
from index.store import NOTE, Store

HERE = Path(__file__).parent
NUMBERS = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=("embedded", "engine"), default="embedded", help="where the libraries of the tests keep their rows")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded_only(reason): looks into what only the embedded store has; skipped with --store=engine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    engine = config.getoption("--store") == "engine"
    for item in items:
        if engine:
            for marker in item.iter_markers("embedded_only"):
                item.add_marker(pytest.mark.skip(reason=f"embedded only: {marker.args[0]}"))
        elif item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="starts and kills servers for minutes; run: make test-engine"))


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


class Databases:
    """Which library folder of the tests has which database; the first of a test has that of ISOGLOSS_STORE, for the processes that it starts."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._names: dict[Path, str] = {}
        self._lock = threading.Lock()
        self._real = database.store_of
        self.next = ""

    def begin(self) -> str:
        """Begin a test; returns the address for ISOGLOSS_STORE."""
        self.next = f"library_{next(NUMBERS)}"
        return self._server.address(self.next)

    def end(self, folder: Path) -> None:
        """Drop the databases of the libraries below the folder of a test."""
        for known in [known for known in self._names if known.is_relative_to(folder.resolve())]:
            self._server.drop_database(self._names.pop(known))

    def store_of(self, folder: Path, address: str | None = None) -> Store:
        """As that of index/database.py, with the database of the folder."""
        return self._real(folder, self._address(folder) if address is None else address)

    def _address(self, folder: Path) -> str:
        note = folder / NOTE
        if note.exists():  # also in a copy of a folder
            return str(json.loads(note.read_text("utf-8"))["at"])
        with self._lock:
            name = self._names.get(folder.resolve())
            if name is None or self._is_taken(name):
                name, self.next = self.next or f"library_{next(NUMBERS)}", ""
                self._names[folder.resolve()] = name
                self._server.create_database(name)
            return self._server.address(name)

    def _is_taken(self, name: str) -> bool:
        """Whether a library was made there, whose folder is gone."""
        return self._server.sql("SELECT to_regclass('meta') IS NOT NULL", database=name) == [(True,)]


@pytest.fixture(scope="session")
def databases(server: Server) -> Databases:
    return Databases(server)


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """With --store=engine, every library folder has a database of its own; else all are embedded, whatever the environment says."""
    with pytest.MonkeyPatch.context() as patched:  # not the one of the test, which may undo it
        patched.delenv(database.SETTING, raising=False)
        if request.config.getoption("--store") == "embedded" or request.path.is_relative_to(HERE):  # these say for themselves where a library is
            yield
            return
        databases: Databases = request.getfixturevalue("databases")
        patched.setenv(database.SETTING, databases.begin())
        patched.setattr(database, "store_of", databases.store_of)
        yield
        databases.end(tmp_path)
