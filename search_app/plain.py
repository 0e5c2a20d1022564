"""Text without what its reader would take for a command: for formats in which a line is a field, and for terminals."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from typing import Any

CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")  # what is no white space and no character either
FOR_TERMINALS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # with what breaks lines, and what turns text

DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # characters that turn what follows them


def isolated(text: object) -> str:
    """What data say within a sentence or a list of the interface: in whatever direction it runs, it turns nothing around it."""
    if str(text).isascii():
        return str(text)
    plain = DIRECTIONS.sub("", str(text))
    return f"\u2068{plain}\u2069" if any(unicodedata.bidirectional(char) in ("R", "AL") for char in plain) else plain


def one_line(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join(CONTROLS.sub("", text).split())


def for_terminal(text: str) -> str:
    """The text with a sign in place of every character that a terminal would obey."""
    return FOR_TERMINALS.sub("\ufffd", text)


def json_for_terminal(data: Any) -> str:
    """JSON in which such characters are escaped, so that a program that reads it has them all."""
    return FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(data, ensure_ascii=False, indent=1))


class PlainFormatter(logging.Formatter):
    """Writes log records for a terminal: they may quote what a file holds."""

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(super().format(record))


def plain_log() -> logging.Handler:
    """A handler of log records that writes them so on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(message)s"))
    return handler
