from __future__ import annotations

import pytest
from conftest import pdf_of
from hostile import SAID, assembled, flate_bomb, nested_flate_bomb, stream, word_file

from ingest.limits import MIB, Limits, Watch
from ingest.reading import Source, read_file, unpacks_too_far
from ingest.records import UnreadableFileError


@pytest.mark.parametrize("content", [pdf_of([SAID]), word_file(f"<w:p><w:r><w:t>{SAID}</w:t></w:r></w:p>"), f"<html><p>{SAID}".encode()])
def test_each_format_is_read_into_the_same_pages(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    (page,) = read_file(Source("x.en", tmp_path / "x")).pages
    assert (page.edition_id, page.number, page.label, page.text, page.health) == ("x.en", 1, "1", SAID, "good")


@pytest.mark.parametrize("content", [word_file(f"<w:p><w:r><w:t>{SAID}</w:t></w:r></w:p>"), f"<html><p>{SAID}".encode()])
def test_only_pages_of_a_pdf_are_recognised_when_somebody_asks_for_it(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    (page,) = read_file(Source("x.en", tmp_path / "x", "en", frozenset({1}))).pages
    assert (page.text, page.health, page.cause) == (SAID, "good", "")


def test_a_format_that_is_not_read_is_refused(tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"{\\rtf1 x}")
    with pytest.raises(UnreadableFileError, match="it is an RTF text, expected"):
        read_file(Source("x.en", tmp_path / "x.pdf"))


@pytest.mark.parametrize(
    ("content", "too_far"),
    [
        (flate_bomb(3 * MIB), True), (nested_flate_bomb(3 * MIB), True), (flate_bomb(2 * MIB), False), (pdf_of([SAID]), False),
        (assembled({7: stream(b"no flate data", "/Filter /FlateDecode"), 9: flate_bomb(3 * MIB)}), True), (b"", False),
    ],
    ids=["bomb", "nested", "as much as may be", "none", "after a broken one", "empty"],
)  # fmt: skip
def test_a_stream_that_unpacks_too_far_is_found(tmp_path, content, too_far):
    (tmp_path / "x.pdf").write_bytes(content or b"x")
    assert unpacks_too_far(tmp_path / "x.pdf", Watch(Limits(unpacked=2 * MIB))) is too_far
