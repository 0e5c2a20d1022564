from __future__ import annotations

import pytest
from conftest import CORPUS
from test_structure import pages_of

from ingest.pdf import read_pdf
from ingest.proposal import propose
from ingest.records import Page
from ingest.structure import headings


def proposed(texts, **metadata: str):
    pages = [Page("x", number, str(number), text.text.text, "good") for number, text in enumerate(texts, start=1)]
    return propose(pages, headings(texts, []), metadata)


def proposal_of(*paragraphs: str, **metadata: str):
    return proposed(pages_of([(text, 10.0) for text in paragraphs]), **metadata)


@pytest.mark.parametrize(
    ("printed", "isbn"),
    [("ISBN 978-3-16-148410-0", "9783161484100"), ("ISBN: 3-16-148410-X", "9783161484100"), ("ISBN 978 616 8000 00 5", ""), ("ISBN‐13 978–3–16–148410–0", "9783161484100"),
     ("978-3-16-148410-0", ""), ("ISBN 978-3-16-148410-1", "")],
)  # fmt: skip
def test_an_isbn_is_proposed_if_its_check_digit_is_right(printed, isbn):
    assert proposal_of(f"เครือข่าย {printed} กรุงเทพ").isbn == isbn


@pytest.mark.parametrize(
    ("printed", "doi"), [("https://doi.org/10.1000/XYZ-12.", "10.1000/xyz-12"), ("DOI 10.5281/zenodo.123）", "10.5281/zenodo.123"), ("10.5 12/3", "")]
)
def test_a_doi_is_found_without_the_stop_behind_it(printed, doi):
    assert proposal_of(f"参见 {printed}").doi == doi


@pytest.mark.parametrize(
    ("text", "created", "year"),
    [
        ("Juin 2019. Réédité en 2021", "", 2019),
        ("กันยายน 2563", "", 2020),
        ("2016, for 2030", "D:20180401", 2016),
        ("report for 2030", "D:20180401", None),
        ("সেপ্টেম্বর ২০২১", "", 2021),
        ("၂၀၂၁ ခုနှစ်", "", 2021),
        ("ខែមករា ឆ្នាំ២០២០", "", 2020),
        ("فروردین ۱۴۰۳، پژوهش", "", 2024),
        ("يناير ٢٠١٩", "", 2019),
        ("ກັນຍາ 2563", "", 2020),
        ("no year", "", None),
    ],
)
def test_the_year_is_the_first_one_that_is_not_later_than_the_file_in_any_digits(text, created, year):
    assert proposal_of(text, CreationDate=created).year == year


def test_the_title_is_that_of_the_metadata_unless_a_program_wrote_it():
    assert proposal_of("الغابة والماء", Title="  Forest  and water ").title == "Forest and water"
    assert [proposal_of("الغابة والماء", Title=said).title for said in ("Microsoft Word - final.doc", "report.indd", "")] == ["الغابة والماء"] * 3


def test_authors_are_told_apart():
    assert proposal_of("x", Author="Nguyễn Văn An; Marie Curie and 李明、王芳").authors == ("Nguyễn Văn An", "Marie Curie", "李明", "王芳")


@pytest.mark.parametrize("heading", ["Abstract", "RÉSUMÉ", "ملخص", "摘要", "บทคัดย่อ", "सारांश", "ማጠቃለያ"])
def test_the_abstract_is_what_stands_under_its_heading(heading):
    pages = pages_of(
        [("The forest", 20.0), (heading, 14.0), ("What it is about.", 10.0), ("More.", 10.0), ("Chapter", 14.0), ("Text of the body. " * 9, 10.0)]
    )
    assert proposed(pages).abstract == "What it is about.\nMore."


@pytest.mark.parametrize(("name", "year"), [("humanitarian-casework/ar", 2024), ("river-corridor/th", 2020), ("village-vigilance/hi", 2019)])
def test_a_sample_says_its_title_and_year(name, year):
    proposal = read_pdf(CORPUS / f"{name}.pdf", name).proposal
    source = (CORPUS / name.split("/")[0] / "source" / f"{name.split('/')[1]}.md").read_text("utf-8")
    assert proposal.year == year and f"title: {proposal.title}\n" in source


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("By Anna Li and José de Souza", ("Anna Li", "José de Souza")), ("Par Marie Curie, Jean-Luc O’Neill", ("Marie Curie", "Jean-Luc O’Neill")),
        ("Autores: Rosa Quispe; Juan Pérez", ("Rosa Quispe", "Juan Pérez")), ("著者：山田花子、李明", ("山田花子", "李明")), ("โดย สมชาย ใจดี", ("สมชาย ใจดี",)),
        ("إعداد: ليلى حسن، أحمد علي", ("ليلى حسن", "أحمد علي")), ("लेखक: सीता शर्मा", ("सीता शर्मा",)), ("저자: 김민수", ("김민수",)), ("By the river", ()), ("By 2025 all of them", ()),
        ("Von Kindern und für Kinder", ()),
    ],
)  # fmt: skip
def test_authors_are_those_that_the_title_page_names(line, authors):
    assert proposal_of("A title", line).authors == authors
    assert proposal_of("A title", line, Author="user").authors == authors


def test_what_a_page_says_was_published_then_counts_before_what_stands_in_it():
    assert proposal_of("2015", Published="2019-03-01").year == 2019
