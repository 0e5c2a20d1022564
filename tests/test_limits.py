from __future__ import annotations

import pytest

from ingest.limits import MIB, Limits, Watch, noted_page
from ingest.records import UnreadableFileError


def test_what_is_within_the_limits_passes_and_what_is_not_says_how_far_it_goes():
    limits = Limits(pages=1000, unpacked=64 * MIB)
    limits.pages_allowed(1000)
    limits.unpacking_allowed(64 * MIB)
    with pytest.raises(UnreadableFileError, match="says it has 1,001 pages, and at most 1,000 are read; if it is sound, split it"):
        limits.pages_allowed(1001)
    with pytest.raises(UnreadableFileError, match="unpacks to 2,048 MiB, and at most 64 MiB are read"):
        limits.unpacking_allowed(2048 * MIB)


def test_a_watch_without_a_notebook_limits_nothing_and_one_with_it_is_asked_before_any_page(tmp_path):
    Watch().page(3)
    assert noted_page(tmp_path / "notebook") == 0


def test_a_page_has_less_time_than_its_file_and_waiting_more():
    limits = Limits()
    assert limits.page_seconds < limits.file_seconds < limits.wall_seconds
