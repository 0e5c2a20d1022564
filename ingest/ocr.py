"""Recognise the text of a page from its picture, with the program tesseract. The program and its language packs are optional.

The program is called directly: its wrappers set no limit on its memory, and none of them gives spaces and places together.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import langcodes
import numpy as np
from babel import Locale
from numpy.typing import NDArray

from ingest.columns import columns_parted
from ingest.hocr import Recognition, read_hocr
from ingest.records import UNDETERMINED, IsoglossError

PROGRAM = "tesseract"
DPI = 200  # of the picture; more costs time and gains nothing
OTHER_DPI = {"mya": 135}  # Burmese stacks its letters: drawn larger, more of them are taken for others
MAX_PIXELS = 30_000_000  # a poster is recognised at a lower resolution
SECONDS = 120  # of time for one page, and of processor time should nobody be left to wait
BYTES = 1024**3  # address space of the program; the largest picture takes a fifth of it

PACKS = {  # language packs there are, without those for vertical type and for old letters
    "afr", "amh", "ara", "asm", "aze", "aze_cyrl", "bel", "ben", "bod", "bos", "bre", "bul", "cat", "ceb", "ces", "chi_sim", "chi_tra", "chr",
    "cos", "cym", "dan", "deu", "div", "dzo", "ell", "eng", "epo", "est", "eus", "fao", "fas", "fil", "fin", "fra", "fry", "gla", "gle", "glg",
    "guj", "hat", "heb", "hin", "hrv", "hun", "hye", "iku", "ind", "isl", "ita", "jav", "jpn", "kan", "kat", "kaz", "khm", "kir", "kmr", "kor",
    "lao", "lat", "lav", "lit", "ltz", "mal", "mar", "mkd", "mlt", "mon", "mri", "msa", "mya", "nep", "nld", "nor", "oci", "ori", "pan", "pol",
    "por", "pus", "que", "ron", "rus", "san", "sin", "slk", "slv", "snd", "spa", "sqi", "srp", "srp_latn", "sun", "swa", "swe", "syr", "tam", "tat",
    "tel", "tgk", "tha", "tir", "ton", "tur", "uig", "ukr", "urd", "uzb", "uzb_cyrl", "vie", "yid", "yor",
}  # fmt: skip
OTHER_NAMES = {  # by language and script
    "zh-Hans": "chi_sim", "zh-Hant": "chi_tra", "sr-Latn": "srp_latn", "az-Cyrl": "aze_cyrl", "uz-Cyrl": "uzb_cyrl", "ku-Latn": "kmr",
    "nb-Latn": "nor", "nn-Latn": "nor", "tl-Latn": "fil", "prs-Arab": "fas", "yue-Hant": "chi_tra", "yue-Hans": "chi_sim",
}  # fmt: skip
WITHOUT_ENGLISH = {"Latn", "Arab", "Ethi", "Mymr", "Jpan", "Kore", "Hans", "Hant"}  # the other packs know no Latin letters
SCRIPTS = {"Latn": "Latin", "Cyrl": "Cyrillic", "Arab": "Arabic", "Deva": "Devanagari", "Beng": "Bengali", "Mymr": "Myanmar", "Ethi": "Ethiopic"}
LAYOUTS = {"kor": 4, "khm": 4}  # page segmentation modes; tesseract's own choice loses most of the text in these
OWN_LAYOUT = 3  # columns and blocks are found automatically
SCRIPT_PACK = "osd"
FOUND = re.compile(r"^(Script|Orientation confidence): *(\S+)", re.MULTILINE)
UPRIGHT = 10.0  # of the confidence about which way is up: 12 to 50 on sample pages whose script was told rightly, below 6 on Khmer, Burmese, Amharic
SEEN_SCRIPTS = {  # by the names that tesseract tells
    "Latin": "Latn", "Cyrillic": "Cyrl", "Arabic": "Arab", "Devanagari": "Deva", "Bengali": "Beng", "Thai": "Thai", "Han": "Hans", "Japanese": "Jpan",
    "Korean": "Kore", "Hangul": "Kore", "Hiragana": "Jpan", "Katakana": "Jpan", "Greek": "Grek", "Hebrew": "Hebr", "Tamil": "Taml", "Telugu": "Telu",
    "Kannada": "Knda", "Malayalam": "Mlym", "Gujarati": "Gujr", "Gurmukhi": "Guru", "Sinhala": "Sinh", "Oriya": "Orya", "Georgian": "Geor",
    "Armenian": "Armn", "Tibetan": "Tibt", "Syriac": "Syrc",
}  # fmt: skip
READ_IN = {  # languages whose packs suffice to see which language of the script a text is in; tesseract takes Lao letters for Thai
    "Latn": ("en", "fr", "vi"), "Cyrl": ("ru", "uk"), "Arab": ("ar", "fa"), "Deva": ("hi", "ne"), "Thai": ("th", "lo"), "Hans": ("zh-Hans", "zh-Hant"),
}  # fmt: skip


class RecognitionError(IsoglossError):
    """The page cannot be recognised; the message says why and, where something is missing, what to install. `pack` is what is missing of packs."""

    def __init__(self, message: str, pack: str = "") -> None:
        super().__init__(message)
        self.pack = pack


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The program as installed."""

    program: str
    version: str
    packs: frozenset[str]

    def recognise(self, picture: NDArray[np.uint8], scale: float, language: str, seconds: float = SECONDS) -> Recognition:
        """Recognise a page in `language` (BCP 47).

        `picture` has shape (height, width), 0 is black; `scale` is its pixels per PDF point. Raises RecognitionError.
        """
        packs = self.packs_for(language)
        with tempfile.TemporaryDirectory(prefix="isogloss-") as folder:
            out = Path(folder) / "page"
            options = ["--dpi", str(round(72 * scale)), "--psm", str(LAYOUTS.get(packs[0], OWN_LAYOUT)), "-l", "+".join(packs)]
            _run([self.program, "stdin", str(out), *options, "hocr", "txt"], _portable_graymap(picture), seconds)
            try:
                hocr, plain = out.with_suffix(".hocr").read_text("utf-8"), out.with_suffix(".txt").read_text("utf-8")
                return Recognition(tuple(columns_parted(read_hocr(hocr, plain, picture.shape[0], scale).lines)))
            except (OSError, ValueError, KeyError, ParseError) as error:
                raise RecognitionError(f"{self.program} {self.version} wrote no hOCR that can be read: {error}") from error

    def packs_for(self, language: str) -> tuple[str, ...]:
        """The installed packs that read `language`, the main one first; raises RecognitionError when it is missing."""
        pack = pack_of(language)
        installed = pack if pack in self.packs else pack.removeprefix("script/")  # Debian puts those of scripts beside the others
        if installed not in self.packs:
            raise RecognitionError(
                f"recognising {language_name(language)} needs the language pack {pack}"
                f" (on Debian: apt-get install {debian_package(pack)}; elsewhere: isogloss doctor)",
                pack,
            )
        alone = langcodes.get(language).maximize().script in WITHOUT_ENGLISH or "eng" not in self.packs
        return (installed,) if alone else (installed, "eng")

    def script_of(self, picture: NDArray[np.uint8], seconds: float = SECONDS) -> str:
        """The script of a page (ISO 15924), by its picture: shape (height, width), 0 is black. Raises RecognitionError when it cannot be told.

        It knows no Khmer, Lao, Burmese and Ethiopic letters and takes them for others; then it does not know which way up they stand either,
        except for Lao, which it takes for Thai.
        """
        if SCRIPT_PACK not in self.packs:
            raise RecognitionError(
                f"its language is not known, and telling its script needs tesseract's data {SCRIPT_PACK}"
                f" (on Debian: apt-get install tesseract-ocr-{SCRIPT_PACK}; elsewhere: isogloss doctor); or name the language in the catalogue entry",
                SCRIPT_PACK,
            )
        said = dict(FOUND.findall(_run([self.program, "stdin", "stdout", "--psm", "0"], _portable_graymap(picture), seconds)))
        script = SEEN_SCRIPTS.get(said.get("Script", ""), "")
        if not script or float(said.get("Orientation confidence", 0)) < UPRIGHT:
            raise RecognitionError("its language is not known, and its script could not be told; name the language in the catalogue entry")
        return script

    def languages_in(self, script: str) -> tuple[str, ...]:
        """The languages in which to read a page of this script, so that its text may tell which it is in. Raises RecognitionError when there is no pack."""
        likely = READ_IN.get(script) or (langcodes.get(f"und-{script}").maximize().language or UNDETERMINED,)
        installed = tuple(language for language in likely if pack_of(language) in self.packs)
        if not installed or (script == "Thai" and installed != likely):
            self.packs_for(next(language for language in likely if language not in installed))
        return installed


