from __future__ import annotations

import unicodedata

import pytest

from ingest.flow import Flow, declared, tidied


def texts(flow: Flow) -> list[str]:
    return [page.text for page in flow.pages("x.en")]


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("  ป่า\t และ\u00a0น้ำ ", "ป่า และ น้ำ"), ("森林\n很大", "森林很大"), ("ひら\n カナ", "ひらカナ"), ("숲\n물", "숲 물"), ("森 \n Wald", "森 Wald"),
        (unicodedata.normalize("NFD", "Rừng"), "Rừng"), ("می\u200cخواهم", "می\u200cخواهم"), ("Wör\u00adter\ufeff\x00\x9f", "Wörter"), ("\n", ""),
    ],
)  # fmt: skip
def test_white_space_and_breaks_become_what_the_script_needs(text, tidy):
    assert tidied(text) == tidy


def test_notes_follow_the_text_of_their_page_also_on_the_last():
    flow = Flow()
    for page in ("一", "二"):
        flow.text(page)
        flow.note(f"注{page}")
        flow.end_paragraph()
        flow.text("後")
        if page == "一":
            flow.end_page()
    assert texts(flow) == ["一\n後\n注一", "二\n後\n注二"]


def test_an_empty_page_keeps_its_number_and_a_trailing_one_is_left_out():
    flow = Flow()
    for piece in ("a", "", "b"):
        flow.text(piece)
        flow.end_page()
    pages = flow.pages("x.en")
    assert [(page.number, page.label, page.text, page.health) for page in pages] == [
        (1, "1", "a", "good"),
        (2, "2", "", "empty"),
        (3, "3", "b", "good"),
    ]


def test_two_line_breaks_end_a_paragraph_and_one_does_not():
    flow = Flow()
    for piece in ("a", "b", " \n ", "c"):
        flow.text(piece)
        flow.break_line()
    assert texts(flow) == ["a b\nc"]


@pytest.mark.parametrize(("said", "tag"), [("pt_br", "pt-BR"), (" TH ", "th"), ("english", "und"), ("", "und"), (None, "und"), ("x;y", "und")])
def test_a_declared_language_is_a_tag_or_nothing(said, tag):
    assert declared(said) == tag
