"""What a server does to a library: it is lost, is the wrong one, is a copy, keeps a log."""

from __future__ import annotations

import time

import pytest
from filling import fill, publication

from index.engine_connection import EngineConnection
from index.engine_server import USUAL
from index.engine_server import Server as Servers
from index.library import Library
from index.store import BusyLibraryError, ReadOnlyLibraryError, StoreUnreachableError, UnknownOutcomeError, UnusableLibraryError


@pytest.fixture
def library(new_database, tmp_path):
    made = Library.create(tmp_path / "library", new_database())
    yield made
    made.close()


def end(server, connection: EngineConnection) -> None:
    """End the process of the server that serves a connection, as an administrator or a fault does."""
    pid = connection._connection.info.backend_pid
    server.sql(f"SELECT pg_terminate_backend({pid}, 5000)")


def test_a_connection_that_was_lost_is_opened_again_by_whoever_reads(server, library):
    before = library.meta("format")
    end(server, library.store.connection())
    assert library.meta("format") == before
    end(server, library.store.connection())
    with library.snapshot():
        assert library.meta("format") == before
    end(server, library.store.connection())
    library.set_meta("word", "kept")
    assert library.meta("word") == "kept"


def test_a_connection_that_is_lost_within_a_transaction_leaves_nothing_of_it(server, library, encoder):
    with pytest.raises(StoreUnreachableError, match="was lost"), library.transaction() as run:
        run("INSERT INTO meta VALUES ('half', 'a')")
        end(server, library.store.connection())
        run("INSERT INTO meta VALUES ('rest', 'b')")
    assert library.meta("half") == library.meta("rest") == ""
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest"]})
    assert library.counts()["publications"] == 1


def test_a_connection_that_is_lost_within_a_snapshot_does_not_go_on_with_another_state(server, library):
    with pytest.raises(StoreUnreachableError), library.snapshot():
        library.meta("format")
        end(server, library.store.connection())
        library.meta("format")
    assert library.meta("format")


def test_a_commit_that_was_not_answered_is_not_said_to_have_failed(server, library):
    with pytest.raises(UnknownOutcomeError, match="all of it is stored, or nothing"), library.transaction(contents=False) as run:
        run("INSERT INTO meta VALUES ('word', 'a')")
        end(server, library.store.connection())


def test_a_statement_that_failed_and_was_passed_over_is_not_committed(library):
    with pytest.raises(RuntimeError, match="nothing of it"), library.transaction(contents=False) as run:
        run("INSERT INTO meta VALUES ('word', 'a')")
        with pytest.raises(Exception, match="duplicate key"):
            run("INSERT INTO meta VALUES ('word', 'b')")
    assert library.meta("word") == ""


def test_a_lock_goes_with_the_process_that_held_it(server, library):
    holder = EngineConnection(library.store.server, writing=True)
    holder.lock("writing", 0)
    with pytest.raises(BusyLibraryError, match="Another process"), library.writing():
        pass
    end(server, holder)
    with library.writing():
        pass


def test_whoever_waits_too_long_for_a_writer_is_told(library):
    other = EngineConnection(library.store.server, writing=True)
    with library.transaction() as run:
        run("INSERT INTO meta VALUES ('word', 'a')")
        other.execute("SELECT set_config('lock_timeout', '50ms', false)")
        with pytest.raises(BusyLibraryError, match="Another process"):
            other.begin()
        assert not other.in_transaction
    other.begin()
    other.rollback()


def test_a_database_with_another_library_is_refused_and_so_is_an_empty_one(library, new_database, tmp_path):
    elsewhere = new_database()
    for opened in (Library.open, Library.create):
        with pytest.raises(UnusableLibraryError, match="found no library"):
            opened(library.folder, elsewhere)
    Library.create(tmp_path / "another", elsewhere).close()
    for opened in (Library.open, Library.create):
        with pytest.raises(UnusableLibraryError, match="found another library"):
            opened(library.folder, elsewhere)
    with pytest.raises(UnusableLibraryError, match="holds a library already"):
        Library.create(tmp_path / "third", elsewhere)


def test_a_library_whose_making_was_interrupted_is_made(new_database, tmp_path, monkeypatch):
    address = new_database()
    with monkeypatch.context() as patch:
        patch.setattr(EngineConnection, "commit", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Library.create(tmp_path, address)
    made = Library.create(tmp_path, address)
    assert made.counts()["passages"] == 0
    made.close()


def test_what_a_text_may_not_hold_is_replaced_so_that_offsets_stay_right(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["a\0b forest"]})
    (passage,) = [passage for passage in library.passages([1, 2, 3]).values() if "forest" in passage.text]
    assert passage.text == "a�b forest" and library.publication("a\0b") is None


def test_no_password_is_kept_or_said(tmp_path, new_database):
    address = new_database().replace("postgresql://isogloss@", "postgresql://isogloss:s3cret@")
    made = Library.create(tmp_path, address)
    said = [repr(made.store.server), made.store.where, *(path.read_text("utf-8", "replace") for path in tmp_path.iterdir() if path.is_file())]
    assert not any("s3cret" in text for text in said) and '"at": "postgresql://isogloss@127.0.0.1' in (tmp_path / "store").read_text()
    made.close()
    for broken in ("postgresql://ana:s3cret%zz@db/isogloss", "s3cret", "postgresql://ana:s3cret@127.0.0.1:1/isogloss"):
        with pytest.raises((UnusableLibraryError, StoreUnreachableError)) as raised:
            Library.open(tmp_path, broken)
        assert "s3cret" not in str(raised.value)


