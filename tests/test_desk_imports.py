from __future__ import annotations

import io
import re

import pytest
from test_listing import LISTING

from index.changes import Changes
from index.loose_entries import LooseEntries
from search_app.factory import create_app

TABLE = 'publication_id,title,language,abstract\nwoods,"<script>alert(1)</script> ป่า",th,"=cmd|x"\nsea,البحر,ar,\u202egnitirw\n'


@pytest.fixture
def app(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    return create_app(library, encoder)


def send(analyst, text=LISTING, **fields):
    return analyst.post("/desk/import", data={"file": (io.BytesIO(text.encode()), "../../list.txt"), **fields})


def choices(page: str, value: str = "add") -> dict[str, str]:
    return dict.fromkeys(re.findall(r'name="(choice-\d+)"', page), value)


def test_nothing_is_stored_before_it_is_chosen_and_then_all_of_it(analyst, library):
    preview = send(analyst)
    assert preview.status_code == 303 and library.publications() == [] and LooseEntries(library).entries() == []
    page = analyst.get(preview.location)
    assert page.status_code == 200 and "Austrian" in page.text and "It has no title." in page.text and "../../list.txt" not in page.text
    stored = analyst.post(preview.location, data=choices(page.text))
    assert stored.status_code == 303 and library.counts()["publications"] == 3 and library.counts()["editions"] == 6
    report = analyst.get(stored.location).text
    assert (
        "3 publications added" in report
        and "6 editions added" in report
        and "2 entries without editions" in report
        and "Its one official language" in report
    )
    assert analyst.get(preview.location).status_code == 404
    assert "2 entries have no editions." in analyst.get("/desk").text


def test_what_is_not_ticked_is_left_out(analyst, library):
    preview = send(analyst, TABLE).location
    analyst.post(preview, data={"choice-1": "add"})
    assert [one.publication_id for one in library.publications()] == ["sea"]


def test_a_second_import_shows_what_is_there_and_offers_three_ways(analyst, library):
    for text in (TABLE, TABLE + "woods,Woods,en,\n"):
        preview = send(analyst, text).location
        page = analyst.get(preview).text
        analyst.post(preview, data=choices(page, "merge" if "It is there already" in page else "add"))
    assert page.count('value="skip" checked') == 2 and page.count('value="merge"') == 2 and page.count('value="new"') == 2
    assert [edition.language for edition in library.entry("woods").editions] == ["th", "en"] and len(library.publications()) == 2


def test_markup_and_marks_of_direction_are_shown_as_text(analyst):
    preview = send(analyst, TABLE).location
    page = analyst.get(preview).text
    report = analyst.get(analyst.post(preview, data=choices(page)).location).text
    for shown in (page, report, analyst.get("/publications/woods").text):
        assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown


@pytest.mark.parametrize("sent", ["", "nothing that is known", "\x00\x01\x02"])
def test_what_is_no_catalogue_is_refused_with_what_was_expected(analyst, sent):
    answer = analyst.post("/desk/import", data={"text": sent})
    assert answer.status_code == 400 and 'role="alert"' in answer.text and "Expected" in answer.text


def test_pasted_text_of_a_megabyte_is_taken_and_more_than_the_limit_is_not(analyst):
    long = "title,language,abstract\n" + "".join(f"Woods {number},en,{'water ' * 30}\n" for number in range(5000))
    assert analyst.post("/desk/import", data={"text": long}).status_code == 303
    assert analyst.post("/desk/import", data={"text": "x" * 11_000_000}).status_code == 413


def test_only_what_was_sent_here_can_be_looked_at(analyst, library):
    (library.folder / "imports").mkdir()
    for name in ("0" * 64, "..%2Flibrary.sqlite", "library.sqlite", "0" * 63 + "G"):
        assert analyst.get(f"/desk/import/{name}").status_code == 404
        assert analyst.post(f"/desk/import/{name}").status_code == 404
        assert analyst.get(f"/desk/import/{name}/report").status_code == 404


def test_readers_can_neither_look_nor_import(app):
    client = app.test_client()
    assert client.get("/desk/import").status_code == 303 and client.post("/desk/import", data={"text": TABLE}).status_code in (303, 400)


@pytest.fixture
def loose(analyst, library):
    preview = send(analyst).location
    analyst.post(preview, data=choices(analyst.get(preview).text))
    return [one.entry_id for one in LooseEntries(library).entries()]


def test_a_loose_entry_becomes_a_publication_in_the_languages_that_are_named(analyst, library, loose):
    assert analyst.post(f"/desk/import/loose/{loose[0]}", data={"languages": "Khmer, ไทย, Austrian"}).status_code == 303
    assert [edition.language for edition in library.entry("short-paper-ferries").editions] == ["km", "th", "de-AT"]
    assert [one.entry_id for one in LooseEntries(library).entries()] == loose[1:]
    assert Changes(library).changes("short-paper-ferries")[0].by == "ana"
    assert analyst.post(f"/desk/import/loose/{loose[0]}", data={"languages": "Khmer"}).status_code == 409


@pytest.mark.parametrize("named", ["", "Martian", "English, Swiss"])
def test_a_language_that_nobody_knows_is_said_and_the_entry_stays(analyst, library, loose, named):
    answer = analyst.post(f"/desk/import/loose/{loose[0]}", data={"languages": named})
    assert answer.status_code == 400 and 'role="alert"' in answer.text and len(LooseEntries(library).entries()) == 2


def test_a_loose_entry_can_be_discarded(analyst, library, loose):
    assert analyst.post(f"/desk/import/loose/{loose[1]}", data={"discard": "1"}).status_code == 303
    assert [one.entry_id for one in LooseEntries(library).entries()] == loose[:1]
    said = Changes(library).changes()[0]
    assert (said.by, said.what, said.about) == ("ana", "entry discarded", "Short Paper: Buses") and "imported entry discarded" in analyst.get(
        "/desk/log"
    ).text
