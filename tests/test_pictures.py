"""Pictures are drawn once and kept within a bound."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future

import pytest

from ingest.drawing import Drawing, UndrawablePageError
from search_app import pictures as module
from search_app.pictures import DAY, BusyError, Pictures

FILE = "abcdef0123456789"


class FakeDrawer:
    """Draws when it is told to, and counts."""

    def __init__(self, ready=True):
        self.started, self.ready, self.futures = [], ready, []

    def start(self, path, number, width):
        self.started.append((path.name, number, width))
        future: Future[Drawing] = Future()
        self.futures.append(future)
        if self.ready:
            self.finish(future, number)
        return future

    def finish(self, future, number):
        if number == 13:
            future.set_exception(UndrawablePageError("it is hostile"))
        else:
            future.set_result(Drawing(bytes([number]) * 1000, 595.28, 841.89))

    def close(self):
        pass


def kept(folder):
    return sorted(path.name for path in folder.rglob("*.webp"))


def test_a_picture_is_drawn_once_and_then_comes_from_disk_with_the_size_of_its_page(tmp_path):
    drawer = FakeDrawer()
    first = Pictures(tmp_path, drawer).picture(tmp_path / "a.pdf", (FILE, 6, 900))
    again = Pictures(tmp_path, drawer).picture(tmp_path / "a.pdf", (FILE, 6, 900))
    assert first == again and (again.webp, again.width, again.height) == (b"\x06" * 1000, 595.28, 841.89)
    assert drawer.started == [("a.pdf", 6, 900)] and kept(tmp_path) == ["6-900-595.28x841.89.webp"]
    Pictures(tmp_path, drawer).picture(tmp_path / "a.pdf", (FILE, 6, 600))
    assert len(drawer.started) == 2


def test_what_is_kept_never_passes_the_bound_and_what_was_used_last_stays(tmp_path):
    pictures = Pictures(tmp_path, FakeDrawer(), bound=5000)
    for number in range(1, 6):
        pictures.picture(tmp_path, (FILE, number, 900))
        (path,) = tmp_path.rglob(f"{number}-*.webp")
        os.utime(path, (time.time() - (20 - number) * DAY,) * 2)
    pictures.picture(tmp_path, (FILE, 1, 900))  # the oldest is used again
    for number in range(14, 40):
        pictures.picture(tmp_path, (FILE, number, 900))
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 5000
    fresh = Pictures(tmp_path, FakeDrawer(), bound=5000)
    fresh.picture(tmp_path, (FILE, 50, 900))
    assert len(kept(tmp_path)) <= 5
    assert "2-900-595.28x841.89.webp" not in kept(tmp_path)


def test_several_processes_keep_within_the_bound_but_for_what_each_keeps_between_two_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK", 2000)
    processes = [Pictures(tmp_path, FakeDrawer(), bound=10_000) for _ in range(3)]
    for number in range(14, 80):
        processes[number % 3].picture(tmp_path, (FILE, number, 900))
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 10_000 + 3 * 2000


def test_room_is_made_by_what_was_not_used_for_longest(tmp_path):
    pictures = Pictures(tmp_path, FakeDrawer(), bound=3000)
    for number, days in ((1, 9), (2, 5), (3, 7)):
        pictures.picture(tmp_path, (FILE, number, 900))
        (path,) = tmp_path.rglob(f"{number}-*.webp")
        os.utime(path, (time.time() - days * DAY,) * 2)
    pictures.picture(tmp_path, (FILE, 1, 900))
    pictures.picture(tmp_path, (FILE, 4, 900))
    assert [name.split("-")[0] for name in kept(tmp_path)] == ["1", "4"]


def test_many_who_ask_at_once_wait_for_one_drawing(tmp_path):
    drawer = FakeDrawer(ready=False)
    pictures, got = Pictures(tmp_path, drawer), []
    threads = [threading.Thread(target=lambda: got.append(pictures.picture(tmp_path, (FILE, 6, 900)))) for _ in range(16)]
    for thread in threads:
        thread.start()
    while not drawer.futures:
        time.sleep(0.01)
    time.sleep(0.05)
    drawer.finish(drawer.futures[0], 6)
    for thread in threads:
        thread.join()
    assert len(drawer.started) == 1 and len(got) == 16 and {one.webp for one in got} == {b"\x06" * 1000}


def test_a_picture_that_takes_longer_than_the_reader_waits_is_there_when_she_asks_again(tmp_path):
    drawer = FakeDrawer(ready=False)
    pictures = Pictures(tmp_path, drawer)
    with pytest.raises(BusyError, match="page 6"):
        pictures.picture(tmp_path, (FILE, 6, 900), patience=0.01)
    drawer.finish(drawer.futures[0], 6)
    assert pictures.picture(tmp_path, (FILE, 6, 900)).webp and len(drawer.started) == 1


def test_no_more_pages_wait_than_are_drawn_in_the_time_that_a_reader_has(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 2)
    drawer = FakeDrawer(ready=False)
    pictures = Pictures(tmp_path, drawer)
    for number in (1, 2, 2):
        pictures.begin(tmp_path, (FILE, number, 900))
    with pytest.raises(BusyError, match="waiting"):
        pictures.begin(tmp_path, (FILE, 3, 900))
    drawer.finish(drawer.futures[0], 1)
    pictures.begin(tmp_path, (FILE, 3, 900))
    assert [number for _, number, _ in drawer.started] == [1, 2, 3]


def test_a_page_that_could_not_be_drawn_is_not_tried_again_in_any_width(tmp_path):
    drawer = FakeDrawer()
    pictures = Pictures(tmp_path, drawer)
    for width in (900, 600, 900):
        with pytest.raises(UndrawablePageError, match="hostile"):
            pictures.picture(tmp_path, (FILE, 13, width))
    assert len(drawer.started) == 1 and kept(tmp_path) == []


def test_a_page_that_could_not_be_drawn_is_tried_again_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "AGAIN", 0.05)
    drawer = FakeDrawer()
    pictures = Pictures(tmp_path, drawer)
    with pytest.raises(UndrawablePageError, match="hostile"):
        pictures.picture(tmp_path, (FILE, 13, 900))
    drawer.ready = False
    time.sleep(0.06)
    pictures.begin(tmp_path, (FILE, 13, 900))
    drawer.futures[1].set_result(Drawing(b"drawn", 1.0, 1.0))
    assert pictures.picture(tmp_path, (FILE, 13, 900)).webp == b"drawn"


def test_where_the_disk_takes_nothing_pictures_are_shown_all_the_same(tmp_path, caplog):
    (tmp_path / "pictures").write_text("a file where a folder should be")
    pictures = Pictures(tmp_path / "pictures", FakeDrawer())
    assert pictures.picture(tmp_path, (FILE, 6, 900)).webp == b"\x06" * 1000
    assert "was not kept" in caplog.text


def test_when_a_picture_was_used_is_known_to_the_day_only(tmp_path):
    pictures = Pictures(tmp_path, FakeDrawer())
    pictures.picture(tmp_path, (FILE, 6, 900))
    (path,) = tmp_path.rglob("*.webp")
    assert path.stat().st_mtime % DAY == 0
