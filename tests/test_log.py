"""The log: what was done, by whom, what it changed, and its undoing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from lxml import html

from index.changes import Changes
from search_app.factory import create_app


@pytest.fixture
def app(library, encoder):
    fill(library, encoder, publication("woods", ["km", "fa"]), {})
    with library.transaction() as run:
        run("UPDATE editions SET digest = NULL, file = NULL, state = 'no file'")
    return create_app(library, LexiconEncoder())


def rows(response) -> list[str]:
    return [" ".join(row.text_content().split()) for row in html.fromstring(response.data).xpath('//ol[@class="shelf"]/li')]


def test_the_log_says_who_changed_what_newest_first_and_what_was_there(analyst, library):
    woods = library.entry("woods")
    after = replace(woods, titles={"km": "ព្រៃ", "fa": "جنگل"})
    Changes(library).put("bo", "edited", woods, after)
    Changes(library).note("ana", "index rebuilt", "=3 <b>")
    first, second = rows(analyst.get("/desk/log"))
    assert first.startswith("ana ·") and "index rebuilt" in first and "=3 <b>" in first and "Undo" not in first
    assert all(said in second for said in ("bo", "changed", "woods (km)", "ព្រៃ", "جنگل", "Undo")) and "Year" not in second


def test_the_log_is_narrowed_down_to_a_publication_and_a_person(analyst, library):
    changes = Changes(library)
    changes.put("bo", "edited", library.entry("woods"), replace(library.entry("woods"), year=1))
    changes.note("ana", "imported", "x")
    assert len(rows(analyst.get("/desk/log?publication=woods"))) == len(rows(analyst.get("/desk/log?by=ana"))) == 1
    assert rows(analyst.get("/desk/log?publication=woods&by=ana")) == [] and len(rows(analyst.get("/desk/log?offset=1"))) == 1


def test_only_the_last_change_can_be_undone_and_its_undoing_too(analyst, library):
    woods, changes = library.entry("woods"), Changes(library)
    changes.put("bo", "edited", woods, replace(woods, year=1))
    changes.put("bo", "edited", replace(woods, year=1), replace(woods, year=2))
    last, first = changes.changes()
    shown = analyst.get("/desk/log").text
    assert f"/desk/log/{last.change_id}/undo" in shown and f"/desk/log/{first.change_id}/undo" not in shown
    assert analyst.post(f"/desk/log/{first.change_id}/undo").status_code == 409
    assert analyst.post(f"/desk/log/{last.change_id}/undo").status_code == 303 and library.entry("woods").year == 1
    redo = changes.changes()[0]
    assert analyst.post(f"/desk/log/{redo.change_id}/undo").status_code == 303 and library.entry("woods").year == 2
    assert "This was undone later." in analyst.get("/desk/log").text


@pytest.mark.parametrize("number", ["99", str(2**70)])
def test_what_was_never_done_cannot_be_undone(analyst, number):
    assert analyst.post(f"/desk/log/{number}/undo").status_code == 404


def test_an_edition_whose_title_comes_back_is_read_again(analyst, library, encoder):
    from test_changes import kept

    from index.jobs import Jobs

    woods = library.entry("woods")
    filed = replace(woods, editions=(replace(woods.editions[0], digest=kept(library, "x")), woods.editions[1]))
    changes = Changes(library)
    changes.put("bo", "edited", woods, filed)
    library.put_reading(replace(library.edition_states("woods")[0], edition=filed.editions[0], state="read"), [], [], encoder.encode_passages([]))
    changes.put("bo", "edited", filed, replace(filed, titles={**filed.titles, "km": "ព្រៃ"}))
    analyst.post(f"/desk/log/{changes.changes()[0].change_id}/undo")
    assert [document.name for document in Jobs(library).documents(Jobs(library).jobs()[0].job_id)] == ["woods.km"]
