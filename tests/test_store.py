"""Whichever store has a library's rows, they behave alike; and a folder is never taken for a library that it is not."""

from __future__ import annotations

import random
import sys
import threading

import pytest
from filling import fill, publication

from index.database import EMBEDDED, SETTING, holds_library
from index.library import Library
from index.store import NOTE, UnusableLibraryError
from index.tables import last_key
from index.words import parse

SCRIPTS = [
    "غابة",
    "جنگل",
    "יער",
    "वन",
    "বন",
    "ป่า",
    "ປ່າ",
    "ព្រៃ",
    "တော",
    "ደን",
    "森",
    "숲",
    "森林",
    "Zebra",
    "apple",
    "Äpfel",
    "a b",
    "a-b",
    "\U0001f332",
]


@pytest.fixture(params=["embedded", "engine"])
def address(request):
    """Where rows are, in each of the stores."""
    return EMBEDDED if request.param == "embedded" else request.getfixturevalue("new_database")()


@pytest.fixture
def library(address, tmp_path):
    made = Library.create(tmp_path / "library", address)
    yield made
    made.close()


def test_texts_are_ordered_by_their_bytes_in_every_script(library, encoder):
    random.Random(1).shuffle(names := list(SCRIPTS))
    for name in names:
        fill(library, encoder, publication(name, ["en"]), {"en": ["forest"]})
    assert [one.publication_id for one in library.publications()] == sorted(SCRIPTS, key=lambda name: name.encode())


