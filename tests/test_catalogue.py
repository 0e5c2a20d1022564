from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from conftest import CORPUS, pdf_of

from ingest.catalogue import NoPublicationsError, read_catalogue, sha256
from ingest.records import Edition, Publication

RIGHT = '[title]\nth = "ป่า"\n[[editions]]\nlanguage = "th"\n'


@pytest.fixture
def corpus(tmp_path):
    """Write entries: corpus("name", text, "th.pdf", ...) -> the folder of all."""

    def write(name: str, entry: str | bytes, *pdfs: str) -> Path:
        folder = tmp_path / "corpus" / name
        folder.mkdir(parents=True)
        (folder / "publication.toml").write_bytes(entry.encode() if isinstance(entry, str) else entry)
        for pdf in pdfs:
            (folder / pdf).write_bytes(b"%PDF-" + pdf.encode())
        return tmp_path / "corpus"

    return write


def ids(catalogue):
    return [entry.publication.publication_id for entry in catalogue.entries]


def test_a_right_entry_becomes_a_publication_with_its_editions(corpus):
    entry = """
year = 2019
kind = "study"
topics = ["forest  people", "water"]
countries = ["KH", "BO"]
source = "https://lantern.example/woods"
title = { "zh-hans" = "森林", ar = "  الغابة\\n الكبيرة " }
abstract = { ar = "عن الغابة." }
[[editions]]
language = "zh-hans"
label = "Chinese"
file = "zh.pdf"
[[editions]]
language = "ar"
part = "executive summary"
"""
    (found,) = read_catalogue(corpus("woods", entry, "zh.pdf")).entries
    digest = hashlib.sha256(b"%PDF-zh.pdf").hexdigest()
    editions = (
        Edition("woods.zh-Hans", "woods", "zh-Hans", "Chinese", "whole", digest),
        Edition("woods.ar.executive-summary", "woods", "ar", "", "executive summary", None),
    )
    titles, abstracts = {"zh-Hans": "森林", "ar": "الغابة الكبيرة"}, {"ar": "عن الغابة."}
    topics = ("forest people", "water")
    assert found.publication == Publication(
        "woods", titles, abstracts, 2019, "study", topics, ("KH", "BO"), "https://lantern.example/woods", editions
    )
    assert [(key, path.name) for key, path in found.files.items()] == [("woods.zh-Hans", "zh.pdf")]
    assert found.catalogued


def test_an_entry_may_say_who_wrote_it_and_by_what_numbers_it_is_known(corpus):
    entry = 'authors = ["สมชาย  ใจดี", "Ana Quispe"]\npublisher = "Lantern"\nisbn = "3-16-148410-X"\ndoi = "https://doi.org/10.5555/ABC.1"\n' + RIGHT
    (found,) = read_catalogue(corpus("woods", entry)).entries
    said = found.publication
    assert (said.authors, said.publisher, said.isbn, said.doi) == (("สมชาย ใจดี", "Ana Quispe"), "Lantern", "9783161484100", "10.5555/abc.1")


def test_the_sample_library_is_described_without_a_fault():
    catalogue = read_catalogue(CORPUS)
    languages = {edition.language for entry in catalogue.entries for edition in entry.publication.editions}
    assert catalogue.problems == () and {"am", "ar", "bn", "de-AT", "fa", "hi", "km", "lo", "my", "th", "uk", "zh"} <= languages


