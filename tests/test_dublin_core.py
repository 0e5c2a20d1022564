from __future__ import annotations

import pytest
from test_oai import CARD, SITE

from ingest.encodings import UnreadableImportError
from ingest.imports import read_import
from search_app.oai import Record, Repository

BARE = """<?xml version="1.0" encoding="ISO-8859-1"?>
<records xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/">
 <record><dc:title xml:lang="km">ព្រៃ</dc:title><dc:title xml:lang="en">Woods &amp; water</dc:title><dc:language>km</dc:language><dc:language>eng</dc:language>
  <dc:creator>Sok, Srey</dc:creator><dc:date>2021-03-04</dc:date><dc:identifier>https://lantern.example/woods</dc:identifier>
  <dc:identifier>urn:isbn:9783161484100</dc:identifier><dc:identifier>https://doi.org/10.5555/X.1</dc:identifier><dc:coverage>Cambodia</dc:coverage><dc:rights>free</dc:rights></record>
 <record><t:title>Les forêts où vont les écoliers</t:title><t:issued>2019</t:issued><dc:language>French</dc:language></record>
</records>"""


def harvested(*works):
    return Repository(SITE, [Record(one, "2024-01-01T00:00:00Z") for one in works]).answer([("verb", "ListRecords"), ("metadataPrefix", "oai_dc")])


def test_what_is_harvested_here_comes_in_again():
    found = read_import(harvested(CARD))
    (entry,) = found.entries
    one = entry.publication
    assert (found.form, found.problems, one.publication_id, entry.named) == ("dublin-core", (), CARD.publication_id, True)
    assert one.titles == {**CARD.titles, "en": "One <Card> & Co"} and one.abstracts == CARD.abstracts
    assert [edition.language for edition in one.editions] == [edition.language for edition in CARD.editions]
    assert (one.authors, one.year, one.topics, one.countries, one.doi, one.isbn) == (
        CARD.authors,
        CARD.year,
        CARD.topics,
        CARD.countries,
        CARD.doi,
        CARD.isbn,
    )


def test_bare_dublin_core_is_read_whatever_encoding_its_declaration_claims():
    found = read_import(BARE.encode())
    woods, forests = (entry.publication for entry in found.entries)
    assert woods.titles == {"km": "ព្រៃ", "en": "Woods & water"} and [edition.language for edition in woods.editions] == ["km", "en"]
    assert (woods.year, woods.isbn, woods.doi, woods.source, woods.countries) == (
        2021,
        "9783161484100",
        "10.5555/x.1",
        "https://lantern.example/woods",
        ("KH",),
    )
    assert forests.titles == {"fr": "Les forêts où vont les écoliers"} and forests.year == 2019
    assert [dict(remark.about) for remark in found.remarks] == [{"names": "rights"}]


def test_deleted_records_errors_and_a_list_that_goes_on_are_said():
    text = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><ListRecords>
    <record><header status="deleted"><identifier>oai:x:1</identifier></header></record>
    <record><header><identifier>oai:x:10/2</identifier></header><metadata><dc:title xml:lang="he">יער</dc:title><dc:language>heb</dc:language></metadata></record>
    <resumptionToken>abc</resumptionToken></ListRecords></OAI-PMH>"""
    found = read_import(text.encode())
    assert [entry.publication.publication_id for entry in found.entries] == ["10-2"]
    assert [(problem.line, problem.remark.code) for problem in found.problems] == [(2, "deleted")] and [remark.code for remark in found.remarks] == [
        "more"
    ]
    refused = read_import(b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="badArgument">no</error></OAI-PMH>')
    assert refused.entries == () and [problem.remark.code for problem in refused.problems] == ["refused"]


def test_damaged_xml_says_where_and_hides_no_sound_record():
    found = read_import(BARE.replace("2021-03-04", "2021 < 2022").encode())
    assert [problem.remark.code for problem in found.problems][:1] == ["broken"] and found.problems[0].line == 4
    assert {"fr": "Les forêts où vont les écoliers"} in [entry.publication.titles for entry in found.entries]


@pytest.mark.parametrize(
    "declared", ['<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', '<!DOCTYPE r [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]>']
)
def test_entities_are_refused(declared):
    text = f'{declared}<r xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&x;</dc:title></r>'
    with pytest.raises(UnreadableImportError, match="DOCTYPE"):
        read_import(text.encode(), "dublin-core")
