from __future__ import annotations

import pytest

from ingest.encodings import UnreadableImportError, decoded
from ingest.imports import read_import

TEXTS = ["غابة وماء", "ព្រៃ និង ទឹក", "숲과 물", "Wälder", "森林和水", "יער ומים"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_the_same_in_every_unicode_encoding_and_its_lines_end_alike(text, encoding):
    assert decoded(f"{text}\r\n{text}\r{text}".encode(encoding)) == (f"{text}\n{text}\n{text}", "")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Дети и школы на реке, и кто их защищает по дороге домой. " * 3, "cp1251"), ("Les élèves où être forêt à côté. " * 5, "cp1252")],
)
def test_an_old_code_page_is_guessed_and_named(text, encoding):
    assert decoded(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize("data", [b"", b"  \n", b"\xef\xbb\xbf", b"nothing that is known\n", b"%PDF-1.4 \x00\x01", b"PK\x03\x04\x00\x00"])
def test_what_is_no_catalogue_is_refused_with_what_was_expected(data):
    with pytest.raises(UnreadableImportError, match="Expected"):
        read_import(data)
