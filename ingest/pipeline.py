"""Read many PDFs in worker processes, so that one bad file ends with a reason while the others go on. The only module that imports pebble."""

from __future__ import annotations

import logging
import multiprocessing
import resource
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from ingest.pdf import PdfContent, UnreadablePdfError, read_pdf

READING_VERSION = 3  # raise it when the same file would give other pages or passages: editions read by an older one are read again
READING_SECONDS = 300  # for one file
READING_BYTES = 2 * 1024**3  # address space of a worker; a small hostile PDF can make PDFium ask for any amount
WAITING = 2  # files read ahead for each worker; more would only fill the memory while the encoder is busy


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading one file: its content, or the reason why there is none."""

    edition_id: str
    content: PdfContent | None
    problem: str  # "" when there is content


def read_files(files: Iterable[tuple[str, Path]], workers: int = 2) -> Iterator[Reading]:
    """Read the (edition_id, path) pairs; yield one Reading each, in their order, whatever happens to a worker."""
    context = multiprocessing.get_context("spawn")  # forking a process with threads (torch, waitress) can deadlock
    with ProcessPool(max_workers=workers, initializer=_limit_memory, context=context) as pool:
        try:
            waiting: deque[tuple[str, Future[PdfContent]]] = deque()
            source = iter(files)
            while True:
                for edition_id, path in islice(source, workers * WAITING - len(waiting)):
                    waiting.append((edition_id, pool.schedule(read_pdf, args=[path, edition_id], timeout=READING_SECONDS)))
                if not waiting:
                    return
                yield _outcome(*waiting.popleft())
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # at an interruption nobody waits for what is being read


def _outcome(edition_id: str, future: Future[PdfContent]) -> Reading:
    try:
        return Reading(edition_id, future.result(), "")
    except UnreadablePdfError as error:
        return Reading(edition_id, None, str(error))
    except TimeoutError:
        return Reading(edition_id, None, f"reading took longer than {READING_SECONDS} seconds")
    except MemoryError:
        return Reading(edition_id, None, f"reading needed more than {READING_BYTES // 1024**3} GiB of memory")
    except ProcessExpired as error:
        return Reading(edition_id, None, f"the reading process died (exit code {error.exitcode}); the file may be damaged or hostile")
    except Exception as error:  # whatever a PDF library raises is that file's reason, not the run's end
        return Reading(edition_id, None, f"{type(error).__name__}: {error}")


def _limit_memory() -> None:
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every repaired oddity
    try:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (READING_BYTES if hard == resource.RLIM_INFINITY else min(READING_BYTES, hard), hard))
    except (OSError, ValueError) as error:  # macOS knows the limit and refuses to set it
        logging.getLogger(__name__).info("No limit on the memory of a reading process: %s", error)
