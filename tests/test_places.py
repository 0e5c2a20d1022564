from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import pytest

from search_app.places import NoPlaceError, Places, Ticket, share

LONG = 60.0  # seconds; no test waits for so long


class Visitor(threading.Thread):
    """Somebody who asks for places in a thread of their own."""

    def __init__(self, places: Places, weight: int = 1, *parties: Hashable) -> None:
        super().__init__(daemon=True)
        self.places, self.weight, self.parties = places, weight, parties
        self.ticket: Ticket | None = None
        self.refused = False
        before = len(places._waiting)
        self.start()
        while self.is_alive() and len(places._waiting) == before:  # until it stands in the line, or is through
            self.join(0.001)

    def run(self) -> None:
        try:
            self.ticket = self.places.enter(self.weight, *self.parties)
        except NoPlaceError:
            self.refused = True

    def is_in(self) -> bool:
        self.join(LONG if self.ticket else 0.05)
        return self.ticket is not None


def come_in(*visitors: Visitor) -> list[bool]:
    return [visitor.is_in() for visitor in visitors]


def test_so_many_come_in_and_the_next_waits_until_one_leaves():
    places = Places(2, 5, LONG)
    first, _ = places.enter(), places.enter()
    third = Visitor(places)
    assert not third.is_in()
    places.leave(first)
    third.join(LONG)
    assert third.ticket is not None


def test_who_came_first_comes_in_first():
    places = Places(1, 5, LONG)
    now = places.enter()
    line = [Visitor(places) for _ in range(4)]
    for visitor in line:
        assert come_in(*line) == [other.ticket is not None for other in line] and visitor.ticket is None
        places.leave(now)
        visitor.join(LONG)
        now = visitor.ticket


def test_nobody_waits_for_longer_than_there_is_patience_for():
    places = Places(1, 5, 0.0)
    held = places.enter()
    with pytest.raises(NoPlaceError):
        places.enter()
    places.leave(held)
    assert places.enter().weight == 1


def test_a_full_line_refuses_at_once():
    places = Places(1, 2, LONG)
    places.enter()
    waiting = [Visitor(places), Visitor(places)]
    with pytest.raises(NoPlaceError):
        places.enter()
    assert [visitor.refused for visitor in waiting] == [False, False]


def test_a_large_question_takes_several_places_and_is_not_overtaken():
    places = Places(4, 5, LONG)
    held = [places.enter() for _ in range(3)]
    large, small = Visitor(places, weight=2), Visitor(places)
    assert come_in(large, small) == [False, False]
    places.leave(held[0])
    large.join(LONG)
    assert large.ticket is not None and not small.is_in()
    places.leave(large.ticket)
    small.join(LONG)
    assert small.ticket is not None


def test_those_behind_a_large_question_that_gives_up_come_in():
    places = Places(4, 5, 0.1)
    held = [places.enter() for _ in range(3)]
    large = Visitor(places, weight=2)
    places.patience = LONG
    small = Visitor(places)
    large.join(LONG)
    small.join(LONG)
    assert large.refused and small.ticket is not None and len(held) == 3


@pytest.mark.parametrize(("count", "weight", "taken"), [(4, 2, 2), (4, 9, 2), (2, 2, 1), (1, 5, 1)])
def test_no_question_needs_more_places_than_one_reader_may_have(count, weight, taken):
    assert Places(count, 1, 0).enter(weight).weight == taken


def test_one_reader_has_half_of_the_places_and_is_passed_over_in_the_line():
    places = Places(4, 8, LONG)
    mine = [places.enter(1, "10.0.0.1"), places.enter(1, "10.0.0.1")]
    third, another = Visitor(places, 1, "10.0.0.1"), Visitor(places, 1, "10.0.0.2")
    another.join(LONG)
    assert another.ticket is not None and not third.is_in()
    places.leave(mine[0])
    third.join(LONG)
    assert third.ticket is not None


def test_one_reader_has_half_of_the_line():
    places = Places(2, 4, LONG)
    places.enter(1, "a")
    waiting = [Visitor(places, 1, "a"), Visitor(places, 1, "a")]
    with pytest.raises(NoPlaceError):
        places.enter(1, "a")
    assert places.enter(1, "b") and [visitor.refused for visitor in waiting] == [False, False]


def test_all_parties_of_a_question_must_have_room():
    places = Places(4, 8, LONG)
    large = places.enter(2, "large", "a")
    another, small = Visitor(places, 2, "large", "b"), Visitor(places, 1, "b")
    small.join(LONG)
    assert small.ticket is not None and not another.is_in()
    places.leave(large)
    assert not another.is_in()  # "b" still holds one, and two more were three
    places.leave(small.ticket)
    another.join(LONG)
    assert another.ticket is not None and places._held == {"large": 2, "b": 2}


def test_those_whom_no_address_tells_apart_share_all_places():
    places = Places(4, 0, 0)
    assert len([places.enter() for _ in range(4)]) == 4


def test_places_are_given_back_once_and_nobody_is_remembered():
    places = Places(2, 0, 0)
    ticket = places.enter(1, "10.0.0.1")
    places.leave(ticket)
    places.leave(ticket)
    assert not places._held and [places.enter(), places.enter()]
    with pytest.raises(NoPlaceError):
        places.enter()


def test_no_place_is_lost_however_many_come_and_go():
    places, inside, most, lock = Places(3, 50, LONG), [0], [0], threading.Lock()

    def visit(number: int) -> None:
        for turn in range(50):
            ticket = places.enter(1 + (number + turn) % 2, number % 5)
            with lock:
                inside[0] += ticket.weight
                most[0] = max(most[0], inside[0])
            with lock:
                inside[0] -= ticket.weight
            places.leave(ticket)

    run_all([lambda number=number: visit(number) for number in range(12)])
    assert 1 <= most[0] <= 3 and inside[0] == 0 and places._free == 3 and not places._waiting and not places._held


def run_all(functions: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(("places", "processes", "each"), [(4, 1, 4), (16, 4, 4), (4, 3, 2), (2, 8, 2), (1, 1, 1), (9, 2, 5)])
def test_processes_share_the_places_of_a_machine_and_each_has_two_at_least(places, processes, each):
    assert share(places, processes) == each