def find_tesseract(program: str = PROGRAM) -> Tesseract:
    """Ask the program for its version and language packs; raises RecognitionError when there is none that works."""
    path = shutil.which(program)
    if path is None:
        raise RecognitionError(
            f"recognising pages needs the program {PROGRAM} (on Debian: apt-get install tesseract-ocr; elsewhere: isogloss doctor)"
        )
    version, packs = _run([path, "--version"]), _run([path, "--list-langs"])
    return Tesseract(path, version.split("\n")[0].removeprefix("tesseract").strip(), frozenset(packs.split("\n")[1:]) - {""})


def installed_packs() -> frozenset[str]:
    """The language packs on this machine, by the names that `pack_of` gives; none where the program is missing or does not work."""
    try:
        packs = find_tesseract().packs
    except RecognitionError:
        return frozenset()
    return packs | {f"script/{name}" for name in SCRIPTS.values() if name in packs}


def pack_of(language: str) -> str:
    """The language pack for a BCP 47 tag: "khm", "chi_tra", "script/Latin" for a language that has none of its own.

    Raises RecognitionError when there is none for its script either.
    """
    tag = langcodes.get(language)
    full = tag.maximize()
    name = OTHER_NAMES.get(f"{full.language}-{full.script}") or _three_letters(tag)
    if name in PACKS:
        return name
    if tag.language and full.script in SCRIPTS:
        return f"script/{SCRIPTS[full.script]}"
    raise RecognitionError(
        f"tesseract has no language pack for {language_name(language)}"
        if tag.language
        else "recognising a page needs its language, which is not known; name it in the catalogue entry"
    )


