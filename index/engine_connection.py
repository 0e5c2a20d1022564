"""One connection to PostgreSQL, opened again where it is lost and nothing hangs on it. The only module that imports psycopg."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Literal

import psycopg
from psycopg import RawCursor, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrBinaryDumper, StrDumper

from index.room import FullDiskError
from index.store import PATIENCE, BusyLibraryError, Cursor, DamagedLibraryError, ReadOnlyLibraryError, StoreUnreachableError, UnusableLibraryError

OLDEST = 15  # version of PostgreSQL
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # for U+0000, which PostgreSQL keeps in no text; offsets into the text stay right
ANSWER = 10  # seconds that a server may take to answer when it is called
SESSION = f"""SELECT set_config('lock_timeout', '{int(PATIENCE)}s', false), set_config('idle_session_timeout', '0', false), set_config('jit', 'off', false),
    set_config('log_parameter_max_length_on_error', '0', false),
    CASE WHEN has_parameter_privilege('log_parameter_max_length', 'SET') THEN set_config('log_parameter_max_length', '0', false) END"""


class Row(Sequence[Any]):
    """A row: its values in order, or by the names of its columns."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[Any]) -> None:
        self._places, self._values = places, values

    def __getitem__(self, column: Any) -> Any:
        return self._values[self._places[column] if isinstance(column, str) else column]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Any:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self._places, tuple(self._values)) == (other._places, tuple(other._values))

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def keys(self) -> Sequence[str]:
        return list(self._places)


