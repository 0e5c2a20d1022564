from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import CORPUS, LexiconEncoder

from ingest import passages
from ingest.passages import OVERLAP_TOKENS, PASSAGE_TOKENS, catalogue_passages, cut_pages, encoded_text, with_languages
from ingest.pdf import read_pdf
from ingest.records import Edition, Page, Passage, Publication
from ingest.sentences import sentence_spans

count_tokens = LexiconEncoder().count_tokens
SAMPLES = ["boys-services/my", "helpline-data/bn", "humanitarian-casework/fa", "mekong-homestays/km", "online-safety-survey/ru", "payment-signals/ko",
           "payment-signals/zh", "platform-reporting-law/ar", "river-corridor/lo", "river-corridor/th", "school-corridor-clubs/am",
           "tourism-curriculum/vi", "travel-agents-audit/ja", "village-vigilance/hi"]  # fmt: skip
FULL_STOPS = {"am": "። ", "hi": "। ", "km": "។ ", "my": "။ ", "zh": "。", "ru": ". "}


def by_characters(texts):
    """Count a token for every two characters, about what the real encoder does in scripts without spaces."""
    return [(len(text) + 1) // 2 for text in texts]


def pages_of(*texts: str) -> list[Page]:
    return [Page("woods.x", number, str(number), text, "good" if text else "empty") for number, text in enumerate(texts, start=1)]


def sentences_of(passage: Passage) -> list[str]:
    return [passage.text[start:end] for start, end in passage.sentences]


@pytest.fixture(params=SAMPLES)
def sample(request):
    """The pages of a sample, its language, and the passages cut from it."""
    pages = read_pdf(CORPUS / f"{request.param}.pdf", request.param).pages
    language = request.param.split("/")[1]
    return pages, language, cut_pages(pages, by_characters, language)


def test_every_sentence_stands_in_a_passage(sample):
    pages, language, passages = sample
    cut = " ".join(" ".join(sentences_of(passage)) for passage in passages)
    bodies = [page.text[: page.footnotes] if page.footnotes >= 0 else page.text for page in pages]
    by_page = [[text[start:end] for start, end in sentence_spans(text, language)] for text in bodies]
    inner = [sentence for sentences in by_page for sentence in sentences[1:-1]]  # the first and the last may run over the page's end
    assert len(inner) > 20
    assert [sentence for sentence in inner if "".join(sentence.split()) not in "".join(cut.split())] == []


def test_no_passage_is_longer_than_the_bound_and_most_are_well_filled(sample):
    footnotes = {page.number: page.footnotes for page in sample[0]}
    assert max(sum(by_characters(sentences_of(passage))) for passage in sample[2]) <= PASSAGE_TOKENS
    in_body = [passage for passage in sample[2] if not 0 <= footnotes[passage.first_page] <= passage.start]
    sizes = [sum(by_characters(sentences_of(passage))) for passage in in_body]
    assert sum(size > PASSAGE_TOKENS / 2 for size in sizes[:-1]) >= 0.8 * len(sizes[:-1])


def test_offsets_agree_with_the_texts_of_the_pages(sample):
    by_number = {page.number: page for page in sample[0]}
    for passage in sample[2]:
        page, last = by_number[passage.first_page], by_number[passage.last_page].text
        if passage.first_page == passage.last_page:
            assert passage.text == page.text[passage.start : passage.end]
        else:
            body = page.text[: page.footnotes].rstrip() if page.footnotes >= 0 else page.text
            assert passage.text.startswith(body[passage.start :].rstrip("\u2010")) and passage.text.endswith(last[: passage.end])


def test_passages_are_numbered_in_reading_order_and_their_sentences_cover_them(sample):
    passages = sample[2]
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    places = [(passage.first_page, passage.start) for passage in passages]
    assert places == sorted(places)
    assert all((passage.sentences[0][0], passage.sentences[-1][1]) == (0, len(passage.text)) for passage in passages)


def test_every_passage_of_a_sample_is_in_the_language_of_its_edition_or_has_none(sample):
    assert {passage.language for passage in sample[2]} <= {sample[1], "und"} and sample[2][0].language == sample[1]


@pytest.mark.parametrize("language", FULL_STOPS)
def test_neighbours_share_up_to_half_and_one_sentence_at_least(language):
    text = "".join(f"{number} {'ab ' * 15}{FULL_STOPS[language]}" for number in range(60)).strip()
    passages = cut_pages(pages_of(text), count_tokens, language)
    assert len(passages) > 3
    for left, right in pairwise(passages):
        shared = [sentence for sentence in sentences_of(left) if sentence in sentences_of(right)]
        assert shared and shared == sentences_of(left)[-len(shared) :] == sentences_of(right)[: len(shared)]
        assert len(shared) == 1 or sum(count_tokens(shared)) <= OVERLAP_TOKENS < sum(count_tokens([sentences_of(left)[-len(shared) - 1], *shared]))


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("เด็กทุกคน", "มีสิทธิ", "เด็กทุกคนมีสิทธิ"), ("កុមារ", "ទាំងអស់។", "កុមារទាំងអស់។"), ("所有儿童", "都有权利。", "所有儿童都有权利。"),
        ("모든", "아동이 왔다.", "모든 아동이 왔다."), ("كل", "طفل.", "كل طفل."), ("обнару\u2010", "жение.", "обнаружение."), ("हर", "बच्चा।", "हर बच्चा।"),
    ],
)  # fmt: skip
def test_a_sentence_may_run_over_the_end_of_a_page(before, after, joined):
    (passage,) = cut_pages(pages_of(before, "", after), count_tokens, "und")
    assert (passage.text, passage.sentences) == (joined, ((0, len(joined)),))
    assert (passage.first_page, passage.start, passage.last_page, passage.end) == (1, 0, 3, len(after))
    assert (passage.page_at(0), passage.page_at(len(joined) - 1)) == (1, 3)
    assert (passage.place_of(0), passage.place_of(len(joined) - 1)) == ((1, 0), (3, len(after) - 1))
    (first, start, border), (last, beginning, end) = passage.places_of(0, len(joined))
    assert (first, start, last, beginning, end) == (1, 0, 3, 0, len(after)) and before[:border].strip("\u2010") == before.strip("\u2010")
    assert passage.places_of(len(joined) - 2, len(joined)) == ((3, len(after) - 2, len(after)),)
    assert [passage.offset_of(*passage.place_of(at)) for at in range(len(joined))] == list(range(len(joined)))
    assert passage.offset_of(2, 0) is None and passage.offset_of(3, len(after)) is None


