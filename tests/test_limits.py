from __future__ import annotations

import pytest

from ingest import limits
from ingest.limits import MIB, Limits, Watch, noted_page
from ingest.records import UnreadableFileError


def test_what_is_within_the_limits_passes_and_what_is_not_says_how_far_it_goes():
    small = Limits(pages=1000, unpacked=64 * MIB)
    small.pages_allowed(1000)
    small.unpacking_allowed(64 * MIB)
    with pytest.raises(UnreadableFileError, match="says it has 1,001 pages, and at most 1,000 are read; if it is sound, split it"):
        small.pages_allowed(1001)
    with pytest.raises(UnreadableFileError, match="unpacks to 2,048 MiB, and at most 64 MiB are read"):
        small.unpacking_allowed(2048 * MIB)


def test_a_watch_without_a_notebook_limits_nothing_and_one_with_it_is_asked_before_any_page(tmp_path):
    Watch().page(3)
    assert noted_page(tmp_path / "notebook") == 0


def test_pages_have_an_allowance_each_until_the_files_own_is_used_up(tmp_path, monkeypatch):
    set_to, used = [], iter([10.0, 11.0, 50.5, 85.0])
    monkeypatch.setattr(limits, "_cpu_used", lambda: next(used))
    monkeypatch.setattr(limits, "_set", lambda _, seconds: set_to.append(seconds))
    watch = Watch(Limits(page_seconds=20, file_seconds=90), {}, tmp_path / "notebook")
    noted = []
    for number in range(4):
        watch.page(number)
        noted.append(noted_page(tmp_path / "notebook"))
    assert (noted, set_to) == ([0, 1, 2, 0], [100, 31, 71, 100])  # the last page is not blamed for what the others used


def test_a_page_has_less_time_than_its_file_and_waiting_more():
    usual = Limits()
    assert usual.page_seconds < usual.file_seconds < usual.recognition_seconds < usual.wall_seconds
