"""Read a catalogue in whatever format its content shows: the publications that it holds, and everything that is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ingest.delimited import is_table, read_table
from ingest.dublin_core import is_dublin_core, read_dublin_core
from ingest.encodings import UnreadableImportError, decoded
from ingest.exchange import is_bibtex, is_ris, read_bibtex, read_ris
from ingest.gathering import entries
from ingest.imported import Imported, Records, Remark
from ingest.listing import is_listing, read_listing


class Form(NamedTuple):
    name: str
    shown: Callable[[str], bool]  # whether a text shows that it is in this format
    read: Callable[[str], Records]


def _read_xml(text: str) -> Records:
    """XML as text: what it declares of its encoding no longer holds."""
    return read_dublin_core(_undeclared(text).encode("utf-8"))


FORMATS = {  # in the order in which a text is asked: those first that nothing else looks like
    "dublin-core": Form("Dublin Core (OAI-PMH)", is_dublin_core, _read_xml),
    "ris": Form("RIS", is_ris, read_ris),
    "bibtex": Form("BibTeX", is_bibtex, read_bibtex),
    "csv": Form("CSV", is_table, read_table),
    "listing": Form("Listing (Available in: ...)", is_listing, read_listing),
}
ASKED = (
    'a CSV table whose first line names its columns, RIS, BibTeX, Dublin Core XML or a listing with lines such as "Available in: English, Spanish"'
)


def read_import(data: bytes, form: str = "") -> Imported:
    """Read a catalogue; its content says in which format it is, unless `form` does. Raises UnreadableImportError when nothing of it can be taken."""
    text, guessed = decoded(data)
    if not text.strip():
        raise UnreadableImportError(f"Expected {ASKED}, found nothing; choose another file")
    name = form or next((name for name, one in FORMATS.items() if one.shown(text)), "")
    if not name:
        raise UnreadableImportError(f"Expected {ASKED}; found a text that begins with {text.strip()[:60]!r}. Name its format if it is one of these")
    records = FORMATS[name].read(text)
    remarks = (*((Remark("encoding", {"name": guessed}),) if guessed else ()), *records.remarks)
    return Imported(name, entries(records.said), records.problems, remarks)


def _undeclared(text: str) -> str:
    """Without the declaration that may name another encoding; its line stays."""
    start = text.lstrip("\ufeff \n\t")
    if not start.startswith("<?xml"):
        return start
    end = start.find("?>")
    return start[end + 2 :] if end >= 0 else start
