"""The language that a publisher's label means, in whatever language the label is written; the names are CLDR's, by way of Babel."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import langcodes
import regex
from babel import Locale, localedata
from babel.languages import get_official_languages

from ingest.catalogue import TERRITORIES
from ingest.records import UNDETERMINED, primary

Why = Literal["", "country", "several", "ambiguous", "qualifier", "unknown"]

ALSO = {  # what publishers write and CLDR does not say so
    "farsi": "fa", "castilian": "es", "castellano": "es", "mandarin": "zh", "myanmar": "my", "bengali": "bn", "cambodian": "km", "laotian": "lo", "pilipino": "fil",
    "serbo croatian": "sh", "pidgin": "pcm", "sorani": "ckb", "kurmanji": "kmr", "tetun": "tet", "oriya": "or", "uighur": "ug", "kirghiz": "ky", "moldovan": "ro-MD",
    "kinyarwanda": "rw", "kirundi": "rn", "chichewa": "ny", "luganda": "lg", "cantonese": "yue", "gaelic": "gd",
}  # fmt: skip
COUNTRIES_ALSO = {"uk": "GB", "usa": "US", "britain": "GB", "czech republic": "CZ", "holland": "NL", "turkey": "TR"}
SCRIPTS_ALSO = {"simplified": "Hans", "traditional": "Hant", "roman": "Latn"}
WORDS_FOR_LANGUAGE = frozenset({
    "language", "lang", "langue", "idioma", "lengua", "lingua", "língua", "sprache", "bahasa", "lugha", "язык", "мова", "اللغة", "لغة", "زبان", "भाषा", "ভাষা",
})  # fmt: skip
BEGINNINGS = ("ภาษา", "ພາສາ", "ភាសា")  # "language", where words have no spaces between them
ENDINGS = ("ian", "ean", "an", "ese", "ish", "vian", "i", "ic", "n", "er")  # that English puts on the stem of a country's name
ENDING = 3  # letters of a country's name that its people's may lack: "Belgian"
STEM = 4  # letters; fewer begin too many names
NO_LANGUAGES = frozenset({"und", "mul", "zxx", "root", "mis"})  # CLDR names them all the same
NO_COUNTRIES = frozenset({"001", "150", "EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"})
UNSEEN = regex.compile(r"\p{Cf}")  # joiners and marks of direction
BETWEEN = regex.compile(r"[\s\p{P}\p{S}--[’'ʼ]]+", regex.V1)
MARKS = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}])\p{M}+|[’'ʼ]", regex.V1)
QUALIFIED = regex.compile(r"(?P<name>[^()（）\[\],–—]+?)\s*(?:[(（\[](?P<of>[^()（）\[\]]+)[)）\]]|(?:\s[–—-]|,)\s*(?P<of>.+))")
CODE = regex.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Told:
    """The language of a label, and by what rule where the label does not simply name it."""

    tag: str  # BCP 47; "und" when it cannot be told
    why: Why = ""
    about: str = ""  # a country's code, the tags it may mean, or what was left aside


@lru_cache(4096)
def language_of(label: str) -> Told:
    """Tell what language a label means: a name in any language, with a country or a script beside it, a code, or a country with one language.

    A country or its people stand for the one official language of the country, by CLDR; where it has several, nothing is guessed.
    """
    name = folded(label)
    if not name:
        return Told(UNDETERMINED, "unknown")
    if tag := _named(name) or _coded(label):
        return Told(tag)
    if tags := _elsewhere().get(name):
        return Told(_one(tags)) if _one(tags) else Told(UNDETERMINED, "ambiguous", ", ".join(sorted(tags)))
    return _qualified(label) or _worded(name) or _of_country(name) or Told(UNDETERMINED, "unknown")


def country_of(name: str) -> str:
    """The ISO 3166-1 code of a country by its code or its name in any language; "" where there is none, or more than one."""
    code = name.strip()
    found = {code} if code in TERRITORIES else _countries().get(folded(name), frozenset()) & TERRITORIES
    return next(iter(found)) if len(found) == 1 else ""


def folded(name: str) -> str:
    """A name without case, punctuation and such accents as are left out in writing."""
    spaced = " ".join(BETWEEN.sub(" ", UNSEEN.sub("", _decomposed(name))).split())
    return MARKS.sub(r"\1", spaced)


def ambiguous() -> dict[str, tuple[str, ...]]:
    """The names, folded, that mean several languages in CLDR, and that neither English nor a language's own name decides."""
    return {name: tuple(sorted(tags)) for name, tags in _elsewhere().items() if len(tags) > 1 and not _named(name)}


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _named(name: str) -> str:
    return _in_english().get(name) or _in_themselves().get(name, "")


