"""What several threads ask for at the same time is done together, and each gets its own answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from index.turns import Turns


class Doubling:
    """Work that doubles numbers, notes what it was given together, and can be held up."""

    def __init__(self) -> None:
        self.served: list[list[int]] = []
        self.begun, self.free = threading.Event(), threading.Event()
        self.free.set()
        self.turns: Turns[int, int] = Turns(self._work)

    def _work(self, asked):
        self.served.append(list(asked))
        self.begun.set()
        assert self.free.wait(10)
        if 13 in asked:
            raise ValueError("13 brings bad luck")
        return [2 * number for number in asked]

    def waiting(self, count: int) -> None:
        while len(self.turns._waiting) < count:
            threading.Event().wait(0.001)


def test_who_comes_alone_is_served_alone():
    doubling = Doubling()
    assert [doubling.turns.ask(number) for number in (1, 2)] == [2, 4] and doubling.served == [[1], [2]]


def test_all_who_come_meanwhile_are_served_together():
    doubling = Doubling()
    doubling.free.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(doubling.turns.ask, 1)
        assert doubling.begun.wait(10)
        others = [pool.submit(doubling.turns.ask, number) for number in (2, 3, 4)]
        doubling.waiting(3)
        doubling.free.set()
        assert [first.result(10), *(other.result(10) for other in others)] == [2, 4, 6, 8]
    assert doubling.served[0] == [1] and sorted(doubling.served[1]) == [2, 3, 4] and len(doubling.served) == 2


def test_what_goes_wrong_reaches_all_whom_it_concerns_and_nobody_after_them():
    doubling = Doubling()
    doubling.free.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(doubling.turns.ask, 1)
        assert doubling.begun.wait(10)
        others = [pool.submit(doubling.turns.ask, number) for number in (13, 3)]
        doubling.waiting(2)
        doubling.free.set()
        assert first.result(10) == 2
        for other in others:
            with pytest.raises(ValueError, match="bad luck"):
                other.result(10)
    assert doubling.turns.ask(5) == 10
