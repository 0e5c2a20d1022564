"""The language-gap map: how much there is about each topic in each language, and where there is nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.filters import Filters, admits
from index.library import Library
from ingest.records import Publication, primary

NO_TOPIC = ""  # stands for the topic of publications that have none


@dataclass(frozen=True, slots=True)
class Cell:
    """How much there is."""

    publications: int = 0  # that can be read: there is a file
    title_only: int = 0  # publications of which there are only title and abstract
    passages: int = 0  # on pages


Key = tuple[str | None, str | None]  # topic and language; None stands for all of them
NOTHING = Cell()


@dataclass(frozen=True, slots=True)
class Gaps:
    """The map. Languages are without script and region, as a search for "pt" also finds "pt-BR"."""

    topics: tuple[str, ...]  # most publications first
    languages: tuple[str, ...]  # most publications first, then those asked for in which there is nothing
    cells: Mapping[Key, Cell]  # what is not here is empty
    single: tuple[tuple[Publication, str], ...]  # publications that can be read in one language only, with that

    def cell(self, topic: str | None, language: str | None) -> Cell:
        return self.cells.get((topic, language), NOTHING)

    def single_topics(self) -> list[tuple[str, str]]:
        """The topics about which something can be read in one language only, with that."""
        spoken = {topic: [language for language in self.languages if self.cell(topic, language).publications] for topic in self.topics}
        return [(topic, found[0]) for topic, found in spoken.items() if topic != NO_TOPIC and len(found) == 1]


def gaps(library: Library, publications: Sequence[Publication], filters: Filters, asked_for: Collection[str] = ()) -> Gaps:
    """Count the publications that the filters admit; the languages asked for are in the map whether there is anything in them or not."""
    passages = dict(map(tuple, library.rows("SELECT edition_id, count(*) FROM passages WHERE first_page > 0 GROUP BY edition_id")))
    cells: dict[Key, list[int]] = {}
    single = []
    for publication in publications:
        there = _by_language(publication, filters, passages)
        readable = [language for language, counts in there.items() if counts[0]]
        if len(readable) == 1:
            single.append((publication, readable[0]))
        for key, counts in _counts(publication, there):
            cells[key] = [one + more for one, more in zip(cells.get(key, (0, 0, 0)), counts, strict=True)]
    found = {key: Cell(*counts) for key, counts in cells.items()}
    languages = _most_first({language: cell for (topic, language), cell in found.items() if topic is None and language is not None})
    topics = _most_first({topic: cell for (topic, language), cell in found.items() if language is None and topic is not None})
    wanted = dict.fromkeys(primary(language) for language in asked_for)
    return Gaps(tuple(topics), (*languages, *(one for one in wanted if one not in languages)), found, tuple(single))


def _by_language(publication: Publication, filters: Filters, passages: Mapping[str, int]) -> dict[str, tuple[int, int, int]]:
    """What there is of a publication in each language, as `Cell` counts it."""
    there: dict[str, tuple[int, int, int]] = {}
    for edition in publication.editions:
        if admits(filters, edition, publication):
            readable, _, before = there.get(primary(edition.language), (0, 0, 0))
            readable = int(readable or edition.digest is not None)
            there[primary(edition.language)] = readable, 1 - readable, before + passages.get(edition.edition_id, 0)
    return there


def _counts(publication: Publication, there: Mapping[str, tuple[int, int, int]]) -> Iterator[tuple[Key, tuple[int, int, int]]]:
    """What a publication adds to each cell, those of sums among them."""
    if not there:
        return
    readable = max(counts[0] for counts in there.values())
    everywhere = readable, 1 - readable, sum(counts[2] for counts in there.values())
    for topic in (None, *(dict.fromkeys(publication.topics) or (NO_TOPIC,))):
        yield (topic, None), everywhere
        for language, counts in there.items():
            yield (topic, language), counts


def _most_first(cells: Mapping[str, Cell]) -> list[str]:
    return sorted(cells, key=lambda name: (-cells[name].publications, -cells[name].title_only, name))
