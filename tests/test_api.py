from __future__ import annotations

import html
import re

import pytest
from conftest import CORPUS, LexiconEncoder
from filling import DIGEST, fill, publication
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from index.library import Library
from index.tables import insert_pages
from ingest.records import Page, WordBox, WordBoxes
from search_app import openapi
from search_app.api import operations
from search_app.factory import create_app

KHMER = "ព្រៃឈើ និង ទឹក"
LAO = "ປ່າໄມ້ ແລະ ນ້ຳ"
WORKS = {
    "grove": {"ar": ["غابة كبيرة", "ماء نظيف"], "en": ["A forest & its people"]},
    "mekong": {"km": [KHMER], "lo": [LAO], "th": ["ป่า และ น้ำ"]},
    "shrine": {"ja": ["森の神社"], "ko": ["숲 속의 절"], "zh-Hant": ["森林"]},
    "woods": {"de": ["Der Wald wächst.", "Er wächst\nlangsam, und", "nichts hält ihn auf."], "he": ["יער ומים"], "hi": ["जंगल"]},
}
DIGESTS = {"grove.ar": "a" * 64, "woods.de": "d" * 64}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    library = Library.create(tmp_path_factory.mktemp("library"))
    for name, texts in WORKS.items():
        described = {"topics": ("land & water",), "countries": ("KH", "LA"), "authors": ("សុខា",), "abstracts": {"en": "About it"}, "doi": "10.1/x"}
        fill(library, LexiconEncoder(), publication(name, list(texts), **described), texts)
    boxes = WordBoxes.of([WordBox(0, 3, 72.0, 700.0, 90.5, 712.0), WordBox(4, 8, 94.0, 700.0, 120.0, 712.0)])
    page = Page("woods.de", 9, "A-3", "Der Wald", "recognised", boxes, "read from a picture", 4, 0.5)
    with library.transaction() as run:
        insert_pages(run, [page])
        for edition, digest in DIGESTS.items():
            run("UPDATE editions SET digest = ? WHERE edition_id = ?", (digest, edition))
        run("UPDATE editions SET digest = NULL, state = 'no file' WHERE edition_id = 'woods.hi'")
    return library


@pytest.fixture
def client(shelf, encoder):
    return create_app(shelf, encoder).test_client()


@pytest.fixture
def api(client):
    return client.get("/api/v1/openapi.json").json


