"""Where does "nearly the same text" begin? Compares texts that are the same, but for changes or faults of reading, with texts that are not.

Run: python -m bench.duplicates [corpus]. Prints the tables of docs/duplicates.md. The Declaration of Human Rights, which ships for the encoder,
gives near languages; the sample library gives other publications in one language, other editions, and the same file in another format.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np

from index.language_priors import declaration
from ingest import sketch as sketching
from ingest.catalogue import read_catalogue
from ingest.language import same_language
from ingest.pipeline import read_files
from ingest.sketch import resemblance, shared, sketch

LENGTHS = (5, 7, 9, 12)  # letters of a shingle
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3)
OTHERS = 3000  # sketches of other texts, for the time that a comparison takes
Key = TypeVar("Key")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("corpus"))
    editions = dict(read(parser.parse_args().corpus))
    rights = articles()
    table("Not the same text: the highest resemblance of any pair", different(editions, rights))
    table("The same text: the lowest resemblance of any text", same(list(editions.values()) + list(rights.values())))
    near = sorted(pairs(rights, lambda one, other: not same_language(one, other)), reverse=True)[:10]
    print("\nNearest languages: " + ", ".join(f"{one}/{other} {alike:.2f}" for alike, one, other in near))
    speed([*editions.values(), *rights.values()])


def read(corpus: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """((publication, language and part), text) of every edition."""
    entries = read_catalogue(corpus).entries
    files = [
        (edition.edition_id, entry.files[edition.edition_id], edition.language)
        for entry in entries
        for edition in entry.publication.editions
        if edition.edition_id in entry.files
    ]
    for reading in read_files(files):
        name, _, language = reading.edition_id.partition(".")
        yield (name, language), "\n".join(page.text for page in reading.content.pages) if reading.content else ""


def articles() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for language, text in declaration():
        found.setdefault(language, []).append(text)
    return {language: "\n".join(texts) for language, texts in found.items()}


def different(editions: dict[tuple[str, str], str], rights: dict[str, str]) -> Iterator[tuple[str, Callable[[], float]]]:
    tags = {key: key[1].split(".")[0] for key in editions}
    yield "the Declaration in two languages", lambda: highest(rights, lambda one, other: not same_language(one, other))
    yield (
        "editions of a publication in two languages",
        lambda: highest(editions, lambda one, other: one[0] == other[0] and not same_language(tags[one], tags[other])),
    )
    yield (
        "two publications in one language",
        lambda: highest(editions, lambda one, other: one[0] != other[0] and same_language(tags[one], tags[other])),
    )


def same(texts: Sequence[str]) -> Iterator[tuple[str, Callable[[], float]]]:
    yield (
        "other lines and pages",
        lambda: lowest(texts, lambda text: "\n".join(text[at : at + 50] for at in range(0, len(text), 50))),
    )
    for share in SHARES[:3]:
        yield f"{share:.0%} of the letters read wrongly", lambda share=share: lowest(texts, lambda text: misread(text, share))  # type: ignore[misc]
    for share in SHARES:
        yield f"{share:.0%} of the sentences written anew", lambda share=share: lowest(texts, lambda text: rewritten(text, share))  # type: ignore[misc]
    for share in SHARES[2:]:
        yield f"the last {share:.0%} left out", lambda share=share: lowest(texts, lambda text: text[: int(len(text) * (1 - share))])  # type: ignore[misc]


def misread(text: str, share: float) -> str:
    draw = random.Random(1)
    return "".join(draw.choice(text) if draw.random() < share else letter for letter in text)


def rewritten(text: str, share: float) -> str:
    """Runs of 120 letters, which is a sentence, shuffled within themselves."""
    draw = random.Random(1)
    runs = [text[at : at + 120] for at in range(0, len(text), 120)]
    return "".join("".join(draw.sample(run, len(run))) if draw.random() < share else run for run in runs)


def pairs(texts: dict[Key, str], wanted: Callable[[Key, Key], bool]) -> Iterator[tuple[float, Key, Key]]:
    keys = list(texts)
    sketches = np.stack([sketch([texts[key]]) for key in keys])
    alike = {key: resemblance(sketches[place], sketches) for place, key in enumerate(keys)}
    yield from (
        (float(alike[one][keys.index(other)]), one, other)
        for one, other in combinations(keys, 2)
        if wanted(one, other) and texts[one] != texts[other]
    )


def highest(texts: dict[Key, str], wanted: Callable[[Key, Key], bool]) -> float:
    return max(alike for alike, _, _ in pairs(texts, wanted))


def lowest(texts: Sequence[str], changed: Callable[[str], str]) -> float:
    return min(float(resemblance(sketch([text]), sketch([changed(text)])[None])[0]) for text in texts if len(text) > 1000)


def table(title: str, rows: Iterator[tuple[str, Callable[[], float]]]) -> None:
    print(f"\n| {title} | " + " | ".join(f"shingles of {length}" for length in LENGTHS) + " |\n| --- |" + " --- |" * len(LENGTHS))
    chosen = sketching.SHINGLE
    for name, measure in rows:
        found = []
        for length in LENGTHS:
            sketching.SHINGLE = length
            found.append(measure())
        print(f"| {name} | " + " | ".join(f"{alike:.2f} ({shared(alike):.0%})" for alike in found) + " |")
    sketching.SHINGLE = chosen


def speed(texts: Sequence[str]) -> None:
    start = time.perf_counter()
    sketches = [sketch([text]) for text in texts]
    made = time.perf_counter() - start
    many = np.stack((sketches * (OTHERS // len(sketches) + 1))[:OTHERS])
    start = time.perf_counter()
    for one in sketches[:100]:
        sketching.nearest(one, many)
    print(
        f"\nSketches of {sum(map(len, texts)) / made / 1e6:.1f} million characters a second; one text beside {OTHERS:,} in {(time.perf_counter() - start) * 10:.1f} ms."
    )


if __name__ == "__main__":
    main()
