"""Real sentences, and the vectors and codes of real passages, around which bench/libraries.py draws libraries of any size.

The sentences are those of test collections in the layout of index/evaluation.py whose ids begin with the language and are parallel: "ar-0-3-1",
"eng-7". What stands before the second hyphen but one is the subject, the same in all languages. A passage is some
sentences in a row.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.passage_encoding import Encodings, codebook_of, encode
from index.terms import pieces
from index.word_codes import Codebook, Kept, told
from ingest.records import Passage
from ingest.sentences import sentence_spans

COLLECTIONS = (Path("../shared/data/xquad-r-dev"), Path("../shared/data/udhr-dev"))
REFERENCE = "en"
LENGTH = 350  # characters of a passage in the language of reference, in others as large a share of the collection: 80 to 100 tokens
STEP = 2  # sentences between the beginnings of two passages of a subject
VARYING = 0.5  # of the rare words are drawn anew
VARIANTS = 200  # of each of them, drawn as Zipf would have it: the vocabulary of a large library has millions of words
NOISE = 0.6  # of the spread of real vectors, that one drawn around a real one lies off
BATCH = 512  # passages encoded between two words about how far it is


class Window(NamedTuple):
    """A real passage: sentences of one language in a row."""

    first: int  # of the sentences of its strand
    last: int
    row: int  # of the vectors


@dataclass(frozen=True, slots=True)
class Strand:
    """One collection in one language."""

    language: str
    sentences: tuple[Template, ...]
    windows: tuple[tuple[Window, ...], ...]  # by subject; the same place is the same subject in every language


@dataclass(frozen=True, slots=True)
class SentenceCodes:
    """What is kept of a real sentence, as in index/word_codes.py."""

    length: int  # characters
    scale: float
    bits: NDArray[np.uint8]  # shape (bytes,)
    places: NDArray[np.int64]  # of its words, in it
    codes: NDArray[np.uint8]

    def within(self, start: int, end: int) -> NDArray[np.int64]:
        """Where about the words stand in a sentence that is drawn after this one."""
        places = self.places * (end - start) // max(self.length, 1)
        places[:, 1] = np.minimum(np.maximum(places[:, 1], places[:, 0] + 1), end - start)
        return start + np.minimum(places, places[:, 1:] - [1, 0])


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence whose rare words can be others."""

    fixed: tuple[str, ...]  # what stands before, between and after them
    rare: tuple[int, ...]  # places among the rare words of its language
    words: Sequence[str]  # the rare words of its language, in a row that chance has made

    def drawn(self, chance: Random) -> str:
        """The sentence with rare words drawn anew: each may stay, or end like another one."""
        made = [self.fixed[0]]
        for place, after in zip(self.rare, self.fixed[1:], strict=True):
            made += (self._word(place, int(VARIANTS ** chance.random()) - 1 if chance.random() < VARYING else 0), after)
        return "".join(made)

    def _word(self, place: int, variant: int) -> str:
        """A rare word of the language whose second half is that of another one; itself where the variant is 0."""
        word, other = self.words[place], self.words[(place + variant) % len(self.words)]
        return word if variant == 0 else word[: (len(word) + 1) // 2] + other[len(other) // 2 :]


@dataclass(frozen=True)
class Material:
    """All there is to draw from: for each collection its languages, and the vectors of all windows."""

    collections: tuple[Mapping[str, Strand], ...]
    vectors: Vectors
    sentences: Mapping[tuple[int, str, int], SentenceCodes]  # by collection, language and place in its strand; none where the encoder makes no codes

    @cached_property
    def _spread(self) -> NDArray[np.float32]:
        covariance = np.cov(self.vectors.astype(np.float64), rowvar=False) + 1e-9 * np.eye(self.vectors.shape[1])
        return (NOISE * np.linalg.cholesky(covariance).T).astype(np.float32)

    def around(self, rows: Sequence[int], chance: np.random.Generator) -> Vectors:
        """A vector drawn around each of these rows: of unit length, off by noise that is spread as the real vectors are."""
        drawn = self.vectors[rows] + chance.standard_normal((len(rows), self.vectors.shape[1]), np.float32) @ self._spread
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)

    def codes(self, collection: int, language: str, drawn: Sequence[int], passage: Passage) -> list[bytes]:
        """What is kept of a passage whose sentences are drawn after these of a strand: one item, or none. A word more than they have gets a code again."""
        if not self.sentences:
            return []
        parts = [self.sentences[collection, language, place] for place in drawn]
        counts, places = np.asarray([len(part.codes) for part in parts]), told(passage)
        if places is None:
            places = np.concatenate([part.within(start, end) for part, (start, end) in zip(parts, passage.sentences, strict=True)])
        else:
            counts = np.diff(np.searchsorted(places[:, 0], [*(start for start, _ in passage.sentences), len(passage.text)]))
        codes = [np.resize(part.codes, (count, part.codes.shape[1])) for part, count in zip(parts, counts.tolist(), strict=True)]
        scales, bits = np.asarray([part.scale for part in parts], np.float32), np.stack([part.bits for part in parts])
        return [Kept(counts, scales, bits, places, np.concatenate(codes)).packed(passage, 0)]


def read(folders: Sequence[Path], encoder: Encoder, cache: Path) -> Material:
    """The material of these collections; what is encoded is kept in the file `cache`, by encoder and texts, since making it takes a minute."""
    passages: list[Passage] = []
    collections = tuple(_strands(folder, passages) for folder in folders)
    vectors, codes = _encoded(passages, encoder, cache)
    return Material(collections, vectors, _sentence_codes(collections, passages, codes, codebook_of(encoder)))


