"""Make a library of a given size for benches: python -m bench.libraries FOLDER [--passages 100000] [--seed 0] [--no-generation]

Nothing in it was written by anybody: its texts and vectors are drawn around real ones. The real ones are passages of XQuAD-R and of the Universal
Declaration of Human Rights (bench/material.py), in 27 languages, encoded once by the default encoder. A drawn passage holds the sentences of a real
one, about half of them exchanged for others of the same language and collection, with half of the rare words drawn anew, so that scripts, lengths
and the statistics of words are those of real text, and the vocabulary grows with the library. Its vector is that of the real passage, moved by 0.6
times noise that has the covariance of the real vectors, of unit length; its codes for marks are those of the sentences it is put together from. A publication has one to six editions, which speak of the same subjects in
the same order; an edition has 20 to 400 passages, three on a page. Languages are as unequal as in real libraries: a quarter is English, Swahili has
about a hundredth, Lao a thousandth. Passages are as long as those that the program cuts, which have 100 tokens at most. Pages have no boxes, and no
file lies behind an edition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, count
from pathlib import Path
from random import Random

import click
import numpy as np

from bench.material import COLLECTIONS, Material, Strand, Window, read
from index import generations
from index.contents import EditionState
from index.database import EMBEDDED
from index.encoder import Encoder, Vectors
from index.library import Library
from index.sentence_encoder import open_encoder
from ingest.passages import LANGUAGE_VERSION
from ingest.pipeline import READING_VERSION
from ingest.records import Edition, Page, Passage, Publication, Span, edition_id

CACHE = "real-passages.npz"  # beside the library
TOGETHER = 5000  # passages in one transaction, about
ON_PAGE = 3  # passages
SHORTEST, LONGEST = 20, 400  # passages of an edition; evenly by their logarithm
EDITIONS = (0.45, 0.25, 0.12, 0.08, 0.06, 0.04)  # shares of the publications that have one, two, three ...
DECLARATION = 0.3  # of the publications are drawn around the last collection, the only one in many languages
EXCHANGED = 0.5  # of the sentences of a real passage
WEIGHTS = {
    "en": 40, "es": 18, "ru": 11, "ar": 10, "fr": 30, "zh": 9, "de": 8, "hi": 5, "vi": 4, "pt-BR": 8, "tr": 3, "th": 2, "el": 1.5, "id": 6, "ja": 5,
    "sw": 5, "fa": 4, "ko": 4, "uk": 3, "it": 3, "bn": 3, "pl": 2, "nl": 2, "am": 2, "he": 2, "km": 1.5, "de-1996": 1, "lo": 0.5,
}  # fmt: skip
KINDS = ("study", "report", "guide", "toolkit", "brief")
TOPICS = tuple(f"topic {number}" for number in range(40))
COUNTRIES = ("BD", "BR", "CD", "CO", "ET", "FR", "GT", "ID", "IN", "JP", "KE", "KH", "LA", "MM", "MX", "NG", "PH", "RU", "TH", "TR", "UA", "VN")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn for one edition, ready to be stored."""

    edition: Edition
    pages: Sequence[Page]
    passages: Sequence[Passage]
    vectors: Vectors
    codes: Sequence[bytes]
    entry: tuple[Passage, Sequence[bytes]]  # of the catalogue in its language, with its codes


@dataclass(frozen=True, slots=True)
class DrawnPublication:
    """One publication: its catalogue entry, the passages made of that, their vectors, and its editions."""

    publication: Publication
    vectors: Vectors
    editions: Sequence[Drawn]

    @property
    def passages(self) -> int:
        return len(self.vectors) + sum(len(one.passages) for one in self.editions)