def _coded(label: str) -> str:
    """The tag of a label that is a code of ISO 639 or a tag of BCP 47, of a language that CLDR names."""
    said = label.strip().replace("_", "-")
    if not CODE.fullmatch(said) or not langcodes.tag_is_valid(said):
        return ""
    tag = langcodes.standardize_tag(said)
    return tag if primary(tag) in Locale("en").languages and primary(tag) not in NO_LANGUAGES else ""


def _qualified(label: str) -> Told | None:
    """Of "Portuguese (Brazil)", "Chinese, Simplified", "Colombian Spanish" or "Persian (Farsi)"."""
    found = QUALIFIED.fullmatch(label.strip())
    if found:
        name, of = _plain(found["name"]), found["of"]
        return _joined(name, of) if name else None
    words = label.split()
    for place in range(1, len(words)):
        for named, people in ((words[place:], words[:place]), (words[:place], words[place:])):
            tag = _plain(" ".join(named))
            if tag and (region := next(iter(_peoples(folded(" ".join(people)))), "")):
                return Told(_extended(tag, region))
    return None


def _joined(tag: str, of: str) -> Told:
    name, other = folded(of), _plain(of)
    if other and primary(other) == primary(tag):
        return Told(max(tag, other, key=len))
    if script := _scripts().get(name):
        return Told(langcodes.standardize_tag(f"{primary(tag)}-{script}"))
    regions = {of.strip()} & set(Locale("en").territories) or _peoples(name)
    if len(regions) == 1:
        return Told(_extended(tag, next(iter(regions))))
    return Told(tag, "qualifier", of.strip())


def _worded(name: str) -> Told | None:
    """Of a name beside the word for "language"."""
    rest = " ".join(word for word in name.split() if word not in WORDS_FOR_LANGUAGE)
    rest = next((rest.removeprefix(folded(word)) for word in BEGINNINGS if rest.startswith(folded(word))), rest).strip()
    return language_of(rest) if rest and rest != name else None


def _of_country(name: str) -> Told | None:
    """The one official language of the country that is named, or whose people are."""
    regions = _peoples(name)
    if len(regions) != 1:
        return Told(UNDETERMINED, "ambiguous", ", ".join(sorted(regions))) if regions else None
    region = next(iter(regions))
    languages = [tag.replace("_", "-") for tag in get_official_languages(region, de_facto=True)]
    if len(languages) != 1:
        return Told(UNDETERMINED, "several", region)
    return Told(_extended(languages[0], region), "country", region)


def _plain(label: str) -> str:
    """The language of a label that simply names it, or ""."""
    name = folded(label)
    return _named(name) or _one(_elsewhere().get(name, frozenset())) or _coded(label)


def _one(tags: frozenset[str]) -> str:
    """The language that a name means: "" where it means several; of its regions and scripts the language itself."""
    return min(tags, key=lambda tag: (len(tag), tag)) if len({primary(tag) for tag in tags}) == 1 else ""


def _extended(tag: str, region: str) -> str:
    kept = langcodes.get(tag)
    return langcodes.standardize_tag("-".join(filter(None, (kept.language, kept.script, region))))


def _peoples(name: str) -> frozenset[str]:
    """The countries that a name means, or whose people it means."""
    if found := _countries_in_english().get(name):
        return found
    stems = {name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending) and len(name) - len(ending) >= STEM}
    if found := next(filter(None, map(_beginning, sorted(stems, key=len, reverse=True))), frozenset()):
        return found
    return _countries().get(name) or _adjectives().get(name) or _begun(name)


