"""Languages so near to each other that readers of letter sequences mix them up, and the words that tell some of them apart."""

from __future__ import annotations

import regex

GROUPS = (  # within one, the catalogue's word is taken
    {"id", "ms"}, {"bs", "hr", "sr"}, {"bo", "dz"}, {"no", "nb", "nn"}, {"fa", "prs"}, {"ku", "ckb"}, {"zh", "yue", "wuu"}, {"ar", "arz", "ary"},
)  # fmt: skip
INDONESIAN = regex.compile(
    r"(?i:\b(?:anak-anak|apapun|bahwa|bisa|berhak atas|desa|hapus|hukum|kabupaten|kantor|karena|kebijakan|kesehatan|korban|laki-laki|layanan|manapun|"
    r"maupun|pariwisata|pengadilan|perdagangan orang|perempuan|perusahaan|polisi|provinsi|rumah sakit|setelah|siapapun|silakan|tiap|uang|upaya|"
    r"wisatawan|yaitu|maret|juli|agustus|\p{L}+itas)\b)|(?<=\p{Ll}[,;]? )Anda\b"
)
MALAY = regex.compile(
    r"(?i)\b(?:antarabangsa|bahawa|hendaklah|hospital|iaitu|ialah|kanak-kanak|kerana|kesihatan|laman|lelaki|mac|mahkamah|maklumat|mana-mana|mangsa|"
    r"mesyuarat|ogos|pautan|pejabat|pelancong(?:an)?|pelbagai|pemerdagangan|perkhidmatan|perlembagaan|polis|sebarang|sekiranya|selepas|semasa|"
    r"sesiapa|sila|syarikat|tetapan|warganegara|wang|julai|\p{L}+iti)\b"
)
# The old vowel yat is "e" in Serbia and "ije" or "je" in Croatia, in Bosnia and by many Serbs outside Serbia.
EKAVIAN = regex.compile(
    r"(?i)\b(?:vreme|mest[aou]|det(?:e|eta|etu)|dec[aeiu]|uvek|ovde|gde|posle|pre|svet(?:a|u|om|sk\p{L}+)?|reč(?:i|ima|ju)?|mer[aeiu]|cel[aeiou]|"
    r"del(?:o|a|u|ova|imično))\b|\b(?:čove[kč]|bezbed)|htev|lečenj|poslednj|sledeć|dosled|obavešt|izvešt|savet|izmen|primen|promen|rešenj|uver|uspe[hš]"
)
IJEKAVIAN = regex.compile(
    r"(?i)\b(?:vrijeme|mjest[aou]|dijete|djetet[au]|djec[aeiu]|uvijek|ovdje|gdje|poslije|prije|svijet(?:a|u|om)?|svjetsk\p{L}+|riječ(?:i|ima|ju)?|"
    r"mjer[aeiu]|cijel[aeiou]|djel(?:o|a|u|ova|omično))\b|\b(?:čovje[kč]|sigurnos)|htjev|liječenj|posljednj|sljedeć|dosljed|obavijes|obavješ|"
    r"izvješ|izvijes|savjet|izmjen|primjen|promjen|rješenj|uvjer|uvjet|uspje[hš]"
)


def near(left: str, right: str) -> bool:
    """Whether two primary languages are one, or too near to be told apart against the catalogue's word."""
    return left == right or any({left, right} <= group for group in GROUPS)


def decide(text: str, script: str, language: str) -> str:
    """Correct a reader's `language`, a primary one, by words that only one of two near languages has."""
    if language in {"id", "ms"}:
        return _by_words(text, ("id", INDONESIAN), ("ms", MALAY)) or language
    if language in {"bs", "hr", "sr"} and script == "Latn":
        told = _by_words(text, ("sr", EKAVIAN), ("", IJEKAVIAN))
        return told or language
    return "sr" if language in {"bs", "hr"} else language


def _by_words(text: str, left: tuple[str, regex.Pattern[str]], right: tuple[str, regex.Pattern[str]]) -> str:
    """The language of which more words stand in the text; "" when both have as many."""
    balance = len(left[1].findall(text)) - len(right[1].findall(text))
    return left[0] if balance > 0 else right[0] if balance < 0 else ""
