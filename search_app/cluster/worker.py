"""A worker of Dask's that reads and encodes: the encoder is opened once, and files are read in processes with the limits that they have everywhere."""

from __future__ import annotations

import asyncio
import pickle
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask
from distributed import Nanny, Worker

from index import sentence_encoder
from ingest.pipeline import Readers
from search_app.cluster.address import checked, own_host
from search_app.cluster.agreement import resource, terms
from search_app.intake import Order, WorkersError, encode_order

SETTINGS = {
    "distributed.worker.daemon": False,  # else it may not start the processes that read
    "distributed.worker.profile.enabled": False,
}
FIGURES = "127.0.0.1:0"  # where a worker tells of itself without asking who wants to know; Dask's own choice is every interface
CLOSING = 10.0  # seconds for what is in hand; the scheduler gives it to another worker


@dataclass(frozen=True, slots=True)
class Setup:
    """How a worker works."""

    encoder: str = ""  # name; "" is the one that comes with the installation
    threads: int = 0  # that encode; 0 is as many as the processor is made for
    readers: int = 2  # processes that read


class EncodingWorker(Worker):
    """Offers itself under the terms of its program and its encoder; as many files are in hand as can be read at a time, and one that is encoded."""

    def __init__(self, *given: Any, setup: Setup, **settings: Any) -> None:
        self.encoder = sentence_encoder.open_encoder(setup.encoder, threads=setup.threads)
        self.readers = Readers(setup.readers)
        at_once = setup.readers + 1
        offered = {"nthreads": at_once, "resources": {resource(terms(self.encoder)): at_once}, "dashboard_address": FIGURES}
        super().__init__(*given, **settings | offered)

    def encode_file(self, order: bytes, file: bytes) -> bytes:
        """Do what `search_app.cluster.task.encode_file` says."""
        wanted: Order = pickle.loads(order)
        with tempfile.NamedTemporaryFile(dir=self.local_directory) as copy:
            copy.write(file)
            copy.flush()
            for reading in self.readers.read([replace(wanted.source, path=Path(copy.name))]):
                return pickle.dumps(encode_order(wanted, reading, self.encoder))
        raise RuntimeError("this worker ends")  # nobody waits for it any more

    async def close(self, *given: Any, **settings: Any) -> str | None:  # type: ignore[override]
        self.readers.stop()
        said = await super().close(*given, **settings)
        self.readers.__exit__()
        return said


def work_for(address: str, setup: Setup, memory: str = "auto") -> None:
    """Work for the scheduler at this address until interrupted. Raises WorkersError, also when the scheduler has gone."""
    security = checked(address, "worker")
    with dask.config.set(SETTINGS):
        asyncio.run(_work(address, Nanny, {"security": security, "host": own_host(address), "memory_limit": memory, "setup": setup}))


async def _work(address: str, keeper: type[Nanny], settings: dict[str, Any]) -> None:
    """Keep a worker, in a process of its own, that is started again when it dies."""
    interrupted = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, interrupted.set)
    try:
        nanny = await keeper(address, worker_class=EncodingWorker, nthreads=1, **settings)
    except (OSError, RuntimeError) as error:
        raise WorkersError(f"No worker could be started for {address}: {error.__cause__ or error}") from error
    ends = [asyncio.ensure_future(interrupted.wait()), asyncio.ensure_future(nanny.finished())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not interrupted.is_set():
        raise WorkersError(f"The scheduler at {address} has gone, or asked this worker to end. When it is there again, start the worker again.")
    await nanny.close(timeout=CLOSING, reason="interrupted")
