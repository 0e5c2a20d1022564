"""Tell the language of a text. The only module that imports py3langid and langdetect."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache

import langcodes
from langdetect import DetectorFactory, LangDetectException, detect_langs
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from ingest.records import UNDETERMINED

SAMPLE = 1000  # characters that are looked at; more changes no answer and costs time
MIN_LETTERS = 4  # fewer tell nothing
SURE = 0.9  # py3langid's normalised probability from which it needs no second opinion
ONE_LANGUAGE = {  # scripts that, in publications, mean one language; the names begin the Unicode names of their letters
    "THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "GREEK": "el",
    "GEORGIAN": "ka", "ARMENIAN": "hy", "HEBREW": "he", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml",
    "GUJARATI": "gu", "GURMUKHI": "pa", "SINHALA": "si", "ORIYA": "or", "TIBETAN": "bo",
}  # fmt: skip

CONFUSED = ({"id", "ms"}, {"bs", "hr", "sr"}, {"bo", "dz"})  # too near to be told apart against the catalogue's word

DetectorFactory.seed = 0  # langdetect draws at random; the same text must get the same answer


def identify(text: str, expected: str = UNDETERMINED) -> str:
    """Return the BCP 47 tag of the language of `text`, or "und" when the evidence does not decide.

    `expected` is what the catalogue or the rest of the document says. It settles a doubt and adds the region ("pt-BR" where the text
    only shows Portuguese); it never overrules clear evidence.
    """
    letters = [char for char in text[:SAMPLE] if char.isalpha()]
    if len(letters) < MIN_LETTERS:
        return UNDETERMINED
    guess, sure = _guess(text[:SAMPLE], letters)
    if _primary(guess) == _primary(expected) or any({_primary(guess), _primary(expected)} <= group for group in CONFUSED):
        return expected
    if sure:
        return guess
    return expected if expected != UNDETERMINED and _second_opinion(text[:SAMPLE], _primary(expected)) else UNDETERMINED


def same_language(left: str, right: str) -> bool:
    """Whether two tags name one language, whatever their regions and scripts."""
    return _primary(left) == _primary(right)


def known(tag: str) -> bool:
    """Whether `identify` can find this language at all."""
    return _primary(tag) in ONE_LANGUAGE.values() or _primary(tag) in _identifier().labels


def _guess(text: str, letters: list[str]) -> tuple[str, bool]:
    scripts = Counter(unicodedata.name(letter, "UNKNOWN").split()[0] for letter in letters)
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > len(letters) // 20:
        return "ja", True  # Japanese is written mostly in the characters it shares with Chinese
    script = scripts.most_common(1)[0][0]
    if script in ONE_LANGUAGE:
        return ONE_LANGUAGE[script], True
    guess, probability = _identifier().classify(text)
    if guess in {"id", "ms"} and _second_opinion(text, "id"):
        return "id", True  # py3langid takes half of Indonesian for Malay, which langdetect does not know
    return guess, probability >= SURE or _second_opinion(text, guess)


def _second_opinion(text: str, language: str) -> bool:
    try:
        return any(_primary(found.lang) == language and found.prob >= 0.5 for found in detect_langs(text))
    except LangDetectException:  # a script it has no profile for
        return False


def _primary(tag: str) -> str:
    return langcodes.get(tag).language or UNDETERMINED


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
