from __future__ import annotations

import io

import docx
import pytest
from hostile import OFFICE, SAID, WORD_NAMES, WORD_RELATIONS, word_bomb, word_entities, word_file

from ingest.limits import MIB, Limits, Watch
from ingest.records import UnreadableFileError
from ingest.word import read_word

NOTES = (
    f'<w:footnotes xmlns:w="{WORD_NAMES["w"]}"><w:footnote w:id="-1" w:type="separator"><w:p/></w:footnote>'
    "<w:footnote w:id='2'><w:p><w:r><w:t>來源：田野調查。</w:t></w:r></w:p></w:footnote></w:footnotes>"
)
NOTE_RELATION = WORD_RELATIONS.format(f'<Relationship Id="n" Type="{OFFICE}/footnotes" Target="footnotes.xml"/>')


DECLARING = word_file(
    f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/hostname">]><w:document xmlns:w="{WORD_NAMES["w"]}"><w:body><w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>'
)


def read(tmp_path, content: bytes, watch: Watch | None = None):
    (tmp_path / "some.docx").write_bytes(content)
    return read_word(tmp_path / "some.docx", "some.en", watch)


def texts(tmp_path, body: str, **parts: str) -> list[str]:
    return [page.text for page in read(tmp_path, word_file(body, **parts)).pages]


def p(*runs: str) -> str:
    return f"<w:p>{''.join(run if run.startswith('<') else r(run) for run in runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_a_file_that_python_docx_writes_is_read_with_its_title_and_language(tmp_path):
    made, out = docx.Document(), io.BytesIO()
    made.core_properties.title, made.core_properties.language = "ป่าและ\nน้ำ", "th-th"
    made.add_heading("บทที่หนึ่ง", 1)
    made.add_paragraph("ป่าไม้เป็นของชุมชน")
    made.add_paragraph("น้ำ", style="List Bullet")
    table = made.add_table(2, 2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ["ปี", "คน", "2566", "12"], strict=True):
        cell.text = text
    made.add_page_break()
    made.add_paragraph("บทที่สอง")
    made.save(out)
    content = read(tmp_path, out.getvalue())
    assert (content.title, content.language) == ("ป่าและ น้ำ", "th-TH")
    assert [(page.number, page.label, page.text, page.health) for page in content.pages] == [
        (1, "1", "บทที่หนึ่ง\nป่าไม้เป็นของชุมชน\nน้ำ\nปี | คน\n2566 | 12", "good"),
        (2, "2", "บทที่สอง", "good"),
    ]


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ((r("الغابة ", "<w:rtl/>"), r("ملك ", "<w:rtl/><w:b/>"), r("UN-47"), r(" للقرية.", "<w:rtl/>")), "الغابة ملك UN-47 للقرية."),
        ((r("می", "<w:rtl/>"), r("\u200cخواهم", "<w:rtl/>")), "می\u200cخواهم"), ((r("ጫካው "), r("የመንደሩ ነው።")), "ጫካው የመንደሩ ነው።"),
        ((r("森"), "<w:r><w:br/></w:r>", r("林")), "森林"), ((r("숲"), "<w:r><w:br/></w:r>", r("물")), "숲 물"), ((r("ក"), r("្រ"), r("ៅ")), "ក្រៅ"),
        ((r("a"), "<w:r><w:tab/></w:r>", r("b"), "<w:r><w:noBreakHyphen/></w:r>", r("c"), "<w:r><w:softHyphen/></w:r>", r("d")), "a b\u2011cd"),
        (("<w:ins>" + r("in") + "</w:ins>", "<w:del><w:r><w:delText>out</w:delText><w:noBreakHyphen/></w:r></w:del>", "<w:moveFrom>" + r("away") + "</w:moveFrom>", r("hidden", "<w:vanish/>")), "in"),
        (("<w:hyperlink>" + r("lien") + "</w:hyperlink>", "<w:sdt><w:sdtContent>" + r(" câu") + "</w:sdtContent></w:sdt>"), "lien câu"),
        ((r("x"), "<w:r><w:fldChar/><w:instrText>PAGEREF _Toc1</w:instrText></w:r>"), "x"),
    ],
)  # fmt: skip
def test_a_paragraph_is_what_a_reader_sees_in_logical_order(tmp_path, runs, text):
    assert texts(tmp_path, p(*runs)) == [text]


