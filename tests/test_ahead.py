from __future__ import annotations

import threading
import time

import pytest

from search_app.ahead import Ahead


def until(so) -> None:
    end = time.monotonic() + 20
    while not so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_items_come_in_their_order_and_then_no_more():
    assert list(Ahead((letter for letter in "កខគ"), 1)) == ["ក", "ខ", "គ"]
    assert list(Ahead((letter for letter in ""), 3)) == []


def test_no_more_are_taken_than_there_is_room_for_however_slow_their_reader_is():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    ahead = Ahead(items(), 3)
    until(lambda: len(taken) == 3)
    assert [next(ahead), next(ahead)] == [0, 1]
    until(lambda: len(taken) == 5)
    time.sleep(0.05)
    assert len(taken) == 5 and ahead.at_hand()
    ahead.stop()
    ahead.join()


def test_what_is_raised_comes_in_the_place_of_its_item_and_only_once():
    def items():
        yield "ذ"
        raise LookupError("ไม่พบ")

    ahead = Ahead(items(), 5)
    assert next(ahead) == "ذ"
    with pytest.raises(LookupError, match="ไม่พบ"):
        next(ahead)
    assert list(ahead) == []


def test_the_generator_is_closed_in_its_own_thread_whether_it_ends_or_is_stopped():
    closed = []

    def items(endless):
        try:
            yield 1
            while endless:
                yield 2
        finally:
            closed.append(threading.current_thread())

    assert list(Ahead(items(False), 2)) == [1]
    stopped = Ahead(items(True), 2)
    until(stopped.at_hand)
    stopped.stop()
    stopped.join()
    assert len(closed) == 2 and threading.main_thread() not in closed and list(stopped) == []


def test_what_was_stopped_has_nothing_at_hand_so_that_nobody_asks_for_it_again_and_again():
    ahead = Ahead((letter for letter in "កខគ"), 3)
    until(ahead.at_hand)
    ahead.stop()
    assert not ahead.at_hand() and list(ahead) == []
    ahead.join()
