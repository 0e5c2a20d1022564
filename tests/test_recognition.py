"""Pages that are only pictures, and documents with the wrong letters, are recognised; what prevents it is said."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import CORPUS
from rapidfuzz.fuzz import ratio

from ingest import recognition
from ingest.hocr import RecognisedLine, RecognisedWord, Recognition
from ingest.limits import Limits, Watch
from ingest.ocr import RecognitionError, Tesseract, find_tesseract
from ingest.pdf import ASKED_FOR, read_pdf
from ingest.recognition import sheet_of

SCAN = CORPUS / "east-africa-coast" / "fr.pdf"  # four pages, all pictures
WRONG = CORPUS / "river-corridor" / "vi.pdf"  # its fonts do not say which letters their glyphs are
SAID = {
    "fr": "Les enfants de la côte vont à l'école du village chaque matin.",
    "vi": "Trẻ em trong làng đi đến trường học mỗi buổi sáng bên bờ sông.",
    "my": "ကလေးများသည် နေ့စဉ် မနက်ပိုင်းတွင် ကျောင်းသို့ သွားကြသည်။",
    "ar": "يذهب الأطفال إلى المدرسة كل صباح على ضفاف النهر.",
}


def line_of(text: str, bottom: float = 400.0, size: float = 10.0) -> RecognisedLine:
    words, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        words.append(RecognisedWord(start, at, 50.0 + 5 * start, bottom, 50.0 + 5 * at, bottom + size, 0.9))
    return RecognisedLine(text, tuple(words), 50.0, 50.0 + 5 * len(text), bottom + 2, size, 0)


class Eyes:
    """Stands for tesseract: sees the same text on every page it is shown, and remembers how large the pages were."""

    def __init__(self, text: str, packs: tuple[str, ...] = ("fra", "vie", "mya", "ara")) -> None:
        self.text, self.packs, self.pictures = text, frozenset(packs), []

    def packs_for(self, language: str) -> tuple[str, ...]:
        if not self.packs:
            raise RecognitionError(f"recognising {language} needs a pack")
        return tuple(self.packs)

    def script_of(self, picture):
        return "Latn"

    def languages_in(self, script):
        return ("en", "fr")

    def recognise(self, picture, scale, language):
        self.pictures.append(picture.shape)
        return Recognition((line_of(self.text),) if self.text else ())


@pytest.fixture
def eyes(monkeypatch):
    def see(text: str, *packs: str) -> Eyes:
        found = Eyes(text, *([packs] if packs else []))
        monkeypatch.setattr(recognition, "find_tesseract", lambda: found)
        return found

    return see


def said_of(pages) -> set[tuple[str, str]]:
    return {(page.health, page.cause) for page in pages}


@pytest.mark.parametrize("language", SAID)
def test_the_pages_of_a_scan_are_recognised_with_boxes_and_confidence(eyes, language):
    found = eyes(SAID[language])
    content = read_pdf(SCAN, "x", language)
    assert said_of(content.pages) == {("recognised", "an image without text")} and content.wants == ""
    for page in content.pages:
        assert (page.text, page.confidence, page.readable) == (SAID[language], pytest.approx(0.9), True)
        first = page.boxes[0]
        assert (page.text[first.start : first.end], first.left, first.bottom) == (SAID[language][: first.end], 50.0, 400.0)
    assert found.pictures == [found.pictures[0]] * 4 and min(found.pictures[0]) > 900  # pixels, at 135 or 200 dpi


def test_where_the_program_is_missing_the_cause_says_what_to_do_and_the_pack_is_wanted():
    content = read_pdf(SCAN, "x", "fr")
    assert said_of(content.pages) == {("image only", "an image without text; no tesseract in tests")}
    assert content.wants == "fra"


@pytest.mark.parametrize("language", SAID)
def test_a_scan_in_a_language_nobody_has_told_is_recognised_in_that_which_it_is_seen_to_be_in(eyes, language):
    found = eyes(SAID[language] * 3)
    asked, usual = [], found.packs_for
    found.packs_for = lambda tag: asked.append(tag) or usual(tag)
    assert {page.health for page in read_pdf(SCAN, "x").pages} == {"recognised"} and asked == [language]


@pytest.mark.parametrize(("lao", "thai", "told"), [(0.41, 0.82, "lo"), (0.10, 0.94, "th")])  # as measured on a page in Lao and one in Thai
def test_a_pack_that_is_seldom_sure_is_believed_when_it_is_as_sure_as_usual(eyes, lao, thai, told):
    found = eyes("", "lao", "tha")
    found.languages_in = lambda script: ("th", "lo")
    said = {"lo": (line_of("ເດັກນ້ອຍໄປໂຮງຮຽນທຸກເຊົ້າ"), lao), "th": (line_of("เด็กไปโรงเรียนทุกเช้า"), thai)}

    def recognise(picture, scale, language):
        line, sure = said[language]
        return Recognition((replace(line, words=tuple(replace(word, confidence=sure) for word in line.words)),))

    found.recognise, asked = recognise, []
    found.packs_for = asked.append
    read_pdf(SCAN, "x")
    assert asked == [told]


def test_a_scan_whose_language_cannot_be_seen_says_so_and_wants_nothing(eyes):
    eyes("1 2 3")
    content = read_pdf(SCAN, "x")
    ((health, cause),) = said_of(content.pages)
    assert health == "image only" and "what was recognised on a page of it does not tell; name it in the catalogue entry" in cause
    assert content.wants == ""


def test_what_is_missing_to_tell_the_script_is_wanted(eyes, monkeypatch):
    assert read_pdf(SCAN, "x").wants == "osd"
    monkeypatch.setattr(recognition, "find_tesseract", lambda: Tesseract("tesseract", "5", frozenset({"eng"})))
    content = read_pdf(SCAN, "x")
    ((health, cause),) = said_of(content.pages)
    assert health == "image only" and "apt-get install tesseract-ocr-osd" in cause and content.wants == "osd"


def test_a_document_with_the_wrong_letters_is_recognised_as_a_whole(eyes):
    eyes(SAID["vi"] * 20)
    content = read_pdf(WRONG, "x", "vi")
    assert {page.health for page in content.pages} == {"recognised"}
    assert {page.text for page in content.pages} == {SAID["vi"] * 20}


def test_a_document_is_trusted_when_its_sample_page_reads_as_it_looks(eyes):
    path = CORPUS / "river-corridor" / "th.pdf"  # text layers in Thai are often wrong
    layers = [page.text for page in read_pdf(path, "x", "th").pages]
    found = eyes(max(layers, key=len), "tha")
    content = read_pdf(path, "x", "th")
    assert [page.text for page in content.pages] == layers and said_of(content.pages) == {("good", "")}
    assert len(found.pictures) == 1


@pytest.mark.parametrize(("edition", "pack"), [("river-corridor/th", "tha"), ("mekong-homestays/km", "khm"), ("village-vigilance/hi", "hin")])
def test_a_doubtful_text_is_read_all_the_same_where_nobody_can_look_and_every_page_says_so(edition, pack):
    content = read_pdf(CORPUS / f"{edition}.pdf", "x", edition[-2:])
    assert said_of(content.pages) == {("good", "its text layer could not be compared with what is seen: no tesseract in tests")}
    assert content.wants == pack and all(page.readable for page in content.pages)


def test_a_sample_page_that_cannot_be_recognised_is_told_too(eyes):
    found = eyes("x", "tha")
    pages = read_pdf(CORPUS / "river-corridor" / "th.pdf", "x", "th", Watch(Limits(recognition_seconds=-1))).pages
    ((health, cause),) = said_of(pages)
    assert health == "good" and cause.startswith("its text layer could not be compared with what is seen: not recognised, because the time")
    assert found.pictures == []


def test_the_program_is_asked_once_what_it_can_do(eyes, monkeypatch):
    found, asked = eyes(SAID["fr"]), []
    monkeypatch.setattr(recognition, "find_tesseract", lambda: asked.append(1) or found)
    for _ in range(2):
        read_pdf(SCAN, "x", "fr")
    assert asked == [1]


def test_a_sound_document_in_a_sound_script_is_never_shown_to_the_program(eyes):
    found = eyes("x")
    assert {page.health for page in read_pdf(CORPUS / "safe-terminals" / "es.pdf", "x", "es").pages} == {"good"}
    assert found.pictures == []


@pytest.mark.parametrize(("edition", "pack"), [("safe-terminals/es", "spa"), ("platform-reporting-law/ar", "ara"), ("payment-signals/ja", "jpn")])
def test_a_page_with_a_sound_text_is_recognised_when_somebody_asks_for_it_and_no_other(eyes, edition, pack):
    path, language = CORPUS / f"{edition}.pdf", edition[-2:]
    before = read_pdf(path, "x", language).pages
    said = before[2].text.split("\n")[0] * 4
    found = eyes(said, pack)
    after = read_pdf(path, "x", language, asked_for={2}).pages
    assert (after[1].health, after[1].cause, after[1].confidence, after[1].text) == ("recognised", ASKED_FOR, pytest.approx(0.9), said)
    assert len(after[1].boxes) > 0 and len(found.pictures) == 1
    assert [page.text for page in after[2:]] == [page.text for page in before[2:]] and {page.health for page in after[2:]} == {"good"}


@pytest.mark.parametrize(("edition", "pack"), [("safe-terminals/es", "spa"), ("school-corridor-clubs/am", "amh"), ("payment-signals/zh", "chi_sim")])
def test_a_page_that_was_asked_for_stays_as_it_was_where_nobody_can_look_and_the_pack_is_wanted(edition, pack):
    path = CORPUS / f"{edition}.pdf"
    before, content = read_pdf(path, "x", edition[-2:]).pages, read_pdf(path, "x", edition[-2:], asked_for={1, 3})
    assert [(page.text, page.health, page.boxes) for page in content.pages] == [(page.text, page.health, page.boxes) for page in before]
    assert content.wants == pack and [ASKED_FOR in page.cause for page in content.pages][:3] == [True, False, True]
    assert content.pages[0].cause.endswith("no tesseract in tests") and content.pages[0].readable


def test_a_page_that_was_asked_for_keeps_its_text_where_nothing_is_recognised_on_it(eyes):
    path = CORPUS / "safe-terminals" / "es.pdf"
    before = read_pdf(path, "x", "es").pages[0]
    eyes("", "spa")
    (page,) = [page for page in read_pdf(path, "x", "es", asked_for={1, 999}).pages if page.cause]
    assert (page.text, page.health, page.cause) == (before.text, "good", f"{ASKED_FOR}; no text was recognised on it")


def test_a_page_that_ended_a_process_is_not_drawn_although_somebody_asks_for_it(eyes):
    found = eyes(SAID["fr"])
    assert read_pdf(SCAN, "x", "fr", Watch(lost={2: "reading gave up"}), {2}).pages[1].cause == "reading gave up" and len(found.pictures) == 3


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
@pytest.mark.parametrize(
    ("edition", "pack"), [("motorbike-taxi-line/th", "tha"), ("platform-reporting-law/ar", "ara"), ("village-vigilance/hi", "hin")]
)
def test_the_program_itself_recognises_a_page_that_has_text(monkeypatch, edition, pack):
    tesseract = find_tesseract()
    if pack not in tesseract.packs:
        pytest.skip(f"tesseract has no pack {pack}")
    path, language = CORPUS / f"{edition}.pdf", edition[-2:]
    layer = read_pdf(path, "x", language).pages[1].text
    monkeypatch.setattr(recognition, "find_tesseract", lambda: tesseract)
    page = read_pdf(path, "x", language, asked_for={2}).pages[1]
    assert (page.health, page.cause) == ("recognised", ASKED_FOR) and 0.3 < page.confidence < 1 and len(page.boxes) > 50
    assert ratio("".join(layer.split()), "".join(page.text.split())) > 80


def test_a_picture_on_which_nothing_is_recognised_stays_one(eyes):
    eyes("")
    assert said_of(read_pdf(SCAN, "x", "fr").pages) == {("image only", "an image without text; no text was recognised on it")}


def test_what_is_recognised_but_is_no_language_is_not_searched(eyes):
    eyes("~~ |. .-, ;l i| ,: xq zzkw qqv vvxz kjq wpt xzq bvq" * 3)
    ((health, cause),) = said_of(read_pdf(SCAN, "x", "fr").pages)
    assert (health, cause) == ("suspect", "an image without text; what was recognised is in no language")


@pytest.mark.parametrize("watch", [Watch(Limits(recognition_seconds=-1)), Watch(deadline=0.0)], ids=["clock", "processor"])
def test_no_page_is_recognised_once_the_files_time_is_used_up(eyes, watch):
    found = eyes(SAID["fr"])
    ((health, cause),) = said_of(read_pdf(SCAN, "x", "fr", watch).pages)
    assert health == "image only" and "the time for one file was used up" in cause and found.pictures == []


def test_a_page_that_ended_a_process_is_not_drawn(eyes):
    found = eyes(SAID["fr"])
    pages = read_pdf(SCAN, "x", "fr", Watch(lost={2: "reading gave up"})).pages
    assert [page.health for page in pages] == ["recognised", "unreadable", "recognised", "recognised"]
    assert pages[1].cause == "reading gave up" and len(found.pictures) == 3


def test_one_page_that_cannot_be_recognised_costs_no_other(eyes, monkeypatch):
    found = eyes(SAID["fr"])
    usual, failing = found.recognise, iter([False, True, False, False])

    def recognise(*arguments):
        if next(failing):
            raise RecognitionError("recognising the page took longer than 120 seconds")
        return usual(*arguments)

    monkeypatch.setattr(found, "recognise", recognise)
    pages = read_pdf(SCAN, "x", "fr").pages
    assert [page.health for page in pages] == ["recognised", "image only", "recognised", "recognised"]
    assert pages[1].cause == "an image without text; recognising the page took longer than 120 seconds"


def test_type_of_about_the_usual_size_is_of_the_usual_size():
    lines = (line_of("ตลาด", 700, 10.0), line_of("ใหม่", 680, 11.5), line_of("ใหม่", 660, 9.0), line_of("หัวเรื่อง", 640, 18.0))
    sheet = sheet_of(Recognition(lines), 595, 842)
    assert len({line.size for line in sheet.lines[:3]}) == 1
    assert sheet.lines[3].size == 18.0


def test_boxes_of_all_lines_are_numbered_through():
    sheet = sheet_of(Recognition((line_of("ເດັກນ້ອຍ"), replace(line_of("ໄປໂຮງຮຽນ"), baseline=600.0))), 595, 842)
    glyphs = [glyph for line in sheet.lines for glyph in line.text.glyphs]
    assert glyphs == list(range(len(sheet.boxes))) and sheet.boxes.dtype == np.float32
    assert len(sheet_of(Recognition(()), 595, 842).boxes) == 0


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_the_program_itself_reads_the_scan(monkeypatch):
    tesseract = find_tesseract()
    if "fra" not in tesseract.packs:
        pytest.skip("tesseract has no pack for French")
    monkeypatch.setattr(recognition, "find_tesseract", lambda: tesseract)
    pages = read_pdf(SCAN, "x", "fr").pages
    assert {page.health for page in pages} == {"recognised"} and sum(len(page.boxes) for page in pages) > 500
    assert min(page.confidence for page in pages) > 0.7
