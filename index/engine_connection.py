"""One connection to the engine, opened again where it is lost and nothing hangs on it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, Literal

import psycopg
from psycopg import errors

from index.engine_errors import explained
from index.engine_rows import AT_ONCE, gathered, translated
from index.engine_server import Server
from index.store import Cursor, UnknownOutcomeError

POSITION = "CAST(pg_wal_lsn_diff({}, '0/0') AS bigint)"  # of a place in the server's log, in bytes
LOCK = "hashtextextended('isogloss ' || current_schema() || ' ' || ?, 0)"  # the number of a lock of this library's, by its name


class EngineConnection:
    """As `Connection` says. Lost outside of a transaction and a snapshot, it is opened again, perhaps to another server, and asked once more."""

    def __init__(self, server: Server, writing: bool = False) -> None:
        self._server, self._writing = server, writing
        self.process = os.getpid()
        self._state: Literal["", "transaction", "snapshot"] = ""
        self._replica = False
        self._replayed = 0  # how far a replica is known to have come, as `Server.written`
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
    def is_replica(self) -> bool:
        """Whether the server takes no changes; of one that was lost, whether it took none."""
        if not self._connection.closed:
            self._replica = self._connection.info.parameter_status("in_hot_standby") == "on"
        return self._replica

    def has_all(self) -> bool:
        """Whether the server has what this process has committed."""
        if self._replayed < self._server.written and self.is_replica:
            found = self.execute(f"SELECT {POSITION.format('pg_last_wal_replay_lsn()')}").fetchone()[0]
            self._replayed = found or 0
        return self._replayed >= self._server.written or not self.is_replica

    def execute(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        try:
            return self._execute(statement, values)
        except psycopg.Error as error:
            if self._state or not (self._connection.closed or isinstance(error, errors.SerializationFailure)):
                raise self._explained(error) from error
        if self._connection.closed:
            self._open_again(self._writing)
        return self._told(statement, values)

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        rest = iter(rows)
        while some := list(islice(rest, AT_ONCE)):
            together = gathered(statement, some)
            if together:
                self._told(*together)
                continue
            try:
                self._connection.cursor().executemany(translated(statement), some)
            except psycopg.Error as error:
                raise self._explained(error) from error

    def load(self, statement: str, blocks: Iterable[bytes]) -> None:
        """Give a COPY what it reads; what ends the blocks ends it, and nothing is stored."""
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                for block in blocks:
                    copy.write(block)
        except psycopg.Error as error:
            raise self._explained(error) from error

    def cancel(self) -> None:
        """End what another thread executes by this connection."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe()

    @contextmanager
    def beside(self) -> Iterator[EngineConnection]:
        """Another connection to the server."""
        other = EngineConnection(self._server, self._writing)
        try:
            yield other
        finally:
            other.close()

    def begin(self, alone: bool = True) -> None:
        """With `alone` False others may write meanwhile, as they may while there are no tables yet."""
        first = "SELECT value FROM meta WHERE key = 'revision' FOR UPDATE" if alone else "SELECT 1"
        try:
            self._begin(first)
        except psycopg.Error as error:
            if not self._connection.closed:
                self.rollback()
                raise self._explained(error) from error
            self._open_again(writing=True)
            try:
                self._begin(first)
            except psycopg.Error as again:
                self.rollback()
                raise self._explained(again) from again
        self._state = "transaction"

    def begin_snapshot(self) -> None:
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._state = "snapshot"

    def commit(self) -> None:
        """Raises UnknownOutcomeError where the connection is lost before the server has said that it is done."""
        position = f"; SELECT {POSITION.format('pg_current_wal_insert_lsn()')}" if self._server.several else ""
        try:
            done: Any = self._connection.execute("COMMIT" + position)
        except psycopg.Error as error:
            if self._connection.closed:
                raise UnknownOutcomeError(
                    f"The connection to {self._server.where} was lost while it was storing: all of it is stored, or nothing. "
                    "Look which, and do the same again if it is not."
                ) from error
            raise self._explained(error) from error
        self._state = ""
        if done.statusmessage != "COMMIT":
            raise RuntimeError("a statement of a transaction has failed, so nothing of it was stored")
        if done.nextset():
            self._server.note_written(done.fetchone()[0])

    def rollback(self) -> None:
        self._state = ""
        with suppress(psycopg.Error):
            self._connection.rollback()

    def lock(self, name: str, patience: float) -> None:
        """Hold a lock of the library until this connection ends, and see what those have committed who held it before; raises TimeoutError."""
        self._take(name, patience)
        if self._server.several:
            self._server.note_written(self._told(f"SELECT {POSITION.format('pg_current_wal_insert_lsn()')}").fetchone()[0])

    def _take(self, name: str, patience: float) -> None:
        if patience == 0:
            if not self._told(f"SELECT pg_try_advisory_lock({LOCK})", (name,)).fetchone()[0]:
                raise TimeoutError(name)
            return
        self._told("SELECT set_config('lock_timeout', ?, false)", (f"{max(0, round(patience * 1000))}ms",))
        try:
            self._execute(f"SELECT pg_advisory_lock({LOCK})", (name,))
        except errors.LockNotAvailable as error:
            raise TimeoutError(name) from error
        except psycopg.Error as error:
            raise self._explained(error) from error

    def still_holds(self) -> bool:
        """Whether the connection lives, and its locks with it."""
        try:
            self._execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        if self.process == os.getpid():  # a process that was forked has no part in it
            self._connection.close()

    def _begin(self, first: str) -> None:
        self._execute("BEGIN")
        self._execute(first)

    def _open_again(self, writing: bool) -> None:
        self._connection = self._server.open(writing)
        self._writing, self._replayed = writing, 0

    def _told(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        try:
            return self._execute(statement, values)
        except psycopg.Error as error:
            raise self._explained(error) from error

    def _execute(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        cursor: Cursor = self._connection.execute(translated(statement), values, binary=True)
        return cursor

    def _explained(self, error: psycopg.Error) -> Exception:
        return explained(error, self._server.where, lost=self._connection.closed)
