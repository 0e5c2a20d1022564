"""Measure search on the library itself: a text of one edition must find the same publication's other editions.

The library's own titles, abstracts and passages ask, so nobody has to judge anything. A regional variety counts as its language ("de-AT"
as "de"): that one finds the other is no merit.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import regex
from numpy.typing import NDArray

from index.durable import replacing
from index.generations import current_name
from index.library import Library
from index.searcher import Searcher
from index.vector_rows import Keys
from ingest.records import UNDETERMINED, IsoglossError, Publication, primary

if TYPE_CHECKING:
    from index.evaluation import Progress

FORMAT = 1  # of quality.json; figures of another format count as not made
FIRST = 20  # passages among which an edition must stand to be found, about what a reader looks through
TOP = 10  # passages of which the own-language share is taken, as in evaluation
FEWEST = 20  # questions, or texts, behind a figure; with fewer, a single one moves it by more than 5 points of 100
SPREAD = 3  # passages that ask from each edition: beginning, middle and end
BATCH = 64  # texts encoded between two reports of progress
SYNTAX = regex.compile(r"(?<!\S)[-−－]+|[\"“”„«»「」『』]+[-−－]*")  # what a query says with these, a text does not mean

T = TypeVar("T")
Figures = dict[str, Any]  # plain data, as quality.json holds it; see `measure`

log = logging.getLogger(__name__)


class NothingToCompareError(IsoglossError):
    """No publication of the library can be found in another language than it is asked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text of the library that asks for its own publication in other languages."""

    publication: int  # position in the library's publications
    language: str
    kind: Literal["title", "abstract", "passage"]
    text: str
    others: tuple[str, ...]  # the other languages in which the publication has passages; at least one


@dataclass(frozen=True, slots=True)
class _Answer:
    source: Source
    found: Mapping[str, bool]  # by other language
    own: float | None  # share of the first TOP in the source's language; None when nothing was found at all


@dataclass(frozen=True, slots=True)
class _Holdings:
    """Whose each passage is, and in what language. Arrays are in the order of `keys`."""

    publications: Sequence[Publication]
    keys: Keys  # growing
    publication_of: NDArray[np.int64]  # position in `publications`
    language_of: NDArray[np.str_]  # "und" where edition and text disagree: such a passage stands for no language
    on_page: Mapping[str, Sequence[int]]  # edition_id -> places of its passages on pages, in reading order

    @classmethod
    def of(cls, library: Library) -> _Holdings:
        publications, table, languages = library.publications(), library.passage_table(), library.passage_languages()
        editions = {edition.edition_id: (at, edition.language) for at, one in enumerate(publications) for edition in one.editions}
        on_page = defaultdict(list)
        told = []
        for place, ((_, edition_id, paged), language) in enumerate(zip(table, languages, strict=True)):
            told.append(_told(language, editions[edition_id][1] if paged else UNDETERMINED))
            if paged and told[-1] != UNDETERMINED:
                on_page[edition_id].append(place)
        keys = np.asarray([key for key, _, _ in table], np.int64)
        return cls(publications, keys, np.asarray([editions[row[1]][0] for row in table], np.int64), np.asarray(told, np.str_), on_page)

    def sources(self, library: Library) -> Iterator[Source]:
        """Yield every text that asks, publication by publication: titles, abstracts, passages."""
        spoken: dict[int, set[str]] = defaultdict(set)
        for at, language in zip(self.publication_of, self.language_of, strict=True):
            spoken[int(at)].add(str(language))
        for at, one in enumerate(self.publications):
            languages = spoken[at] - {UNDETERMINED}
            places = [place for edition in one.editions for place in _spread(self.on_page.get(edition.edition_id, ()))]
            passages = library.passages([int(self.keys[place]) for place in places]) if len(languages) > 1 else {}
            texts = [("title", *item) for item in one.titles.items()] + [("abstract", *item) for item in one.abstracts.items()]
            texts += [("passage", str(self.language_of[place]), passages[int(self.keys[place])].text) for place in places if passages]
            for kind, language, text in texts:
                others = tuple(sorted(languages - {primary(language)}))
                if others and primary(language) != UNDETERMINED and plain(text):
                    yield Source(at, primary(language), kind, plain(text), others)  # type: ignore[arg-type]

    @property
    def most(self) -> int:
        """The most passages that any publication has."""
        return int(np.bincount(self.publication_of).max())

    def answer(self, source: Source, ranked: Keys) -> _Answer:
        """Say what was found, after leaving out the publication's passages in the source's own language, or in none."""
        places = np.minimum(np.searchsorted(self.keys, ranked), len(self.keys) - 1)
        places = places[self.keys[places] == ranked]  # without what was ingested meanwhile
        mine = self.publication_of[places] == source.publication
        left = ~(mine & np.isin(self.language_of[places], (source.language, UNDETERMINED)))
        languages, mine = self.language_of[places][left], mine[left]
        found = set(languages[:FIRST][mine[:FIRST]].tolist())
        own = float(np.mean(languages[:TOP] == source.language)) if len(languages) else None
        return _Answer(source, {other: other in found for other in source.others}, own)


def measure(searcher: Searcher, progress: Progress) -> Figures:
    """Ask with every source and return the figures; the same library gives the same ones.

    A question is one source and one other language; it is answered when a passage of the publication in that language stands among the
    first FIRST. `all`, `by_kind`, `by_query_language`, `by_passage_language` and `by_pair` (query language, then passage language) hold
    {"recall", "found", "questions"}: recall is in [0, 1], None below FEWEST questions. Those of query languages, and `all`, hold "texts"
    and "own_language@10" too, None below FEWEST texts. Raises NothingToCompareError.
    """
    library = searcher.library
    generation = current_name(library)
    with library.snapshot():
        holdings = _Holdings.of(library)
        sources = list(holdings.sources(library))
        counts = library.counts()
    if not sources:
        raise NothingToCompareError(
            f"No publication in {library.folder} can be searched in two languages, so none can be sought from one language in another. Describe "
            "the editions of a publication in one publication.toml (see README), then run: isogloss ingest FOLDER"
        )
    answers: list[_Answer] = []
    for start in range(0, len(sources), BATCH):
        batch = sources[start : start + BATCH]
        ranked = searcher.rank_passages([source.text for source in batch], FIRST + holdings.most)
        answers += [holdings.answer(source, keys) for source, (_, keys) in zip(batch, ranked, strict=True)]
        progress("questions", len(answers), len(sources))
    about = {"format": FORMAT, "made": datetime.now(UTC).isoformat(timespec="seconds"), "encoder": library.meta("encoder")}
    return {**about, "generation": generation, "library": counts, "first": FIRST, "fewest": FEWEST, **_summed_up(answers)}


def save(library: Library, figures: Figures) -> None:
    """Keep the figures in the library's folder, whole or not at all, in place of those before."""
    with replacing(library.folder / "quality.json") as written:
        written.write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")


