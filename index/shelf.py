"""The publications of a library in columns: to filter and to count twenty thousand of them takes no loop over them.

A shelf is never changed. What is put on it, or leaves it, makes another one, which shares all that stayed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.filters import Filters
from ingest.records import Edition, Publication, primary

Numbers = NDArray[np.int32]
Chosen = NDArray[np.bool_]  # shape (publications,) or (editions,)

FIELDS: Mapping[str, Callable[[Publication], Iterable[str]]] = {  # fields of Filters, and what a publication has of each
    "languages": lambda one: (edition.language for edition in one.editions),
    "years": lambda one: (str(one.year),) if one.year else (),
    "kinds": lambda one: (one.kind,) if one.kind else (),
    "topics": lambda one: one.topics,
    "countries": lambda one: one.countries,
}


@dataclass(frozen=True, slots=True)
class Column:
    """What publications have of one field, each value once."""

    owners: Numbers  # positions of publications
    values: Numbers  # the value that each owner has, as its number
    numbers: Mapping[str, int]  # of all values that there ever were

    def moved(self, mapping: Numbers, added: Sequence[tuple[int, Iterable[str]]]) -> Column:
        """The same where publication i has become mapping[i], -1 for one that left, with what publications at other positions have."""
        owners, numbers = mapping[self.owners], dict(self.numbers)
        pairs = [(owner, numbers.setdefault(value, len(numbers))) for owner, values in added for value in dict.fromkeys(values)]
        more = np.asarray(pairs, np.int32).reshape(-1, 2)
        stay = owners >= 0
        return Column(np.concatenate([owners[stay], more[:, 0]]), np.concatenate([self.values[stay], more[:, 1]]), numbers)

    def chosen(self, wanted: Collection[str], short: Callable[[str], str] = str) -> Chosen:
        """For each number, whether its value is wanted, as it is or in short."""
        return np.fromiter((value in wanted or short(value) in wanted for value in self.numbers), bool, len(self.numbers))

    def holders(self, chosen: Chosen, publications: int) -> Chosen:
        """Which publications have a value whose number is chosen."""
        held = np.zeros(publications, bool)
        held[self.owners[chosen[self.values]]] = True
        return held

    def counts(self, publications: Chosen) -> dict[str, int]:
        """How many of these publications have each value; values that none has are left out."""
        counted = np.bincount(self.values[publications[self.owners]], minlength=len(self.numbers)).tolist()
        return {value: counted[number] for value, number in self.numbers.items() if counted[number]}


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The publications, and their editions, which keep their places for as long as shelves are made of each other."""

    publications: tuple[Publication, ...]  # in the order of their ids
    editions: tuple[Edition, ...]  # those that left too
    publication_of: Numbers  # for each edition, position in `publications`; -1 once it left, or was replaced by one at another place
    language_of: Numbers  # for each edition, the number of its language
    columns: Mapping[str, Column]  # for each of FIELDS

    @classmethod
    def of(cls, publications: Sequence[Publication]) -> Shelf:
        """Of publications in the order of their ids."""
        none = np.zeros(0, np.int32)
        return cls((), (), none, none, {field: Column(none, none, {}) for field in FIELDS}).changed((), publications)

    def changed(self, touched: Collection[str], there: Sequence[Publication]) -> Shelf:
        """The same without the publications of these ids, and then with those that are `there`, in the order of their ids."""
        gone = [position for name in touched if (position := self.position(name)) >= 0]
        stay = np.delete(_objects(self.publications), gone)
        at = np.asarray([bisect_left(stay, one.publication_id, key=_id) for one in there], np.int64)
        publications = tuple(np.insert(stay, at, _objects(there)))
        mapping = _mapping(len(self.publications), gone, at)
        new = [(int(place), one) for place, one in zip(at + np.arange(len(there)), there, strict=True)]
        columns = {field: self.columns[field].moved(mapping, [(place, values_of(one)) for place, one in new]) for field, values_of in FIELDS.items()}
        added = [(place, edition) for place, one in new for edition in one.editions]
        tags = columns["languages"].numbers
        return Shelf(
            publications,
            self.editions + tuple(edition for _, edition in added),
            np.concatenate([mapping[self.publication_of], np.asarray([place for place, _ in added], np.int32)]),
            np.concatenate([self.language_of, np.asarray([tags[edition.language] for _, edition in added], np.int32)]),
            columns,
        )

    def position(self, publication_id: str) -> int:
        """Where a publication stands; -1 where it is not there."""
        at = bisect_left(self.publications, publication_id, key=_id)
        return at if at < len(self.publications) and self.publications[at].publication_id == publication_id else -1

    def editions_of(self, position: int) -> list[int]:
        """The places of a publication's editions, in the order of the catalogue."""
        return [int(place) for place in np.flatnonzero(self.publication_of == position)]

    def places_of(self, positions: Collection[int]) -> dict[str, int]:
        """By id, the places of the editions of these publications."""
        return {self.editions[place].edition_id: int(place) for place in np.flatnonzero(np.isin(self.publication_of, list(positions)))}

    def fitting(self, filters: Filters) -> Chosen:
        """For each publication, whether an edition of it is admitted."""
        fits, languages = self._fitting(filters), self.columns["languages"]
        return fits & languages.holders(self._spoken(filters.languages), len(fits))

    def that_fit(self, filters: Filters) -> list[Publication]:
        """The publications of which an edition is admitted, in the order of their ids."""
        return [self.publications[position] for position in np.flatnonzero(self.fitting(filters))]

    def languages(self, filters: Filters) -> list[str]:
        """The languages of all editions of these publications."""
        return list(self.columns["languages"].counts(self.fitting(filters)))

    def admitted(self, filters: Filters) -> Chosen:
        """For each edition, whether it is there and admitted."""
        fits = np.append(self._fitting(filters), False)[self.publication_of]  # -1 finds what was appended
        return fits & self._spoken(filters.languages)[self.language_of]

    def counts(self, filters: Filters) -> dict[str, dict[str, int]]:
        """For each of FIELDS, how many publications that the filters of the others admit have each value."""
        return {field: column.counts(self.fitting(replace(filters, **{field: ()}))) for field, column in self.columns.items()}

    def _fitting(self, filters: Filters) -> Chosen:
        """For each publication, whether it is admitted as far as it is not a matter of language."""
        fits = np.ones(len(self.publications), bool)
        for field, column in self.columns.items():
            wanted = frozenset(getattr(filters, field))
            if wanted and field != "languages":
                fits &= column.holders(column.chosen(wanted), len(fits))
        if filters.publications:
            wanted_here = np.zeros(len(fits) + 1, bool)
            wanted_here[[self.position(name) for name in filters.publications]] = True  # -1 is past the end
            fits &= wanted_here[:-1]
        return fits

    def _spoken(self, languages: Collection[str]) -> Chosen:
        """For the number of each language, whether an edition in it is admitted."""
        column = self.columns["languages"]
        return column.chosen(frozenset(languages), primary) if languages else np.ones(len(column.numbers), bool)


def _id(publication: Publication) -> str:
    return publication.publication_id


def _objects(publications: Sequence[Publication]) -> NDArray[np.object_]:
    made = np.empty(len(publications), object)
    made[:] = publications
    return made


def _mapping(before: int, gone: Sequence[int], at: NDArray[np.int64]) -> Numbers:
    """Where each publication stands once some are gone and others were put before those of the rest at `at`, growing; ends with -1 for none."""
    stays = np.ones(before, bool)
    stays[list(gone)] = False
    rank = np.cumsum(stays) - 1
    return np.append(np.where(stays, rank + np.searchsorted(at, rank, side="right"), -1), -1).astype(np.int32)