def sentences_of(folder: Path, language: str) -> tuple[Template, ...]:
    """The sentences of a collection in one language."""
    return _strands(folder, [])[language].sentences


def _strands(folder: Path, passages: list[Passage]) -> dict[str, Strand]:
    """Append the passages that the windows show, whose places are their rows."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        subject = "-".join(entry["_id"].split("-")[1:3])
        there = found[entry["language"]].setdefault(subject, [])
        there += [entry["text"][start:end] for start, end in sentence_spans(entry["text"].strip(), entry["language"])]
    subjects = sorted(set.intersection(*(set(of_language) for of_language in found.values())))
    told = {language: [of_language[subject] for subject in subjects] for language, of_language in found.items()}
    whole = sum(len(sentence) for subject in told[REFERENCE] for sentence in subject)
    return {language: _strand(language, there, LENGTH / whole, passages) for language, there in told.items()}


def _strand(language: str, subjects: Sequence[Sequence[str]], share: float, passages: list[Passage]) -> Strand:
    sentences = [sentence for subject in subjects for sentence in subject]
    ends = [0, *accumulate(map(len, sentences))]
    windows, first = list[tuple[Window, ...]](), 0
    for subject in subjects:
        starts = range(first, first + len(subject), STEP)
        first += len(subject)
        lasts = (bisect_left(ends, ends[start] + share * ends[-1]) - 1 for start in starts)
        pairs = [(start, min(last, len(sentences) - 1)) for start, last in zip(starts, lasts, strict=True)]
        windows.append(tuple(Window(start, last, len(passages) + place) for place, (start, last) in enumerate(pairs)))
        passages += [_passage(language, sentences[start : last + 1]) for start, last in pairs]
    return Strand(language, tuple(_templates(sentences)), tuple(windows))


def _passage(language: str, sentences: Sequence[str]) -> Passage:
    ends = list(accumulate(len(sentence) + 1 for sentence in sentences))
    spans = tuple(zip([0, *ends], (end - 1 for end in ends), strict=False))
    return Passage("", 0, 1, 0, 1, ends[-1] - 1, language, " ".join(sentences), spans)


def _templates(sentences: Sequence[str]) -> Iterator[Template]:
    """Take for rare what stands once in all the sentences: in so short a text every such word stands for a great many."""
    cut = [[(piece.start, piece.end) for piece in pieces(sentence)] for sentence in sentences]
    counts = Counter(sentence[start:end] for sentence, spans in zip(sentences, cut, strict=True) for start, end in spans)
    words = [word for word, count in counts.items() if count == 1]
    Random(0).shuffle(words)
    places = {word: place for place, word in enumerate(words)}
    for sentence, spans in zip(sentences, cut, strict=True):
        rare = [(start, end) for start, end in spans if sentence[start:end] in places]
        ends = [0, *(end for _, end in rare)]
        fixed = [sentence[end:start] for end, start in zip(ends, [*(start for start, _ in rare), len(sentence)], strict=True)]
        yield Template(tuple(fixed), tuple(places[sentence[start:end]] for start, end in rare), words)


def _encoded(passages: Sequence[Passage], encoder: Encoder, cache: Path) -> Encodings:
    texts = [passage.text for passage in passages]
    if cache.exists():
        with np.load(cache) as kept:
            if "codes" in kept and str(kept["encoder"]) == encoder.fingerprint and kept["texts"].tolist() == texts:
                ends = np.cumsum(kept["lengths"]).tolist()
                whole = kept["codes"].tobytes()
                return Encodings(np.asarray(kept["vectors"], np.float32), [whole[start:end] for start, end in pairwise([0, *ends])])
    parts = []
    for start in range(0, len(texts), BATCH):
        print(f"encoding: {start} of {len(texts)} real passages", end="\r", flush=True)
        parts.append(encode(encoder, texts[start : start + BATCH], passages[start : start + BATCH]))
    made = Encodings.joined(parts)
    lengths = np.asarray([len(one) for one in made.codes], np.int64)
    codes = np.frombuffer(b"".join(made.codes), np.uint8)
    np.savez(cache, encoder=encoder.fingerprint, texts=np.asarray(texts), vectors=made.vectors.astype(np.float16), lengths=lengths, codes=codes)
    return made


def _sentence_codes(
    collections: Sequence[Mapping[str, Strand]], passages: Sequence[Passage], codes: Sequence[bytes], codebook: Codebook | None
) -> dict[tuple[int, str, int], SentenceCodes]:
    """What is kept of every sentence, as the first window that shows it has it; one that none shows has that of another."""
    found: dict[tuple[int, str, int], SentenceCodes] = {}
    for collection, strands in enumerate(collections if codebook else []):
        for strand in strands.values():
            own: dict[int, SentenceCodes] = {}
            for window in (window for subject in strand.windows for window in subject):
                for at, one in enumerate(_apart(passages[window.row], codebook.kept(codes[window.row], passages[window.row]))):
                    own.setdefault(window.first + at, one)
            shown = sorted(own)
            for place in range(len(strand.sentences)):
                found[collection, strand.language, place] = own[shown[max(bisect_right(shown, place) - 1, 0)]]
    return found


def _apart(passage: Passage, kept: Kept) -> Iterator[SentenceCodes]:
    last = 0
    for (start, end), count, scale, bits in zip(passage.sentences, kept.counts.tolist(), kept.scales.tolist(), kept.bits, strict=True):
        first, last = last, last + count
        yield SentenceCodes(end - start, scale, bits, kept.places[first:last] - start, kept.codes[first:last])
