from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import pytest
from filling import publication
from lxml import etree

from search_app.oai import AT_ONCE, Record, Repository, Site

NAMES = {
    "o": "http://www.openarchives.org/OAI/2.0/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SITE = Site(
    "https://lantern.example/oai",
    "lantern.example",
    lambda one: f"https://lantern.example/publications/{quote(one.publication_id)}",
    lambda _: ["application/pdf"],
    str.upper,
)
CARD = publication(
    "card", ["ar", "fa", "en"], titles={"ar": "بطاقة واحدة", "fa": "یک کارت", "en": "One <Card> & Co\x0b"}, abstracts={"fa": "این پژوهش"}, year=2024,
    authors=("الجبوري، سارة", "Lantern & Co"), publisher="شبكة", topics=("case work",), countries=("IQ",), doi="10.5555/x", isbn="9783161484100", source="https://a.example/?b&c",
)  # fmt: skip
CARD_ID = "oai:lantern.example:card"
HOUSE = publication("ផ្ទះ", ["km"])
RECORDS = [Record(CARD, "2024-02-29T12:00:00Z"), Record(HOUSE, "2024-03-01T00:00:00Z")]


def answer(records=RECORDS, /, *repeated: tuple[str, str], **asked: str) -> etree._Element:
    """The answer to some arguments; `from_` stands for "from"."""
    root = etree.fromstring(Repository(SITE, records).answer([*((name.rstrip("_"), value) for name, value in asked.items()), *repeated]))
    assert [child.tag.split("}")[1] for child in root][:2] == ["responseDate", "request"] and len(root) == 3
    datetime.strptime(root[0].text, "%Y-%m-%dT%H:%M:%SZ")
    assert root[1].text == SITE.base_url
    return root


def found(path: str, root: etree._Element) -> list[str]:
    return [one if isinstance(one, str) else one.text for one in root.xpath(path, namespaces=NAMES)]


def code(*args, **asked: str) -> str:
    (said,) = found("/o:OAI-PMH/o:error/@code", answer(*args, **asked))
    return said


def listed(**asked: str) -> list[str]:
    return [one.rsplit(":", 1)[1] for one in found("//o:identifier", answer(verb="ListIdentifiers", metadataPrefix="oai_dc", **asked))]


def test_it_says_who_it_is():
    root = answer(verb="Identify")
    assert dict(root[1].attrib) == {"verb": "Identify"}
    assert [(child.tag.split("}")[1], child.text) for child in root[2]] == [
        ("repositoryName", "Isogloss"), ("baseURL", SITE.base_url), ("protocolVersion", "2.0"), ("adminEmail", "postmaster@lantern.example"),
        ("earliestDatestamp", "2024-02-29T12:00:00Z"), ("deletedRecord", "no"), ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
    ]  # fmt: skip


def test_a_record_holds_the_publication_in_dublin_core_with_its_languages():
    root = answer(verb="GetRecord", identifier=CARD_ID, metadataPrefix="oai_dc")
    (metadata,) = root.xpath("//o:GetRecord/o:record/o:metadata/oai_dc:dc", namespaces=NAMES)
    assert [(child.tag.split("}")[1], child.text, child.get(LANG)) for child in metadata] == [
        ("title", "بطاقة واحدة", "ar"), ("title", "یک کارت", "fa"), ("title", "One <Card> & Co", "en"), ("description", "این پژوهش", "fa"),
        ("creator", "الجبوري، سارة", None), ("creator", "Lantern & Co", None), ("subject", "case work", None), ("publisher", "شبكة", None), ("date", "2024", None),
        ("type", "Text", None), ("type", "study", None), ("format", "application/pdf", None), ("identifier", "https://lantern.example/publications/card", None),
        ("identifier", "https://doi.org/10.5555/x", None), ("identifier", "urn:isbn:9783161484100", None), ("source", "https://a.example/?b&c", None),
        ("language", "ar", None), ("language", "fa", None), ("language", "en", None), ("coverage", "IQ", None),
    ]  # fmt: skip
    assert {child.tag.split("}")[0] + "}" for child in metadata} == {"{http://purl.org/dc/elements/1.1/}"}
    header = root.xpath("//o:record/o:header", namespaces=NAMES)[0]
    assert [child.text for child in header] == [CARD_ID, "2024-02-29T12:00:00Z", "ar", "fa", "en"]


def test_identifiers_of_every_script_are_addresses_and_lead_back():
    (identifier,) = found("//o:identifier", answer(verb="ListIdentifiers", metadataPrefix="oai_dc", set="km"))
    assert identifier.isascii() and found("//dc:title", answer(verb="GetRecord", identifier=identifier, metadataPrefix="oai_dc")) == ["ផ្ទះ (km)"]