def test_a_sentence_that_ends_with_its_page_is_not_joined_to_the_next():
    (passage,) = cut_pages(pages_of("ልጆቹ ደረሱ።", "ማን ይቀበላቸዋል?"), count_tokens, "am")
    assert sentences_of(passage) == ["ልጆቹ ደረሱ።", "ማን ይቀበላቸዋል?"]
    assert [passage.page_at(start) for start, _ in passage.sentences] == [1, 2]


@pytest.mark.parametrize("word", ["water ", "ទឹក", "水", "ที่", "पानी ", "ውሃ "])
def test_a_giant_sentence_is_divided_without_losing_or_tearing_a_letter(word):
    text = (word * 997).strip()
    passages = cut_pages(pages_of(text), by_characters, "und")
    starts, ends = [passage.start for passage in passages], [passage.end for passage in passages]
    assert (starts[0], ends[-1]) == (0, len(text)) and all(start <= end + 1 for start, end in zip(starts[1:], ends, strict=False))
    assert max(sum(by_characters(sentences_of(passage))) for passage in passages) <= PASSAGE_TOKENS
    assert not any("\u0e31" <= passage.text[0] <= "\u0e4e" or "\u17b6" <= passage.text[0] <= "\u17d3" for passage in passages)


def test_the_language_of_an_edition_that_is_not_known_is_told_from_all_its_text():
    source = (CORPUS / "river-corridor" / "source" / "lo.md").read_text("utf-8")
    assert {passage.language for passage in cut_pages(pages_of(source), count_tokens, "und")} == {"lo"}


def test_a_passage_in_another_language_than_its_edition_says_so():
    body = (CORPUS / "payment-signals" / "source" / "ja.md").read_text("utf-8").split("---\n", 2)[2]
    assert {passage.language for passage in cut_pages(pages_of(body), by_characters, "ko")} == {"ja"}


@pytest.mark.parametrize("pages", [[], pages_of("", "")])
def test_pages_without_text_give_no_passages(pages):
    assert cut_pages(pages, count_tokens, "km") == []


