"""From the files of editions to passages, encoded: a stream of works that do not depend on each other, done here or by workers elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from index.encoder import Encoder
from index.passage_encoding import Encodings, encode
from ingest.pipeline import Readers, Reading
from ingest.reading import Source
from ingest.records import Content, Edition, IsoglossError, Publication
from search_app.describing import language_of
from search_app.storing import BATCH, Cut, cut, encoded_ahead

READERS = 2  # processes that read; the encoder keeps a third busy

Encoded = tuple[Cut, Encodings]  # what was made of all passages of the cut
Where = int | str  # so many processes that read here, or the address of a scheduler


class WorkersError(IsoglossError):
    """The workers that were asked for cannot be had, or are there no more; what was stored is kept."""


@dataclass(frozen=True, slots=True)
class Order:
    """An edition whose file is to be read, with what the catalogue says of it when it is handed over."""

    publication: Publication | None  # None when the library has none any more
    edition: Edition
    source: Source
    called: str = ""  # what a file is called that no catalogue describes; it says itself what there is to say of its publication


class Workers(Protocol):
    """Whoever reads, cuts and encodes."""

    def encoded(self, orders: Generator[Order]) -> Generator[Encoded]:
        """Do the orders and yield each as it is done, whatever happens to who reads it; a bounded number are in hand.

        `orders` is run in another thread, and closed there: also when this is closed, which waits for nothing but what is being computed here.
        A file that cannot be read is a cut that says why. Whatever ends this, what was not given by then is lost.
        """


def workers_at(where: Where, encoder: Encoder) -> AbstractContextManager[Workers]:
    """So many processes here, or the workers of the scheduler at this address. Raises WorkersError where they are not to be had."""
    if isinstance(where, int):
        return nullcontext(Here(encoder, where))
    with needing_dask():
        from search_app.cluster.client import Cluster
    return Cluster.at(where, encoder)


@contextmanager
def needing_dask() -> Iterator[None]:
    """Raise WorkersError with what to install where Dask is not."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise WorkersError(f"Workers of Dask need {error.name}, which is not installed here: pip install 'dask[distributed]'") from error


class Here:
    """Processes of this machine that read, and this process, which encodes."""

    def __init__(self, encoder: Encoder, readers: int = READERS) -> None:
        self._encoder, self._readers = encoder, readers

    def encoded(self, orders: Generator[Order]) -> Generator[Encoded]:
        with Readers(self._readers) as readers, closing(encoded_ahead(readers, self._cuts(orders, readers), self._encoder)) as encoded:
            yield from encoded

    def _cuts(self, orders: Generator[Order], readers: Readers) -> Generator[Cut]:
        """Read and cut the files, in the order in which they are read."""
        handed: dict[str, Order] = {}

        def sources() -> Iterator[Source]:
            for order in orders:
                handed[order.source.edition_id] = order
                yield order.source

        try:
            for reading in readers.read(sources()):
                yield cut_order(handed.pop(reading.edition_id), reading, self._encoder)
        finally:
            orders.close()


def encode_order(order: Order, reading: Reading, encoder: Encoder) -> Encoded:
    """Cut and encode one edition by itself."""
    made = cut_order(order, reading, encoder)
    texts, passages = made.texts, made.all_passages
    batches = (slice(start, start + BATCH) for start in range(0, len(texts) or 1, BATCH))
    return made, Encodings.joined(encode(encoder, texts[batch], passages[batch]) for batch in batches)


def unread(order: Order, problem: str, encoder: Encoder) -> Encoded:
    """What is stored of an edition whose file could not be read."""
    return encode_order(order, Reading(order.source.edition_id, None, problem), encoder)


def cut_order(order: Order, reading: Reading, encoder: Encoder) -> Cut:
    """Cut what was read of an edition; where no catalogue describes it, it is described by what it says of itself."""
    if not order.called or order.publication is None:
        return cut(order.publication, order.edition, reading, encoder)
    publication = _described(order.publication, order.called, reading)
    return cut(publication, publication.editions[0], reading, encoder, described=True)


def _described(publication: Publication, called: str, reading: Reading) -> Publication:
    """Describe a bare file by what it says of itself, in the language of its text."""
    content = reading.content or Content("", ())
    language, said = language_of(content), content.proposal
    return replace(
        publication, titles={language: said.title or called}, abstracts={language: said.abstract} if said.abstract else {}, year=said.year,
        authors=said.authors, isbn=said.isbn, doi=said.doi, editions=(replace(publication.editions[0], language=language),),
    )  # fmt: skip
