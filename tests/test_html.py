from __future__ import annotations

import pytest
from hostile import SAID, html_entities, nested_html

from ingest.html import HTML_BYTES, decoded, read_html
from ingest.records import UnreadableFileError

LEGACY = [  # encoding as pages declare it, Python's name for it, a sentence
    ("tis-620", "cp874", "ป่าไม้เป็นของชุมชน และ “น้ำ” ก็เช่นกัน"), ("windows-874", "cp874", "โรงเรียนอยู่ริมแม่น้ำ…"),
    ("big5", "big5", "森林屬於社區，河流也是。"), ("gb2312", "gbk", "森林属于社区，朱镕基也这样说。"), ("windows-1256", "cp1256", "الغابة ملك للقرية، والماء أيضًا."),
    ("windows-1251", "cp1251", "Лес принадлежит деревне."), ("koi8-r", "koi8-r", "Лес принадлежит деревне."), ("shift_jis", "cp932", "森は村のものです。①"),
    ("euc-jp", "euc-jp", "森は村のものです。"), ("euc-kr", "cp949", "숲은 마을의 것이다. 똠"), ("windows-1255", "cp1255", "היער שייך לכפר."),
    ("iso-8859-1", "cp1252", "La forêt appartient au “village” – l’eau aussi."), ("windows-1258", "cp1258", "Rưng thuôc vê lang."),
    ("utf-8", "utf-8", "ጫካው የመንደሩ ነው። ព្រៃឈើ ป่า जंगल বন காடு တော ປ່າ"),
]  # fmt: skip


def read(tmp_path, html: str | bytes):
    path = tmp_path / "some.html"
    path.write_bytes(html.encode() if isinstance(html, str) else html)
    return read_html(path, "some.en")


def lines(tmp_path, html: str | bytes) -> list[str]:
    (page,) = read(tmp_path, html).pages
    return page.text.splitlines()


@pytest.mark.parametrize(("declared", "codec", "text"), LEGACY)
@pytest.mark.parametrize(
    "head", ['<meta charset="{}">', '<META http-equiv=Content-Type content="text/html; charset={}">', '<?xml version="1.0" encoding="{}"?>']
)
def test_a_page_is_read_in_the_encoding_it_declares_as_browsers_understand_it(tmp_path, declared, codec, text, head):
    html = f"{head.format(declared)}<html><head><title>{text}</title></head><body><p>{text}</p></body></html>".encode(codec)
    content = read(tmp_path, html)
    assert (content.title, content.pages[0].text) == (text, text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_byte_order_mark_or_plain_utf_8_needs_no_declaration(tmp_path, encoding):
    assert lines(tmp_path, "<html><p>ጫካው የመንደሩ ነው።</p></html>".encode(encoding)) == ["ጫካው የመንደሩ ነው።"]


def test_a_byte_order_mark_outranks_a_wrong_declaration():
    assert "ป่า" in decoded(b"\xef\xbb\xbf" + "<meta charset=tis-620><p>ป่า".encode())


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1256", "الغابة ملك للقرية، والماء أيضا. يعيش الناس هنا منذ زمن طويل، ويزرعون الأرز والخضروات على ضفاف النهر."),
        ("big5", "森林屬於社區，河流也是。人們很久以前就住在這裡，在河邊種植稻米和蔬菜。"), ("cp1251", "Лес принадлежит деревне. Люди живут здесь очень давно."),
        ("cp1252", "La forêt appartient au village, l’eau aussi. Les gens y vivent depuis très longtemps."),
        ("cp874", "ป่าไม้เป็นของชุมชนและแม่น้ำก็เช่นกัน ผู้คนอาศัยอยู่ที่นี่มานานมากแล้วและปลูกข้าวริมแม่น้ำ"),
    ],
)  # fmt: skip
def test_an_encoding_that_is_not_declared_is_guessed(codec, text):
    assert text in decoded(f"<html><body><p>{text * 3}</p></body></html>".encode(codec))


def test_headings_paragraphs_lists_and_quotations_are_lines_of_their_own(tmp_path):
    html = """<body><h1>وضع <em>الغابة</em></h1><p>السطر الأول
      يستمر.<p>الثاني<ul><li>ماء<li>مدرسة</ul><blockquote>قول</blockquote><dl><dt>أ<dd>ب</dl>loose</body>"""
    assert lines(tmp_path, html) == ["وضع الغابة", "السطر الأول يستمر.", "الثاني", "ماء", "مدرسة", "قول", "أ", "ب", "loose"]


def test_tables_are_read_row_by_row_and_tables_that_only_place_text_paragraph_by_paragraph(tmp_path):
    data = "<table><tr><th>ប្រទេស<th>ឆ្នាំ</tr><tr><td><p>កម្ពុជា</p><td>២០២៣</table>"
    layout = "<table><tr><td><p>a</p><p>b</p><p>c</p><p>d</p><td><p>e</p></table>"
    assert lines(tmp_path, data + layout) == ["ប្រទេស | ឆ្នាំ", "កម្ពុជា | ២០២៣", "a", "b", "c", "d", "e"]


