from __future__ import annotations

from dataclasses import replace

import pytest
from test_references import PASSAGE, TEXTS

from ingest.imports import read_import
from search_app.references import Reference, bibtex, ris

WHOLE = replace(PASSAGE, translated_title="", page="", quotation="", url="https://lantern.example/x")


def reference(language: str, **changed: object) -> Reference:
    title, author, text = TEXTS[language]
    return replace(WHOLE, language=language, title=title, authors=(author, "Save & Share"), abstract=text, **changed)


def read(text: str):
    return read_import(text.encode())


@pytest.mark.parametrize("write", [ris, bibtex])
@pytest.mark.parametrize("language", TEXTS)
def test_what_is_cited_comes_in_again_as_it_was_in_every_script(write, language):
    wanted = reference(language)
    (entry,) = read(write(wanted)).entries
    found = entry.publication
    assert (found.titles, found.abstracts) == ({language: wanted.title}, {language: wanted.abstract})
    assert (found.year, found.kind, found.publisher, found.doi, found.source) == (wanted.year, wanted.kind, wanted.publisher, wanted.doi, wanted.url)
    assert [name.replace("،", ",") for name in found.authors] == [name.replace("،", ",") for name in wanted.authors]
    assert [(edition.language, edition.part) for edition in found.editions] == [(language, "whole")]


@pytest.mark.parametrize("write", [ris, bibtex])
def test_editions_that_are_cited_one_by_one_become_one_publication_again(write):
    (entry,) = read(
        "\n".join(write(reference(language, part=part)) for language, part in (("th", "whole"), ("km", "executive summary"), ("ar", "annex")))
    ).entries
    assert [(edition.language, edition.part) for edition in entry.publication.editions] == [
        ("th", "whole"),
        ("km", "executive summary"),
        ("ar", "annex"),
    ]
    assert entry.publication.titles == {language: TEXTS[language][0] for language in ("th", "km", "ar")} and entry.publication.kind == WHOLE.kind


def test_ris_of_other_programs_is_read_too():
    text = "TY - RPRT\r\nT1 - Woods\r\nA1 - Garcia, Ana\r\nY1 - 2019/05/01/\r\nLA - English; Spanish\r\nKW - water\r\nKW - wood\r\nN2 - About woods.\r\nSN - 316148410X\r\nX9 - shelf\r\nER -\r\n"
    found = read(text)
    (entry,) = found.entries
    one = entry.publication
    assert (one.titles, one.authors, one.year, one.topics, one.isbn) == ({"en": "Woods"}, ("Garcia, Ana",), 2019, ("water", "wood"), "9783161484100")
    assert [edition.label for edition in one.editions] == ["English", "Spanish"] and found.problems == ()


def test_a_reference_without_its_end_is_taken_and_said_and_hides_no_other():
    found = read("TY  - RPRT\nTI  - Woods\nLA  - en\n\nTY  - BOOK\nTI  - 水\nLA  - zh\nER  - \n")
    assert [list(entry.publication.titles.values()) for entry in found.entries] == [["Woods"], ["水"]]
    assert [(problem.line, problem.remark.code) for problem in found.problems] == [(1, "unended")]


def test_bibtex_is_read_with_its_accents_macros_and_names():
    text = r"""@string{lantern = "Lantern Network"}
@comment{nothing}
@techreport{a, title = {{Ni\~nos \& {\"O}l: 100\% \$5}}, author = {Garc{\'i}a, Ana and {Save the Children} and de la Cruz, Maria and 李明},
  institution = lantern, year = 2020, language = {spanish}, doi = {10.5555/ABC}}
"""
    (entry,) = read(text).entries
    one = entry.publication
    assert one.titles == {"es": "Niños & Öl: 100% $5"} and one.authors == ("García, Ana", "Save the Children", "de la Cruz, Maria", "李明")
    assert (one.publisher, one.doi, one.year) == ("Lantern Network", "10.5555/abc", 2020)


def test_a_bibtex_entry_without_its_brace_is_named_with_its_line_and_hides_no_other():
    found = read("@book{a, title = {Woods}, language = {en}}\n@book{b, title = {Sea, year = 2020\n@book{c, title = {Rivers}, language = {en}}\n")
    assert [list(entry.publication.titles.values()) for entry in found.entries] == [["Woods"], ["Rivers"]]
    assert [(problem.line, problem.remark.code) for problem in found.problems] == [(2, "no entry")]
