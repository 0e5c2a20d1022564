"""Tell the formats that are read from those that are not: by name, for what lies in a folder; by content, for what is then read."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ingest.records import UnreadableFileError

START = 2048  # bytes at the start of a file, within which it must show what it is


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read."""

    name: str
    suffixes: frozenset[str]
    media_type: str
    shown: bool  # whether a browser may show it as part of the site: never what could run a script there


PDF = Format("PDF", frozenset({".pdf"}), "application/pdf", shown=True)
WORD = Format("Word", frozenset({".docx"}), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", shown=False)
HTML = Format("HTML", frozenset({".html", ".htm", ".xhtml"}), "text/html", shown=False)
SUFFIXES = PDF.suffixes | WORD.suffixes | HTML.suffixes
REFUSED = frozenset(
    {".doc", ".dot", ".docm", ".odt", ".ott", ".rtf", ".txt", ".epub", ".mobi", ".pages", ".wpd", ".djvu", ".ps", ".pptx", ".ppt", ".mht", ".mhtml"}
)
ACCEPTED = "a PDF, a Word file (.docx) or an HTML file (.html, .htm)"
REMEDY = "open it in the program it was made with and save it as PDF or .docx"

MARKUP = re.compile(r"<(!doctype\s+html|html|head|body|title|meta|h[1-6]|p|div)[\s>/]", re.IGNORECASE)
PACKED = {"application/epub+zip": "an EPUB", "application/vnd.oasis.opendocument.text": "an OpenDocument text"}  # by the content of "mimetype"


def is_accepted(path: Path) -> bool:
    """Whether a file's name says that it is in a format that is read."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def is_refused(path: Path) -> bool:
    """Whether a file's name says that it is a publication in a format that is not read."""
    return path.suffix.lower() in REFUSED and path.is_file()


def format_of(path: Path) -> Format:
    """The format that a file's content shows, whatever its name; raises UnreadableFileError with what to do."""
    with path.open("rb") as file:
        start = file.read(START)
    if not start:
        raise UnreadableFileError(f"it is empty (0 bytes), expected {ACCEPTED}; get it anew from where it came")
    if b"%PDF-" in start[:1024]:
        return PDF
    if start.startswith(b"PK\x03\x04"):
        return _packed(path)
    if MARKUP.search(_as_text(start)):
        return HTML
    raise UnreadableFileError(f"it is {_described(start)}, expected {ACCEPTED}; {REMEDY}")


def _packed(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(archive.namelist())
            if "word/document.xml" in names or any(name.startswith("word/") for name in names):
                return WORD
            said = archive.open("mimetype").read(100).decode("ascii", "replace").strip() if "mimetype" in names else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UnreadableFileError(
            f"it is a damaged zip archive or Word file ({error}), expected {ACCEPTED}; get it anew from where it came"
        ) from error
    raise UnreadableFileError(f"it is {PACKED.get(said, 'a zip archive that holds no Word document')}, expected {ACCEPTED}; {REMEDY}")


def _as_text(start: bytes) -> str:
    """Enough of a text to see its markup, in any encoding that contains ASCII, or in UTF-16."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", "replace")
    return "" if b"\0" in start else start.decode("latin-1")


def _described(start: bytes) -> str:
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "an Office file in the old format (.doc), or one with a password"
    if start.startswith(b"{\\rtf"):
        return "an RTF text"
    return f"in no format that is known here: it begins with {start[:12]!r}"