def test_a_table_within_a_cell_stays_in_its_row(tmp_path):
    assert lines(tmp_path, "<table><tr><td>a<table><tr><td>b<td>c</table><td>d</table>") == ["a b | c | d"]


def test_line_breaks_are_spaces_except_between_chinese_characters_and_two_end_a_paragraph(tmp_path):
    assert lines(tmp_path, "<p>森林\n  很<br>大<p>서울\n숲<p>one<br>two<br><br>three<pre>a\n b</pre>") == [
        "森林很大",
        "서울 숲",
        "one two",
        "three",
        "a",
        "b",
    ]


def test_navigation_and_what_is_not_text_are_left_out(tmp_path):
    html = f"""<header>site</header><nav>menu</nav><div role="navigation">menu</div><script>if (a<b) x</script><style>p {{}}</style>
      <ul><li><a href=a>Home</a><li><a href=b>About us</a><li><a href=c>Contact</a></ul><div hidden>x</div><p style="display: none">y</p>
      <form><p>{SAID}</p><input value=z></form><p>ruby <ruby>森<rp>(</rp><rt>もり</rt></ruby></p><aside>tip</aside><footer>© site</footer>"""
    assert lines(tmp_path, html) == [SAID, "ruby 森"]


def test_the_main_part_is_preferred_and_keeps_its_own_header_and_footer(tmp_path):
    html = "<body><p>around</p><main><header><h1>ชื่อ</h1></header><p>เนื้อหา</p><footer><p>note</p></footer></main></body>"
    assert lines(tmp_path, html) == ["ชื่อ", "เนื้อหา", "note"]
    assert lines(tmp_path, "<body><p>around</p><article><p>in it</p></article></body>") == ["in it"]
    assert lines(tmp_path, "<body><p>around</p><main> <script>x</script></main></body>") == ["around"]


def test_a_list_of_long_links_is_a_bibliography_and_stays(tmp_path):
    entry = "<li><a href=x>The forest and its people: forty years of study along the great river of the north, volume two</a>"
    assert len(lines(tmp_path, f"<ol>{entry * 4}</ol>")) == 4


def test_notes_are_read_and_the_numbers_that_lead_to_them_are_not(tmp_path):
    html = '<p>Eau<sup><a href="#n1">1</a></sup> pure<sup>2</sup>.</p><aside role="doc-footnote" id=n1>Source : terrain.</aside>'
    assert lines(tmp_path, html) == ["Eau pure2.", "Source : terrain."]


@pytest.mark.parametrize(
    ("html", "title", "language"),
    [
        ("<html lang=pt-br><title>Site</title><h1>O bosque</h1>", "O bosque", "pt-BR"), ("<html lang='xx-nonsense'><title>A &amp; B</title>", "A & B", "und"),
        ('<html xml:lang="am"><meta name=citation_title content="ጫካ"><h1>x</h1>', "ጫካ", "am"), ("<h1>a</h1><h1>b</h1><title> 森\n林 </title>", "森林", "und"),
        ('<meta property="og:title" content="غابة"><title>غابة - موقع</title>', "غابة", "und"), ("<p>x", "", "und"), ("<html lang=zh_Hant><p>x", "", "zh-Hant"),
    ],
)  # fmt: skip
def test_title_and_language_are_what_the_page_says_of_itself(tmp_path, html, title, language):
    content = read(tmp_path, html)
    assert (content.title, content.language) == (title, language)


def test_headings_are_headings_where_they_stand(tmp_path):
    content = read(
        tmp_path, "<main><h1>ព្រៃឈើ</h1><p>អត្ថបទ</p><h2>ទឹក <em>ស្អាត</em></h2><p>x<h3></h3><table><tr><td><h4>y</h4><td>z</table><h6>z</h6></main>"
    )
    assert [(found.level, found.text) for found in content.headings] == [(1, "ព្រៃឈើ"), (2, "ទឹក ស្អាត"), (6, "z")]
    assert all(content.pages[0].text[found.start : found.end] == found.text for found in content.headings)


def test_a_page_is_one_page_and_an_empty_one_says_so(tmp_path):
    (page,) = read(tmp_path, "<html><body><script>render()</script></body></html>").pages
    assert (page.number, page.label, page.text, page.health) == (1, "1", "", "empty")


def test_a_vast_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "vast.html").open("wb") as file:
        file.truncate(HTML_BYTES + 1)
    with pytest.raises(UnreadableFileError, match=r"it has 32 MiB of HTML, and at most 32 MiB are read; split it"):
        read_html(tmp_path / "vast.html", "x")


def test_depth_and_entities_do_no_harm(tmp_path):
    assert lines(tmp_path, nested_html())[0] == SAID
    assert lines(tmp_path, html_entities())[-1].startswith(SAID) and len(" ".join(lines(tmp_path, html_entities()))) < 2000


def test_nothing_that_a_page_refers_to_is_opened(tmp_path):
    (tmp_path / "secret").write_text("secret")
    html = f'<!DOCTYPE html SYSTEM "file://{tmp_path}/secret" [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><p>&s;<iframe src="secret"></iframe><img src="file://{tmp_path}/secret">'
    assert "secret" not in read(tmp_path, html + "<p>x").pages[0].text.replace(str(tmp_path), "").replace("/secret", "")