class Draw:
    """Draws publications, the same ones for the same seed."""

    def __init__(self, material: Material, seed: int) -> None:
        self._material, self._chance, self._noise = material, Random(seed), np.random.default_rng(seed)

    def publication(self, number: int, most: int) -> DrawnPublication:
        """One with at most so many passages, about."""
        chance, name = self._chance, f"p{number:06}"
        collection = len(self._material.collections) - 1 if chance.random() < DECLARATION else 0
        strands = self._material.collections[collection]
        languages = self._languages(strands)
        length = int(min(SHORTEST * (LONGEST / SHORTEST) ** chance.random(), max(most / len(languages), 2)))
        first = chance.randrange(LONGEST)
        subjects = range(first, first + length)
        drawn = [self._edition(edition_id(name, language), collection, strands[language], subjects) for language in languages]
        told = {one.edition.language: (one.passages[-1].headings[0], one.passages[-1].text) for one in drawn}
        publication = Publication(
            name,
            {language: title for language, (title, _) in told.items()},
            {language: abstract for language, (_, abstract) in told.items()},
            chance.randint(1995, 2026),
            chance.choice(KINDS),
            tuple(chance.sample(TOPICS, chance.randint(1, 3))),
            tuple(chance.sample(COUNTRIES, chance.randint(0, 3))),
            f"https://library.example/{name}",
            tuple(one.edition for one in drawn),
        )
        return DrawnPublication(publication, np.stack([one.vectors[-1] for one in drawn]), drawn)

    def _languages(self, strands: Mapping[str, Strand]) -> list[str]:
        """One to six different ones, the heavier the likelier (Efraimidis and Spirakis 2006)."""
        count = self._chance.choices(range(1, len(EDITIONS) + 1), EDITIONS)[0]
        return sorted(strands, key=lambda language: -(self._chance.random() ** (1 / WEIGHTS[language])))[:count]

    def _edition(self, own: str, collection: int, strand: Strand, subjects: range) -> Drawn:
        chance, language = self._chance, strand.language
        windows = [chance.choice(strand.windows[subject % len(strand.windows)]) for subject in subjects]
        places = [self._places(strand, window) for window in windows]
        texts = [[strand.sentences[place].drawn(chance) for place in some] for some in places]
        headings = [(texts[place - place % 30][0][:50],) for place in range(len(texts))]
        spans = [_spans(sentences) for sentences in texts]
        passages, pages = list[Passage](), list[Page]()
        for start in range(0, len(texts), ON_PAGE):
            number, lines = start // ON_PAGE + 1, [" ".join(sentences) for sentences in texts[start : start + ON_PAGE]]
            for place, (begin, end) in enumerate(_spans(lines), start):
                passages.append(Passage(own, place, number, begin, number, end, language, lines[place - start], spans[place], headings[place]))
            pages.append(Page(own, number, str(number), "\n".join(lines), "good"))
        vectors = self._material.around([window.row for window in windows], self._noise)
        digest = hashlib.sha256(own.encode()).hexdigest()
        codes = [made for some, passage in zip(places, passages, strict=True) for made in self._material.codes(collection, language, some, passage)]
        entry, last = _entry(passages[-1]), max(places[-1], key=lambda place: len(strand.sentences[place].fixed))
        said = self._material.codes(collection, language, [places[-1 - (len(places) - 1) % 30][0], last], entry)
        return Drawn(Edition(own, own.rpartition(".")[0], language, language, "whole", digest), pages, passages, vectors, codes, (entry, said))

    def _places(self, strand: Strand, window: Window) -> list[int]:
        """The sentences of a real passage, as places in its strand, about half of them exchanged."""
        chance, every = self._chance, len(strand.sentences)
        return [chance.randrange(every) if chance.random() < EXCHANGED else place for place in range(window.first, window.last + 1)]


def publications(material: Material, passages: int, seed: int = 0, first: int = 0) -> Iterator[DrawnPublication]:
    """Yield publications, numbered from `first`, until there are so many passages; the same ones for the same seed."""
    draw, there = Draw(material, seed), 0
    for number in count(first):
        if there >= passages:
            return
        publication = draw.publication(number, passages - there)
        there += publication.passages
        yield publication


