"""Let a part of an answer be made by another thread, where one is free, while this one makes the rest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Generic, TypeVar

from threadpoolctl import ThreadpoolController

from index.store import Store

Made = TypeVar("Made")


class Part(Generic[Made]):
    """What is being made, or has been."""

    def __init__(self, made: Future[Made]) -> None:
        self._made = made

    @classmethod
    def of(cls, made: Made) -> Part[Made]:
        """What is there already."""
        future: Future[Made] = Future()
        future.set_result(made)
        return cls(future)

    def get(self) -> Made:
        """Wait for it; raises what making it has raised."""
        return self._made.result()


class Helpers:
    """Threads that each make one thing at a time. Safe to share between threads.

    Whoever finds none free makes it at once, so that nothing waits in a line, and many readers never have more threads than these beside their own.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self._threads = ThreadPoolExecutor(max(count, 1), "helper")

    @classmethod
    def of(cls, store: Store) -> Helpers:
        """As many as there are cores beside the caller's; none where each would want a connection that others may need."""
        one_thread_each()
        return cls((os.cpu_count() or 1) - 1 if store.beside else 0)

    def make(self, work: Callable[[], Made]) -> Part[Made]:
        """Begin to make something. Its time counts among the parts of the caller's answer."""
        if not self._free.acquire(blocking=False):
            return Part.of(work())
        return Part(self._threads.submit(copy_context().run, self._made, work))

    def _made(self, work: Callable[[], Made]) -> Made:
        try:
            return work()
        finally:
            self._free.release()


@cache
def one_thread_each() -> None:
    """Let numpy multiply in the thread that asks, from now on, in all of this process.

    What an answer multiplies is small. OpenBLAS would wake threads for it, which then turn for twenty milliseconds in case there is more to do, on the
    cores that the encoder and other readers want: more than half of all the processor time of an answer.
    """
    own = ThreadpoolController().select(internal_api="openblas").select(threading_layer="pthreads")  # that of faiss takes the threads of OpenMP
    own.limit(limits=1)
