"""The test a library makes of itself: figures that can be counted by hand, and the page that tells them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from conftest import LexiconEncoder
from filling import fill, passage_of, publication

from index import generations, quality
from index.contents import EditionState
from index.quality import NothingToCompareError, load, measure, plain, save
from index.query import parse
from index.searcher import Searcher
from search_app.factory import create_app
from search_app.quality import in_ten, markdown


class RecordingEncoder(LexiconEncoder):
    """Remembers what it was asked."""

    def encode_queries(self, texts):
        self.asked = [*getattr(self, "asked", []), *texts]
        return super().encode_queries(texts)


@pytest.fixture
def put(library, encoder):
    """Put a publication into the library: its passages, and no titles unless said."""

    def into(name, texts, **described):
        fill(library, encoder, publication(name, list(texts), **{"titles": {}, **described}), texts)

    return into


@pytest.fixture
def measured(library, encoder):
    return lambda: measure(Searcher(library, encoder), lambda *_: None)


@pytest.fixture
def one_is_enough(monkeypatch):
    monkeypatch.setattr(quality, "FEWEST", 1)


@pytest.fixture
def shelf(put):
    """Woods find each other; "torn" says in Italian what nothing in its French edition is near to, behind 25 passages as near."""
    put("filler", {"en": ["water water"] * 25})
    put("torn", {"fr": ["forest"], "it": ["Schule Schule"]})
    put("woods", {"de-AT": ["Wald"], "th": ["ป่า"]})


def test_figures_agree_with_those_counted_by_hand(shelf, measured, one_is_enough):
    found = measured()
    yes, no = {"recall": 1.0, "found": 1, "questions": 1}, {"recall": 0.0, "found": 0, "questions": 1}
    assert found["by_pair"] == {"de": {"th": yes}, "fr": {"it": no}, "it": {"fr": yes}, "th": {"de": yes}}
    assert found["by_passage_language"] == {"de": yes, "fr": yes, "it": no, "th": yes}
    assert found["by_query_language"]["fr"] == {"texts": 1, **no, "own_language@10": 0.0}
    assert found["all"] == {"texts": 4, "recall": 0.75, "found": 3, "questions": 4, "own_language@10": 0.0}
    assert found["by_kind"] == {"passage": {"recall": 0.75, "found": 3, "questions": 4}}


def test_too_few_questions_give_no_figure(shelf, measured):
    found = measured()
    assert found["all"] == {"texts": 4, "recall": None, "found": 3, "questions": 4, "own_language@10": None}


def test_the_publications_own_passages_in_the_asking_language_are_left_out(put, measured, one_is_enough):
    put("woods", {"en": ["forest"] * 30, "de": ["Wald"]})
    put("others", {"en": ["forest water", "water"]})
    found = measured()
    assert found["by_pair"]["en"]["de"] == {"recall": 1.0, "found": 3, "questions": 3}
    assert found["by_query_language"]["en"]["own_language@10"] == pytest.approx(2 / 3)


def test_titles_abstracts_and_three_passages_spread_over_each_edition_ask(library):
    encoder = RecordingEncoder()
    texts = {"en": [f"page {number}" for number in range(9)], "de": ["Seite 1", "Seite 2"]}
    fill(library, encoder, publication("woods", ["en", "de"], abstracts={"de": 'Vom "Wald" und -Wasser', "und": "?"}), texts)
    fill(library, encoder, publication("alone", ["en"]), {"en": ["page"]})
    searcher, encoder.asked = Searcher(library, encoder), []
    found = measure(searcher, lambda *_: None)
    assert encoder.asked == ["woods (en)", "woods (de)", "Vom Wald und Wasser", "page 1", "page 4", "page 7", "Seite 1", "Seite 2"]
    assert {kind: cell["questions"] for kind, cell in found["by_kind"].items()} == {"abstract": 1, "passage": 5, "title": 2}


def test_a_text_that_does_not_read_as_its_edition_neither_asks_nor_is_found_nor_stands_in_the_way(library, encoder, put, measured, one_is_enough):
    put("woods", {"en": ["forest"], "vi": [], "de": ["Wald Wasser"]})
    edition = library.publication("woods").editions[1]
    garbled = [replace(passage_of(edition, place, "forest", 1), language=language) for place, language in enumerate(["it", *["und"] * 24])]
    library.put_reading(EditionState(edition, "partly read", "", 1, "folder"), [], garbled, encoder.encode_passages(["forest"] * 25))
    yes = {"recall": 1.0, "found": 1, "questions": 1}
    assert measured()["by_pair"] == {"de": {"en": yes}, "en": {"de": yes}}


def test_varieties_of_one_language_are_nothing_to_compare(put, measured):
    put("woods", {"de": ["Wald"], "de-AT": ["Wald"]}, titles={"de-AT": "Wald"})
    put("water", {"en": ["water"], "und": ["agua"]})
    with pytest.raises(NothingToCompareError, match="isogloss ingest"):
        measured()


def test_an_empty_library_has_nothing_to_compare(measured):
    with pytest.raises(NothingToCompareError):
        measured()


def test_measuring_again_gives_the_same_figures(shelf, measured):
    first, second = measured(), measured()
    assert first | {"made": ""} == second | {"made": ""}


def test_progress_ends_with_all_texts(shelf, library, encoder):
    seen = []
    measure(Searcher(library, encoder), lambda *done: seen.append(done))
    assert seen == [("questions", 4, 4)]


@pytest.mark.parametrize(
    "text", ['He said "no way" -twice', "«слово» -и", '"-a" --b -"-c"', "「水」と『林』", "„Wald“ −x", 'the 5" rule', "- item -item"]
)
def test_no_text_is_taken_for_a_query_with_signs(text):
    query = parse(plain(text))
    assert (query.required, query.excluded) == ((), ())
    assert re.findall(r"\w+", plain(text)) == re.findall(r"\w+", text)


def test_figures_are_kept_as_they_are_beside_those_that_cannot_be_read(shelf, measured, library, caplog):
    assert load(library) is None
    figures = measured()
    save(library, figures)
    assert load(library) == json.loads(json.dumps(figures)) and len(list(library.folder.glob("*tmp*"))) == 0
    (library.folder / "quality.json").write_text('{"format": 0}')
    assert load(library) is None and not caplog.messages
    (library.folder / "quality.json").write_text("{")
    assert load(library) is None and "isogloss quality" in caplog.text


@pytest.mark.parametrize(
    ("recall", "said"),
    [
        (0, "0 of 10"),
        (0.01, "fewer than 1 of 10"),
        (0.34, "3 of 10"),
        (0.8, "8 of 10"),
        (0.949, "9 of 10"),
        (0.99, "more than 9 of 10"),
        (1, "10 of 10"),
    ],
)
def test_a_share_in_words_is_never_rounded_to_all_or_nothing(recall, said):
    assert in_ten(recall) == said


def test_the_report_holds_every_language_and_pair(shelf, measured, one_is_enough):
    report = markdown(measured())
    assert "| ไทย (th) | 100% | 1 | 0% |" in report and "| français (fr) | 0% | 1 | 0% |" in report
    assert "| français (fr) |  |  | 0% (1) |  |" in report and report.count("## ") == 4


@pytest.fixture
def page(library, encoder):
    client = create_app(library, encoder).test_client()
    return lambda: client.get("/quality").text


def test_before_there_are_figures_the_page_says_which_command_makes_them(page):
    assert "No figures have been made yet" in page() and "<code>isogloss quality</code>" in page()
    assert "<table" not in page() and '<a href="/quality">' in page()


def test_the_page_says_the_figures_in_words_and_in_tables(shelf, measured, library, page, one_is_enough):
    save(library, measured())
    shown = re.sub(r"<span lang=\"(\w+)\" dir=\"auto\">[^<]*</span>", r"{\1}", page())
    assert "in <strong>8 of 10</strong> cases" in shown and "isogloss quality" not in shown
    assert "Best: a question in {th} finds the same publication’s {de} edition in 10 of 10 cases." in shown
    assert "Worst: a question in {fr} finds the same publication’s {it} edition in 0 of 10 cases." in shown
    assert '<th scope="row">{fr}</th><td>0%</td><td>1</td><td>0%</td>' in shown
    assert '<th scope="col">Asks</th><th scope="col">{de}</th><th scope="col">{fr}</th><th scope="col">{it}</th><th scope="col">{th}</th>' in shown
    assert '<th scope="row">{it}</th><td></td><td>100<small>1</small></td><td></td><td></td>' in shown


def test_the_page_admits_that_there_is_too_little(shelf, measured, library, page):
    save(library, measured())
    assert "With 4 questions there is too little" in page() and "<td>–<small>1</small></td>" in page() and "Best:" not in page()


def test_the_page_says_when_the_library_has_changed_since(shelf, measured, library, page):
    save(library, measured())
    assert "has changed since" not in page()
    generations.build(library)
    assert "The library has changed since these figures were made." in page()
