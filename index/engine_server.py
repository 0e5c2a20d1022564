"""The servers that an address of the engine leads to, and what is asked of them before they are used. With index/engine_connection.py and index/engine_errors.py the home of psycopg."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import RawCursor, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrBinaryDumper, StrDumper

from index.engine_rows import Row, rows_of
from index.store import PATIENCE, StoreUnreachableError, UnusableLibraryError

OLDEST = 15  # version of PostgreSQL
USUAL = {  # where the address says nothing else; seconds, and milliseconds in the last
    "connect_timeout": 10, "application_name": "isogloss", "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000,
}  # fmt: skip
SILENCE = 10.0  # seconds without a word from a server, after which it is asked whether it answers at all
ALIVE = 5  # seconds that it may take to say so
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # for U+0000, which PostgreSQL keeps in no text; offsets into the text stay right
SESSION = f"""SELECT pg_backend_pid(), set_config('lock_timeout', '{int(PATIENCE)}s', false), set_config('idle_session_timeout', '0', false),
    set_config('jit', 'off', false), set_config('log_parameter_max_length_on_error', '0', false),
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END,
    CASE WHEN has_parameter_privilege('log_parameter_max_length', 'SET') THEN set_config('log_parameter_max_length', '0', false) END"""


class Server:
    """A server, or a primary and its replicas. Safe to share between threads."""

    def __init__(self, address: str) -> None:
        """Raises UnusableLibraryError for what is no address."""
        try:
            self._said = conninfo_to_dict(address)
        except psycopg.Error:  # its message repeats parts of the address, and there may be a password in it
            raise UnusableLibraryError(
                "ISOGLOSS_STORE is no address of PostgreSQL; expected postgresql://USER@HOST/DATABASE, several hosts with commas between them"
            ) from None
        hosts, ports = (str(self._said.get(name) or "").split(",") for name in ("host", "port"))
        ports = ports * len(hosts) if len(ports) == 1 else ports
        places = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
        user = f"{self._said['user']}@" if self._said.get("user") else ""
        self.where = f"postgresql://{user}{places}/{self._said.get('dbname') or ''}"
        self.several = len(hosts) > 1
        self.written = 0  # where the log of the primary stood, in bytes, after the last commit of this process
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Server({self.where!r})"

    def note_written(self, position: int) -> None:
        with self._lock:
            self.written = max(self.written, position)

    def open(self, writing: bool) -> psycopg.Connection[Row]:
        """Open a connection, with `writing` to the primary. Raises StoreUnreachableError and UnusableLibraryError."""
        wanted: dict[str, Any] = {**USUAL, **self._said, "client_encoding": "utf8"}
        if writing:
            wanted["target_session_attrs"] = "read-write"
        try:
            connection = _Connection.connect(**wanted, autocommit=True, cursor_factory=RawCursor, row_factory=rows_of)
        except psycopg.OperationalError as error:
            what = "No server that takes changes answers" if writing and self.several else "The store does not answer"
            raise StoreUnreachableError(f"{what} at {self.where}: {error}") from error
        try:
            self._admit(connection)
        except psycopg.OperationalError as error:
            connection.close()
            raise StoreUnreachableError(f"The connection to {self.where} was lost: {error}") from error
        except BaseException:
            connection.close()
            raise
        for dumper in (_Text, _BinaryText):
            connection.adapters.register_dumper(str, dumper)
        return connection

    def _admit(self, connection: psycopg.Connection[Row]) -> None:
        about = connection.info
        if about.server_version < OLDEST * 10_000:
            raise UnusableLibraryError(
                f"{self.where}: expected PostgreSQL {OLDEST} or newer, found {about.server_version // 10_000}; bring it up to date"
            )
        encoding = about.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise UnusableLibraryError(
                f"{self.where}: expected a database in UTF8, found {encoding}; make another one: createdb --encoding=UTF8 --template=template0 NAME"
            )
        row = connection.execute(SESSION).fetchone()
        if row is not None and row[0] != about.backend_pid:
            raise UnusableLibraryError(
                f"{self.where}: expected PostgreSQL itself, found a pooler before it, which may give each statement to another session, and locks are lost. "
                "Name the server's own address."
            )


class _Connection(psycopg.Connection[Row]):
    """One that gives up a server that answers nobody any more, as one does whose process was stopped; a long statement is waited for."""

    def wait(self, gen: Any, *how: Any, **more: Any) -> Any:
        return super().wait(self._watched(gen), *how, **more)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE:
                    self._require_answer()
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _require_answer(self) -> None:
        about = self.info.get_parameters() | {"host": self.info.host, "port": self.info.port, "password": self.info.password}
        try:
            psycopg.connect(**{**about, "connect_timeout": ALIVE, "target_session_attrs": "any"}).close()  # type: ignore[arg-type]
        except errors.ConnectionTimeout as error:
            self.close()
            raise psycopg.OperationalError(f"no answer in {SILENCE + ALIVE:.0f} seconds") from error
        except psycopg.OperationalError:
            pass  # it answers, though it takes no more connections


class _Text(StrDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", REPLACEMENT))


class _BinaryText(StrBinaryDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", REPLACEMENT))
