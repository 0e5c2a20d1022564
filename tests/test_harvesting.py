from __future__ import annotations

from urllib.parse import quote
from urllib.robotparser import RobotFileParser

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from lxml import etree
from sickle import Sickle
from sickle.oaiexceptions import BadArgument, NoRecordsMatch

from index.library import Library
from search_app import harvesting, oai
from search_app.factory import create_app

SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
NAMES = ["غابة", "woods", "ป่า", "森林", "ព្រៃ"]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    library, encoder = Library.create(tmp_path_factory.mktemp("library") / "library"), LexiconEncoder()
    for name, language in zip(NAMES, ["ar", "en", "th", "zh", "km"], strict=True):
        fill(library, encoder, publication(name, [language, "fr"], authors=(name,)), {language: [name]})
    return create_app(library, encoder)


@pytest.fixture
def client(app):
    return app.test_client()


def texts(client, path: str, query: str) -> list[str]:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    return [one.text for one in etree.fromstring(answer.data).xpath(query, namespaces=SITEMAP)]


def test_the_sitemap_lists_every_publication_with_when_it_changed(client, app):
    dates = app.extensions["searcher"].library.dates()
    assert texts(client, "/sitemap.xml", "/s:urlset/s:url/s:loc") == [f"http://localhost/publications/{quote(name)}" for name in sorted(NAMES)]
    assert texts(client, "/sitemap.xml", "/s:urlset/s:url/s:lastmod") == [dates[name].changed for name in sorted(NAMES)]


def test_a_sitemap_that_grows_too_long_becomes_a_list_of_sitemaps(client, monkeypatch):
    monkeypatch.setattr(harvesting, "MAX_ADDRESSES", 2)
    parts = texts(client, "/sitemap.xml", "/s:sitemapindex/s:sitemap/s:loc")
    assert parts == [f"http://localhost/sitemap.xml?part={part}" for part in (1, 2, 3)]
    assert [len(texts(client, part.removeprefix("http://localhost"), "/s:urlset/s:url/s:loc")) for part in parts] == [2, 2, 1]
    assert [client.get(f"/sitemap.xml?part={part}").status_code for part in ("0", "4", "x")] == [404] * 3


def test_robots_may_read_publications_and_pages_but_no_answers(client):
    answer = client.get("/robots.txt").text
    assert "Sitemap: http://localhost/sitemap.xml" in answer and "Disallow: /*?q=\nDisallow: /*&q=\n" in answer
    robots = RobotFileParser()
    robots.parse(answer.splitlines())
    allowed = {
        path: robots.can_fetch("*", path)
        for path in (
            "/",
            "/publications/woods",
            "/pages/0123456789abcdef/4",
            "/files/woods.en",
            "/search.csv?q=x",
            "/search.atom?q=x",
            "/api/search?q=x",
            "/like?page=x/1",
            "/languages?back=/",
        )
    }
    assert [path for path, free in allowed.items() if not free] == [
        "/search.csv?q=x",
        "/search.atom?q=x",
        "/api/search?q=x",
        "/like?page=x/1",
        "/languages?back=/",
    ]


def test_a_harvester_takes_every_publication_over_several_answers(served, monkeypatch):
    monkeypatch.setattr(oai, "AT_ONCE", 2)
    harvester = Sickle(f"{served}/oai")
    records = list(harvester.ListRecords(metadataPrefix="oai_dc"))
    assert [record.metadata["creator"] for record in records] == [[name] for name in sorted(NAMES)]
    assert [record.metadata["identifier"] for record in records] == [[f"{served}/publications/{quote(name)}"] for name in sorted(NAMES)]
    assert [header.identifier for header in harvester.ListIdentifiers(metadataPrefix="oai_dc")] == [
        f"oai:127.0.0.1:{quote(name)}" for name in sorted(NAMES)
    ]
    assert all("fr" in record.metadata["language"] and record.metadata["format"] == ["application/pdf"] for record in records)


def test_a_harvester_asks_by_language_and_date_and_for_one_record(served):
    harvester = Sickle(f"{served}/oai")
    identify = harvester.Identify()
    assert (identify.baseURL, identify.deletedRecord, identify.granularity) == (f"{served}/oai", "no", "YYYY-MM-DDThh:mm:ssZ")
    assert [one.prefix if hasattr(one, "prefix") else one.metadataPrefix for one in harvester.ListMetadataFormats()] == ["oai_dc"]
    assert [(one.setSpec, one.setName) for one in harvester.ListSets()] == [
        ("ar", "العربية"),
        ("en", "English"),
        ("fr", "français"),
        ("km", "ខ្មែរ"),
        ("th", "ไทย"),
        ("zh", "中文"),
    ]
    (header,) = harvester.ListIdentifiers(metadataPrefix="oai_dc", set="km", **{"from": identify.earliestDatestamp})
    assert harvester.GetRecord(identifier=header.identifier, metadataPrefix="oai_dc").metadata["title"] == ["ព្រៃ (km)", "ព្រៃ (fr)"]
    with pytest.raises(NoRecordsMatch):
        harvester.ListRecords(metadataPrefix="oai_dc", until="1999-12-31")
    with pytest.raises(BadArgument):
        harvester.ListRecords(metadataPrefix="oai_dc", until="yesterday")


def test_a_harvester_may_post_what_it_asks(served, client):
    assert Sickle(f"{served}/oai", http_method="POST").GetRecord(identifier="oai:127.0.0.1:woods", metadataPrefix="oai_dc").header.setSpecs == [
        "en",
        "fr",
    ]
    answer = client.post("/oai", data={"verb": "Identify"})
    assert (
        answer.headers["Content-Type"] == "text/xml; charset=utf-8" and b"<Identify>" in answer.data and b'code="badVerb"' in client.get("/oai").data
    )
