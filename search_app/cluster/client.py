"""Hand files to the workers of a Dask scheduler and take what they made of them.

A task carries the file's bytes: workers need no disk in common, and the scheduler can give the task to another when its worker dies. So what is in
hand is bounded by number and by bytes. A task may be done twice; it is given once, and stored in one transaction.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import dask
from distributed import CancelledError, Client, Future, KilledWorker

from index.encoder import Encoder
from search_app.ahead import Ahead
from search_app.cluster.address import checked
from search_app.cluster.agreement import PREFIX, differences, resource, terms
from search_app.cluster.task import encode_file
from search_app.intake import Encoded, Order, WorkersError, unread
from search_app.storing import DONE_AHEAD

log = logging.getLogger(__name__)

MIB = 1024**2
WAITING = 2  # files in hand for each that a worker can take up, so that none waits for the next
IN_HAND = 256 * MIB  # of files that are handed out; the scheduler and the workers hold them in memory; a larger one goes alone
PATIENCE = 60.0  # seconds without any worker; one that died is started again within a few
SOON = 15.0  # seconds, where there are only such as are not asked
LOOK = 1.0  # seconds between two looks at who works
ANSWER = 10.0  # seconds for the scheduler to answer
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1TiB"}  # a large file is meant to be sent
DEADLY = "the workers that had this file ended, again when they had nothing else; the file may be damaged or hostile: if it is sound, print it to a new PDF"


class LostError(Exception):
    """What was made is gone."""


class Cluster:
    """The workers of a scheduler that read and encode as this process would."""

    def __init__(self, address: str, client: Client, encoder: Encoder) -> None:
        self._address, self._client, self._encoder = address, client, encoder
        self._terms = terms(encoder)
        self.refused: dict[str, str] = {}  # why, by address

    @classmethod
    @contextmanager
    def at(cls, address: str, encoder: Encoder) -> Iterator[Cluster]:
        """Raises WorkersError where no scheduler answers, or none of its workers reads and encodes as this process would."""
        security = checked(address, "client")
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is raised here
        with dask.config.set(SETTINGS):
            try:
                client = Client(address, security=security, timeout=ANSWER, set_as_default=False, name="isogloss")  # type: ignore[no-untyped-call]
            except (OSError, ValueError) as error:
                raise WorkersError(
                    f"No scheduler answers at {address} ({error}). Start it (docs/workers.md), or unset ISOGLOSS_WORKERS to read on this machine."
                ) from error
            with client:
                yield cls(address, client, encoder)

    def encoded(self, orders: Generator[Order]) -> Generator[Encoded]:
        flow = _Flow(self, self._encoder)
        done = Ahead(flow.run(orders), DONE_AHEAD)
        try:
            yield from done
        finally:
            flow.stop()
            done.stop()
            done.join()

    def places(self) -> int:
        """How many files the workers can take up at a time; those that would read or encode otherwise are named and left out."""
        name, places = resource(self._terms), 0
        for address, worker in self._asked(self._client.scheduler_info)["workers"].items():
            offered = worker["resources"]
            places += int(offered.get(name, 0))
            if name not in offered and address not in self.refused:
                theirs = next((one for one in offered if one.startswith(PREFIX)), PREFIX + "{}")
                self.refused[address] = f"the worker at {address} is not asked, because it reads otherwise ({differences(self._terms, theirs)})"
                log.warning("Of the workers of %s, %s.", self._address, self.refused[address])
        return places

    def submit(self, order: Order, file: bytes) -> Future[bytes]:
        plain = replace(order, source=replace(order.source, path=Path("there")))
        future: Future[bytes] = self._asked(
            self._client.submit, encode_file, pickle.dumps(plain), file, pure=False, resources={resource(self._terms): 1}
        )  # fmt: skip
        return future

    def result(self, future: Future[bytes]) -> Encoded:
        """What a worker made; raises KilledWorker when each that tried has died, WorkersError for what else went wrong there.

        Raises LostError where it cannot be had now: its worker has died with it, and another must make it again.
        """
        if future.status == "error":
            error = self._asked(future.exception)
            if isinstance(error, KilledWorker):
                raise error
            raise WorkersError(
                f"A worker of {self._address} failed ({type(error).__name__}: {error}); its log says more. What was stored is kept."
            ) from error
        made: Encoded = pickle.loads(self._asked(self._fetched, future))
        return made

    def _fetched(self, future: Future[bytes]) -> bytes:
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError as error:  # else it would be taken for the scheduler's
            raise LostError from error

    def cancel(self, future: Future[bytes]) -> None:
        self._asked(future.cancel)

    def unfit(self) -> WorkersError:
        return WorkersError(
            f"No worker of {self._address} reads as this machine does: {'; '.join(self.refused.values())}. Nothing was handed to them."
        )

    def none(self) -> WorkersError:
        return WorkersError(
            f"No worker has answered at {self._address} for {PATIENCE:.0f} seconds. What was stored is kept. Start one (isogloss ingest-worker "
            f"{self._address}) or unset ISOGLOSS_WORKERS, then do the same again; it goes on from there."
        )

    def _asked(self, ask: Any, *given: Any, **settings: Any) -> Any:
        """Ask Dask for something. Raises WorkersError when the scheduler does not answer any more."""
        try:
            return ask(*given, **settings)
        except (OSError, CancelledError, RuntimeError) as error:
            if self._client.status == "running" and isinstance(error, RuntimeError):
                raise
            raise WorkersError(
                f"The scheduler at {self._address} does not answer any more. What was stored is kept. Start it again or unset ISOGLOSS_WORKERS, then "
                "do the same again; it goes on from there."
            ) from error


@dataclass(frozen=True, slots=True)
class _Handed:
    order: Order
    size: int  # bytes
    alone: bool  # whether nothing else is in hand


class _Flow:
    """One stream of orders on its way through the workers."""

    def __init__(self, cluster: Cluster, encoder: Encoder) -> None:
        self._cluster, self._encoder = cluster, encoder
        self._in_hand: dict[Future[bytes], _Handed] = {}
        self._ended: SimpleQueue[Future[bytes] | None] = SimpleQueue()
        self._next: Order | None = None  # for which there was no room
        self._suspects: deque[Order] = deque()  # that were in the hands of workers which died
        self._stopped = False
        self._places, self._met = 0, False  # whether there ever was a place
        self._looked, self._seen = 0.0, time.monotonic()  # when somebody was looked for, and last seen

    def stop(self) -> None:
        """Hand out nothing more; may be called in any thread."""
        self._stopped = True
        self._ended.put(None)

    def run(self, orders: Generator[Order]) -> Generator[Encoded]:
        try:
            while not self._stopped:
                yield from self._hand_out(orders)
                if not self._in_hand and not self._waiting():
                    return
                with suppress(Empty):
                    future = self._ended.get(timeout=LOOK)
                    if future is not None:
                        yield from self._outcome(future)
        finally:
            orders.close()
            with suppress(WorkersError):
                self._let_go()

    def _waiting(self) -> bool:
        return self._next is not None or bool(self._suspects) or self._room() <= 0

    def _hand_out(self, orders: Generator[Order]) -> Iterator[Encoded]:
        """Hand out what there is room for; what cannot even be opened is given at once."""
        while not self._stopped and len(self._in_hand) < self._room():
            order, self._next = self._next or next(orders, None), None
            alone = order is None and bool(self._suspects) and not self._in_hand
            order = self._suspects.popleft() if alone else order
            if order is None:
                return
            try:
                size = order.source.path.stat().st_size
                if self._in_hand and sum(handed.size for handed in self._in_hand.values()) + size > IN_HAND:
                    self._next = order
                    return
                file = order.source.path.read_bytes()
            except OSError as error:
                yield unread(order, f"{type(error).__name__}: {error}", self._encoder)
                continue
            future = self._cluster.submit(order, file)
            self._take_up(future, _Handed(order, size, alone))
            if alone:
                return

    def _take_up(self, future: Future[bytes], handed: _Handed) -> None:
        self._in_hand[future] = handed
        future.add_done_callback(self._ended.put)  # type: ignore[no-untyped-call]

    def _room(self) -> int:
        """How many may be in hand, while there is somebody to do them. Raises WorkersError after a while without."""
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._places, self._looked = self._cluster.places(), now
        if self._places:
            self._met, self._seen = True, now
        elif self._cluster.refused and not self._met and now - self._seen > SOON:
            raise self._cluster.unfit()
        elif now - self._seen > PATIENCE:
            raise self._cluster.none()
        return WAITING * self._places

    def _outcome(self, future: Future[bytes]) -> Iterator[Encoded]:
        handed = self._in_hand.pop(future)
        try:
            yield self._cluster.result(future)
        except LostError:
            self._take_up(future, handed)
        except KilledWorker:
            if handed.alone:
                yield unread(handed.order, DEADLY, self._encoder)
            else:
                self._suspects.append(handed.order)

    def _let_go(self) -> None:
        for future in self._in_hand:
            self._cluster.cancel(future)