def test_the_catalogue_entry_is_searched_in_each_of_its_languages():
    editions = (Edition("woods.th", "woods", "th", "", "whole", None), Edition("woods.ar", "woods", "ar", "", "whole", None),
                Edition("woods.ar.annex", "woods", "ar", "", "annex", None))  # fmt: skip
    titles, abstracts = {"th": "ป่า", "ar": "الغابة", "my": "တော"}, {"ar": "عن الغابة. وعن الماء.", "hi": "जंगल।"}
    passages = catalogue_passages(Publication("woods", titles, abstracts, None, "", (), (), "", editions), count_tokens)
    assert [(one.edition_id, one.ordinal, one.language, one.text) for one in passages] == [
        ("woods.th", 0, "th", "ป่า"), ("woods.ar", 1, "ar", "الغابة\nعن الغابة. وعن الماء."), ("woods.th", 2, "my", "တော"), ("woods.th", 3, "hi", "जंगल।"),
    ]  # fmt: skip
    assert sentences_of(passages[1]) == ["الغابة", "عن الغابة.", "وعن الماء."]
    assert {(one.first_page, one.last_page, one.page_at(0), one.page_at(len(one.text) - 1)) for one in passages} == {(0, 0, 0, 0)}


def test_a_long_abstract_becomes_several_passages():
    abstract = "ውሃ አለ። " * 150
    publication = Publication("woods", {}, {"am": abstract}, None, "", (), (), "", (Edition("woods.am", "woods", "am", "", "whole", None),))
    passages = catalogue_passages(publication, count_tokens)
    assert len(passages) > 1 and all(abstract[passage.start : passage.end] == passage.text for passage in passages)


def test_a_passage_never_reaches_a_third_page_so_that_each_sentence_knows_its_page():
    pages = [Page("woods.en", number, str(number), f"Page {number} says this.", "good") for number in range(1, 7)]
    for passage in cut_pages(pages, lambda texts: [len(text.split()) for text in texts], "en"):
        for start, end in passage.sentences:
            assert f"Page {passage.page_at(start)} says this." == passage.text[start:end]


def test_text_of_pages_that_cannot_be_read_is_not_cut():
    pages = [Page("woods.en", 1, "1", "Sound text.", "good"), Page("woods.en", 2, "2", "\ue001\ue002 \ue003", "unreadable")]
    assert [passage.text for passage in cut_pages(pages, lambda texts: [1 for _ in texts], "en")] == ["Sound text."]


def passages_of(*texts: str, language: str = "und") -> list[Passage]:
    return [Passage("woods.x", place, 1, 0, 1, len(text), language, text, ((0, len(text)),)) for place, text in enumerate(texts)]


def test_languages_are_told_anew_from_the_texts_alone(sample):
    _, language, cut = sample
    unlearned = [replace(passage, language="und") for passage in cut]
    assert with_languages(unlearned, language) == cut
    assert [replace(passage, language="und") for passage in with_languages(unlearned, "und")] == unlearned


def test_what_the_catalogue_now_says_changes_the_tags_that_fit_it():
    told = with_languages(passages_of("所有儿童都有权利。", "12 345", "All children have rights.", language="zh"), "zh-CN")
    assert [passage.language for passage in told] == ["zh-CN", "und", "en"]


def test_a_short_passage_between_sure_ones_takes_their_language_not_that_of_the_edition():
    german = "Die Kinder sagten, dass es in der Nähe der Schule einen Fluss gibt."
    told = with_languages(passages_of(german, "Kinder", german), "en")
    assert [passage.language for passage in told] == ["de", "de", "de"]


@pytest.mark.parametrize(
    ("title", "headings", "text", "encoded"),
    [
        ("ป่า", ("บทที่ 1", "น้ำ"), "แม่น้ำสะอาด", "ป่า\nบทที่ 1\nน้ำ\nแม่น้ำสะอาด"), ("", (), "غابة", "غابة"), ("غابة", ("غابة", "ماء"), "نهر", "غابة\nماء\nنهر"),
        ("森林", ("水",), "水是清的", "森林\n水是清的"), ("Woods", ("Woods",), "Woods grow.", "Woods grow."),
    ],
)  # fmt: skip
def test_the_encoder_is_given_title_and_headings_once_each_above_the_text(title, headings, text, encoded):
    passage = Passage("woods.x", 0, 1, 0, 1, len(text), "x", text, ((0, len(text)),), headings)
    assert encoded_text(passage, title) == encoded


def test_without_headings_the_encoder_is_given_the_text_alone(monkeypatch):
    monkeypatch.setattr(passages, "UNDER_HEADINGS", False)
    assert encoded_text(Passage("woods.x", 0, 1, 0, 1, 2, "ja", "森林", ((0, 2),), ("水",)), "木") == "森林"
