"""How long the parts of an answer take, for whoever wants to know; next to nothing for whoever does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Part = Literal["encoder", "words", "vectors", "marks", "counterparts"]
Spent = dict[Part, float]  # seconds

_measured: ContextVar[Spent | None] = ContextVar("measured", default=None)


@contextmanager
def part(name: Part) -> Iterator[None]:
    """What is done in the block counts as this part of an answer."""
    spent = _measured.get()
    if spent is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - began


def measure() -> Spent:
    """Measure the parts from now on in this thread, until the next time this is asked; returns where their sums will stand."""
    spent: Spent = {}
    _measured.set(spent)
    return spent
