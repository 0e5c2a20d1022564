from __future__ import annotations

import csv
from io import StringIO
from urllib.parse import quote

import pytest
from conftest import LexiconEncoder
from filling import DIGEST, fill, publication

from index.library import Library
from search_app.factory import create_app
from search_app.spreadsheet import disarmed

HEAD = [
    "Rank", "Close to the question", "Title", "Authors", "Year", "Kind", "Language", "Page", "Page as printed", "Sentence that answers", "Passage",
    "Permanent address", "Publication",
]  # fmt: skip
FOREST = {"en": "=HYPERLINK(forest)", "ar": "+غابة كبيرة", "th": 'ป่าใหญ่,\n"มาก"', "fa": "@جنگل forest", "km": "ព្រៃ forest"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    library, encoder = Library.create(tmp_path_factory.mktemp("library") / "library"), LexiconEncoder()
    for language, text in FOREST.items():
        fill(library, encoder, publication(f"woods-{language}", [language], year=2020, authors=("-Ana", "สมชาย")), {language: ["x", text]})
    fill(library, encoder, publication("wells", ["de"], kind="guide"), {"de": ["Wasser"]})
    return create_app(library, encoder).test_client()


def rows(client, **asked) -> list[dict[str, str]]:
    answer = client.get("/search.csv", query_string=asked)
    assert answer.status_code == 200 and answer.data.startswith(b"\xef\xbb\xbf") and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_every_row_says_what_was_found_where_and_how_to_cite_it(client):
    (row,) = rows(client, q="forest", language="km")
    assert list(row) == HEAD
    assert (row["Rank"], row["Title"], row["Year"], row["Kind"], row["Language"], row["Page"], row["Page as printed"]) == (
        "1",
        "woods-km (km)",
        "2020",
        "study",
        "km",
        "2",
        "2",
    )
    assert (row["Sentence that answers"], row["Passage"], row["Close to the question"]) == (FOREST["km"], FOREST["km"], "yes")
    assert row["Permanent address"] == f"http://localhost/pages/{DIGEST[:16]}/2?quote={quote(FOREST['km'])}"
    assert row["Publication"] == "http://localhost/publications/woods-km"


def test_nothing_that_was_found_runs_as_a_formula_and_every_script_comes_through(client):
    found = {row["Language"]: row for row in rows(client, q="forest", kind="study")}
    assert {language: row["Passage"] for language, row in found.items()} == {
        "en": "'=HYPERLINK(forest)", "ar": "'+غابة كبيرة", "th": 'ป่าใหญ่, "มาก"', "fa": "'@جنگل forest", "km": "ព្រៃ forest",
    }  # fmt: skip
    assert all(row["Authors"] == "'-Ana; สมชาย" for row in found.values())
    assert [row["Rank"] for row in found.values()] == list("12345")


@pytest.mark.parametrize(("text", "shown"), [("＝1+1", "'＝1+1"), ("\t=1", "'\t=1"), ("1-2", "1-2"), ("", ""), ("（注）", "（注）")])
def test_wide_and_hidden_formulas_are_kept_from_running_and_nothing_else_is_touched(text, shown):
    assert disarmed(text) == shown


def test_the_table_takes_the_parameters_of_the_search_page(client):
    assert len(rows(client, q="forest")) == 6 and len(rows(client, q="forest", k="2")) == 2
    assert [row["Rank"] for row in rows(client, q="forest", k="2", offset="2")] == ["3", "4"]
    assert [row["Title"] for row in rows(client, q="water", kind="guide")] == ["wells (de)"] and rows(client, q="forest", country="KH") == []
    assert [client.get("/search.csv", query_string=asked).status_code for asked in ({}, {"q": "x", "k": "101"}, {"q": "x" * 1001})] == [400] * 3


def test_neither_the_name_of_the_file_nor_a_cache_keeps_the_question(client):
    headers = client.get("/search.csv?q=forest").headers
    assert headers["Content-Disposition"] == "attachment; filename=isogloss.csv" and headers["Cache-Control"] == "private, no-store"