def _three_letters(tag: langcodes.Language) -> str:
    try:
        return tag.to_alpha3()
    except LookupError:  # the tag names no language, or a language that has no code of three letters
        return ""


def debian_package(pack: str) -> str:
    """The Debian package that holds a language pack."""
    scripts = {f"script/{name}": f"script-{code.lower()}" for code, name in SCRIPTS.items()}
    return "tesseract-ocr-" + scripts.get(pack, pack).replace("_", "-")


def language_name(language: str) -> str:
    """A language's name in English, or the tag where none is known."""
    return str(Locale("en").languages.get(langcodes.get(language).language or "", language))


def scale_for(width: float, height: float, language: str) -> float:
    """The pixels per point at which to draw a page of this size in points: as the language needs it, less for a poster. Raises RecognitionError."""
    return float(min(OTHER_DPI.get(pack_of(language), DPI) / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5))


def _portable_graymap(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape
    return b"P5 %d %d 255\n" % (width, height) + np.ascontiguousarray(picture, np.uint8).tobytes()


def _run(command: Sequence[str], data: bytes = b"", seconds: float = SECONDS) -> str:
    try:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "OMP_THREAD_LIMIT": "1"}
        ) as process:
            with suppress(ProcessLookupError):  # it has ended already, in trouble
                _limit(process.pid)
            try:
                out, problem = process.communicate(data, timeout=seconds)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise RecognitionError(f"recognising the page took longer than {seconds:g} seconds") from error
    except OSError as error:
        raise RecognitionError(f"{command[0]} cannot be run: {error}") from error
    if process.returncode:
        said = " ".join(problem.decode("utf-8", "replace").split())[-300:]
        raise RecognitionError(f"{Path(command[0]).name} failed (exit code {process.returncode}): {said or 'it gave no reason'}")
    return out.decode("utf-8", "replace")


def _limit(pid: int) -> None:
    """Limit memory and processor time of a program that has not been given its work yet."""
    if hasattr(resource, "prlimit"):  # Linux; elsewhere the time alone is limited
        for what, most in ((resource.RLIMIT_AS, BYTES), (resource.RLIMIT_CPU, SECONDS)):
            hard = resource.getrlimit(what)[1]
            resource.prlimit(pid, what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))