def load(library: Library) -> Figures | None:
    """Return the figures that were kept last; None when there are none that this version can read."""
    path = library.folder / "quality.json"
    try:
        figures: Figures = json.loads(path.read_text("utf-8"))
        return figures if figures["format"] == FORMAT else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read (%s); make it anew: isogloss quality", path, error)
        return None


def plain(text: str) -> str:
    """Take from a text what a query would mean something by: quotation marks and leading minus signs."""
    return " ".join(SYNTAX.sub(" ", text).split())


def _summed_up(answers: Sequence[_Answer]) -> Figures:
    rows = [(answer.source, other, found) for answer in answers for other, found in answer.found.items()]
    by_language = _grouped((answer.source.language, answer) for answer in answers)
    by_pair = {asked: _grouped((other, found) for source, other, found in rows if source.language == asked) for asked in by_language}
    return {
        "all": _asked(answers),
        "by_kind": {kind: _cell(hits) for kind, hits in _grouped((source.kind, found) for source, _, found in rows).items()},
        "by_query_language": {language: _asked(some) for language, some in by_language.items()},
        "by_passage_language": {language: _cell(hits) for language, hits in _grouped((other, found) for _, other, found in rows).items()},
        "by_pair": {asked: {other: _cell(hits) for other, hits in groups.items()} for asked, groups in by_pair.items()},
    }


def _asked(answers: Sequence[_Answer]) -> Figures:
    shares = [answer.own for answer in answers if answer.own is not None]
    cell = _cell([found for answer in answers for found in answer.found.values()])
    return {"texts": len(answers), **cell, f"own_language@{TOP}": fmean(shares) if len(shares) >= FEWEST else None}


def _cell(hits: Sequence[bool]) -> Figures:
    return {"recall": fmean(hits) if len(hits) >= FEWEST else None, "found": sum(hits), "questions": len(hits)}


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for name, value in pairs:
        groups[name].append(value)
    return dict(sorted(groups.items()))


def _spread(places: Sequence[int]) -> list[int]:
    """Up to SPREAD of them, from the middle of as many equal stretches."""
    return [places[at] for at in dict.fromkeys((2 * part + 1) * len(places) // (2 * SPREAD) for part in range(SPREAD))] if places else []


def _told(language: str, edition_language: str) -> str:
    own, edition = primary(language), primary(edition_language)
    return own if edition in (own, UNDETERMINED) else UNDETERMINED
