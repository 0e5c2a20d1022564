"""Judge whether the text of a page is what stands on it, say why not, and bring back the letters of text that was read in a wrong encoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import langcodes
import regex

from ingest.language import identify, known, reads_as, same_language
from ingest.layout import THAI_FORMS
from ingest.records import OTHER_LANGUAGE, UNDETERMINED, Health, Page
from ingest.scripts import OTHER, script_of
from ingest.typeset import Typeset

MIN_LETTERS = 40  # on a page; fewer tell neither language nor rubbish
SAMPLE = 2000  # characters of a page that are looked at; a page is of one make
MIN_READABLE = 0.5  # share of characters that Unicode knows, below which a text layer is rubbish
UNREADABLE = regex.compile(r"[\p{Co}\p{Cn}\p{Cc}\ufffd--\s]", regex.V1)
INK = regex.compile(r"[^\s.]")  # a table of contents is full of dots
LETTERS = regex.compile(r"\p{L}+")
SIGN_IN_WORD = regex.compile(r"[^\W\d_][!\"#$%<=>?\\^{|}~¡-©«-³µ-¶¸»-¿×÷\ue000-\uf8ff]+[^\W\d_]")
CAPITAL_IN_WORD = regex.compile(r"\p{Ll}\p{Lu}(?!\p{Ll}{2})")  # as in "EkyA", where old Indic fonts have their letters; names as "McKay" are none
MANY_SIGNS = 0.1  # of either, of the words of a text; sound text has next to none
STRAY_MARK = regex.compile(r"(?:^|(?<=[\s\p{P}\p{N}]))[\p{Mn}\p{Mc}]")
MANY_STRAYS = 0.1  # of the words of a text
PARTED = ("Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Taml", "Telu", "Ethi")  # scripts that put a space beside a word of another
UNPARTED = r"\p{Hani}\p{Hira}\p{Kana}\p{Hang}\p{Thai}\p{Laoo}\p{Khmr}\p{Mymr}"
MIXED_WORD = regex.compile(  # a letter beside one of another script, as fonts with codes of their own leave them
    "|".join(rf"\p{{{one}}}(?=[[\p{{L}}\p{{M}}]--[\p{{{one}}}\p{{Zinh}}\p{{Zyyy}}{UNPARTED}]])" for one in PARTED), regex.V1
)
MANY_MIXED = 0.1  # of the words of a text
OTHER_SCRIPT = 0.5  # share of letters in a script that the language is not written in
WESTERN = regex.compile(r"[¡-ÿŒœŠšŸŽžƒˆ˜–—‘-‚“-„†-•…‰‹›€™]{2,}")  # runs of what bytes above 127 are in the encoding of Western Windows
MANY_WESTERN = 0.4  # of the characters of a text; French has a tenth, Vietnamese writes most of its letters with others
UTF8 = regex.compile(r"(?:[Â-ô][\u0080-¿ŒœŠšŸŽžƒˆ˜–—‘-‚“-„†-•…‰‹›€™]{1,3})+")
MANY_UTF8 = 0.02  # of the characters of a text
MOST = 0.8  # of such runs
# Encodings that are mistaken for Western Windows or Latin-1, with the commonest small letters of the languages that are written in them.
CYRILLIC, ARABIC = "оеаинтсрвлкмдіъу", "اليمونترهبةعکی"
ENCODINGS = {
    "cp1251": CYRILLIC, "koi8-r": CYRILLIC, "koi8-u": CYRILLIC, "cp866": CYRILLIC, "iso8859-5": CYRILLIC, "cp874": "านรอกเงยมลวดทสตะปบค่้ัิี",
    "cp1253": "αοιετσνηυρπκμλςάίό", "cp1255": "יוהלארתבשמנםד", "cp1256": ARABIC, "iso8859-6": ARABIC,
}  # fmt: skip
# Signs that are drawn lower or further left, which Thai fonts have where TIS-620 has nothing.
THAI_BYTES = dict(zip((*range(0x80, 0x85), *range(0x86, 0x91), *range(0x98, 0xA0)), THAI_FORMS, strict=False))
COMMON = 0.5  # share of those letters in sound text is above this, and far below it in the wrong encoding


def wrong_encoding(texts: Iterable[str]) -> str:
    """Return the encoding in which a text that was read as Western was written, "" when it is sound or none makes it a language."""
    text = "\n".join(text[:SAMPLE] for text in texts)
    if text.isascii():
        return ""
    runs = "".join(WESTERN.findall(text))
    if len(runs) > MANY_UTF8 * len(text) and sum(len(run) for run in UTF8.findall(text) if _as_utf8(run) != run) > MOST * len(runs):
        return "utf-8"
    if not looks_western(text):
        return ""
    shares = {encoding: sum(map(runs.translate(_table(encoding)).count, common)) / len(runs) for encoding, common in ENCODINGS.items()}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] > COMMON else ""


def looks_western(text: str) -> bool:
    """Whether a text consists of letters and signs that only a wrong encoding puts side by side."""
    western = sum(map(len, WESTERN.findall(text)))
    return western > MIN_LETTERS and western > MANY_WESTERN * len(INK.findall(text))


def recoded(text: Typeset, encoding: str) -> Typeset:
    """Read a text anew that was written in this encoding and read as Western."""
    if encoding == "utf-8":
        return text.sub(UTF8, lambda found: _as_utf8(found.group()))
    return Typeset(text.text.translate(_table(encoding)), text.glyphs)


def _as_utf8(text: str) -> str:
    data = b"".join(char.encode("latin-1") if ord(char) < 256 else char.encode("cp1252") for char in text)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return text


@cache
def _table(encoding: str) -> dict[int, str]:
    """From what bytes above 127 are in Western encodings to what they are in this one."""
    table = {}
    for byte in range(128, 256):
        meant = bytes([byte]).decode(encoding, "ignore") or (THAI_BYTES.get(byte, "") if encoding == "cp874" else "")
        for western in ("cp1252", "latin-1"):
            said = bytes([byte]).decode(western, "ignore")
            if said and meant:
                table[ord(said)] = meant
    return table


def health(text: str, failed: bool, images: bool) -> tuple[Health, str]:
    """Judge a page by itself: its health and, unless it is good, the cause."""
    if not text:
        return ("unreadable", "the page could not be opened") if failed else ("image only", "an image without text") if images else ("empty", "")
    text = text[:SAMPLE]
    if len(UNREADABLE.findall(text)) > MIN_READABLE * len("".join(text.split())):
        return "unreadable", "codes that stand for no letters"
    if text.isascii():
        return "good", ""
    if looks_western(text):
        return "suspect", "mojibake: letters of an encoding that is not known"
    if len(STRAY_MARK.findall(text)) > MANY_STRAYS * len(text.split()):
        return "suspect", "letters unlikely: marks without their letters"
    if len(set(map(script_of, set(text))) - {OTHER}) > 1 and len(MIXED_WORD.findall(text)) > MANY_MIXED * len(text.split()):
        return "suspect", "letters unlikely: words in two scripts"
    return "good", ""


def judged(pages: Sequence[Page], language: str) -> tuple[Page, ...]:
    """Judge the pages that are good by themselves, or were recognised, against each other and against the language that the catalogue says.

    A page is rubbish when it is in no language and its words are full of signs or capitals; fonts that do not say which character a glyph is leave such
    pages, and then the whole document is of them.
    """
    doubted = _unlikely_words(" ".join(page.text for page in pages if page.health == "good"))
    told = [_told(page, language, doubted) for page in pages]
    good = [found for page, found in zip(pages, told, strict=True) if found and page.health == "good"]
    rubbish = doubted and 2 * good.count(UNDETERMINED) > len(good)
    return tuple(_judged(page, found, language, rubbish) for page, found in zip(pages, told, strict=True))


def by_health(pages: Iterable[Page]) -> list[tuple[Health, str, list[int]]]:
    """Gather the pages of an edition by health and cause, with their numbers, from 1; the most frequent first."""
    found: dict[tuple[Health, str], list[int]] = {}
    for page in pages:
        found.setdefault((page.health, page.cause), []).append(page.number)
    return sorted(((*said, numbers) for said, numbers in found.items()), key=lambda row: (-len(row[2]), row[2]))


def summary(pages: Iterable[Page]) -> str:
    """Say in one line what is to be said of the pages, such as "2 image only (pages 3-4): an image without text"."""
    rows = [row for row in by_health(pages) if row[1] or row[0] not in ("good", "empty")]
    return "; ".join(f"{len(numbers)} {health} ({in_ranges(numbers)})" + (f": {cause}" if cause else "") for health, cause, numbers in rows)


def in_ranges(numbers: Sequence[int]) -> str:
    """Growing page numbers, written short: "page 3", "pages 1-4, 7"."""
    ends = [place for place, number in enumerate(numbers) if numbers[place + 1 : place + 2] != [number + 1]]
    runs = [(numbers[start], numbers[end]) for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]
    return ("page " if len(numbers) == 1 else "pages ") + ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _judged(page: Page, found: str, language: str, rubbish: bool) -> Page:
    if page.health == "recognised" and found == UNDETERMINED and known(language):
        return replace(page, health="suspect", cause=f"{page.cause}; what was recognised is in no language")
    if page.health != "good":
        return page
    if rubbish or (found == UNDETERMINED and _unlikely_words(page.text)):
        return replace(page, health="suspect", cause=f"rubbish codes: in {language} or any other language")
    if not found or not known(language):
        return page
    if found != UNDETERMINED:
        other = not same_language(found, language)
        return replace(page, health="suspect", cause=f"{OTHER_LANGUAGE}{found}, the catalogue says {language}") if other else page
    script, expected = _script(page.text), _scripts(language)
    if script and expected and script not in expected:
        return replace(page, health="suspect", cause=f"wrong script: {script} letters that are no language, where the catalogue says {language}")
    return page


def _told(page: Page, language: str, doubted: bool) -> str:
    """The language of a page, "" where nothing depends on it or there are too few letters. All readers are asked only where one contradicts."""
    if (
        page.health not in ("good", "recognised")
        or not (known(language) or doubted or _unlikely_words(page.text))
        or _letters(page.text) < MIN_LETTERS
    ):
        return ""
    return language if reads_as(page.text, language) else identify(page.text, language)


def _unlikely_words(text: str) -> bool:
    return max(len(unlikely.findall(text)) for unlikely in (SIGN_IN_WORD, CAPITAL_IN_WORD)) > MANY_SIGNS * len(text.split())


def _letters(text: str) -> int:
    return sum(map(len, LETTERS.findall(text)))


SCRIPTS = {
    name: regex.compile(rf"\p{{Script={name}}}")
    for name in (
        "Latn",
        "Cyrl",
        "Grek",
        "Arab",
        "Hebr",
        "Deva",
        "Beng",
        "Taml",
        "Telu",
        "Thai",
        "Laoo",
        "Khmr",
        "Mymr",
        "Ethi",
        "Hang",
        "Hani",
        "Kana",
        "Hira",
    )
}
WRITTEN_IN = {"Hans": {"Hani"}, "Hant": {"Hani"}, "Jpan": {"Hani", "Hira", "Kana"}, "Kore": {"Hang", "Hani"}}


def _script(text: str) -> str:
    """The script of most letters, by its ISO 15924 name, "" when it is none of those that are known here."""
    counts = Counter({name: len(letters.findall(text)) for name, letters in SCRIPTS.items()})
    name, count = counts.most_common(1)[0]
    return name if count > OTHER_SCRIPT * _letters(text) else ""


def _scripts(language: str) -> set[str]:
    script = langcodes.get(language).maximize().script or ""
    return WRITTEN_IN.get(script, {script} & SCRIPTS.keys())
