"""Numbers and names that identify a publication anywhere. The only module that imports stdnum."""

from __future__ import annotations

import regex
from stdnum import isbn
from stdnum.exceptions import ValidationError

DOI = regex.compile(r"10\.\d{4,9}/[-._;()/:A-Za-z0-9]*[A-Za-z0-9]")  # the pattern that Crossref recommends, without a stop at its end
BETWEEN = regex.compile(r"[\s–‐-]")


def valid_isbn(written: str) -> str:
    """The thirteen digits of an ISBN, however it is written; "" when its check digit is wrong, or it is none."""
    digits = BETWEEN.sub("", written)
    try:
        return str(isbn.to_isbn13(digits) if isbn.validate(digits) else "")
    except ValidationError:
        return ""