def test_keys_of_passages_leave_no_gap_where_a_transaction_was_rolled_back(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest", "water"]})
    before = library.extent()
    with pytest.raises(ZeroDivisionError), library.transaction():
        fill(library, encoder, publication("lakes", ["en"]), {"en": ["water"]})
        raise ZeroDivisionError
    assert library.extent() == before and library.passage_count() == library.counts()["passages"]
    fill(library, encoder, publication("lakes", ["en"]), {"en": ["water"]})
    assert [key for key, *_ in library.passage_table()] == list(range(1, library.extent().given + 1))


def test_keys_of_passages_that_are_gone_are_not_given_again(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest", "water"]})
    given = library.extent().given
    library.remove_publication("woods")
    assert library.extent() == (given, given) and library.passage_table() == [] and library.store.words.stray() == []
    fill(library, encoder, publication("lakes", ["en"]), {"en": ["water"]})
    assert min(key for key, *_ in library.passage_table()) == given + 1


def test_what_changes_is_noted_with_the_revision_that_brings_it(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest"]})
    revision = library.revision()
    with library.transaction() as run:
        run("UPDATE editions SET label = 'English' WHERE publication_id = 'woods'")
    assert library.revision() == revision + 1
    assert [tuple(row) for row in library.rows("SELECT * FROM touched WHERE revision > ?", (revision,))] == [("woods", revision + 1)]
    with library.transaction(contents=False) as run:
        run("UPDATE meta SET value = 'x' WHERE key = 'terms'")
    assert library.revision() == revision + 1


def test_words_are_found_and_leave_with_their_passages(library, encoder):
    fill(library, encoder, publication("woods", ["en", "th"]), {"en": ["the forest"], "th": ["ป่าไม้"]})
    expression = " AND ".join(words.expression for words in parse("forest").wanted)
    assert len(library.matching(expression, 0, 100)) == library.count_matching(expression, 0, 100) == 1
    library.remove_publication("woods")
    assert len(library.matching(expression, 0, 100)) == 0


def test_a_row_is_known_by_place_and_by_name(library):
    (row,) = library.rows("SELECT key, value FROM meta WHERE key = ?1 OR key = ?1", ("format",))
    assert row["key"] == row[0] == "format" and dict(row) == {"key": "format", "value": row["value"]} and len(row) == 2 and list(row) == [*row]


def test_a_question_mark_in_quotes_is_none_of_the_placeholders(library):
    assert [tuple(row) for row in library.rows("SELECT '?', '?1', ? || '%s %', 'it''s ?'", ("a",))] == [("?", "?1", "a%s %", "it's ?")]


def test_lists_are_taken_apart_in_their_order(library):
    rows = library.rows("SELECT key, value FROM json_each(?) ORDER BY key", ('["森", "", "b"]',))
    assert [tuple(row) for row in rows] == [(0, "森"), (1, ""), (2, "b")]


def test_large_bytes_come_back_as_they_were(library):
    blob = random.Random(2).randbytes(5_000_000)
    with library.transaction() as run:
        run("INSERT INTO sketches VALUES (?, ?)", ("a", blob))
    assert bytes(library.rows("SELECT sketch FROM sketches")[0][0]) == blob


def test_many_rows_are_stored_in_their_order(library):
    with library.transaction() as run:
        run.many(
            "INSERT INTO loose_entries (entry, flags, source, \"by\", at) VALUES (?,'?','a',?,utc_now())", ((str(n), "ana") for n in range(1201))
        )
    rows = library.rows('SELECT entry_id, entry, flags, "by" FROM loose_entries ORDER BY entry_id')
    assert [tuple(row) for row in rows] == [(n + 1, str(n), "?", "ana") for n in range(1201)]


def test_readers_are_not_stopped_by_a_writer_and_keep_the_state_they_began_with(library):
    began, go = threading.Event(), threading.Event()

    def write():
        with library.transaction() as run:
            run("UPDATE meta SET value = 'new' WHERE key = 'terms'")
            began.set()
            assert go.wait(60)
        library.close()

    before, writer = library.meta("terms"), threading.Thread(target=write)
    writer.start()
    assert began.wait(60) and library.meta("terms") == before
    with library.snapshot():
        assert library.meta("terms") == before
        go.set()
        writer.join(60)
        assert library.meta("terms") == before
    assert library.meta("terms") == "new"


def test_writers_take_turns_so_that_keys_grow_in_the_order_of_commits(library):
    first, release, order = threading.Event(), threading.Event(), []

    def write(name):
        with library.transaction() as run:
            order.append((name, last_key(run)))
            run("INSERT INTO publications VALUES (?,'','{}','{}',NULL,'','[]','[]','','[]','','','','','')", (name,))
            run("INSERT INTO editions VALUES (?1,?1,0,'en','','whole',NULL,'read','',0,'',NULL)", (name,))
            run("INSERT INTO passages (key, edition_id, ordinal, first_page, start, last_page, \"end\", language, text, sentences) "
                "VALUES (?,?,0,1,0,1,1,'en','a','[]')", (last_key(run) + 1, name))  # fmt: skip
            if name == "slow":
                first.set()
                assert release.wait(60)
        library.close()

    slow = threading.Thread(target=write, args=("slow",))
    slow.start()
    assert first.wait(60)
    quick = threading.Thread(target=write, args=("quick",))
    quick.start()
    release.set()
    for thread in (slow, quick):
        thread.join(60)
    assert order == [("slow", 0), ("quick", 1)] and [(key, edition) for key, edition, _ in library.passage_table()] == [(1, "slow"), (2, "quick")]


def test_a_lock_is_held_by_one_at_a_time_whatever_library_object_asks(library, address):
    other = Library.open(library.folder, address)
    with library.store.lock("building"):
        with pytest.raises(TimeoutError), other.store.lock("building", patience=0):
            pass
        with pytest.raises(TimeoutError), other.store.lock("building", patience=0.1):
            pass
        with other.store.lock("importing", patience=0):
            pass
    with other.store.lock("building", patience=0):
        pass


def test_a_folder_whose_rows_are_in_an_engine_is_not_opened_without_it(tmp_path, monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)
    (tmp_path / NOTE).write_text('{"library": "a", "at": "postgresql://ana@db/isogloss", "made": true}')
    assert holds_library(tmp_path)
    for opened in (Library.open, Library.create):
        with pytest.raises(UnusableLibraryError, match="are in an engine"):
            opened(tmp_path)
    assert not (tmp_path / "library.sqlite").exists()


def test_a_folder_whose_rows_are_embedded_is_not_opened_with_an_engine(tmp_path, monkeypatch):
    Library.create(tmp_path, EMBEDDED)
    monkeypatch.setenv(SETTING, "postgresql://ana@nowhere.invalid/isogloss")
    for opened in (Library.open, Library.create):
        with pytest.raises(UnusableLibraryError, match="isogloss move --to"):
            opened(tmp_path)


def test_without_the_library_for_an_engine_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "index.engine", None)
    with pytest.raises(UnusableLibraryError, match=r"pip install 'psycopg\[binary\]' pgvector"):
        Library.open(tmp_path, "postgresql://ana@db/isogloss")
