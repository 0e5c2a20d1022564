"""Places for costly work: so much at a time, a line in which to wait for a short while, and of both no more than half for one party."""

from __future__ import annotations

import math
import os
import threading
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

USUAL = min(16, max(4, 2 * (os.cpu_count() or 1)))  # places of a machine; with more, threads only wait for one another
LEAST = 2  # places of a process, so that what is large leaves one to others


def share(places: int, processes: int) -> int:
    """The places of each of several processes that share so many."""
    return places if processes == 1 else max(LEAST, math.ceil(places / processes))


class NoPlaceError(Exception):
    """Too many are waiting already, or no place became free in time."""


@dataclass(eq=False, slots=True)
class Ticket:
    """Somebody who waits for places, and then has them."""

    weight: int  # places
    parties: tuple[Hashable, ...]  # who holds them, none of whom may hold more than a share: a reader, all that is large
    admitted: threading.Event = field(default_factory=threading.Event)


class Places:
    """A number of places, and a line before them: first come, first served, but a party that holds half of the places is passed over until it holds less.

    Nobody is known here longer than the work takes. Safe to share between threads.
    """

    def __init__(self, count: int, line: int, patience: float) -> None:
        """`line` is how many may wait, `patience` for how many seconds at most."""
        self.count, self.line, self.patience = count, line, patience
        self._share = max(1, count // 2)  # places of one party
        self._lock = threading.Lock()
        self._waiting: list[Ticket] = []
        self._free = count
        self._held: Counter[Hashable] = Counter()  # places by party

    def enter(self, weight: int = 1, *parties: Hashable) -> Ticket:
        """Take so many places, but no more than a party's share, as soon as they are free; `leave` must follow. Raises NoPlaceError."""
        ticket = Ticket(min(weight, self._share), parties)
        with self._lock:
            self._stand_in_line(ticket)
        if not ticket.admitted.wait(self.patience):
            with self._lock:
                if not ticket.admitted.is_set():
                    self._waiting.remove(ticket)
                    self._admit()  # those behind it may need fewer places
                    raise NoPlaceError
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the places of a ticket back; again, they stay given back."""
        with self._lock:
            if ticket.weight:
                self._free += ticket.weight
                self._held.subtract(dict.fromkeys(ticket.parties, ticket.weight))
                self._held = +self._held
                ticket.weight = 0
                self._admit()

    def _stand_in_line(self, ticket: Ticket) -> None:
        self._waiting.append(ticket)
        self._admit()
        if ticket.admitted.is_set():
            return
        most = max((sum(party in other.parties for other in self._waiting) for party in ticket.parties), default=0)
        if len(self._waiting) > self.line or most > max(1, self.line // 2):
            self._waiting.pop()
            raise NoPlaceError

    def _admit(self) -> None:
        """Let in who can come in. Whoever needs more places than are free is not overtaken, else nobody with a large question ever got in."""
        for ticket in self._waiting.copy():
            if any(self._held[party] + ticket.weight > self._share for party in ticket.parties):
                continue
            if ticket.weight > self._free:
                break
            self._waiting.remove(ticket)
            self._free -= ticket.weight
            self._held.update(dict.fromkeys(ticket.parties, ticket.weight))
            ticket.admitted.set()
