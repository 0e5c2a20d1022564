"""Do together what several threads ask for at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Made = TypeVar("Made")


class Turns(Generic[Asked, Made]):
    """Passes what is asked on to `work`, which takes many at once and is never run twice at a time.

    Who comes alone is served at once. Who comes while others are served waits for them, and then whoever is first does the work of all who wait.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Made]]) -> None:
        self._work = work
        self._turn = threading.Lock()  # held by who does the work
        self._guard = threading.Lock()  # held to look at who waits
        self._waiting: list[tuple[Asked, Future[Made]]] = []

    def ask(self, asked: Asked) -> Made:
        """Return what `work` makes of this, whoever lets it run; what it raises is raised in every thread that it was run for."""
        answer: Future[Made] = Future()
        with self._guard:
            self._waiting.append((asked, answer))
        with self._turn:
            if not answer.done():
                self._serve()
        return answer.result()

    def _serve(self) -> None:
        with self._guard:
            served, self._waiting = self._waiting, []
        try:
            for (_, answer), made in zip(served, self._work([asked for asked, _ in served]), strict=True):
                answer.set_result(made)
        except BaseException as error:
            for _, answer in served:
                if not answer.done():
                    answer.set_exception(error)
            raise
