"""The processes that work on a library while its servers are killed: one writes, others read and say of every answer whether it is right.

What is stored is told by its number alone, so whoever reads knows what the right answer is. The encoder needs no model (bench/hashing.py).
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from bench.hashing import HashingEncoder
from index.contents import EditionState
from index.filters import Filters
from index.library import Library
from index.searcher import Query, Searcher
from index.store import BusyLibraryError, ReadOnlyLibraryError, StoreUnreachableError
from ingest.records import Edition, Page, Passage, Publication, edition_id

CLEAR = (StoreUnreachableError, BusyLibraryError, ReadOnlyLibraryError)  # what a person is told when a server does not answer, or takes no changes
BASE = 12  # publications that are there before anything is killed
PAGES = 6  # of every edition, with a passage on each
SAID = {  # a sentence in each script, and a word of it by which all of its publications are found
    "th": ("ป่าไม้ของชุมชนอยู่ริมแม่น้ำ", "ชุมชน"), "ar": ("الغابة ملك للمجتمع منذ زمن طويل", "الغابة"), "zh": ("这片森林属于社区", "森林"),
    "am": ("ደኑ የማህበረሰቡ ነው", "ደኑ"), "hi": ("जंगल समुदाय का है", "जंगल"), "ko": ("숲은 오래되었다", "숲은"),
}  # fmt: skip
LANGUAGES = list(SAID)


def name_of(number: int) -> str:
    return f"work-{number}"


def word_of(number: int) -> str:
    """A word that stands on every page of this publication and nowhere else."""
    return f"w{number:07}"


def language_of(number: int) -> str:
    return LANGUAGES[number % len(LANGUAGES)]


def document(number: int) -> tuple[Publication, list[Page], list[Passage]]:
    """The publication of this number, with what stands on its pages."""
    language = language_of(number)
    texts = [f"{word_of(number)} {page} {SAID[language][0]}" for page in range(1, PAGES + 1)]
    edition = Edition(edition_id(name_of(number), language), name_of(number), language, language, "whole", sha256(original(texts)).hexdigest())
    topics = ("base",) if number < BASE else ("more",)
    work = Publication(name_of(number), {language: f"{word_of(number)} {SAID[language][0]}"}, {}, 2024, "study", topics, (), "", (edition,))
    pages = [Page(edition.edition_id, page, str(page), text, "good") for page, text in enumerate(texts, start=1)]
    passages = [
        Passage(edition.edition_id, place, page.number, 0, page.number, len(page.text), language, page.text, ((0, len(page.text)),))
        for place, page in enumerate(pages)
    ]
    return work, pages, passages


def original(texts: Sequence[str]) -> bytes:
    return "".join(f"<p>{text}</p>" for text in texts).encode()


def put(library: Library, encoder: HashingEncoder, number: int) -> str:
    """Store a publication as the ingest does: its file, its entry, then what was read; returns the id of its edition once that is acknowledged."""
    work, pages, passages = document(number)
    edition = work.editions[0]
    path = library.folder / "given.html"
    path.write_bytes(original([page.text for page in pages]))
    library.keep_file(path, edition.digest or "")
    library.put_publication(work, "folder", [], encoder.encode_passages([]))
    stored = library.put_reading(
        EditionState(edition, "read", "", 1, "folder"), pages, passages, encoder.encode_passages([one.text for one in passages])
    )
    assert stored, "nobody else changes the catalogue"
    return edition.edition_id


def fill_base(library: Library) -> None:
    encoder = HashingEncoder()
    library.set_meta("encoder", encoder.fingerprint)
    for number in range(BASE):
        put(library, encoder, number)


class Ledger:
    """What one process says, line after line, for others to read while it is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def say(self, *said: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(said) + "\n")

    def lines(self) -> list[list[Any]]:
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def acknowledged(self) -> int:
        """How many publications are promised: those with the numbers below this one."""
        return max((number + 1 for said, number, *_ in self.lines() if said == "acknowledged"), default=BASE)