def test_a_text_box_is_read_once(tmp_path):
    box = f"<w:txbxContent>{p('กล่อง')}</w:txbxContent>"
    body = p(
        "before",
        f"<w:r><mc:AlternateContent><mc:Choice><wps:txbx>{box}</wps:txbx></mc:Choice><mc:Fallback><v:textbox>{box}</v:textbox></mc:Fallback></mc:AlternateContent></w:r>",
    )
    assert texts(tmp_path, body) == ["before\nกล่อง"]


def test_notes_stand_after_the_text_of_the_page_that_refers_to_them(tmp_path):
    body = p("森林", '<w:r><w:footnoteReference w:id="2"/></w:r>', "很大。") + p("河流。") + p('<w:r><w:br w:type="page"/></w:r>', "第二頁")
    assert texts(tmp_path, body, **{"word__footnotes.xml": NOTES, "word___rels__document.xml.rels": NOTE_RELATION}) == [
        "森林很大。\n河流。\n來源：田野調查。",
        "第二頁",
    ]


def test_pages_are_those_that_word_noted_else_those_between_breaks_that_were_asked_for(tmp_path):
    noted = (
        p("หนึ่ง", '<w:r><w:br w:type="page"/></w:r>')
        + p("<w:r><w:lastRenderedPageBreak/></w:r>", "สอง")
        + p("a ", "<w:r><w:lastRenderedPageBreak/></w:r>", "b")
    )
    assert texts(tmp_path, noted) == ["หนึ่ง", "สอง\na", "b"]
    asked = p("one") + f"<w:p><w:pPr><w:pageBreakBefore/></w:pPr>{r('two')}</w:p><w:p><w:pPr><w:sectPr/></w:pPr>{r('still two')}</w:p>" + p("three")
    assert texts(tmp_path, asked) == ["one", "two\nstill two", "three"]


def test_a_page_that_ends_within_a_table_ends_after_the_row(tmp_path):
    row = "<w:tr><w:tc>" + p("ก") + "</w:tc><w:tc>" + p("<w:r><w:lastRenderedPageBreak/></w:r>", "ข") + "</w:tc></w:tr>"
    assert texts(tmp_path, f"<w:tbl>{row}{row.replace('ก', 'ค')}</w:tbl>" + p("ท้าย")) == ["ก | ข", "ค | ข", "ท้าย"]


def styled(style: str, text: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{r(text)}</w:p>'


def test_paragraphs_in_the_styles_of_headings_are_headings_where_they_stand(tmp_path):
    document = docx.Document()
    document.add_heading("ป่าชุมชน", 0)
    document.add_heading("บทที่ ๑", 1)
    document.add_paragraph("ข้อความ")
    own = document.styles.add_style("หัวข้อของเรา", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = document.styles["Heading 2"]
    document.add_page_break()
    document.add_paragraph("น้ำ", style=own)
    path = tmp_path / "x.docx"
    document.save(str(path))
    content = read_word(path, "x")
    assert [(found.page, found.level, found.text) for found in content.headings] == [(1, 1, "ป่าชุมชน"), (1, 1, "บทที่ ๑"), (2, 2, "น้ำ")]
    assert all(content.pages[found.page - 1].text[found.start : found.end] == found.text for found in content.headings)


def test_a_paragraph_says_for_itself_whether_it_is_a_heading(tmp_path):
    outlined = f'<w:p><w:pPr><w:outlineLvl w:val="2"/></w:pPr>{r("مقدمة")}</w:p>'
    text = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/><w:outlineLvl w:val="9"/></w:pPr>{r("نص")}</w:p>'
    cell = f"<w:tbl><w:tr><w:tc>{styled('Heading1', 'خلية')}</w:tc></w:tr></w:tbl>"
    content = read(tmp_path, word_file(outlined + text + cell + styled("Heading1", "كلمة " * 60)))
    assert [(found.level, found.text) for found in content.headings] == [(3, "مقدمة")]


def test_a_file_without_text_is_one_empty_page(tmp_path):
    (page,) = read(tmp_path, word_file("<w:p/>")).pages
    assert (page.text, page.health) == ("", "empty")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (word_file(p(SAID))[:300], "damaged Word file .*BadZipFile"), (word_file("<w:p>"), "damaged Word file .*XMLSyntaxError"),
        (word_entities(), "entity amplification"), (DECLARING, "declares a document type"), (word_bomb(3 * MIB), "it unpacks to 3 MiB, and at most 2 MiB are read"),
    ],
    ids=["truncated", "broken XML", "entities", "document type", "bomb"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(tmp_path, content, reason):
    with pytest.raises(UnreadableFileError, match=rf"{reason}.*; (open it|if it is sound)"):
        read(tmp_path, content, Watch(Limits(unpacked=2 * MIB)))
