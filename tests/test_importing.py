from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest
from conftest import pdf_of
from filling import DIGEST, fill, publication
from test_listing import LISTING

from index.changes import Changes
from index.loose_entries import LooseEntries
from ingest.imports import read_import
from search_app.importing import Report, compare, merged, store
from search_app.storing import encode_entries

TABLE = "publication_id,title,language,file\nwoods,ป่า,th,th.pdf\nwoods,غابة,ar,../secret.pdf\nsea,البحر,ar,\n"


def entries(text):
    return read_import(text.encode()).entries


def take(library, text, choice="add", files=None):
    return store(library, "ana", "a catalogue", [(entry, choice) for entry in entries(text)], files)


@pytest.mark.parametrize("text", [LISTING, TABLE, "@book{a, title={水}, language={zh}}"])
def test_importing_twice_adds_nothing_the_second_time(library, text):
    first = take(library, text)
    there = (library.publications(), LooseEntries(library).entries(), library.revision())
    again = take(library, text)
    assert len(first.outcomes) == len(again.having("skipped")) and not first.having("failed")
    assert (library.publications(), LooseEntries(library).entries(), library.revision()) == there


def test_a_catalogue_that_is_sent_twice_at_once_is_stored_once(library):
    table = "title,language\n" + "".join(
        f"{word} {number},{tag}\n" for number in range(5) for tag, word in (("th", "ป่า"), ("am", "ጫካ"), ("ko", "숲"))
    )
    begin = threading.Barrier(3)

    def send():
        begin.wait()
        reports.append(take(library, table))

    reports: list[Report] = []
    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(len(report.having("added")) for report in reports) == [0, 0, 15] and library.counts()["publications"] == 15
    assert [len(report.having("failed")) for report in reports] == [0, 0, 0]


def test_a_listing_is_stored_whole_and_the_report_says_what_was_decided(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    report = take(library, LISTING)
    assert library.counts()["publications"] == 3 and report.editions == library.counts()["editions"] == 6
    assert [one.source for one in LooseEntries(library).entries()] == ["a catalogue"] * 2
    assert [one.called for one in report.outcomes if one.flagged][2] == "The lantern network looks after the safety of children who travel along the…"
    assert {remark.code for one in report.outcomes for remark in one.remarks} >= {"country", "no title", "no text", "several titles", "no editions"}
    assert Report.from_json(report.as_json()) == report
    encode_entries(library, encoder)
    assert library.faults() == [] and library.without_catalogue_passages() == []  # an entry without any text has none


def test_everything_stands_in_the_log(library):
    take(library, TABLE)
    changes = Changes(library).changes()
    assert {(change.what, change.by) for change in changes} == {("imported", "ana")} and {change.publication_id for change in changes} == {
        "woods",
        "sea",
        "",
    }
    assert "2 added" in changes[0].about


@pytest.mark.parametrize(
    ("described", "text", "by"),
    [
        ({}, "publication_id,title,language\nwoods,Other,en\n", "id"), ({"doi": "10.5555/x"}, "title,language,doi\nOther,en,10.5555/X\n", "DOI"),
        ({"isbn": "9783161484100"}, "title,language,isbn\nOther,en,316148410X\n", "ISBN"), ({"titles": {"ar": "غابةٌ"}}, "title,language\nغابة,ar\n", "title"),
        ({"titles": {"fr": "Les Forêts !"}}, "title,language\nles forets,fr\n", "title"), ({"titles": {}, "abstracts": {"en": "Of old woods."}}, "title,abstract,language\n,Of old woods,en\n", "text"),
    ],
)  # fmt: skip
def test_what_is_there_already_is_known_by_what_tells_it(library, encoder, described, text, by):
    fill(library, encoder, publication("woods", ["en"], **described), {})
    (row,) = compare(library, entries(text))
    assert row.same is not None and (row.same.publication_id, row.by) == ("woods", by)


def test_a_title_in_another_language_or_none_is_not_the_same(library, encoder):
    fill(library, encoder, publication("woods", ["en"], titles={"en": "Woods"}), {})
    assert [row.there for row in compare(library, entries("title,language\nWoods,de\nSea,en\n"))] == [False, False]


def test_merging_adds_the_editions_that_are_missing_and_changes_nothing_else(library, encoder):
    fill(library, encoder, publication("woods", ["en"], titles={"en": "Woods"}, doi="10.5555/x"), {"en": ["The forest."]})
    kept = library.file(DIGEST)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(pdf_of(["forest"]))
    report = take(library, "title,language,doi\nOther words,en,10.5555/x\nป่า,th,10.5555/x\n", "merge")
    found = library.entry("woods")
    assert found and found.titles == {"en": "Woods", "th": "ป่า"} and [edition.edition_id for edition in found.editions] == ["woods.en", "woods.th"]
    assert found.editions[0].digest and report.editions == 1 and library.page_count("woods.en") == 1


def test_merging_keeps_the_ids_of_stored_editions(library):
    stored = publication("woods", ["en"])
    stored = replace(stored, editions=(replace(stored.editions[0], edition_id="woods.first"),))
    assert [edition.edition_id for edition in merged(stored, publication("woods", ["en", "km"])).editions] == ["woods.first", "woods.km"]


def test_as_another_one_it_gets_an_id_of_its_own_but_never_twice(library):
    take(library, TABLE)
    other = TABLE.replace("ป่า", "ป่าอื่น")
    assert [one.publication_id for one in take(library, other, "new").having("added")] == ["woods-2"]
    assert take(library, other, "new").having("added") == []


def test_files_are_taken_from_their_folder_and_from_nowhere_else(library, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (tmp_path / "secret.pdf").write_bytes(pdf_of(["secret"]))
    (folder / "th.pdf").write_bytes(pdf_of(["forest"]))
    report = take(library, TABLE, files=folder)
    digest = hashlib.sha256((folder / "th.pdf").read_bytes()).hexdigest()
    assert [edition.digest for edition in library.entry("woods").editions] == [digest, None] and library.file(digest).is_file()
    assert [remark.about["file"] for one in report.outcomes for remark in one.remarks if remark.code == "no file"] == ["../secret.pdf"]


def test_what_cannot_be_stored_is_in_the_report_and_hides_no_other(library, monkeypatch):
    from ingest.records import IsoglossError
    from search_app import importing

    change = importing.change_entry

    def refuse(library, by, what, expected, after):
        if after.publication_id == "woods":
            raise IsoglossError("the disk is full")
        return change(library, by, what, expected, after)

    monkeypatch.setattr(importing, "change_entry", refuse)
    report = take(library, TABLE)
    assert [(one.publication_id, one.why) for one in report.having("failed")] == [("woods", "the disk is full")]
    assert [one.publication_id for one in report.having("added")] == ["sea"]