def make(folder: Path, passages: int, material: Material, encoder: Encoder, seed: int = 0) -> Library:
    """Make a library of so many passages in a folder that is not there yet; it appears whole or not at all. No generation is built."""
    making = folder.with_name(f"{folder.name}.making")
    library = empty(making, encoder)
    fill(library, passages, material, seed)
    library.close()
    making.rename(folder)
    return Library.open(folder, EMBEDDED)


def fill(library: Library, passages: int, material: Material, seed: int = 0) -> None:
    """Store publications until there are so many passages."""
    drawn, stored = publications(material, passages, seed), 0
    with click.progressbar(length=passages, label=f"{passages:,} passages") as bar:
        while stored < passages:
            with library.transaction():
                until = min(stored + TOGETHER, passages)
                while stored < until:
                    publication = next(drawn)
                    put(library, publication)
                    stored += publication.passages
                    bar.update(publication.passages)


def empty(folder: Path, encoder: Encoder, address: str = EMBEDDED) -> Library:
    """A new library for the vectors of an encoder, in files or in the engine of this address."""
    library = Library.create(folder, address)
    library.set_meta("encoder", encoder.fingerprint)
    library.set_meta("language_version", str(LANGUAGE_VERSION))  # else the first ingest told the languages of all passages anew
    library.name_encoder(encoder.fingerprint, "default")
    return library


def ready(folder: Path, passages: int, material: Material, encoder: Encoder) -> Library:
    """The library of so many passages in a folder, made there unless an earlier run has left it; with a generation in use."""
    if folder.exists() and Library.open(folder, EMBEDDED).meta("encoder") != encoder.fingerprint:
        raise click.ClickException(f"{folder} was made by another encoder; remove it, and it is made again.")
    library = Library.open(folder, EMBEDDED) if folder.exists() else make(folder, passages, material, encoder)
    generations.load_or_build(library)
    return library


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--passages", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--seed", default=0)
@click.option("--texts", type=click.Path(exists=True, path_type=Path), multiple=True, default=COLLECTIONS, help="XQuAD-R and the Declaration.")
@click.option("--generation/--no-generation", default=True, help="Whether to build what FAISS serves.")
def main(folder: Path, passages: int, seed: int, texts: Sequence[Path], generation: bool) -> None:
    if folder.exists():
        raise click.ClickException(f"{folder} is there already; name a folder that is not.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder()
    library = make(folder, passages, read(texts, encoder, folder.parent / CACHE), encoder, seed)
    if generation:
        generations.build(library)
    click.echo(", ".join(f"{count:,} {what}" for what, count in library.counts().items()))


def put(library: Library, publication: DrawnPublication) -> None:
    """Store a publication as an ingest does."""
    entries = [replace(one.entry[0], ordinal=place) for place, one in enumerate(publication.editions)]
    codes = [made for one in publication.editions for made in one.entry[1]]
    library.put_publication(publication.publication, "bench", entries, publication.vectors, codes=codes)
    for one in publication.editions:
        state = EditionState(one.edition, "read", "", READING_VERSION, "bench")
        library.put_reading(state, one.pages, one.passages, one.vectors, codes=one.codes)


def _entry(last: Passage) -> Passage:
    """The passage of the catalogue entry in the language of an edition: its title, and its last passage as the abstract."""
    lines = (last.headings[0], last.text)
    return Passage(last.edition_id, 0, 0, 0, 0, sum(map(len, lines)) + 1, last.language, "\n".join(lines), tuple(_spans(lines)))


def _spans(pieces: Sequence[str]) -> list[Span]:
    """Where pieces stand that are put together with one character between two."""
    ends = list(accumulate(len(piece) + 1 for piece in pieces))
    return list(zip([0, *ends], (end - 1 for end in ends), strict=False))


if __name__ == "__main__":
    main()