def write(folder: Path, ledger: Ledger) -> None:
    """Store one publication after the other for ever; the same again where that was refused."""
    library, encoder = Library.open(folder), HashingEncoder()
    for number in count(ledger.acknowledged()):
        while True:
            begun = time.monotonic()
            try:
                put(library, encoder, number)
                ledger.say("acknowledged", number, time.monotonic() - begun)
                break
            except CLEAR as error:
                ledger.say("refused", number, time.monotonic() - begun, type(error).__name__)
                time.sleep(0.05)


def read(folder: Path, ledger: Ledger, written: Ledger) -> None:
    """Ask for ever, and say of every answer whether it is right, refused with a clear error, or wrong."""
    searcher: Searcher | None = None
    draw = random.Random(os.getpid())
    while True:
        begun = time.monotonic()
        try:
            if searcher is None:
                searcher = Searcher(Library.open(folder), HashingEncoder())
            wrong = next(faults_of_answers(searcher, draw, written.acknowledged()), "")
            ledger.say("wrong" if wrong else "right", time.monotonic() - begun, wrong)
        except CLEAR as error:
            ledger.say("refused", time.monotonic() - begun, type(error).__name__)
            time.sleep(0.02)
        except Exception as error:
            ledger.say("wrong", time.monotonic() - begun, f"{type(error).__name__}: {error}")
            time.sleep(0.02)


def faults_of_answers(searcher: Searcher, draw: random.Random, acknowledged: int) -> Iterator[str]:
    """Ask one question of each kind; yields what is wrong with the answers."""
    promised, coming = draw.randrange(acknowledged), acknowledged + draw.randrange(2)
    yield from _of_word(searcher, promised, must=True)
    yield from _of_word(searcher, coming, must=False)
    yield from _of_meaning(searcher, draw.randrange(BASE), draw)
    yield from _of_script(searcher, draw.choice(LANGUAGES))


def _of_word(searcher: Searcher, number: int, must: bool) -> Iterator[str]:
    """Its own word finds a publication, whole, and nothing else does; one that is not acknowledged yet may be missing."""
    found = searcher.search(Query(word_of(number), exact=True), 5)
    names = [hit.publication.publication_id for hit in found]
    if names != [name_of(number)] and (must or names):
        yield f"{word_of(number)} finds {names}"
    if found:
        texts = {one.text for one in document(number)[2]}
        inside = searcher.inside(Query(word_of(number), exact=True), name_of(number), PAGES + 1)
        if {hit.passage.text for hit in inside} != texts:
            yield f"{word_of(number)} finds {len(inside)} passages of {PAGES}"


def _of_meaning(searcher: Searcher, number: int, draw: random.Random) -> Iterator[str]:
    """The very text of a passage, asked for, finds it first; every publication that the filter admits is in the answer."""
    text = draw.choice(document(number)[2]).text
    found = searcher.search(Query(text, Filters(topics=("base",))), BASE + 1)
    if not found or found[0].hit.passage.text != text or found[0].hit.score < found[-1].hit.score:
        yield f"{text} finds {[hit.hit.passage.text for hit in found[:2]]} first"
    if sorted(hit.publication.publication_id for hit in found) != sorted(map(name_of, range(BASE))):
        yield f"{text} finds {len(found)} publications of {BASE}"


def _of_script(searcher: Searcher, language: str) -> Iterator[str]:
    """A word of a script finds every publication of the base in it."""
    found = searcher.search(Query(SAID[language][1], Filters(topics=("base",)), exact=True), BASE + 1)
    expected = sorted(name_of(number) for number in range(BASE) if language_of(number) == language)
    if sorted(hit.publication.publication_id for hit in found) != expected:
        yield f"{SAID[language][1]} finds {[hit.publication.publication_id for hit in found]}"


PARTIES: dict[str, Callable[..., None]] = {"write": write, "read": read}

if __name__ == "__main__":
    PARTIES[sys.argv[1]](Path(sys.argv[2]), *(Ledger(Path(path)) for path in sys.argv[3:]))
