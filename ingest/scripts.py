"""Tell the script of a text, and the language where the script gives it away."""

from __future__ import annotations

from collections import Counter
from functools import cache

import regex

from ingest.records import UNDETERMINED

SCRIPTS = (  # ISO 15924 codes, those of most letters first
    "Latn", "Cyrl", "Arab", "Hani", "Deva", "Hira", "Kana", "Hang", "Thai", "Laoo", "Khmr", "Mymr", "Ethi", "Beng", "Hebr", "Grek", "Geor", "Armn",
    "Taml", "Telu", "Knda", "Mlym", "Gujr", "Guru", "Sinh", "Orya", "Tibt", "Mong", "Java", "Thaa", "Syrc", "Cher", "Cans", "Tfng", "Nkoo", "Adlm",
)  # fmt: skip
OF_ONE_LANGUAGE = {  # in publications
    "Hira": "ja", "Kana": "ja", "Hang": "ko", "Thai": "th", "Laoo": "lo", "Khmr": "km", "Mymr": "my", "Grek": "el", "Geor": "ka", "Armn": "hy", "Taml": "ta",
    "Telu": "te", "Knda": "kn", "Mlym": "ml", "Gujr": "gu", "Guru": "pa", "Sinh": "si", "Orya": "or", "Mong": "mn", "Java": "jv", "Thaa": "dv",
}  # fmt: skip
FEW = 0.05  # share of letters: as many kana make a text Japanese, and as many letters of Mon or Shan make one that is not Burmese
NOT_BURMESE = regex.compile(r"[\u1028\u1033-\u1035\u105a-\u108f\u109a-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f]")  # of Mon, Karen, Kayah, Shan, Khamti
WEIGHT = {"Hani": 3, "Hang": 2, "Ethi": 2}  # letters of an alphabet that say about as much as one of these
HEADING = 10  # Chinese characters; Japanese that goes on for longer has kana among them
OTHER = "Zyyy"  # any script that is not listed

_PATTERNS = {code: regex.compile(rf"\p{{Script={code}}}") for code in SCRIPTS}


def read_script(text: str) -> tuple[int, str, tuple[str, ...]]:
    """Tell how many letters a text has, its script, and the languages that are left where the letters leave but one or two.

    The script is an ISO 15924 code, "" when there is no letter or when Chinese characters do not say whether they are "Hans" or "Hant". There
    is no language when many are written in the script, and "und" when the letters are of none that is known here. Each Chinese character
    counts as several letters, because it says as much.
    """
    scripts: Counter[str] = Counter()
    for char, count in Counter(text).items():
        if char.isalpha():
            scripts[script_of(char)] += count
    letters = scripts.total()
    kana = scripts["Hira"] + scripts["Kana"]
    if not letters:
        return 0, "", (UNDETERMINED,)
    script, count = max(scripts.items(), key=lambda item: item[1] * WEIGHT.get(item[0], 1))
    if script == OTHER or (script == "Mymr" and len(NOT_BURMESE.findall(text)) > FEW * count):
        return letters, script, (UNDETERMINED,)
    if kana > FEW * letters:
        return letters, "Jpan", ("ja",)  # written mostly in the characters it shares with Chinese
    if script == "Hani":
        return count * WEIGHT["Hani"], chinese_script(text), _without_kana(text)
    return letters, script, (OF_ONE_LANGUAGE[script],) if script in OF_ONE_LANGUAGE else ()


def chinese_script(text: str) -> str:
    """Tell "Hans" from "Hant" by the characters that only one of GB 2312 and Big5 holds; "" when there are none.

    Of 19,000 Chinese messages and paragraphs whose script is known, none was told wrongly and 0.7% were not told.
    """
    balance = sum(_encodes(char, "gb2312") - _encodes(char, "big5") for char in text if script_of(char) == "Hani")
    return "Hans" if balance > 0 else "Hant" if balance < 0 else ""


def _without_kana(text: str) -> tuple[str, ...]:
    """Chinese, or Japanese that is all in Chinese characters, as headings are.

    Japan reformed some characters otherwise than China and left many alone: where its character set holds them all, a character that neither
    of China's sets holds, or characters of both reforms beside each other, are Japanese; a short text without any may be either.
    """
    characters = [char for char in text if script_of(char) == "Hani"]
    if not all(_encodes(char, "shift_jis") for char in characters):
        return ("zh",)
    found = {(_encodes(char, "gb2312"), _encodes(char, "big5")) for char in characters}
    if (False, False) in found or {(True, False), (False, True)} <= found:
        return ("ja",)
    return ("zh", "ja") if len(characters) < HEADING else ("zh",)


@cache
def script_of(char: str) -> str:
    """The ISO 15924 code of a letter's script, `OTHER` for one that is not listed and for what belongs to no script."""
    return next((code for code, pattern in _PATTERNS.items() if pattern.match(char)), OTHER)


@cache
def _encodes(char: str, charset: str) -> bool:
    try:
        return bool(char.encode(charset))
    except UnicodeEncodeError:
        return False
