"""To which edition each passage belongs, in what language it is, and whether it stands on a page: seven bytes a passage."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from index.library import Library
from index.vector_rows import Keys

Value = TypeVar("Value", bound=np.generic)
Places = NDArray[np.int64]  # shape (passages,): where passages stand in a view


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The passages of some editions, one group of them after the other: those of an edition that are in one language."""

    editions: Sequence[str]  # of each group, its edition's id
    languages: Sequence[str]
    sizes: NDArray[np.int64]  # of each group
    keys: Keys  # of all of them
    on_page: NDArray[np.bool_]  # for each key

    @classmethod
    def by(cls, library: Library, publications: Collection[str] | None = None) -> Held:
        """What the library holds of these publications, or of all. Its index `passages_of` has all that is asked for, so no text is read."""
        theirs = "WHERE edition_id IN (SELECT edition_id FROM editions WHERE publication_id IN (SELECT value FROM json_each(?)))"
        some = "" if publications is None else theirs
        listed = library.store.joined("CASE WHEN first_page > 0 THEN key ELSE -key END")
        rows = library.rows(
            f"SELECT edition_id, language, {listed}, count(*) FROM passages {some} GROUP BY edition_id, language ORDER BY edition_id, language",
            () if publications is None else (json.dumps(sorted(publications), ensure_ascii=False),),
        )
        signed = np.fromstring(",".join(row[2] for row in rows), np.int64, sep=",")
        sizes = np.asarray([row[3] for row in rows], np.int64)
        return cls([row[0] for row in rows], [row[1] for row in rows], sizes, np.abs(signed), signed > 0)

    def unplaced(self, places: Places) -> set[str]:
        """The ids of the editions that hold a passage whose place is -1."""
        group = np.repeat(np.arange(len(self.sizes)), self.sizes)
        return {self.editions[one] for one in np.unique(group[places < 0])}


@dataclass(frozen=True, slots=True, eq=False)
class PassageTable:
    """Never changed; `put` makes another one. Where an edition's passages stand is kept as stretches, of which it has few."""

    edition_of: NDArray[np.int32]  # place of the edition on the shelf; -1 for a passage that is not there
    on_page: NDArray[np.bool_]  # else it is from the catalogue
    language_of: NDArray[np.int16]  # a number for its language
    numbers: Mapping[str, int]  # of the languages
    stretches: NDArray[np.int32]  # shape (stretches, 3), by the first: edition, first place, place after the last

    @classmethod
    def of(cls, size: int) -> PassageTable:
        """With room for so many passages; none is there yet."""
        nowhere = np.full(size, -1, np.int32)
        return cls(nowhere, np.zeros(size, bool), np.zeros(size, np.int16), {}, np.zeros((0, 3), np.int32))

    def put(self, size: int, gone: Collection[int], held: Held, editions: Mapping[str, int], places: Places) -> PassageTable:
        """The same with room for `size` passages, without those of the editions that are gone, and with what is held, of editions that were not there.

        `editions` says where each edition stands on the shelf; `places` where each passage stands, -1 for those that are passed over.
        """
        edition_of, on_page, language_of = _grown(self.edition_of, size), _grown(self.on_page, size), _grown(self.language_of, size)
        edition_of[len(self.edition_of) :] = -1
        edition_of[self.of_editions(gone)] = -1
        numbers = dict(self.numbers)
        groups = [editions[name] for name in held.editions], [numbers.setdefault(tag, len(numbers)) for tag in held.languages]
        known = places >= 0
        owners, tags = (np.repeat(np.asarray(group, np.int32), held.sizes)[known] for group in groups)
        at = places[known]
        edition_of[at], language_of[at], on_page[at] = owners, tags, held.on_page[known]
        return PassageTable(edition_of, on_page, language_of, numbers, np.concatenate([self.stretches, _stretches(owners, at)]))

    def of_editions(self, editions: Collection[int]) -> Places:
        """Where the passages of these editions stand, growing; also those from the catalogue."""
        found = [
            np.arange(first, last)
            for edition in editions
            for _, first, last in self.stretches[slice(*np.searchsorted(self.stretches[:, 0], [edition, edition + 1]))]
        ]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)


def touched(library: Library, revision: int) -> set[str]:
    """The ids of the publications that have changed, or were removed, after this revision."""
    return {row[0] for row in library.rows("SELECT publication_id FROM touched WHERE revision > ?", (revision,))}


def encoded(library: Library, keys: Keys, encoder: str) -> bool:
    """Whether the encoder with this fingerprint has made a vector of any of these passages."""
    found = "SELECT 1 FROM vectors JOIN encoders ON number = encoder AND fingerprint = ? WHERE key IN (SELECT CAST(value AS bigint) FROM json_each(?)) LIMIT 1"
    return bool(len(keys) and library.rows(found, (encoder, json.dumps(keys.tolist()))))


def _stretches(editions: NDArray[np.int32], places: Places) -> NDArray[np.int32]:
    """The stretches that these places make, by edition."""
    order = np.lexsort((places, editions))
    editions, places = editions[order], places[order]
    breaks = np.flatnonzero((np.diff(editions) != 0) | (np.diff(places) != 1)) + 1
    first = np.concatenate([np.zeros(min(len(places), 1), np.int64), breaks])
    last = np.concatenate([breaks, np.full(min(len(places), 1), len(places))]) - 1
    return np.stack([editions[first], places[first], places[last] + 1], axis=1).astype(np.int32)


def _grown(array: NDArray[Value], size: int) -> NDArray[Value]:
    made = np.zeros(size, array.dtype)
    made[: len(array)] = array
    return made