def test_formats_and_sets_are_listed():
    assert (
        found("//o:metadataPrefix", answer(verb="ListMetadataFormats"))
        == found("//o:metadataPrefix", answer(verb="ListMetadataFormats", identifier=CARD_ID))
        == ["oai_dc"]
    )
    assert found("//o:setSpec", answer(verb="ListSets")) == ["ar", "en", "fa", "km"] and found("//o:setName", answer(verb="ListSets"))[3] == "KM"


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, ["card", "%E1%9E%95%E1%9F%92%E1%9E%91%E1%9F%87"]), ({"set": "fa"}, ["card"]), ({"until": "2024-02-29"}, ["card"]), ({"from_": "2024-02-29", "until": "2024-02-29"}, ["card"]),
        ({"from_": "2024-02-29T12:00:00Z", "until": "2024-02-29T12:00:00Z"}, ["card"]), ({"from_": "2024-03-01", "set": "km"}, ["%E1%9E%95%E1%9F%92%E1%9E%91%E1%9F%87"]),
    ],
)  # fmt: skip
def test_what_is_listed_can_be_narrowed_down_by_date_and_language(asked, ids):
    assert listed(**asked) == ids


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "badVerb"), ({"verb": "Give"}, "badVerb"), ({"verb": "Identify", "q": "x"}, "badArgument"), ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "GetRecord", "identifier": CARD_ID}, "badArgument"), ({"verb": "GetRecord", "identifier": "card", "metadataPrefix": "oai_dc"}, "idDoesNotExist"),
        ({"verb": "GetRecord", "identifier": CARD_ID, "metadataPrefix": "marc21"}, "cannotDisseminateFormat"), ({"verb": "ListMetadataFormats", "identifier": "x"}, "idDoesNotExist"),
        ({"verb": "ListRecords", "metadataPrefix": "marc21"}, "cannotDisseminateFormat"), ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "xx"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from_": "2030-01-01"}, "noRecordsMatch"), ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "1999-01-01"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from_": "2024-02-30"}, "badArgument"), ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from_": "2024"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from_": "2024-03-01", "until": "2024-02-01"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from_": "2024-03-01", "until": "2024-03-01T00:00:00Z"}, "badArgument"),
        ({"verb": "ListRecords", "resumptionToken": "x", "metadataPrefix": "oai_dc"}, "badArgument"), ({"verb": "ListRecords", "resumptionToken": "no!"}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "ก"}, "badResumptionToken"), ({"verb": "ListRecords", "resumptionToken": ""}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "YT1i"}, "badResumptionToken"), ({"verb": "ListSets", "resumptionToken": "YT1i"}, "badResumptionToken"),
        ({"verb": "Identify", "x": "\x01"}, "badArgument"),
    ],
)  # fmt: skip
def test_what_the_harvester_does_wrong_has_the_code_of_the_protocol(asked, expected):
    assert code(**asked) == expected


def test_an_argument_given_twice_is_refused():
    assert code(RECORDS, ("verb", "Identify"), verb="Identify") == "badVerb"
    assert code(RECORDS, ("identifier", CARD_ID), verb="ListMetadataFormats", identifier=CARD_ID) == "badArgument"


def test_only_a_request_that_was_understood_is_repeated_in_the_answer():
    assert dict(answer(verb="GetRecord", identifier="x", metadataPrefix="oai_dc")[1].attrib) == {
        "verb": "GetRecord",
        "identifier": "x",
        "metadataPrefix": "oai_dc",
    }
    assert dict(answer(verb="Give")[1].attrib) == dict(answer(verb="Identify", q="x")[1].attrib) == {}


def test_an_empty_library_still_answers():
    assert found("//o:earliestDatestamp", answer([], verb="Identify")) == ["2000-01-01T00:00:00Z"]
    assert (code([], verb="ListSets"), code([], verb="ListRecords", metadataPrefix="oai_dc")) == ("noSetHierarchy", "noRecordsMatch")


def test_long_lists_are_given_in_parts_that_lose_nothing_though_the_library_changes_between_them():
    many = [Record(publication(f"p{number:03}", ["th" if number % 2 else "lo"]), "2024-01-01T00:00:00Z") for number in range(4 * AT_ONCE + 2)]
    asked, ids, tokens = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "lo", "from_": "2024-01-01"}, [], []
    while asked:
        root = answer(many, **asked)
        ids += found("//o:identifier", root)
        (token,) = root.xpath("//o:resumptionToken", namespaces=NAMES)
        tokens.append((token.get("cursor"), token.get("completeListSize"), bool(token.text)))
        asked = {"verb": "ListIdentifiers", "resumptionToken": token.text} if token.text else {}
        if len(tokens) == 1:
            many.insert(0, Record(publication("aaa", ["lo"]), "2024-01-01T00:00:00Z"))
    assert ids == [f"oai:lantern.example:p{number:03}" for number in range(0, 4 * AT_ONCE + 2, 2)]
    assert tokens == [("0", "201", True), ("101", "202", True), ("201", "202", False)]


def test_a_list_that_fits_has_no_token():
    assert answer(verb="ListRecords", metadataPrefix="oai_dc").xpath("//o:resumptionToken", namespaces=NAMES) == []


def test_a_host_without_a_dot_still_has_an_address_of_mail_that_the_schema_allows():
    site = Site("http://localhost:8000/oai", "localhost", SITE.address, SITE.media_types, str)
    assert b"<adminEmail>postmaster@localhost.localdomain</adminEmail>" in Repository(site, []).answer([("verb", "Identify")])
