from __future__ import annotations

import csv
from io import StringIO

import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index.filters import Filters
from index.gaps import Cell, gaps
from index.library import Library
from search_app.factory import create_app

WORKS = {  # languages with their passages, and what is said of each
    "woods": ({"pt-BR": 3, "pt-PT": 2, "km": 1}, {"topics": ("ป่า & =forest", "water"), "countries": ("KH",)}),
    "wells": ({"km": 4}, {"topics": ("water",), "countries": ("KH", "LA"), "kind": "guide"}),
    "helpline": ({"zh-Hant": 1, "am": 2}, {"topics": ("water",), "year": 1999}),
    "radio": ({"he": 0}, {"topics": ("<b>radio",), "year": None}),
    "loose": ({"hi": 5}, {"topics": ()}),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    library = Library.create(tmp_path_factory.mktemp("library") / "library")
    for name, (texts, said) in WORKS.items():
        fill(library, LexiconEncoder(), publication(name, list(texts), **said), {tag: ["text"] * count for tag, count in texts.items()})
    with library.transaction() as run:
        run("UPDATE editions SET digest = NULL, file = NULL, state = 'no file' WHERE edition_id IN ('radio.he', 'helpline.am')")
    return library


@pytest.fixture
def app(shelf, encoder):
    return create_app(shelf, encoder)


@pytest.fixture
def client(app):
    return app.test_client()


def counted(shelf, filters=None, asked_for=()):
    return gaps(shelf, shelf.publications(), filters or Filters(), asked_for)


def test_each_cell_counts_publications_title_only_apart_and_passages_that_stand_on_pages(shelf):
    found = counted(shelf)
    assert found.cell("water", "km") == Cell(2, 0, 5) and found.cell("ป่า & =forest", "km") == Cell(1, 0, 1)
    assert found.cell("water", "am") == Cell(0, 1, 2) and found.cell("<b>radio", "he") == Cell(0, 1, 0)
    assert found.cell("", "hi") == Cell(1, 0, 5) and found.cell("water", "hi") == Cell()


def test_a_language_counts_without_script_and_region_and_a_publication_once_in_it(shelf):
    found = counted(shelf)
    assert found.cell("water", "pt") == Cell(1, 0, 5) and found.cell("water", "zh") == Cell(1, 0, 1)
    assert found.cell("water", "pt-BR") == Cell()


def test_sums_count_a_publication_once_however_many_topics_and_languages_it_has(shelf):
    found = counted(shelf)
    assert (found.cell("water", None), found.cell(None, "km"), found.cell(None, None)) == (Cell(3, 0, 13), Cell(2, 0, 5), Cell(4, 1, 18))


def test_most_publications_come_first_and_languages_asked_for_last_although_nothing_is_in_them(shelf):
    found = counted(shelf, asked_for=["my", "km-KH", "sw"])
    assert found.topics == ("water", "", "ป่า & =forest", "<b>radio")
    assert found.languages == ("km", "hi", "pt", "zh", "am", "he", "my", "sw") and found.cell(None, "my") == Cell()


def test_the_map_counts_what_the_filters_admit(shelf):
    found = counted(shelf, Filters(countries=("LA",)))
    assert (found.topics, found.languages, found.cell("water", "km")) == (("water",), ("km",), Cell(1, 0, 4))
    assert counted(shelf, Filters(years=("1999",))).languages == ("zh", "am")
    assert counted(shelf, Filters(kinds=("nothing",))).topics == ()


def test_what_can_be_read_in_one_language_only_is_listed(shelf):
    found = counted(shelf)
    assert {(one.publication_id, language) for one, language in found.single} == {("wells", "km"), ("helpline", "zh"), ("loose", "hi")}
    assert found.single_topics() == [] and counted(shelf, Filters(countries=("LA",))).single_topics() == [("water", "km")]


def page_of(client, path="/gaps", languages="en"):
    answer = client.get(path, headers={"Accept-Language": languages})
    assert answer.status_code == 200
    return answer.text


def test_the_page_links_each_cell_to_its_publications_and_says_nothing_where_there_is_nothing(client):
    shown = page_of(client, languages="my, sw;q=0.5")
    assert 'href="/?topic=water&amp;language=km">2</a><small>5</small>' in shown
    assert 'href="/?topic=water&amp;language=am">0</a> (1)<small>2</small>' in shown
    assert (
        'href="/?topic=%E0%B8%9B%E0%B9%88%E0%B8%B2+%26+%3Dforest&amp;language=pt"' in shown and "&lt;b&gt;radio" in shown and "<b>radio" not in shown
    )
    assert '<td class="none">0</td>' in shown and ">မြန်မာ</span>" in shown and ">Kiswahili</span>" in shown
    assert client.get("/?topic=water&language=pt").text.count("woods (") >= 1


def test_languages_that_are_named_take_the_place_of_the_readers(client):
    shown = page_of(client, "/gaps?languages=lo,+sw+nonsense!", "my")
    assert ">ລາວ</span>" in shown and ">Kiswahili</span>" in shown and ">မြန်မာ</span>" not in shown and 'value="lo sw"' in shown


@pytest.mark.parametrize(
    ("by", "first"),
    [("topic", "&lt;b&gt;radio"), ("publications", "water"), ("km", "no topic"), ("hi", "water"), ("nonsense", "water"), ("pt", "no topic")],
)
def test_rows_are_sorted_without_scripts_and_a_language_puts_first_what_is_missing_in_it(client, by, first):
    shown = page_of(client, f"/gaps?by={by}")
    rows = shown.split("<tbody>")[1].split('<th scope="row">')[1]
    assert first in rows.split("</th>")[0]
    assert shown.count("aria-sort") == (by != "nonsense")


def test_the_map_is_narrowed_down_and_cells_lead_to_as_narrow_a_list(client):
    shown = page_of(client, "/gaps?country=LA&kind=guide&topic=radio")
    assert 'href="/?year' not in shown and 'href="/?kind=guide&amp;country=LA&amp;topic=water&amp;language=km"' in shown.replace(
        "?country=LA&amp;kind=guide", "?kind=guide&amp;country=LA"
    )
    assert "There are no such publications here." in page_of(client, "/gaps?kind=none")
    assert client.get("/gaps?offset=x").status_code == 400


def test_publications_in_one_language_come_a_page_at_a_time(client, monkeypatch):
    monkeypatch.setattr("search_app.gaps.LISTED", 2)
    assert 'rel="next"' in page_of(client) and "offset=2" in page_of(client)
    last = page_of(client, "/gaps?offset=2")
    assert 'rel="next"' not in last and 'rel="prev"' in last and '<ol class="shelf" start="3">' in last


def test_the_table_has_a_row_for_every_topic_and_language_and_runs_no_formula(client, shelf, encoder, tmp_path):
    rows = list(csv.DictReader(StringIO(client.get("/gaps.csv?languages=lo").data.decode("utf-8-sig"), newline="")))
    assert len(rows) == 4 * 7 and client.get("/gaps.csv").headers["Content-Disposition"] == "attachment; filename=gaps.csv"
    (row,) = [row for row in rows if (row["Topic"], row["Language tag"]) == ("water", "am")]
    assert row == {"Topic": "water", "Language": "አማርኛ", "Language tag": "am", "Publications": "0", "Title only": "1", "Passages": "2"}
    other = Library.create(tmp_path / "other")
    fill(other, encoder, publication("x", ["fa"], topics=("=1+1",)), {"fa": ["x"]})
    assert "'=1+1,فارسی,fa,1,0,1" in create_app(other, encoder).test_client().get("/gaps.csv?languages=fa").text


def test_an_empty_library_has_an_empty_map(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    assert "There are no such publications here." in create_app(library, encoder).test_client().get("/gaps").text


def test_programs_are_told_what_there_is_and_which_languages_were_asked_for(client):
    told = client.get("/api/v1/gaps?languages=my&languages=KM").json
    assert told["topics"][0] == "water" and told["languages"][-1] == "my" and len(told["languages"]) == 7
    assert {"topic": "water", "language": "am", "publications": 0, "title_only": 1, "passages": 2} in told["amounts"]
    assert not [one for one in told["amounts"] if one["language"] == "my"]
    assert client.get("/api/v1/gaps?languages=nonsense!").status_code == client.get("/api/v1/gaps?topic=x").status_code == 400


def test_every_page_leads_to_the_map(client):
    assert '<a href="/gaps">' in client.get("/languages").text
