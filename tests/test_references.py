from __future__ import annotations

import json
from dataclasses import replace

import bibtexparser
import pytest
import rispy
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON

from search_app.references import Reference, bibtex, csl_json, family_and_given, ris

PASSAGE = Reference(
    "paths.fa", "study", "whole", "یک کارت، یک مددکار", "One Card, One Caseworker", "fa", ("کریمی، لیلا", "شبکهٔ فانوس مریدین"), "شبکهٔ فانوس مریدین", 2024, "",
    "10.5555/lantern.2024.3", "این پژوهش سی ماه نخست را بررسی می‌کند.", "https://lantern.example/pages/0123456789abcdef/4?quote=%D9%85%DB%8C%E2%80%8C%D9%85%D8%A7%D9%86%D8%AF",
    "۴", "یک مددکار تا پایان همراه هر پرونده می‌ماند.",
)  # fmt: skip
TEXTS = {  # title, author, quotation
    "ar": ("بطاقة واحدة وأخصائي واحد", "الجبوري، سارة", "كيف تحمي بطاقات الإحالة هوية الطفل؟"),
    "fa": ("یک کارت، یک مددکار", "کریمی، لیلا", "یک مددکار تا پایان همراه هر پرونده می‌ماند."),
    "hi": ("देर से दिखे, कम सेवा मिली", "शर्मा, नीलम", "सेवाएँ ख़ुद को सभी बच्चों के लिए खुला बताती हैं।"),
    "km": ("ផ្ទះស្នាក់នៅតាមភូមិ", "សុខ ស្រីមុំ", "វិធានរបស់គណៈកម្មការម្ចាស់ផ្ទះ៖ ១៤"),
    "th": ("สายแจ้งเหตุของคนขับมอเตอร์ไซค์รับจ้าง", "ใจดี, สมชาย", "หัวหน้าวินเป็นจุดเชื่อม"),
    "zh": ("小额转账，早期信号", "李明", "这类款项通常金额很小。"),
    "de": ("Wälder, Öl & „Straßen“ – 100 % geprüft", "Müller-Lüdenscheidt, Jörg", "Übergänge kosten $5 #1 a_b {x} \\alpha ~ ^"),
    "my": ("နောက်ကျမှ မြင်ရပြီး အကူအညီ နည်းပါးခြင်း", "အောင်မြင့်", "ယောက်ျားလေးများ သုံးဆ ကြာအောင် စောင့်ဆိုင်းရသည်။"),
    "am": ("መንገድ ዳር ያሉ ትምህርት ቤቶች", "ሰላም ተስፋዬ", "የአቻ አማካሪዎች እንዴት እንደሚመረጡ፣"),
    "ja": ("旅行代理店の子ども保護点検", "佐藤, 花子", "研修が十分に行われていない。"),
}
PLAIN = {r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^"} | {
    "\\" + char: char for char in "$&#_%"
}


def in_language(language: str, **changed: object) -> Reference:
    title, author, quotation = TEXTS[language]
    return replace(PASSAGE, language=language, title=title, authors=(author,), quotation=quotation, page="14", **changed)


def from_tex(text: str) -> str:
    for command, char in PLAIN.items():
        text = text.replace(command, char)
    return text


def entry_of(reference: Reference) -> dict[str, str]:
    (entry,) = bibtexparser.loads(bibtex(reference)).entries
    return entry


def rendered(reference: Reference) -> str:
    """What a citation processor makes of it in the style that citeproc-py brings along."""
    source = CiteProcJSON(json.loads(csl_json(reference)))
    bibliography = CitationStylesBibliography(CitationStylesStyle("harvard-cite-them-right", validate=False), source, formatter.plain)
    bibliography.register(Citation([CitationItem(reference.key)]))
    return str(bibliography.bibliography()[0])


@pytest.mark.parametrize("language", TEXTS)
def test_ris_is_read_back_as_it_was_in_every_script(language):
    cited = in_language(language)
    (entry,) = rispy.loads(ris(cited))
    assert (entry["type_of_reference"], entry["title"], entry["translated_title"], entry["language"]) == (
        "RPRT",
        cited.title,
        cited.translated_title,
        language,
    )
    assert (entry["notes"], entry["start_page"], entry["year"], entry["publisher"]) == ([cited.quotation], "14", "2024", cited.publisher)
    assert (entry["authors"], entry["urls"], entry["doi"]) == ([cited.authors[0].replace("،", ",")], [cited.url], cited.doi)
    assert entry["abstract"] == cited.abstract and entry["type_of_work"] == "study"


@pytest.mark.parametrize("language", TEXTS)
def test_bibtex_is_read_back_as_it_was_in_every_script(language):
    cited = in_language(language)
    entry = entry_of(cited)
    assert (entry["ENTRYTYPE"], entry["ID"], from_tex(entry["title"])) == ("techreport", "paths-fa-p14", f"{{{cited.title}}}")
    assert (from_tex(entry["annote"]), entry["pages"], entry["year"], entry["language"]) == (cited.quotation, "14", "2024", language)
    assert (entry["url"], entry["doi"], entry["institution"], entry["abstract"]) == (cited.url, cited.doi, cited.publisher, cited.abstract)
    parts = family_and_given(cited.authors[0])
    assert entry["author"] == (", ".join(parts) if parts else f"{{{cited.authors[0]}}}")


