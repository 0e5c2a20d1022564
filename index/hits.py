"""What a reader asks for, and what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from index.counterparts import Counterpart
from index.filters import Filters
from index.marks import Mark
from ingest.records import Passage, Publication


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asks for."""

    text: str
    filters: Filters = field(default_factory=Filters)
    exact: bool = False  # only what holds every word of it
    readers: Sequence[str] = ()  # the languages the reader reads, best first; they decide which edition is shown
    counterparts: bool = True  # whether to look for the same passages in the reader's edition
    exhaustive: bool = False  # whether every passage is compared by its own vector, however large the library is


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage that was found."""

    score: float  # higher is better; comparable within one answer only
    passage: Passage
    page: int  # where the marked sentence begins, 1-based; 0 for the catalogue entry
    marks: tuple[Mark, ...]
    nearness: float  # cosines with the query of the publication's best passage and of the marked sentence, and of their tokens; summed
    label: str = ""  # what is printed as the number of that page; "" for the catalogue entry
    close: bool = True  # whether it may answer, and is not only the nearest there is; always so where nobody has measured the encoder

    @property
    def sentence(self) -> tuple[str, int, int]:
        """Where the marked sentence begins, else the passage: edition_id, page and character on it; overlapping passages share sentences."""
        return self.passage.edition_id, *self.passage.place_of(self.marks[0].start if self.marks else 0)


@dataclass(frozen=True, slots=True)
class PublicationHit:
    """One publication that was found, all its editions together."""

    rank: int  # from 1
    score: float  # of its best passage
    publication: Publication
    hit: Hit  # the passage to show: on a page where there is one, which can be opened and cited; else from the catalogue
    counterpart: Counterpart | None = None  # the same in the reader's edition, where another one is shown

    @property
    def close(self) -> bool:
        """Whether it may answer, and is not only the nearest there is."""
        return self.hit.close
