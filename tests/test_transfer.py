"""Rows are brought from one library into another until both have the same."""

from __future__ import annotations

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from furnishing import TEXTS, furnish

from index import transfer, verification
from index.database import EMBEDDED
from index.library import Library
from index.transfer import TABLES, DifferentRowsError, bring, settle

pytestmark = pytest.mark.embedded_only("has two libraries in folders")


@pytest.fixture
def filled(library, tmp_path) -> Library:
    return furnish(library, tmp_path)


@pytest.fixture
def other(tmp_path) -> Library:
    return Library.create(tmp_path / "other", EMBEDDED)


def test_every_table_is_known_by_its_key_and_those_to_which_it_points_come_first(library):
    known = {table.name: table for table in TABLES}
    there = [
        name for (name,) in library.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'words%' AND name NOT LIKE 'sqlite%'")
    ]
    assert set(known) == set(there)
    for name, table in known.items():
        key = [row["name"] for row in library.rows(f"SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk")]
        assert tuple(key) == table.key or (not key and table.key == ("rowid",))
        parents = {row[0] for row in library.rows(f"SELECT \"table\" FROM pragma_foreign_key_list('{name}')")} - {name}
        assert all(list(known).index(parent) < list(known).index(name) for parent in parents)


@pytest.mark.parametrize("block", [1, 3, 500])
def test_what_was_brought_is_the_same_in_every_table_and_brought_again_there_is_nothing_to_write(filled, other, monkeypatch, block):
    monkeypatch.setattr(transfer, "BLOCK", block)
    assert bring(filled, other).written
    brought = bring(filled, other)
    assert brought.written == ()
    assert bring(other, filled) == brought
    keys = filled.vectors()[0].tolist()
    assert other.codes_of(keys) == filled.codes_of(keys) != {} and other.without_codes("lexicon") == filled.without_codes("lexicon") != []
    assert {name for name, held in brought.sums.items() if not held.rows} == set()
    assert list(verification._words(other)) == []
    assert other.faults() == []


def test_sums_tell_one_table_from_every_other(filled, other):
    before = settle(filled, other)
    with filled.transaction(contents=False) as run:
        run("UPDATE passages SET text = text || ' ' WHERE key = 2")
    after = settle(filled, other)
    assert {name for name in before if before[name] != after[name]} == {"passages", "touched"}


def test_numbers_are_given_once_only_wherever_a_library_is(filled, other):
    settle(filled, other)
    assert other.extent() == filled.extent()
    with other.transaction() as run:
        run("INSERT INTO questions (text, \"by\", at) VALUES ('?', 'ana', '')")
    assert [row[0] for row in other.rows("SELECT question_id FROM questions ORDER BY 1")] == [1, 3]


def test_what_changes_after_a_first_run_comes_with_the_next(filled, other):
    bring(filled, other)
    fill(filled, LexiconEncoder(), publication("bus", ["th"]), {"th": ["รถบัสสีเขียว"]})
    filled.remove_publication("woods")
    with filled.transaction() as run:
        run("UPDATE editions SET reason = 'почему' WHERE edition_id = 'school.ja'")
        run("UPDATE jobs SET state = 'failed'")
    bring(filled, other, whole=False)
    settle(filled, other)
    assert bring(filled, other).written == ()
    assert other.publications() == filled.publications()
    assert other.matching('"รถ"', 0, 10**6).tolist() == filled.matching('"รถ"', 0, 10**6).tolist()
    assert list(verification._words(other)) == []


def test_words_and_vectors_follow_a_text_that_was_another(filled, other):
    settle(filled, other)
    with other.transaction() as run:
        run("UPDATE passages SET text = 'corrupted' WHERE key = 2")
        run("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE key = 3")
    assert set(bring(filled, other).written) >= {"passages 2", "vectors 2, 1"}  # the vector of 2 has gone with its text
    assert bring(filled, other).written == ()
    assert list(verification._words(other)) == []


def test_rows_that_are_too_many_leave(filled, other, monkeypatch):
    monkeypatch.setattr(transfer, "BLOCK", 2)
    fill(other, LexiconEncoder(), publication("another", list(TEXTS)), {language: [text] * 9 for language, text in TEXTS.items()})
    settle(filled, other)
    assert other.publications() == filled.publications()
    assert other.counts() == filled.counts()


def test_a_place_that_does_not_keep_what_it_is_given_is_noticed(filled, other):
    with other.transaction() as run:
        run("CREATE TRIGGER worse AFTER INSERT ON passages WHEN new.key = 5 BEGIN UPDATE passages SET text = 'other' WHERE key = 5; END")
    with pytest.raises(DifferentRowsError, match="passages 5"):
        settle(filled, other)


def test_a_character_that_postgresql_does_not_know_becomes_the_one_for_unknown_characters(filled, other):
    with filled.transaction() as run:
        run("UPDATE passages SET text = ? WHERE key = 2", ("a\0b",))
    settle(filled, other)
    assert other.rows("SELECT text FROM passages WHERE key = 2")[0][0] == "a\N{REPLACEMENT CHARACTER}b"


def test_a_copy_is_of_one_moment(filled, tmp_path):
    (tmp_path / "copy").mkdir()
    copied = transfer.copy(filled, tmp_path / "copy")
    assert bring(filled, copied).written == ()
