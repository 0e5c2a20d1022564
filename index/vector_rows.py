"""The raw vectors of passages in a library's SQLite file, and the encoders that made them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.encoder import Vectors
from index.rounded import damaged, restored
from index.store import Keys as Keys

ALL = 2**63 - 1  # as a limit
LOOKED_AT = 10_000  # vectors at a time


class EncoderVectors(NamedTuple):
    """An encoder by what it made."""

    fingerprint: str
    name: str  # by which it can be opened; "" when nobody has said it
    vectors: int  # passages of which it has made one


class VectorRows(Database):
    """The vectors that a library holds."""

    def vectors_of(self, keys: Sequence[int], encoder: str | None = None) -> dict[int, Vectors]:
        """The raw vectors of the passages with these keys, shape (dimension,); one that has been removed meanwhile is left out.

        Here and below, `encoder` is a fingerprint; None stands for that of the library, and so does "", that of a generation of an empty one.
        """
        listed = json.dumps([int(key) for key in keys])
        chosen = "key IN (SELECT CAST(value AS bigint) FROM json_each(?))"
        rows = self._connection().execute(f"SELECT key, vector FROM vectors WHERE encoder = ? AND {chosen}", (self._encoder(encoder), listed))
        found, vectors = _keys_and_vectors(rows)
        return dict(zip(found.tolist(), vectors, strict=True))

    def codes_of(self, keys: Sequence[int], encoder: str | None = None) -> dict[int, bytes]:
        """The codes of the passages with these keys, where any are kept of them."""
        listed = json.dumps([int(key) for key in keys])
        chosen = "key IN (SELECT CAST(value AS bigint) FROM json_each(?)) AND length(codes) > 0"
        return dict(
            self._connection().execute(f"SELECT key, codes FROM vectors WHERE encoder = ? AND {chosen}", (self._encoder(encoder), listed)).fetchall()
        )

    def vectors_at(self, keys: Keys, encoder: str | None = None) -> tuple[NDArray[np.int64], Vectors]:
        """The raw vectors of the passages with these keys: which of `keys` were found, as positions in it, and their vectors, in the same order."""
        order = np.argsort(keys, kind="stable")  # neighbours lie together on disk
        rows = self._connection().execute(
            "SELECT wanted.key, vector FROM json_each(?) AS wanted JOIN vectors ON vectors.key = CAST(value AS bigint) AND encoder = ?",
            (json.dumps(keys[order].tolist()), self._encoder(encoder)),
        )
        found, vectors = _keys_and_vectors(rows)
        back = np.argsort(order[found], kind="stable")
        return order[found][back], vectors[back]

    def vectors_in(self, edition_id: str, encoder: str | None = None) -> tuple[Keys, Vectors]:
        """The raw vectors of the passages that stand on pages of an edition, in reading order: shapes (passages,) and (passages, dimension)."""
        rows = self._connection().execute(
            "SELECT key, vector FROM passages JOIN vectors USING (key) WHERE edition_id = ? AND encoder = ? AND first_page > 0 ORDER BY ordinal",
            (edition_id, self._encoder(encoder)),
        )
        return _keys_and_vectors(rows)

    def vectors(self, after: int = 0, encoder: str | None = None, most: int = -1) -> tuple[Keys, Vectors]:
        """The raw vectors of the first `most` passages with a key above `after`, by default all: shapes (passages,) and (passages, dimension)."""
        return _keys_and_vectors(self._some(after, encoder, most if most >= 0 else ALL))

    def without_vector(self, encoder: str) -> list[int]:
        """The keys of the passages of which this encoder, given by its fingerprint, has made no vector yet, growing."""
        rows = self._connection().execute(
            "SELECT key FROM passages WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.key = passages.key AND encoder = ?) ORDER BY key",
            (self._encoder(encoder),),
        )
        return [key for (key,) in rows]

    def without_codes(self, encoder: str, heads: Sequence[bytes] = ()) -> list[int]:
        """The keys of the passages of which this encoder, given by its fingerprint, has made a vector and no codes, growing.

        With `heads`, each a byte, also those whose codes begin with none of them.
        """
        foreign = f" OR codes <> ? AND substr(codes, 1, 1) NOT IN ({', '.join('?' * len(heads))})" if heads else ""
        rows = self._connection().execute(
            f"SELECT key FROM vectors JOIN passages USING (key) WHERE encoder = ? AND (codes IS NULL{foreign}) ORDER BY key",
            (self._encoder(encoder), *([b"", *heads] if heads else [])),
        )
        return [key for (key,) in rows]

    def damaged_vectors(self) -> Iterator[int]:
        """Yield the keys of the passages whose vector by the library's own encoder is none, growing; all have as many bytes."""
        after = 0
        while rows := self._some(after, None, LOOKED_AT):
            keys, blobs = zip(*rows, strict=True)
            yield from np.asarray(keys)[damaged(blobs)].tolist()
            after = keys[-1]

    def last_with_vector(self, encoder: str) -> tuple[int, int]:
        """The key of the last passage before the first that this encoder, given by its fingerprint, has made no vector of, and how many there are up to it."""
        number = self._encoder(encoder)
        missing = "SELECT min(key) FROM passages WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.key = passages.key AND encoder = ?1)"
        row = self._connection().execute(
            f"SELECT coalesce(max(key), 0), count(*) FROM passages WHERE key < coalesce(({missing}), {2**63 - 1})", (number,)
        )
        last, count = row.fetchone()
        return int(last), int(count)

    def encoders(self) -> list[EncoderVectors]:
        """The encoders that have made vectors of passages, or have been named, with how many."""
        rows = self._connection().execute(
            "SELECT fingerprint, name, (SELECT count(*) FROM vectors WHERE encoder = number) FROM encoders ORDER BY number"
        )
        return [EncoderVectors(*row) for row in rows]

    def encoder_name(self, encoder: str | None = None) -> str:
        """The folder or hub name of an encoder; "" when nobody has said it."""
        wanted = self.meta("encoder") if encoder is None else encoder
        row = self._connection().execute("SELECT name FROM encoders WHERE fingerprint = ?", (wanted,)).fetchone()
        return str(row[0]) if row else ""

    def _some(self, after: int, encoder: str | None, most: int) -> list[tuple[int, bytes]]:
        """Keys and what is kept of their vectors, of the first `most` passages with a key above `after`."""
        wanted = "SELECT key, vector FROM vectors WHERE encoder = ? AND key > ? ORDER BY key LIMIT ?"
        return self._connection().execute(wanted, (self._encoder(encoder), after, most)).fetchall()

    def _encoder(self, fingerprint: str | None) -> int:
        """The number under which the vectors of an encoder are stored; 0, under which there are none, when it has made none."""
        wanted = fingerprint or self.meta("encoder")
        row = self._connection().execute("SELECT number FROM encoders WHERE fingerprint = ?", (wanted,)).fetchone()
        return int(row[0]) if row else 0


def _keys_and_vectors(rows: Iterable[tuple[int, bytes]]) -> tuple[Keys, Vectors]:
    keys, blobs = [], []
    for key, blob in rows:
        keys.append(key)
        blobs.append(blob)
    return np.asarray(keys, np.int64), restored(blobs)
