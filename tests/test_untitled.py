"""A publication without a title, on every page, in every feed and in every export."""

from __future__ import annotations

import json

import pytest
from conftest import pdf_of
from filling import fill, publication

from search_app.answers import title_in
from search_app.factory import create_app

SAID = {
    "km": "ព្រៃ និង ទឹក ដែល កុមារ ត្រូវការ",
    "th": "รายงานนี้พูดถึงป่าและน้ำ" * 8,
    "ar": "تتحدث هذه الدراسة عن الغابة والماء وعن المدارس التي يذهب إليها الأطفال كل يوم على طريق النهر",
}
PATHS = (
    "/", "/?q=forest", "/publications/NAME", "/publications/NAME?q=forest", "/publications/NAME.ris", "/publications/NAME.bib", "/publications/NAME.csl.json",
    "/search.atom", "/search.atom?q=forest", "/search.csv?q=forest", "/sitemap.xml", "/oai?verb=ListRecords&metadataPrefix=oai_dc", "/api/", "/api/v1/publications",
    "/api/v1/publications/NAME", "/api/v1/publications/NAME/hits?q=forest", "/api/v1/publications/NAME/related", "/api/v1/search?q=forest",
)  # fmt: skip


@pytest.fixture
def client(library, encoder):
    fill(library, encoder, publication("described", ["en"], titles={}, abstracts={"ar": SAID["ar"]}), {"en": ["The forest and the bus to school."]})
    fill(library, encoder, publication("bare", ["ar"], titles={}, authors=("سعاد",)), {"ar": ["غابة"]})
    return create_app(library, encoder).test_client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["described", "bare"])
def test_every_page_feed_and_export_shows_it(client, path, name):
    answer = client.get(path.replace("NAME", name))
    assert answer.status_code == 200
    if "sitemap" not in path and "/oai" not in path and "/related" not in path and "/hits" not in path and path != "/api/":
        assert "Untitled publication (bare)" in text_of(answer) or "تتحدث هذه الدراسة" in text_of(answer)


def text_of(answer) -> str:
    return json.dumps(answer.json, ensure_ascii=False) if answer.is_json else answer.text


@pytest.mark.parametrize("language", SAID)
def test_it_is_called_by_the_first_words_of_its_abstract_and_no_letter_is_cut(language):
    called, tag = title_in(publication("x", ["en"], titles={}, abstracts={language: SAID[language]}), ["en"])
    assert tag == language and SAID[language].startswith(called.removesuffix("…")) and len(called) <= 120
    assert called.endswith("…") or called == SAID[language]


def test_without_an_abstract_it_is_called_by_its_id(client):
    assert title_in(publication("x", ["en"], titles={}), ["km"]) == ("Untitled publication (x)", "und")


def test_its_pages_are_shown_too(library, encoder, client):
    path = library.file("0" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(pdf_of(["The forest"]))
    assert client.get("/pages/" + "0" * 16 + "/1").status_code == 200
    assert client.get("/like?page=" + "0" * 16 + "/1&quote=forest").status_code in (200, 404)
