"""Work that goes on in a thread of its own, a little ahead of whoever needs it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Takes items from a generator in a thread, at most `room` before they are asked for, and gives them in their order.

    What the generator raises is raised where its item would have come. It is closed in its thread, so that what it holds open is let go there.
    """

    def __init__(self, items: Generator[Item], room: int) -> None:
        self._items, self._room = items, room
        self._ready: deque[Item] = deque()
        self._changed = threading.Condition()
        self._over = self._stopped = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over or self._stopped)
            if self._ready and not self._stopped:
                self._changed.notify_all()
                return self._ready.popleft()
            failure, self._failure = self._failure, None
        raise failure or StopIteration

    def at_hand(self) -> bool:
        """Whether the next item is there already, and will be given."""
        return bool(self._ready) and not self._stopped

    @property
    def stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        """Take no further item, and give none; may be called in any thread, and does not wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until nothing goes on in the thread any more; the generator must end, or have come to its next item, after `stop`."""
        self._thread.join()

    def _run(self) -> None:
        try:
            try:
                while not self._stopped:
                    self._put(next(self._items))
            finally:
                self._items.close()
        except StopIteration:
            pass
        except BaseException as error:  # it belongs to whoever asks for the items
            self._failure = error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _put(self, item: Item) -> None:
        with self._changed:
            self._ready.append(item)
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._ready) < self._room or self._stopped)
