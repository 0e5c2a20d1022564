from __future__ import annotations

import pytest

from ingest.imports import read_import

ROWS = "publication_id,title,language,label,part,year,kind,topics,countries,source,authors,publisher,isbn,doi,abstract,file\n"


def entries(text, form="csv"):
    return read_import(text.encode() if isinstance(text, str) else text, form).entries


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_dialect_is_read_and_rows_of_one_id_are_editions_of_one_publication(delimiter):
    text = "id,title,language,year\nwoods,Wälder,de,2020\nwoods,ป่า,th,2020\nsea,البحر,ar,2021\n".replace(",", delimiter)
    woods, sea = entries(text)
    assert woods.publication.titles == {"de": "Wälder", "th": "ป่า"} and [one.edition_id for one in woods.publication.editions] == [
        "woods.de",
        "woods.th",
    ]
    assert (sea.publication.publication_id, sea.publication.year, sea.named) == ("sea", 2021, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_what_excel_writes_is_read_in_its_encodings(encoding):
    text = 'sep=;\r\nTítulo;Available in;Autores;DOI\r\n"ព្រៃ; និង ទឹក";Khmer, English;"Sok, Srey; Lantern Network";https://doi.org/10.5555/ABC.1\r\n'
    (entry,) = entries(text.encode(encoding), "")
    assert entry.publication.titles == {"km": "ព្រៃ; និង ទឹក"} and entry.publication.authors == ("Sok, Srey", "Lantern Network")
    assert [edition.language for edition in entry.publication.editions] == ["km", "en"] and entry.publication.doi == "10.5555/abc.1"


def test_a_code_page_is_guessed_and_said():
    found = read_import("title;language;year\nLes forêts et les écoles où vont les élèves;Français;2020\n".encode("cp1252"))
    assert list(found.entries[0].publication.titles.values()) == ["Les forêts et les écoles où vont les élèves"] and [
        remark.code for remark in found.remarks
    ] == ["encoding"]


def test_titles_in_columns_of_their_language_and_names_of_columns_in_other_languages():
    (entry,) = entries('title_es,Title (English),title [zh-Hans],languages,año\nBosques,Woods,森林,"Español, English, 中文",2019\n')
    assert entry.publication.titles == {"es": "Bosques", "en": "Woods", "zh-Hans": "森林"} and entry.publication.year == 2019


def test_rows_of_one_doi_or_isbn_belong_together_and_what_differs_is_said():
    text = "title,language,doi,isbn,year\nWoods,en,10.5555/x,,2019\nWald,de,https://doi.org/10.5555/X,,2020\nSea,en,,978-3-16-148410-0,\nMar,es,,316148410X,\n"
    woods, sea = entries(text)
    assert woods.publication.titles == {"en": "Woods", "de": "Wald"} and [
        remark.about["other"] for remark in woods.remarks if remark.code == "differs"
    ] == ["2020"]
    assert sea.publication.titles == {"en": "Sea", "es": "Mar"} and sea.publication.isbn == "9783161484100"


def test_a_bad_row_is_named_with_its_line_and_hides_no_other():
    found = read_import(b'id,title,language\na,Woods,en\nb,Sea,en,too,many\nc,"Hills" x,en\nd,Rivers,en\n')
    assert [entry.publication.publication_id for entry in found.entries] == ["a", "d"]
    assert [(problem.line, problem.remark.code) for problem in found.problems] == [(3, "cells"), (4, "quoted wrongly")]


def test_a_value_that_cannot_be_is_left_out_and_flagged_and_the_row_stays():
    (entry,) = entries("title,language,year,isbn,countries,url\nWoods,en,next spring,978-3-16-148410-1,Atlantis; Bolivia,lantern\n")
    assert (entry.publication.year, entry.publication.isbn, entry.publication.countries, entry.publication.source) == (None, "", ("BO",), "")
    assert {remark.about["field"] for remark in entry.flagged} == {"year", "isbn", "countries", "source"}


def test_years_in_other_digits_are_read_and_those_of_other_calendars_are_not_guessed():
    first, second = entries("title,language,year\nغابة,ar,٢٠٢٠\nป่า,th,๒๕๖๓\n")
    assert (first.publication.year, second.publication.year) == (2020, None) and [remark.code for remark in second.flagged] == ["value"]


def test_a_formula_that_was_disarmed_comes_in_as_it_was():
    (entry,) = entries(ROWS + "woods,'=SUM(A1),en,English,whole,2020,,,,,,,,,'-list,\n")
    assert entry.publication.titles == {"en": "=SUM(A1)"} and entry.publication.abstracts == {"en": "-list"}


def test_columns_without_a_place_are_named():
    assert [dict(remark.about) for remark in read_import(b"title,language,shelf,colour\nWoods,en,3,red\n").remarks] == [{"names": "shelf, colour"}]


def test_a_named_format_that_it_is_not_says_what_was_expected():
    found = read_import(b"one,two\n1,2\n", "csv")
    assert found.entries == () and found.problems[0].remark.code == "columns"


def test_a_row_without_a_language_is_told_by_its_text():
    (entry,) = entries("title,abstract\nDie Wälder und die Schulen am Fluss,Was die Kinder auf dem Weg zur Schule erleben und wer sie schützt.\n")
    assert [edition.language for edition in entry.publication.editions] == ["de"] and [remark.code for remark in entry.remarks] == ["language"]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (',"English, Tamil"', [("en", "English"), ("ta", "Tamil")]),
        ('"anglais, tamoul","English, Tamil"', [("en", "anglais"), ("ta", "tamoul")]),
        ('one label,"ไทย, ខ្មែរ, አማርኛ"', [("th", "ไทย"), ("km", "ខ្មែរ"), ("am", "አማርኛ")]),
        ("Austrian,de-AT", [("de-AT", "Austrian")]),
        ("Austrian,", [("de-AT", "Austrian")]),
        ('"English, Tamil",', [("en", "English"), ("ta", "Tamil")]),
    ],
)
def test_several_languages_in_a_cell_are_several_editions_beside_a_column_of_labels_too(cells, found):
    (entry,) = entries(f"title,label,language\nA forest and a river,{cells}\n")
    assert [(edition.language, edition.label) for edition in entry.publication.editions] == found