def _begun(name: str) -> frozenset[str]:
    """The countries of an adjective that has another ending here: "österreichisch" of "österreichisches Deutsch"."""
    return frozenset(code for said, codes in _adjectives().items() if said.startswith(name) and len(said) - len(name) < STEM for code in codes)


def _beginning(stem: str) -> frozenset[str]:
    """The countries whose English names begin so, and have at most ENDING letters more, or so many before the next word."""
    english = _countries_in_english().items()
    begun = [(said[len(stem) :].split(" ")[0], codes) for said, codes in english if said.startswith(stem)]
    return frozenset(code for rest, codes in begun if len(rest) <= ENDING for code in codes if code.isalpha())


@cache
def _standard(code: str) -> str:
    return langcodes.standardize_tag(code)


@cache
def _locales() -> tuple[Locale, ...]:
    """Every language of CLDR, in every script it is written in; regions say nothing new."""
    names = [name for name in localedata.locale_identifiers() if not regex.search(r"_(?:[A-Z]{2}|\d{3})(?:_|$)", name)]
    return tuple(Locale.parse(name) for name in sorted(names))


def _languages(locale: Locale) -> Iterator[tuple[str, str]]:
    for code, name in locale.languages.items():
        if primary(code.replace("_", "-")) not in NO_LANGUAGES:
            yield _standard(code), str(name)


def _territories(locale: Locale) -> Iterator[tuple[str, str]]:
    return ((code, str(name)) for code, name in locale.territories.items() if code not in NO_COUNTRIES)


@cache
def _in_english() -> dict[str, str]:
    return {folded(name): tag for tag, name in _languages(Locale("en"))} | ALSO_TAGS


@cache
def _in_themselves() -> dict[str, str]:
    codes = ((locale, code) for locale in reversed(_locales()) for code in (locale.language, str(locale)))  # of one name, the shorter tag is meant
    own = ((code, locale.languages.get(code)) for locale, code in codes)
    return {folded(str(name)): _standard(code) for code, name in own if name}


@cache
def _elsewhere() -> dict[str, frozenset[str]]:
    """The tags that each name means in the languages of CLDR."""
    return _collected((name, tag) for locale in _locales() for tag, name in _languages(locale))


@cache
def _countries() -> dict[str, frozenset[str]]:
    return _collected((name, code) for locale in _locales() for code, name in _territories(locale)) | _countries_in_english()


@cache
def _countries_in_english() -> dict[str, frozenset[str]]:
    also = {name: frozenset({code}) for name, code in COUNTRIES_ALSO.items()}
    adjectives = _adjectives_of((Locale("en"),))
    return adjectives | {folded(name): frozenset({code}) for code, name in _territories(Locale("en"))} | also


@cache
def _adjectives() -> dict[str, frozenset[str]]:
    return _adjectives_of(_locales())


def _adjectives_of(locales: Iterable[Locale]) -> dict[str, frozenset[str]]:
    """The countries whose people a word means: what "Austrian German" says beside "German"."""
    said: list[tuple[str, str]] = []
    for locale in locales:
        for code, name in locale.languages.items():
            language, _, region = code.partition("_")
            if len(region) == 2:
                own, words = (folded(str(one)).split() for one in (locale.languages.get(language, ""), name))
                rest = [word for word in words if word not in own]
                said += [(rest[0], region)] if len(rest) == 1 < len(words) and len(rest[0]) >= STEM else []
    return _collected(said)


@cache
def _scripts() -> dict[str, str]:
    names = Counter((folded(str(name)), code) for locale in _locales() for code, name in locale.scripts.items())
    return {name: code for (name, code), _ in sorted(names.items(), key=lambda item: item[1])} | SCRIPTS_ALSO


def _collected(said: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, code in set(said):  # neighbours have many names in common
        found.setdefault(folded(name), set()).add(code)
    return {name: frozenset(codes) for name, codes in found.items()}


ALSO_TAGS = {name: langcodes.standardize_tag(tag) for name, tag in ALSO.items()}
