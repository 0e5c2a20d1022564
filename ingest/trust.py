"""Find text layers of the right script with the wrong letters, which look like text to every other check.

The fonts and the language say when a document is worth the time; one page of it is then recognised and compared with its text layer. With
ingest/pdf.py, the only module that imports pypdf; with ingest/quotation.py, the only one that imports rapidfuzz.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import langcodes
import pypdf
import regex
from rapidfuzz import fuzz

TRUSTED = 0.7  # similarity from which the letters of a layer are believed; docs/reading.md has what sound and broken layers get
MIN_LETTERS = 100  # of a sample page; fewer tell nothing
PIECE = 40  # letters that are looked for together, about half a line: their order on the page does not matter
CHARACTER_SETS = {"Japan1", "GB1", "CNS1", "Korea1", "KR"}  # of Adobe, whose numbers PDFium can turn into characters
OFTEN_WRONG = {  # even where fonts look sound
    "Khmr", "Mymr", "Thai", "Laoo", "Deva", "Beng", "Taml", "Telu", "Knda", "Mlym", "Gujr", "Guru", "Orya", "Sinh", "Ethi", "Tibt",
}  # fmt: skip
LETTERS = regex.compile(r"[\p{L}\p{M}\p{N}]+")
DEEPEST = 64  # levels of a page tree; deeper ones are cyclic
SINGLE_BYTE = {"/Type1", "/MMType1", "/TrueType"}


@dataclass(frozen=True, slots=True)
class Font:
    """What a font says about its letters."""

    name: str
    tells: bool  # whether the file says which characters its glyphs are
    latin: bool  # whether all it can say is Latin: one byte a letter and no map of its own


def page_at(reader: pypdf.PdfReader, number: int) -> Mapping[str, Any]:
    """The resources of a page, by its number from 1, its own or inherited. Raises whatever pypdf raises.

    It is found by the counts in the page tree, where pypdf would read all pages to find one.
    """
    node, resources, before = _entry(reader.root_object, "/Pages"), None, 0
    for _ in range(DEEPEST):
        resources = _entry(node, "/Resources") or resources
        if "/Kids" not in node:
            break
        kids = _entry(node, "/Kids")
        if len(kids) == _entry(node, "/Count"):  # all of them are pages
            node, before = kids[number - before - 1].get_object(), number - 1
            continue
        for kid in kids:
            node = kid.get_object()
            count = _entry(node, "/Count") if "/Kids" in node else 1
            if before + count >= number:
                break
            before += count
    return {"/Resources": resources}


def fonts_of(page: Mapping[str, Any]) -> tuple[Font, ...]:
    """The fonts that a page names itself; those of the forms drawn on it are not looked for. Raises whatever pypdf raises."""
    fonts = _entry(_entry(page, "/Resources"), "/Font")
    return tuple(_font(_entry(fonts, name)) for name in fonts or ())


def doubt(fonts: Sequence[Font], language: str) -> str:
    """Why the text layer of a document in `language` (BCP 47) should be compared with what is seen, or "" when nothing speaks for it."""
    script = langcodes.get(language).maximize().script
    for font in fonts:
        if not font.tells:
            return f"the font {font.name} does not say which letters its glyphs are"
        if font.latin and script not in {"Latn", None}:
            return f"the font {font.name} can only say Latin letters"
    return "text layers in this script are often wrong" if script in OFTEN_WRONG else ""


def sample_page(texts: Sequence[str]) -> int | None:
    """The number, from 1, of the page that has the most letters; None when none has enough to compare."""
    counts = [len(letters(text)) for text in texts]
    return counts.index(max(counts)) + 1 if counts and max(counts) >= MIN_LETTERS else None


def has_wrong_letters(layer: str, recognised: str) -> bool:
    """Whether what is seen on a page contradicts its text layer, which a page of few letters or of which little was recognised cannot."""
    said, seen = len(letters(layer)), len(letters(recognised))
    return said >= MIN_LETTERS and 2 * seen >= said and similarity(layer, recognised) < TRUSTED


def similarity(layer: str, recognised: str) -> float:
    """How much of a text layer is found again in what was recognised, in [0, 1].

    Letters, marks and digits only, without case. The layer is cut into pieces of PIECE; a piece counts as the indel ratio to that stretch
    of the recognised text which is most like it. So neither the order of columns and notes nor what the layer leaves out (running
    headers) lowers it. Strings that have nothing to do with each other get about 0.4, not 0.
    """
    wanted, found = letters(layer), letters(recognised)
    pieces = [wanted[start : start + PIECE] for start in range(0, len(wanted), PIECE)]
    if len(found) < PIECE or not pieces:
        return 0.0
    return sum(len(piece) * fuzz.partial_ratio(piece, found) for piece in pieces) / len(wanted) / 100


def letters(text: str) -> str:
    """The letters, marks and digits of a text, folded."""
    return "".join(LETTERS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _entry(dictionary: Any, name: str) -> Any:
    """What stands under a name, with references followed, or None."""
    found: Any = dictionary.get(name) if dictionary else None
    return None if found is None else found.get_object()


def _font(font: Any) -> Font:
    name = str(font.get("/BaseFont", "without a name")).split("+")[-1].lstrip("/")
    kind = font.get("/Subtype")
    if "/ToUnicode" in font:
        return Font(name, tells=True, latin=False)
    if kind in SINGLE_BYTE:  # where it is not in the file, the viewer takes one of its own, whose letters are known
        return Font(name, tells="/Encoding" in font or "/FontDescriptor" not in font, latin=True)
    return Font(name, tells=kind == "/Type0" and _has_known_numbers(font), latin=False)


def _has_known_numbers(font: Any) -> bool:
    encoding = _entry(font, "/Encoding")
    if isinstance(encoding, str) and not encoding.startswith("/Identity"):
        return True  # the name of a map that comes with every viewer
    descendant = _entry(font, "/DescendantFonts")[0].get_object()
    return str(_entry(_entry(descendant, "/CIDSystemInfo"), "/Ordering")) in CHARACTER_SETS