class Server:
    """The server, or the servers, that an address leads to."""

    def __init__(self, address: str) -> None:
        try:
            said = conninfo_to_dict(address)
        except psycopg.Error:  # its message repeats parts of the address, and there may be a password in it
            raise UnusableLibraryError(
                "ISOGLOSS_STORE is no address of PostgreSQL; expected postgresql://USER@HOST/DATABASE, several hosts with commas between them"
            ) from None
        self._address = address
        hosts = str(said.get("host") or said.get("hostaddr") or "").split(",")
        ports = str(said.get("port") or "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        places = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
        user = f"{said['user']}@" if said.get("user") else ""
        self.where = f"postgresql://{user}{places}/{said.get('dbname') or ''}"
        self.several = len(hosts) > 1
        self.written = 0  # where the log stood after the last commit of this process

    def __repr__(self) -> str:
        return f"Server({self.where!r})"

    def open(self, writing: bool) -> psycopg.Connection[Row]:
        """Raises StoreUnreachableError and UnusableLibraryError."""
        wanted: dict[str, Any] = {"target_session_attrs": "read-write"} if writing else {}
        said = conninfo_to_dict(self._address)
        usual = {"connect_timeout": ANSWER, "application_name": "isogloss", "tcp_user_timeout": 30_000, "keepalives_idle": 30}
        wanted |= {key: value for key, value in usual.items() if key not in said}
        try:
            connection = psycopg.connect(self._address, autocommit=True, client_encoding="utf8", **wanted)
        except psycopg.OperationalError as error:
            raise StoreUnreachableError(f"{self.where} does not answer: {error}") from error
        connection.cursor_factory = RawCursor
        connection.row_factory = _rows
        for dumper in (_Text, _BinaryText):
            connection.adapters.register_dumper(str, dumper)
        try:
            self._admit(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _admit(self, connection: psycopg.Connection[Row]) -> None:
        about = connection.info
        if about.server_version < OLDEST * 10_000:
            raise UnusableLibraryError(
                f"{self.where}: expected PostgreSQL {OLDEST} or newer, found {about.server_version // 10_000}; bring it up to date"
            )
        if about.parameter_status("server_encoding") != "UTF8":
            found = about.parameter_status("server_encoding")
            raise UnusableLibraryError(f"{self.where}: expected a database in UTF8, found {found}; make another: createdb -E UTF8 -T template0 NAME")
        connection.execute(SESSION)


class EngineConnection:
    """As `Connection` says. Lost outside of a transaction and a snapshot, it is opened again and asked once more."""

    def __init__(self, server: Server, writing: bool = False) -> None:
        self._server, self._writing = server, writing
        self.process = os.getpid()
        self._state: Literal["", "transaction", "snapshot"] = ""
        self._replayed = 0  # how far a copy is known to have come
        self._connection = server.open(writing)

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    @property
    def in_snapshot(self) -> bool:
        return self._state == "snapshot"

    @property
    def in_transaction(self) -> bool:
        return self._state != ""

    @property
    def is_copy(self) -> bool:
        """Whether the server is a replica, which takes no changes."""
        return self._connection.info.parameter_status("in_hot_standby") == "on"

    def has_all(self) -> bool:
        """Whether a replica has what this process has committed."""
        if self._replayed < self._server.written:
            found = self.execute("SELECT CAST(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') AS bigint)").fetchone()[0]
            self._replayed = found if found is not None else self._server.written  # it is none any more
        return self._replayed >= self._server.written

    def execute(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        try:
            return self._execute(statement, values)
        except psycopg.Error as error:
            if not self._connection.closed or self._state:
                raise self._explained(error) from error
        self._connection = self._server.open(self._writing)
        try:
            return self._execute(statement, values)
        except psycopg.Error as error:
            raise self._explained(error) from error

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            self._connection.cursor().executemany(translated(statement), rows)
        except psycopg.Error as error:
            raise self._explained(error) from error

    def begin(self, alone: bool = True) -> None:
        """With `alone` False others may write meanwhile, as they may while there are no tables yet."""
        self.execute("BEGIN")
        self._state = "transaction"
        try:
            if alone:
                self.execute("SELECT value FROM meta WHERE key = 'revision' FOR UPDATE")
        except BaseException:
            self.rollback()
            raise

    def begin_snapshot(self) -> None:
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._state = "snapshot"

    def commit(self) -> None:
        try:
            self._execute("COMMIT")
        except psycopg.Error as error:
            raise self._explained(error) from error
        self._state = ""
        if self._server.several:
            self._server.written = self.execute("SELECT CAST(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bigint)").fetchone()[0]

    def rollback(self) -> None:
        self._state = ""
        with suppress(psycopg.Error):
            self._connection.rollback()

    def lock(self, name: str, patience: float) -> None:
        """Hold a lock of the library in this database until this connection ends; raises TimeoutError."""
        number = "hashtextextended('isogloss ' || current_schema() || ' ' || ?, 0)"
        if patience == 0:
            if not self.execute(f"SELECT pg_try_advisory_lock({number})", (name,)).fetchone()[0]:
                raise TimeoutError(name)
            return
        try:
            self._execute("SELECT set_config('lock_timeout', ?, false)", (f"{max(0, int(patience * 1000))}ms",))
            self._execute(f"SELECT pg_advisory_lock({number})", (name,))
        except errors.LockNotAvailable as error:
            raise TimeoutError(name) from error
        except psycopg.Error as error:
            raise self._explained(error) from error

    def close(self) -> None:
        if self.process == os.getpid():
            self._connection.close()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._connection.execute(translated(statement), values, binary=True)

    def _explained(self, error: psycopg.Error) -> Exception:
        """What PostgreSQL says in words of ours; the error itself where these are no better."""
        where = self._server.where
        if isinstance(error, errors.LockNotAvailable):
            return BusyLibraryError(f"Another process is writing to {where}, and has not ended for {PATIENCE:.0f} seconds. Try again.")
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return ReadOnlyLibraryError(f"{where} takes no changes ({error}); it can be searched only.")
        if isinstance(error, errors.DiskFull):
            return FullDiskError(f"There is no room on the disk of {where}. What was stored before is whole, this was not stored.")
        if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
            return DamagedLibraryError(f"{where} cannot be read or written: {error}.")
        if self._connection.closed:
            return StoreUnreachableError(f"The connection to {where} was lost: {error}")
        return error


class _Text(StrDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", REPLACEMENT))


class _BinaryText(StrBinaryDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", REPLACEMENT))


@cache
def translated(statement: str) -> str:
    """A statement with the placeholders ? and ?1 as PostgreSQL has them: $1."""
    count = 0

    def placeholder(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] is None:
            return match[0]
        count += 1
        return f"${match[1] or count}"

    return re.sub(r"'[^']*'|\"[^\"]*\"|\?(\d*)", placeholder, statement)


def _rows(cursor: Any) -> Callable[[Sequence[Any]], Row]:
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: Row(places, values)