def test_a_database_that_is_not_in_utf_8_is_refused(server, tmp_path):
    server.sql("CREATE DATABASE latin ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc")
    try:
        with pytest.raises(UnusableLibraryError, match="expected a database in UTF8, found SQL_ASCII"):
            Library.create(tmp_path, server.address("latin"))
    finally:
        server.drop_database("latin")


def test_a_database_gets_its_extension_or_it_is_said_who_can_bring_it(server, new_database, tmp_path):
    address = new_database()
    name = address.rsplit("/", 1)[1]
    server.sql("DROP EXTENSION vector", database=name)
    server.sql("CREATE ROLE nobody LOGIN")
    try:
        server.sql("GRANT CREATE ON SCHEMA public TO nobody", database=name)
        with pytest.raises(UnusableLibraryError, match="CREATE EXTENSION vector"):
            Library.create(tmp_path / "one", address.replace("isogloss@", "nobody@"))
    finally:
        server.sql("DROP OWNED BY nobody", database=name)
        server.sql("DROP ROLE nobody")
    Library.create(tmp_path / "two", address).close()
    assert server.sql("SELECT extname FROM pg_extension WHERE extname = 'vector'", database=name)


def test_a_server_without_pgvector_is_refused(library, new_database, tmp_path, monkeypatch):
    monkeypatch.setattr("index.engine.PGVECTOR", (99, 0))
    with pytest.raises(UnusableLibraryError, match=r"expected the extension vector \(pgvector\) 99.0 or newer, found 0"):
        Library.create(tmp_path / "another", new_database())


def test_what_is_acknowledged_is_on_disk_whatever_the_server_s_habit(server, new_database, tmp_path):
    address = new_database()
    server.sql(f"ALTER DATABASE {address.rsplit('/', 1)[1]} SET synchronous_commit = off")
    made = Library.create(tmp_path, address)
    assert made.rows("SELECT current_setting('synchronous_commit')")[0][0] == "on"
    made.close()


def test_doctor_is_told_where_a_server_forgets_or_writes_questions_down(server, library):
    assert any("fsync" in concern for concern, _ in library.store.concerns())  # the tests' server is a quick one
    library.rows("SELECT set_config('log_parameter_max_length', '-1', false), set_config('log_statement', 'all', false)")
    assert any("what readers ask" in concern for concern, _ in library.store.concerns())


def test_readers_go_on_by_a_replica_and_never_lag_behind_their_own_writes(server, library):
    database = library.store.where.rsplit("/", 1)[1]
    with server.replica("readers") as copy:
        try:
            both = Library.open(library.folder, copy.address(database, server))
            assert both.store.connection().is_replica
            for number in range(20):
                both.set_meta("word", str(number))
                assert both.meta("word") == str(number)
            copy.sql("SELECT pg_wal_replay_pause()")
            both.set_meta("word", "newest")
            assert both.meta("word") == "newest"
            with both.snapshot():
                assert both.meta("word") == "newest"
            copy.sql("SELECT pg_wal_replay_resume()")
            deadline = time.monotonic() + 60
            while not both.store.connection().is_replica:
                assert time.monotonic() < deadline
            alone = Library.open(library.folder, copy.address(database))
            with pytest.raises((ReadOnlyLibraryError, StoreUnreachableError)):
                alone.set_meta("word", "never")
            for one in (both, alone):
                one.close()
        finally:
            library.close()
    server.sql("SELECT pg_drop_replication_slot('readers')")


def test_a_server_that_answers_nobody_is_given_up_and_one_that_is_slow_is_not(server, library, monkeypatch):
    monkeypatch.setattr("index.engine_server.SILENCE", 0.2)
    monkeypatch.setattr("index.engine_server.ALIVE", 2)
    monkeypatch.setitem(USUAL, "connect_timeout", 2)
    assert library.rows("SELECT pg_sleep(1), 'there'")[0][1] == "there"
    library.meta("format")
    server.hang()
    try:
        with pytest.raises(StoreUnreachableError, match="does not answer"):
            library.meta("format")
    finally:
        server.go_on()
    assert library.meta("format")


def test_an_address_says_its_servers_without_more():
    assert Servers("postgresql://ana@one:1,two:2/books").where == "postgresql://ana@one:1,two:2/books"
    assert Servers("host=one,two port=5 user=ana dbname=books").where == "postgresql://ana@one:5,two:5/books"


def test_a_forked_process_has_connections_of_its_own(library, monkeypatch):
    mine = library.store.connection()
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: mine.process + 1)
        other = library.store.connection()
        assert other is not mine and library.meta("format")
        mine.close()  # as when a child ends
        library.close()
    assert mine.execute("SELECT 1").fetchone()[0] == 1
    mine.close()