@pytest.mark.parametrize(
    ("entry", "key", "expected", "found"),
    [
        ('year = "2020"\n' + RIGHT, "year", "valid integer", "'2020'"),
        ("year = 20\n" + RIGHT, "year", "greater than or equal to 1000", "20"),
        ('countries = ["KH", "bo"]\n' + RIGHT, "countries.1", "ISO 3166-1", "'bo'"),
        ('countries = ["XX"]\n' + RIGHT, "countries.0", "ISO 3166-1", "'XX'"),
        ('topics = "water"\n' + RIGHT, "topics", "valid list", "'water'"),
        ('topics = [" "]\n' + RIGHT, "topics.0", "expected some text", "' '"),
        ('source = "ftp://lantern.example"\n' + RIGHT, "source", "begins with \"https://\"", "'ftp://lantern.example'"),
        ('isbn = "978-3-16-148410-1"\n' + RIGHT, "isbn", "check digit", "'978-3-16-148410-1'"),
        ('doi = "doi:11.1000/1"\n' + RIGHT, "doi", "expected a DOI", "'doi:11.1000/1'"),
        ('titel = "ป่า"\n' + RIGHT, "titel", "not permitted", "'ป่า'"),
        ('[[editions]]\nlanguage = "my"\n', "title", "required", "nothing"),
        ('[title]\nmy = " "\n[[editions]]\nlanguage = "my"\n', "title.my", "expected some text", "' '"),
        ('[title]\nKhmer = "ព្រៃ"\n[[editions]]\nlanguage = "km"\n', "title.Khmer", "BCP 47", "'Khmer'"),
        ('[title]\nkm = "ព្រៃ"\n', "editions", "required", "nothing"),
        ('editions = []\n[title]\nkm = "ព្រៃ"\n', "editions", "at least 1", "[]"),
        (RIGHT.replace('language = "th"', 'language = "Thai"'), "editions.0.language", "BCP 47", "'Thai'"),
        (RIGHT + 'part = "chapter"\n', "editions.0.part", "'executive summary'", "'chapter'"),
        (RIGHT + 'file = "th.pdf"\n', "editions.0.file", "(.html, .htm) in this folder", "'th.pdf'"),
        (RIGHT + 'file = "../elsewhere/th.pdf"\n', "editions.0.file", "(.html, .htm) in this folder", "'../elsewhere/th.pdf'"),
        (RIGHT + 'pages = 3\n', "editions.0.pages", "not permitted", "3"),
        (RIGHT + '[[editions]]\nlanguage = "TH"\n', "editions.1", "one edition for a language and part", "'th', 'whole' twice"),
    ],
)  # fmt: skip
def test_a_wrong_entry_says_where_what_was_expected_and_what_was_found(corpus, entry, key, expected, found):
    folder = corpus("woods", entry)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "th.pdf").write_bytes(b"%PDF-")
    (problem,) = read_catalogue(folder).problems
    path, at, rest = problem.split(": ", 2)
    assert (path, at) == (str(folder / "woods" / "publication.toml"), key)
    assert expected in rest and found in rest


def test_a_publication_without_a_title_says_so(tmp_path):
    (tmp_path / "publication.toml").write_text('title = {}\n[[editions]]\nlanguage = "my"\n', "utf-8")
    assert (read_catalogue(tmp_path).problems, read_catalogue(tmp_path).entries[0].publication.titles) == ((), {})


@pytest.mark.parametrize(("entry", "reason"), [('[title]\nth = "ป่า"\nth = x\n', "at line 3"), ('[title]\nfr = "forêt"\n'.encode("latin-1"), "UTF-8")])
def test_a_file_that_is_no_toml_in_utf_8_is_reported_with_its_place(corpus, entry, reason):
    catalogue = read_catalogue(corpus("woods", entry))
    (problem,) = catalogue.problems
    assert "woods/publication.toml: expected TOML in UTF-8" in problem and reason in problem
    assert catalogue.faulty == {"woods"}


def test_all_faults_of_all_publications_are_reported_and_hide_no_right_entry(corpus):
    corpus("a", 'year = 1\nkinds = "x"\n' + RIGHT)
    corpus("b", RIGHT)
    catalogue = read_catalogue(corpus("c", "[title"))
    assert [problem.split("/")[-2] for problem in catalogue.problems] == ["a", "a", "c"]
    assert (ids(catalogue), catalogue.faulty) == (["b"], {"a", "c"})


def test_a_pdf_that_no_edition_names_is_reported_and_the_publication_kept(corpus):
    catalogue = read_catalogue(corpus("woods", RIGHT + 'file = "th.pdf"\n', "th.pdf", "ລາວ.PDF"))
    (problem,) = catalogue.problems
    assert "found no edition for 'ລາວ.PDF'" in problem
    assert (ids(catalogue), catalogue.faulty) == (["woods"], frozenset())


def test_a_missing_file_leaves_the_publication_in_the_catalogue_without_a_digest(corpus):
    (entry,) = read_catalogue(corpus("woods", RIGHT + 'file = "th.pdf"\n')).entries
    assert entry.publication.editions[0].digest is None and list(entry.files) == ["woods.th"]


