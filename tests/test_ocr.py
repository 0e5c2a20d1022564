"""Pages are recognised by the program tesseract; without it, or with one that fails, the reason is plain."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from conftest import CORPUS

from ingest import ocr
from ingest.ocr import RecognitionError, Tesseract, debian_package, find_tesseract, pack_of, scale_for

BLANK = np.full((40, 30), 255, np.uint8)
WORD = '<span class="ocr_line" title="bbox 0 0 20 10"><span class="ocrx_word" title="bbox 0 0 20 10; x_wconf 80">ทะเล</span></span>'
PAGE = f'<html><p class="ocr_par">{WORD}</p></html>'
WRITES = f"open(sys.argv[2] + '.hocr', 'w', encoding='utf-8').write({PAGE!r}); open(sys.argv[2] + '.txt', 'w', encoding='utf-8').write('ทะเล')"


@pytest.fixture
def program(tmp_path):
    """Make a program that does what the given Python says and is called as tesseract is."""

    def write(body: str) -> str:
        path = tmp_path / "tesseract"
        path.write_text(f"#!{sys.executable}\nimport os, resource, sys, time\n{body}\n", "utf-8")
        path.chmod(0o755)
        return str(path)

    return write


def fake(program: str, *packs: str) -> Tesseract:
    return Tesseract(program, "0.0", frozenset(packs))


@pytest.mark.parametrize(
    ("language", "pack"),
    [
        ("en", "eng"), ("fr", "fra"), ("de-AT", "deu"), ("pt-BR", "por"), ("ar", "ara"), ("fa", "fas"), ("fa-AF", "fas"), ("prs", "fas"), ("he", "heb"),
        ("hi", "hin"), ("ne", "nep"), ("bn", "ben"), ("ta", "tam"), ("th", "tha"), ("lo", "lao"), ("km", "khm"), ("my", "mya"), ("am", "amh"),
        ("ti", "tir"), ("ja", "jpn"), ("ko", "kor"), ("zh", "chi_sim"), ("zh-TW", "chi_tra"), ("zh-Hant", "chi_tra"), ("yue", "chi_tra"),
        ("sr", "srp"), ("sr-Latn", "srp_latn"), ("nb", "nor"), ("fil", "fil"), ("tl", "fil"), ("ku", "kmr"), ("sw", "swa"),
        ("rw", "script/Latin"), ("so", "script/Latin"), ("shn", "script/Myanmar"), ("ckb", "script/Arabic"),
    ],
)  # fmt: skip
def test_a_language_has_a_pack_or_its_script_has_one(language, pack):
    assert pack_of(language) == pack


@pytest.mark.parametrize(("language", "reason"), [("und", "needs its language"), ("mni-Mtei", "no language pack for Manipuri")])
def test_a_language_that_cannot_be_recognised_says_so(language, reason):
    with pytest.raises(RecognitionError, match=reason):
        pack_of(language)


@pytest.mark.parametrize(
    ("pack", "package"), [("khm", "tesseract-ocr-khm"), ("chi_tra", "tesseract-ocr-chi-tra"), ("script/Latin", "tesseract-ocr-script-latn")]
)
def test_a_pack_is_in_a_package_of_debian(pack, package):
    assert debian_package(pack) == package


def test_a_missing_pack_is_named_with_what_installs_it():
    with pytest.raises(RecognitionError) as error:
        fake("tesseract", "eng", "tha").recognise(BLANK, 1.0, "km")
    assert str(error.value) == (
        "recognising Khmer needs the language pack khm (on Debian: apt-get install tesseract-ocr-khm; elsewhere: isogloss doctor)"
    )


@pytest.mark.parametrize(
    ("language", "packs"),
    [("km", ("khm", "eng")), ("th", ("tha", "eng")), ("ru", ("rus", "eng")), ("ar", ("ara",)), ("my", ("mya",)), ("ja", ("jpn",)), ("fr", ("fra",))],
)
def test_english_is_read_too_where_the_pack_knows_no_latin_letters_and_does_not_suffer(language, packs):
    assert fake("tesseract", *packs, "eng", "ara", "fra").packs_for(language) == packs


def test_english_is_not_needed():
    assert fake("tesseract", "khm").packs_for("km") == ("khm",)


@pytest.mark.parametrize("name", ["script/Latin", "Latin"])
def test_the_pack_of_a_script_is_found_under_both_its_names(name):
    assert fake("tesseract", name).packs_for("rw") == (name,)


def test_the_program_gets_the_picture_the_resolution_and_the_packs(program, tmp_path):
    seen = tmp_path / "seen"
    path = program(
        f"open({str(seen)!r}, 'w').write(' '.join(sys.argv[3:]) + ' ' + os.environ['OMP_THREAD_LIMIT'] + ' ' + repr(sys.stdin.buffer.read()[:20]))\n{WRITES}"
    )
    recognition = fake(path, "tha", "eng").recognise(BLANK, 200 / 72, "th")
    assert seen.read_text() == "--dpi 200 --psm 3 -l tha+eng hocr txt 1 " + repr(b"P5 30 40 255\n" + b"\xff" * 7)
    assert (recognition.text, recognition.confidence) == ("ทะเล", 0.8)


@pytest.mark.parametrize(("language", "mode"), [("ko", "4"), ("km", "4"), ("my", "3"), ("ar", "3")])
def test_the_page_is_taken_apart_as_its_script_needs_it(program, language, mode):
    path = program(f"sys.exit(0 if sys.argv[sys.argv.index('--psm') + 1] == {mode!r} else 1)\n".replace("sys.exit(0 if", f"{WRITES}\nsys.exit(0 if"))
    assert fake(path, pack_of(language)).recognise(BLANK, 1.0, language).text == "ทะเล"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("time.sleep(60)", r"took longer than 0\.5 seconds"),
        ("print('pix not read', file=sys.stderr); sys.exit(3)", r"tesseract failed \(exit code 3\): pix not read"),
        ("sys.exit(1)", "it gave no reason"),
        ("pass", "wrote no hOCR that can be read"),
        (WRITES.replace("<html>", "<html"), "wrote no hOCR that can be read"),
    ],
)
def test_a_program_that_fails_is_a_reason(program, body, reason):
    with pytest.raises(RecognitionError, match=reason):
        fake(program(body), "tha").recognise(BLANK, 1.0, "th", seconds=0.5 if "sleep" in body else 20)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets the limits of another process be set")
def test_the_memory_of_the_program_is_limited(program):
    with pytest.raises(RecognitionError, match="MemoryError"):
        fake(program("sys.stdin.buffer.read(); bytearray(2 * 1024**3)"), "tha").recognise(BLANK, 1.0, "th")


@pytest.mark.parametrize(
    ("said", "sure", "script"),
    [("Thai", 49.9, "Thai"), ("Han", 18.2, "Hans"), ("Arabic", 23.5, "Arab"), ("Latin", 1.2, ""), ("Malayalam", 2.3, ""), ("Runic", 30.0, "")],
)
def test_a_script_is_told_if_it_is_sure_which_way_up_it_stands(program, said, sure, script):
    tesseract = fake(program(f"print('Orientation confidence: {sure}\\nScript: {said}\\nScript confidence: 2.0')"), "osd")
    if script:
        assert tesseract.script_of(BLANK) == script
        return
    with pytest.raises(RecognitionError, match="its script could not be told; name the language") as error:
        tesseract.script_of(BLANK)
    assert error.value.pack == ""


def test_a_page_of_unknown_language_is_read_in_the_languages_of_its_script_that_are_there():
    assert fake("x", "eng", "vie").languages_in("Latn") == ("en", "vi")
    assert fake("x", "kor").languages_in("Kore") == ("ko",)
    assert fake("x", "tha", "lao").languages_in("Thai") == ("th", "lo")
    for packs, script, missing in ((("eng",), "Cyrl", "rus"), (("eng",), "Beng", "ben"), (("tha",), "Thai", "lao")):
        with pytest.raises(RecognitionError, match=f"needs the language pack {missing}") as error:
            fake("x", *packs).languages_in(script)
        assert error.value.pack == missing


def test_a_missing_program_is_named_with_what_installs_it():
    with pytest.raises(RecognitionError, match=r"needs the program tesseract .*apt-get install tesseract-ocr; elsewhere: isogloss doctor"):
        find_tesseract("tesseract-of-nowhere")


def test_the_program_is_asked_for_its_version_and_packs(program, monkeypatch):
    path = program("print('tesseract 5.3.0\\n leptonica-1.82.0' if '--version' in sys.argv else 'List of available languages (2):\\nkhm\\neng')")
    assert find_tesseract(path) == Tesseract(path, "5.3.0", frozenset({"khm", "eng"}))


def test_a_program_that_cannot_be_run_is_a_reason(tmp_path):
    broken = tmp_path / "tesseract"
    broken.write_text("neither a program nor a script")
    broken.chmod(0o755)
    with pytest.raises(RecognitionError, match="cannot be run"):
        find_tesseract(str(broken))


@pytest.mark.parametrize(("size", "language", "dpi"), [((595, 842), "km", 200), ((595, 842), "my", 135), ((0, 0), "th", 200)])
def test_a_page_is_drawn_as_large_as_its_script_needs(size, language, dpi):
    assert scale_for(*size, language) == pytest.approx(dpi / 72)


def test_a_poster_is_drawn_smaller():
    scale = scale_for(3370, 4768, "th")
    assert 3370 * scale * 4768 * scale == pytest.approx(ocr.MAX_PIXELS) and scale < 200 / 72


READABLE = {  # words at the head of the first page of the body
    "humanitarian-casework/ar": "للنزوح في شمال العراق", "humanitarian-casework/fa": "در شمال عراق", "village-vigilance/hi": "का अध्ययन क्यों",
    "motorbike-taxi-line/th": "มอเตอร์ไซค์รับจ้างอยู่ตามปากซอย ตลาด", "mekong-homestays/km": "ដងទន្លេមេគង្គ", "river-corridor/lo": "ແລະ ຫວຽດນາມ",
    "boys-services/my": "ရည်ရွယ်ချ", "school-corridor-clubs/am": "ኪሎ ሜትር", "payment-signals/ja": "資金の情報は、銀行や決済事業者が最初に",
    "payment-signals/ko": "온라인 아동 착취", "payment-signals/zh": "儿童", "tourism-curriculum/vi": "trẻ em", "online-safety-survey/ru": "безопасност",
    "east-africa-coast/fr": "Les visiteurs de la côte",
}  # fmt: skip


@pytest.mark.parametrize("edition", READABLE)
def test_the_head_of_a_page_is_recognised_where_it_stands(edition):
    if shutil.which(ocr.PROGRAM) is None:
        pytest.skip("needs the program tesseract; isogloss doctor says how to install it")
    tesseract, language = find_tesseract(), Path(edition).name
    try:
        tesseract.packs_for(language)
    except RecognitionError as error:
        pytest.skip(str(error))
    page = pypdfium2.PdfDocument(CORPUS / f"{edition}.pdf")[1]
    scale = scale_for(*page.get_size(), language)
    picture = page.render(scale=scale, grayscale=True).to_numpy()
    head = picture.reshape(picture.shape[:2])[: picture.shape[0] // 3]
    recognition = tesseract.recognise(head, scale, language)
    assert READABLE[edition] in recognition.text.replace("\n", " ")
    for line in recognition.lines:
        assert 0 <= line.left < line.right <= page.get_width() and -1 < line.baseline < len(head) / scale
