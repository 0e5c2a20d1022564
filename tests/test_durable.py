"""Files on disk: whole or not at all."""

from __future__ import annotations

import pytest

from index.durable import checksum, replacing


def test_a_file_is_replaced_whole_and_readable_by_others(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with replacing(path) as written:
        written.write_text("ថ្មី", "utf-8")
        assert path.read_text() == "old"
    assert path.read_text("utf-8") == "ថ្មី"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_while_writing_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as written:
        written.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_checksum_is_that_of_the_content(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert checksum(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
