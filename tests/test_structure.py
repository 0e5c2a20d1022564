from __future__ import annotations

import pytest
from conftest import CORPUS

from ingest.layout import Line, page_texts
from ingest.passages import heading_path
from ingest.pdf import read_pdf
from ingest.records import Heading
from ingest.structure import headings, printed_labels
from ingest.typeset import Typeset


def pages_of(*pages):
    """Pages with a paragraph for every (text, type size)."""
    return page_texts(
        [([Line(Typeset.unplaced(text), 60, 460, 700 - 40 * row, size) for row, (text, size) in enumerate(page)], 800.0) for page in pages]
    )


BODY = ("ይህ የጽሑፉ አካል ነው። " * 4, 10.0)


def test_headings_are_told_by_their_larger_type_and_its_rank_is_their_level():
    pages = pages_of([("የደን ዘገባ", 24.0), ("ውሃ", 14.0), BODY, ("ዝናብ", 11.5), BODY], [("መንገድ", 14.0), BODY, ("ይህ ርዕስ አይደለም።", 14.0)])
    assert [(one.page, one.level, one.text) for one in headings(pages, [])] == [(1, 1, "የደን ዘገባ"), (1, 2, "ውሃ"), (1, 3, "ዝናብ"), (2, 2, "መንገድ")]
    assert all(pages[one.page - 1].text.text[one.start : one.end] == one.text for one in headings(pages, []))


def test_the_entries_of_a_table_of_contents_are_no_headings():
    pages = pages_of([("תוכן", 14.0), ("1 מבוא . . . . . . . . 3", 12.0), ("2 יערות . . . . . . . . . 14", 12.0)], [BODY])
    assert [one.text for one in headings(pages, [])] == ["תוכן"]


def test_the_outline_tells_better_than_type_does():
    pages = pages_of([("ບົດທີ 1  ປ່າ", 14.0), BODY], [BODY])
    assert headings(pages, [(1, "ບົດທີ 1 ປ່າ", 1), (2, "Annex", 2)]) == (Heading(1, 0, 11, 1, "ບົດທີ 1 ປ່າ"), Heading(2, 0, 0, 2, "Annex"))


def test_a_place_stands_under_the_last_heading_of_every_higher_level():
    found = [Heading(1, 0, 5, 1, "Forest"), Heading(1, 50, 55, 2, "Water"), Heading(2, 0, 4, 3, "Rain"), Heading(3, 10, 14, 2, "Road")]
    assert [heading_path(found, *place) for place in ((1, 0), (1, 60), (2, 7), (3, 9), (3, 10))] == [
        ("Forest",), ("Forest", "Water"), ("Forest", "Water", "Rain"), ("Forest", "Water", "Rain"), ("Forest", "Road"),
    ]  # fmt: skip
    assert heading_path([], 1, 0) == ()


@pytest.mark.parametrize("name", ["humanitarian-casework/ar", "river-corridor/th", "boys-services/my", "payment-signals/zh", "village-vigilance/hi"])
def test_the_headings_of_a_sample_are_those_of_its_source(name):
    publication, language = name.split("/")
    source = (CORPUS / publication / "source" / f"{language}.md").read_text("utf-8")
    written = [line.lstrip("# ") for line in source.splitlines() if line.startswith("#")]
    found = {"".join(one.text.split()) for one in read_pdf(CORPUS / f"{name}.pdf", name).headings}
    assert [heading for heading in written if "".join(heading.split()) not in found] == []


@pytest.mark.parametrize(
    ("edges", "labels"),
    [
        (["i", "ii", "iii", "iv", "1", "2", "3"], ["i", "ii", "iii", "iv", "1", "2", "3"]),
        (["Forest report 13", "14 Network", "Forest report 15"], ["13", "14", "15"]),
        (["A-1", "A-2", "A-3", "", "B-1", "B-2", "B-3"], ["A-1", "A-2", "A-3", "", "B-1", "B-2", "B-3"]),
        (["", "١٢", "١٣", "", "١٥"], ["", "١٢", "١٣", "١٤", "١٥"]),
        (["៧", "៨", "៩", "១០"], ["៧", "៨", "៩", "១០"]),
        (["XII", "XIII", "XIV"], ["XII", "XIII", "XIV"]),
        (["2019", "2019", "2019"], ["", "", ""]),
        (["5", "17"], ["", ""]),
    ],
)
def test_the_label_of_a_page_is_the_number_that_counts_up_at_its_edge(edges, labels):
    assert printed_labels([[edge] if edge else [] for edge in edges]) == labels