def test_two_folders_of_one_name_are_not_taken_for_one_publication(corpus):
    corpus("south/woods", RIGHT)
    catalogue = read_catalogue(corpus("north/woods", RIGHT))
    assert "found 'woods' twice" in catalogue.problems[0] and "woods" in catalogue.faulty


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Annual Report 2020.pdf", "annual-report-2020"), ("ป่าไม้ และน้ำ.PDF", "ป่าไม้-และน้ำ"), ("ព្រៃឈើ.pdf", "ព្រៃឈើ"), ("वन/जल.pdf", "वन-जल"),
        ("الغابة_١.pdf", "الغابة-١"), ("森林.pdf", "森林"), ("Rừng.pdf", "rừng"), ("Лес (копия).pdf", "лес-копия"),
    ],
)  # fmt: skip
def test_a_bare_pdf_is_a_publication_named_after_its_path(tmp_path, file, name):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pdf_of(["x"]))
    (entry,) = read_catalogue(tmp_path).entries
    assert (entry.publication.publication_id, entry.catalogued) == (name, False)
    assert entry.publication.editions == (Edition(f"{name}.und", name, "und", "", "whole", sha256(path)),)


def test_bare_pdfs_whose_names_differ_in_signs_only_stay_two_publications(tmp_path):
    for file in ("森林 1.pdf", "森林+1.pdf", "＊.pdf"):
        (tmp_path / file).write_bytes(b"%PDF-")
    found = ids(read_catalogue(tmp_path))
    assert len(set(found)) == 3 and "森林-1" in found and "" not in found


def test_pdfs_below_a_described_folder_are_not_bare(corpus):
    folder = corpus("woods", RIGHT + 'file = "annexes/th.pdf"\n')
    (folder / "woods" / "annexes").mkdir()
    (folder / "woods" / "annexes" / "th.pdf").write_bytes(b"%PDF-")
    catalogue = read_catalogue(folder)
    assert (ids(catalogue), catalogue.problems) == (["woods"], ())


def test_an_empty_folder_says_so_instead_of_emptying_the_library(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(NoPublicationsError, match=r"No publication.toml under .*, nor a PDF, a Word file \(.docx\) or .*nothing was changed"):
        read_catalogue(tmp_path)


def test_word_files_and_web_pages_are_publications_too_and_of_one_name_the_pdf_keeps_it(tmp_path):
    for name in ("ป่า.docx", "ป่า.pdf", "森林.html", "Rừng.HTM"):
        (tmp_path / name).write_bytes(name.encode())
    catalogue = read_catalogue(tmp_path)
    assert catalogue.problems == ()
    found = {path.name: entry.publication.publication_id for entry in catalogue.entries for path in entry.files.values()}
    assert found.pop("ป่า.docx").startswith("ป่า-")
    assert found == {"ป่า.pdf": "ป่า", "森林.html": "森林", "Rừng.HTM": "rừng"}


@pytest.mark.parametrize("name", ["x.doc", "رپورت.odt", "x.EPUB", "x.txt", "x.rtf"])
def test_a_publication_in_another_format_is_refused_with_what_is_read_and_what_to_do(tmp_path, name):
    for file in ("good.pdf", "cover.jpg", name):
        (tmp_path / file).write_bytes(b"x")
    catalogue = read_catalogue(tmp_path)
    (problem,) = catalogue.refused
    assert catalogue.problems == () and problem.startswith(
        f"{tmp_path / name}: expected a PDF, a Word file (.docx) or an HTML file (.html, .htm), found "
    )
    assert problem.endswith("save it as PDF or .docx") and ids(catalogue) == ["good"] and catalogue.complete


def test_an_edition_in_another_format_is_refused_and_the_publication_kept(corpus):
    catalogue = read_catalogue(corpus("woods", RIGHT + 'file = "th.odt"\n', "th.odt"))
    (problem,) = catalogue.problems
    assert "editions.0.file: expected a PDF" in problem and "found 'th.odt'; open it in" in problem
    assert catalogue.entries[0].publication.editions[0].digest is None
