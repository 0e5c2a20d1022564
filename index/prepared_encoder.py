"""An encoder made ready by index/preparation.py: its tokenizer and its network, without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.encoder import Tokens, Vectors
from index.meanwhile import one_thread_each
from index.network import Batch, Network, Outputs, Precision
from index.turns import Turns

VECTOR = 0  # the first output of the network; the layers follow in the order of the description
DESCRIPTION, TOKENIZER = "encoder.json", "tokenizer.json"  # in a prepared folder, beside the network
STEP = 16  # tokens to which texts are filled up: whole steps are computed faster, and every shape of a batch has to be made ready once
TOGETHER = 512  # tokens: more fall out of the processor's caches, fewer leave it idle between layers


@dataclass(frozen=True, slots=True)
class Description:
    """What must be known of an encoder to run it."""

    fingerprint: str
    dimension: int
    max_tokens: int  # of a text with its prompt; what is longer is cut off
    filler: int  # the token that fills up
    query: str  # prompts, in front of every question
    document: str  # and in front of everything that is searched
    layers: tuple[int, ...]  # whose tokens the network shows, counted from 1

    def write(self, folder: Path) -> None:
        (folder / DESCRIPTION).write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        stored = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        return cls(**stored | {"layers": tuple(stored["layers"])})


class PreparedEncoder:
    """An encoder that runs on OpenVINO. Safe to share between threads: what they ask for at the same time is computed together."""

    def __init__(self, folder: Path, precision: Precision, threads: int = 0) -> None:
        self.description = Description.read(folder)
        one_thread_each()  # what is multiplied beside the network, at an ingest too
        self._network = Network(folder, precision, threads)
        self._turns: Turns[Sequence[Sequence[int]], list[Outputs]] = Turns(self._together)
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.description.max_tokens)

    @property
    def fingerprint(self) -> str:
        return self.description.fingerprint

    @property
    def dimension(self) -> int:
        return self.description.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions; row i belongs to text i."""
        return self._encode(self.description.query, texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode what is searched; row i belongs to text i."""
        return self._encode(self.description.document, texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, without prompt and without the marks of beginning and end."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) + sum(map(len, encoding.overflowing)) for encoding in encodings]

    def _encode(self, prompt: str, texts: Sequence[str]) -> Vectors:
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch_fast([prompt + text for text in texts])]
        made = self._run(rows, [VECTOR])
        return np.stack([vector for vector, *_ in made]) if made else np.zeros((0, self.dimension), np.float32)

    def _run(self, rows: Sequence[Sequence[int]], outputs: Sequence[int]) -> list[Outputs]:
        """Return for each row these outputs of the network: its vector, its tokens' layers."""
        batches = _batches(rows)
        if len(batches) <= 1:  # more is a long work, for which others do not wait
            return [[made[output] for output in outputs] for made in self._turns.ask(rows)] if rows else []
        return _apart(rows, batches, self._network.run_all((self._batch(rows, places) for places in batches), outputs))

    def _together(self, asked: Sequence[Sequence[Sequence[int]]]) -> list[list[Outputs]]:
        """Run what several threads have asked for."""
        rows = [row for one in asked for row in one]
        batches = _batches(rows)
        made = iter(_apart(rows, batches, [self._network.run(self._batch(rows, places)) for places in batches]))
        return [[next(made) for _ in one] for one in asked]

    def _batch(self, rows: Sequence[Sequence[int]], places: Sequence[int]) -> Batch:
        least = min(_filled(rows[places[0]]), self.description.max_tokens)
        return Batch.of([rows[place] for place in places], self.description.filler, least)


class PreparedTokenEncoder(PreparedEncoder):
    """A prepared encoder that can show its tokens, in the layers of its description."""

    def encode_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Encode what is searched and keep the tokens' vectors of these layers, counted from 1; item i belongs to text i."""
        return self._shown(self.description.document, texts, layers)

    def encode_query_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Do the same with questions."""
        return self._shown(self.description.query, texts, layers)

    def _shown(self, prompt: str, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        there = self.description.layers
        if not set(layers) <= set(there):
            raise ValueError(f"layers must be among {there}, got {tuple(layers)}")
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        made = self._run([encoding.ids for encoding in encodings], [VECTOR, *(1 + there.index(layer) for layer in layers)])
        return [_tokens(encoding, len(prompt), vector, shown) for encoding, (vector, *shown) in zip(encodings, made, strict=True)]


def open_prepared(folder: Path, precision: Precision, threads: int = 0) -> PreparedEncoder:
    """Open the encoder in a prepared folder."""
    kind = PreparedTokenEncoder if Description.read(folder).layers else PreparedEncoder
    return kind(folder, precision, threads)


def _batches(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The places of rows that are computed together, being filled up to the same length; the largest batches first, so that no long one comes last."""
    alike: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        alike.setdefault(_filled(row), []).append(place)
    batches: list[tuple[int, list[int]]] = []
    for length, places in alike.items():
        most = max(1, TOGETHER // length)
        parts = [places[start : start + most] for start in range(0, len(places), most)]
        batches += [(length * len(part), part) for part in parts]
    return [part for _, part in sorted(batches, reverse=True)]


def _filled(row: Sequence[int]) -> int:
    """How long a row is once it is filled up; an empty one too."""
    return -(-max(len(row), 1) // STEP) * STEP


def _apart(rows: Sequence[Sequence[int]], batches: Sequence[Sequence[int]], made: Sequence[Outputs]) -> list[Outputs]:
    """Give every row its own part of what was computed, without what filled it up."""
    apart: list[Any] = [None] * len(rows)
    for places, (vectors, *layers) in zip(batches, made, strict=True):
        for row, place in enumerate(places):
            apart[place] = [vectors[row], *(layer[row, : len(rows[place])] for layer in layers)]
    return apart


def _tokens(encoding: Encoding, prompt: int, vector: Vectors, layers: Sequence[NDArray[np.float32]]) -> Tokens:
    spans = np.asarray(encoding.offsets, np.int64) - prompt
    own = (np.asarray(encoding.special_tokens_mask) == 0) & (spans[:, 1] > np.maximum(spans[:, 0], 0))  # neither of the prompt nor empty
    return Tokens(vector, np.maximum(spans[own], 0), tuple(layer[own] for layer in layers))