def get(client, path: str, headers=None, **asked):
    answer = client.get("/api/v1" + path, query_string=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def validator(api, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": api["components"]}, format_checker=FormatChecker())


EXAMPLES = [
    ("search", "/search?q=forest"), ("search", "/search?q=غابة&k=1&offset=1&language=ar&readers=km&exact=true"), ("search", '/search?q="nowhere"&exhaustive=true'),
    ("publications", "/publications"), ("publications", "/publications?k=1&offset=2&country=kh"), ("publications", "/publications?year=1999"),
    ("publication", "/publications/woods"), ("publication", "/publications/mekong?readers=km"), ("pages", "/editions/woods.de/pages?boxes=true"),
    ("pages", "/editions/mekong.km/pages?k=1"), ("passages", f"/passages/{'a' * 16}/2"), ("passages", f"/passages/{'d' * 64}/2?quote=langsam, und nichts"),
    ("inside", "/publications/woods/hits?q=ป่า&k=2"), ("related", "/publications/woods/related?readers=de"), ("facets", "/facets"), ("status", "/status"),
    ("gaps", "/gaps?languages=am&kind=study"), ("gaps", "/gaps?country=LA"),
]  # fmt: skip


def test_one_publication_can_be_asked_and_what_is_related_to_it_listed(client):
    told = get(client, "/publications/woods/hits", q="forest")
    assert (told["hits"][0]["edition_id"], told["hits"][0]["page"]) == ("woods.de", 1) and told["publication_id"] == "woods"
    assert all(hit["text"][mark["start"] : mark["end"]] for hit in told["hits"] for mark in hit["marks"])
    related = get(client, "/publications/woods/related")["related"]
    assert "woods" not in {one["publication_id"] for one in related}
    for path in ("/publications/nowhere/hits?q=x", "/publications/nowhere/related"):
        assert client.get("/api/v1" + path).status_code == 404


def test_the_description_is_sound_openapi_and_complete(client, api):
    OpenAPIV31SpecValidator(api).validate()
    rules = {rule.rule for rule in client.application.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert {path.replace("{", "<").replace("}", ">") for path in api["paths"]} == rules - {"/api/v1/openapi.json"}
    assert {name for name, _ in EXAMPLES} == {operation.name for operation in operations}
    assert all(item["description"] for path in api["paths"].values() for item in path["get"]["parameters"])


@pytest.mark.parametrize(("name", "path"), EXAMPLES, ids=[path for _, path in EXAMPLES])
def test_every_answer_is_what_the_description_says(client, api, name, path):
    answer = client.get("/api/v1" + path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    (described,) = (item["get"] for item in api["paths"].values() if item["get"]["operationId"] == name)
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    validator(api, schema).validate(answer.json)
    assert set(answer.json) == set(api["components"]["schemas"][schema]["properties"])


def test_a_schema_refuses_what_is_otherwise(client, api):
    told = get(client, "/search", q="forest")
    assert not validator(api, "SearchAnswer").is_valid(told | {"hits": [told["hits"][0] | {"rank": 0}]})
    assert not validator(api, "Status").is_valid({})


@pytest.mark.parametrize("query", ["forest", "Wald", "ป่า", "غابة"])
def test_search_gives_the_editions_a_reader_reads(client, query):
    hits = get(client, "/search", q=query, readers=["ar", "th"])["hits"]
    assert hits[0]["publication_id"] in ("grove", "woods", "mekong")
    assert {hit["publication_id"]: hit["title"] for hit in hits}["grove"] == "grove (ar)"
    assert get(client, "/search", {"Accept-Language": "en"}, q=query)["hits"] != hits


def test_parts_lead_to_the_next_and_back_to_the_first(client):
    seen, address = [], "/api/v1/publications?k=3&topic=land+%26+water"
    while address:
        answer = client.get(address)
        seen += [one["publication_id"] for one in answer.json["publications"]]
        links = {rel: link for link, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', ", ".join(answer.headers.getlist("Link")))}
        assert (links.get("next"), links.get("prev"), answer.json["total"]) == (answer.json["next"], answer.json["previous"], 4)
        address = answer.json["next"]
    assert seen == sorted(WORKS)
    back = client.get(answer.json["previous"]).json
    assert (back["offset"], back["previous"]) == (0, None)


def test_a_search_leads_on_until_there_is_no_more(client):
    first = get(client, "/search", q="forest", k=3)
    rest = client.get(first["next"]).json
    assert [hit["rank"] for hit in first["hits"] + rest["hits"]] == [1, 2, 3, 4] and rest["next"] is None


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [({"language": "zh"}, ["shrine"]), ({"language": ["lo", "he"]}, ["mekong", "woods"]), ({"country": "kh", "year": "2020"}, sorted(WORKS)), ({"kind": "x"}, [])],
)  # fmt: skip
def test_publications_are_narrowed_down_like_a_search(client, narrowed, found):
    assert [one["publication_id"] for one in get(client, "/publications", **narrowed)["publications"]] == found
    assert sorted(hit["publication_id"] for hit in get(client, "/search", q="forest", **narrowed)["hits"]) == found


def test_a_publication_tells_all_that_is_known(client):
    told = get(client, "/publications/woods", readers="he")
    assert (told["title"], told["title_language"], told["authors"], told["doi"]) == ("woods (he)", "he", ["សុខា"], "10.1/x")
    assert [(one["edition_id"], one["state"], one["page_count"], one["file"]) for one in told["editions"]] == [
        ("woods.de", "read", 4, "/files/woods.de"), ("woods.he", "read", 1, "/files/woods.he"), ("woods.hi", "no file", 1, None),
    ]  # fmt: skip
    assert told["titles"]["hi"] == "woods (hi)" and told["address"] == "/publications/woods"


def test_pages_tell_text_label_health_and_boxes_on_request(client):
    plain, boxed = (get(client, "/editions/woods.de/pages", offset=3, **more)["pages"][0] for more in ({}, {"boxes": "1"}))
    assert plain["boxes"] is None and boxed["boxes"][1] == {"start": 4, "end": 8, "left": 94.0, "bottom": 700.0, "right": 120.0, "top": 712.0}
    assert {name: plain[name] for name in ("number", "label", "text", "health", "cause", "footnotes", "confidence", "address")} == {
        "number": 9, "label": "A-3", "text": "Der Wald", "health": "recognised", "cause": "read from a picture", "footnotes": 4, "confidence": 0.5,
        "address": f"/pages/{'d' * 16}/9",
    }  # fmt: skip


def test_a_permanent_address_finds_the_quoted_words_however_they_are_spaced_and_over_the_end_of_a_page(client):
    told = get(client, f"/passages/{'d' * 16}/2", quote=" wächst langsam,  und nichts")
    assert told["quotation"] == {"start": 3, "end": 6, "last_page": 3, "text": "wächst\nlangsam, und\nnichts"}
    short = get(client, f"/passages/{'d' * 16}/2", quote="wächst langsam")
    assert [one["text"] for one in short["passages"]] == ["Er wächst\nlangsam, und"]
    assert short["quotation"] == {"start": 3, "end": 17, "last_page": 2, "text": "wächst\nlangsam"}
    arabic = get(client, f"/passages/{'a' * 20}/2", quote="نظيف")
    assert (arabic["edition_id"], arabic["quotation"]["start"], arabic["passages"][0]["text"]) == ("grove.ar", 4, "ماء نظيف")


def test_a_passage_address_of_a_book_on_the_shelf_names_no_other_page(client):
    answer = client.get(f"/api/v1/passages/{'d' * 16}/1?quote=langsam")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json") and "page before" in answer.json["detail"]


def test_facets_count_publications_and_name_languages_in_themselves(client):
    told = get(client, "/facets")
    assert {"value": "km", "name": "ខ្មែរ", "publications": 1} in told["language"]
    assert told["country"] == [{"value": "KH", "name": "Cambodia", "publications": 4}, {"value": "LA", "name": "Laos", "publications": 4}]


def test_the_status_counts(client, shelf):
    told = get(client, "/status")
    assert (told["counts"]["publications"], told["editions"]["no file"], told["revision"]) == (4, 1, shelf.revision())


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        ("/search", {"q": "found none"}), ("/search?q=x&lang=th", {"lang": "Expected one of year, "}), ("/search?q=x&k=0&offset=-1", {"k": "'0'", "offset": "'-1'"}),
        ("/search?q=x&q=y", {"q": "found 2 times"}), ("/search?q=x&readers=xx-yy-zz-1", {"readers": "BCP 47"}), ("/search?q=x&exact=maybe", {"exact": "'maybe'"}),
        ("/search?q=x&k=", {"k": "found ''"}), ("/search?q=x&k=%D9%A3", {"k": "'٣'"}), ("/publications?country=Kambodscha", {"country": "'Kambodscha'"}),
        ("/publications?year=12", {"year": "'12'"}), ("/facets?q=x", {"q": "no parameters"}), ("/passages/abc/1", {"digest": "'abc'"}), ("/search?q=%20", {"q": "words"}),
        (f"/passages/{DIGEST}/one", {"page": "'one'"}), ("/editions/woods.de/pages?edition_id=x", {"edition_id": "found 2 times"}), ("/search?q=x&language=", {"language": "BCP 47"}),
    ],
)  # fmt: skip
def test_faulty_parameters_are_named_each_with_what_was_expected_and_found(client, api, path, faults):
    answer = client.get("/api/v1" + path)
    validator(api, "Problem").validate(answer.json)
    assert (answer.status_code, answer.mimetype, answer.json["title"]) == (400, "application/problem+json", "Faulty parameters")
    told = {fault["parameter"]: fault["detail"] for fault in answer.json["faults"]}
    assert told.keys() == faults.keys() and all(faults[name] in told[name] for name in told)
    assert 'id="faulty-parameters"' in client.get("/api/").text and answer.json["type"] == "http://localhost/api/#faulty-parameters"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/nowhere", "nothing at /api/nowhere"), ("/api/v2/search?q=x", "/api/ lists"), ("/api/v1/publications/ป่า", "'ป่า'"), ("/api/v1/editions/x/pages", "'x'"),
        (f"/api/v1/passages/{'e' * 16}/1", "eeee"), (f"/api/v1/passages/{'d' * 16}/77", "page 77"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem(client, api, path, says):
    answer = client.get(path)
    validator(api, "Problem").validate(answer.json)
    assert (answer.status_code, answer.mimetype, answer.json["type"], answer.json["title"]) == (
        404,
        "application/problem+json",
        "about:blank",
        "Not Found",
    )
    assert says in answer.json["detail"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_changed_and_the_answer_says_what_can_be_asked(client, method):
    answer = getattr(client, method)("/api/v1/search")
    assert (answer.status_code, answer.mimetype, answer.json["status"]) == (405, "application/problem+json", 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_fault_of_the_server_is_a_problem_that_tells_nothing_of_the_question(client, monkeypatch, caplog):
    client.application.testing = False

    def fail(*_):
        raise RuntimeError("inside")

    monkeypatch.setattr(client.application.extensions["searcher"], "search", fail)
    answer = client.get("/api/v1/search?q=confidential")
    assert (answer.status_code, answer.mimetype, answer.json["title"]) == (500, "application/problem+json", "Internal Server Error")
    assert "inside" not in answer.text and "confidential" not in answer.text + caplog.text


def test_head_and_options_are_answered(client):
    whole, head, options = client.get("/api/v1/status"), client.head("/api/v1/status"), client.options("/api/v1/search")
    assert (head.status_code, head.data, head.headers["ETag"], head.content_length) == (200, b"", whole.headers["ETag"], whole.content_length)
    assert options.status_code == 200 and set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_no_other_site_may_read_answers_in_a_readers_browser(client):
    headers = client.get("/api/v1/status", headers={"Origin": "https://lantern.example"}).headers
    assert not any(name.startswith("Access-Control-") for name, _ in headers)


@pytest.mark.parametrize("path", ["/search?q=forest", "/publications", "/status", "/editions/woods.de/pages"])
def test_an_answer_is_not_made_again_while_nothing_has_changed(client, shelf, monkeypatch, path):
    first = client.get("/api/v1" + path)
    assert {"Accept-Language", "Cookie"} <= set(first.headers["Vary"].split(", "))
    encode = client.application.extensions["searcher"].encoder.encode_queries
    monkeypatch.setattr(client.application.extensions["searcher"].encoder, "encode_queries", None)
    again = client.get("/api/v1" + path, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    monkeypatch.setattr(client.application.extensions["searcher"].encoder, "encode_queries", encode)
    tags = {client.get("/api/v1" + path, headers={"Accept-Language": tag}).headers["ETag"] for tag in ("km", "ar")}
    shelf.set_meta("note", path)
    assert len(tags | {first.headers["ETag"], client.get("/api/v1" + path).headers["ETag"]}) == 4


def test_the_address_before_version_1_leads_there_with_its_parameters(client):
    answer = client.get("/api/search?q=ป่า&language=th&language=lo&k=2")
    assert answer.status_code == 308
    assert client.get(answer.headers["Location"]).json == get(client, "/search", q="ป่า", language=["th", "lo"], k=2)


def test_the_documentation_shows_all_there_is_and_its_examples_work(client, api):
    page = client.get("/api/")
    assert (page.status_code, page.mimetype) == (200, "text/html") and page.text.count("<script") == 1
    for path, methods in api["paths"].items():
        assert f"<code>GET {path}</code>" in page.text
        for parameter in methods["get"]["parameters"]:
            assert f"<code>{parameter['name']}</code>" in page.text
    assert all(f'<section id="{name}">' in page.text for name, schema in api["components"]["schemas"].items() if schema.get("properties"))
    assert set(re.findall(r'href="#(\w+)"', page.text)) <= set(re.findall(r'id="(\w+)"', page.text)) | {"main"}
    examples = [html.unescape(link) for link in re.findall(r'href="(/api/v1/[^"]+)"', page.text)]
    assert len(examples) == len(operations) + 1
    assert [client.get(link).status_code for link in examples] == [200] * len(examples)


def test_an_empty_library_has_a_documentation_page(library, encoder):
    assert "GET /api/v1/search" in create_app(library, encoder).test_client().get("/api/").text


def test_a_description_says_which_parameters_stand_in_the_path_and_which_are_needed(api):
    (digest, page, quote) = api["paths"]["/api/v1/passages/{digest}/{page}"]["get"]["parameters"]
    assert [(one["name"], one["in"], one["required"]) for one in (digest, page, quote)] == [
        ("digest", "path", True), ("page", "path", True), ("quote", "query", False),
    ]  # fmt: skip
    search = {one["name"]: one for one in api["paths"]["/api/v1/search"]["get"]["parameters"]}
    assert (search["q"]["required"], search["q"]["schema"]["maxLength"], search["k"]["schema"]["maximum"], search["k"]["schema"]["default"]) == (
        True,
        1000,
        100,
        10,
    )
    assert search["language"]["schema"]["type"] == "array" and openapi.SCHEMAS.format(model="Hit") in str(
        api["components"]["schemas"]["SearchAnswer"]
    )


def test_the_readme_lists_every_path(api):
    readme = (CORPUS.parent / "README.md").read_text("utf-8").split("### The API")[1].split("\n### ")[0]
    listed = {
        re.sub("[?].*", "", path) for row in readme.splitlines() if row.startswith("| `/") for path in re.findall("`(/[^`]+)`", row.split("|")[1])
    }
    assert {re.sub("[A-Z]+", "*", path) for path in listed} == {re.sub(r"\{\w+\}", "*", path.removeprefix("/api/v1")) for path in api["paths"]}