@pytest.mark.parametrize("language", TEXTS)
def test_csl_json_is_cited_by_a_citation_processor_in_every_script(language):
    cited = in_language(language)
    (item,) = json.loads(csl_json(cited))
    assert (item["type"], item["title"], item["language"], item["page"], item["note"]) == ("report", cited.title, language, "14", cited.quotation)
    assert (item["issued"], item["URL"], item["DOI"], item["genre"]) == ({"date-parts": [[2024]]}, cited.url, cited.doi, "study")
    shown = rendered(cited)
    assert cited.title in shown and "2024" in shown and (family_and_given(cited.authors[0]) or cited.authors)[0] in shown


@pytest.mark.parametrize(
    ("author", "parts"),
    [
        ("Quispe Mamani, Ana", ("Quispe Mamani", "Ana")), ("كريم، ليلى", ("كريم", "ليلى")), ("شرما ،لیلا", ("شرما", "لیلا")), ("佐藤, 花子", ("佐藤", "花子")),
        ("Ana Quispe", None), ("李明", None), ("Nguyễn Văn An", None), ("Suharto", None), ("Lantern, Ltd., The", None), ("Quispe,", None),
    ],
)  # fmt: skip
def test_only_a_comma_tells_the_family_name(author, parts):
    assert family_and_given(author) == parts


def test_an_organisation_stays_one_name_in_every_format():
    cited = replace(PASSAGE, authors=("Réseau Lanterne & Co", "Diallo, Awa"))
    assert entry_of(cited)["author"] == r"{Réseau Lanterne \& Co} and Diallo, Awa"
    assert json.loads(csl_json(cited))[0]["author"] == [{"literal": "Réseau Lanterne & Co"}, {"family": "Diallo", "given": "Awa"}]
    assert rispy.loads(ris(cited))[0]["authors"] == ["Réseau Lanterne & Co", "Diallo, Awa"]


@pytest.mark.parametrize(
    ("changed", "types", "publisher"),
    [
        ({}, ("report", "techreport", "RPRT"), "institution"), ({"isbn": "9783161484100"}, ("book", "book", "BOOK"), "publisher"),
        ({"kind": "Interview"}, ("interview", "misc", "PCOMM"), "publisher"), ({"kind": ""}, ("report", "techreport", "RPRT"), "institution"),
    ],
)  # fmt: skip
def test_kinds_have_the_type_that_each_format_calls_them(changed, types, publisher):
    cited = replace(PASSAGE, **changed)
    (entry,) = rispy.loads(ris(cited))
    assert (json.loads(csl_json(cited))[0]["type"], entry_of(cited)["ENTRYTYPE"], entry["type_of_reference"]) == types
    assert publisher in entry_of(cited) and (entry.get("issn"), entry_of(cited).get("isbn")) == (cited.isbn or None,) * 2


def test_a_part_is_cited_as_the_part_that_it_is():
    cited = replace(PASSAGE, part="executive summary")
    assert (
        json.loads(csl_json(cited))[0]["genre"] == entry_of(cited)["type"] == rispy.loads(ris(cited))[0]["type_of_work"] == "study, executive summary"
    )


def test_what_is_not_known_is_left_out():
    bare = Reference("x.und", "", "whole", "x", "", "und", (), "", None, "", "", "", "https://lantern.example/publications/x")
    assert json.loads(csl_json(bare)) == [{"id": "x-und", "type": "report", "title": "x", "language": "und", "URL": bare.url}]
    assert entry_of(bare).keys() == {"ENTRYTYPE", "ID", "title", "language", "url"}
    assert rispy.loads(ris(bare))[0].keys() == {"type_of_reference", "id", "title", "language", "urls"}


def test_text_over_several_lines_cannot_end_a_field_or_begin_another():
    cited = replace(PASSAGE, title="One\r\nER  - \r\nTY  - BOOK", quotation="a\n}\n@book{x,")
    (entry,) = rispy.loads(ris(cited))
    assert entry["title"] == "One ER - TY - BOOK" and ris(cited).count("\r\nER  - ") == 1 and ris(cited).startswith("TY  - RPRT\r\n")
    assert from_tex(entry_of(cited)["annote"]) == "a } @book{x,"


def test_a_key_is_of_ascii_and_its_own_for_names_in_other_scripts():
    keys = {
        replace(PASSAGE, edition_id=name, page=page).key
        for name, page in [("ផ្ទះ.km", "1"), ("ป่า.th", "1"), ("ป่า.th", "2"), ("paths.fa", "A-3"), ("paths.fa", "")]
    }
    assert len(keys) == 5 and {"paths-fa-pA3", "paths-fa"} < keys and all(key.isascii() and " " not in key for key in keys)
