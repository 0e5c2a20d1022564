"""The text of a file whose encoding nobody states."""

from __future__ import annotations

import codecs

import charset_normalizer

from ingest.records import IsoglossError

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSES = [  # of several that are as likely, the first
    "cp1252",
    "cp1251",
    "cp1256",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1257",
    "cp1258",
    "cp874",
    "gb18030",
    "big5",
    "cp932",
    "cp949",
]
SAMPLE = 64 * 1024  # bytes; more makes no guess better


class UnreadableImportError(IsoglossError):
    """Nothing of the file could be taken."""


def decoded(data: bytes) -> tuple[str, str]:
    """The text, with "\\n" at the ends of its lines, and the name of the encoding when it was guessed, else "". Raises UnreadableImportError."""
    name, guessed = _encoding(data)
    try:
        text = data.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableImportError(
            f"Expected text in UTF-8, UTF-16 or a code page of Windows, found neither ({error}); save the file as UTF-8"
        ) from error
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n"), name if guessed else ""


def _encoding(data: bytes) -> tuple[str, bool]:
    for mark, name in BOMS:
        if data.startswith(mark):
            return name, False
    zeros = data[:SAMPLE][1::2].count(0), data[:SAMPLE][::2].count(0)
    if max(zeros) > len(data[:SAMPLE]) / 8:  # UTF-16 without its mark: every other byte of Latin letters is 0
        return ("utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"), True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        found = list(charset_normalizer.from_bytes(data[:SAMPLE], cp_isolation=GUESSES, enable_fallback=False))
        likely = {one.encoding for one in found if one.chaos <= found[0].chaos}
        return next((name for name in GUESSES if name in likely), "cp1252"), True
    return "utf-8", False
