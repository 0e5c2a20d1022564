from __future__ import annotations

import io
import zipfile

import pytest
from conftest import pdf_of
from hostile import word_file

from ingest.formats import HTML, PDF, WORD, format_of, is_accepted, is_refused
from ingest.records import UnreadableFileError


def archive(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("name", ["x.pdf", "x.docx", "x.html"])
@pytest.mark.parametrize(
    ("content", "form"),
    [
        (pdf_of(["x"]), PDF), (b"junk\n" * 100 + pdf_of(["x"]), PDF), (word_file("<w:p/>"), WORD),
        (b"<!DOCTYPE html>\n<p>x", HTML), (b"\n<!-- x --><HTML lang=th>", HTML), ("<html><body>ป่า".encode("tis-620"), HTML),
        ("<html><p>森".encode("utf-16"), HTML), (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', HTML),
        ("<p>ព្រៃ</p>".encode(), HTML),
    ],
)  # fmt: skip
def test_the_format_is_what_the_content_shows_whatever_the_name(tmp_path, name, content, form):
    (tmp_path / name).write_bytes(content)
    assert format_of(tmp_path / name) is form


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", r"it is empty \(0 bytes\)"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"old format \(\.doc\), or one with a password"),
        (b"{\\rtf1\\ansi", "an RTF text"), (archive(mimetype="application/epub+zip"), "an EPUB"),
        (archive(mimetype="application/vnd.oasis.opendocument.text"), "an OpenDocument text"), (archive(a="b"), "zip archive that holds no Word document"),
        (archive(a="b")[:30], "damaged zip archive or Word file"), ("ပညာရေး".encode(), "in no format that is known here: it begins with b"),
        (b"\x89PNG\r\n\x1a\n", "it begins with b'.x89PNG"), (b"MZ\0\0<html>", "it begins with b'MZ"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_was_found_what_is_read_and_what_to_do(tmp_path, content, found):
    (tmp_path / "x.pdf").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=rf"{found}.*expected a PDF, a Word file \(.docx\) or an HTML file.*; (open it in|get it anew)"):
        format_of(tmp_path / "x.pdf")


def test_names_tell_publications_from_other_files(tmp_path):
    for name in ("ป่า.PDF", "x.docx", "x.HTM", "x.odt", "x.doc", "cover.png", "publication.toml", "questions.tsv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.pdf").mkdir()
    assert {path.name for path in tmp_path.iterdir() if is_accepted(path)} == {"ป่า.PDF", "x.docx", "x.HTM"}
    assert {path.name for path in tmp_path.iterdir() if is_refused(path)} == {"x.odt", "x.doc"}
