"""Measure marks across languages: python -m bench.marks FOLDER [--pairs N] [--seed N], FOLDER in the layout of index/evaluation.py, made from XQuAD-R.

Passage ids are language-article-paragraph-sentence, query ids language-question, the same question in every language. A pair is a question in
one language and, in another or the same one, a paragraph that holds a sentence that answers it. Reported are the share of pairs where an answering
sentence is marked, by sentence vectors alone, with tokens, and from the codes that are kept of each paragraph, encoded as one passage. And for the
related words, in pairs of two languages: precision, recall and F1 by characters of what is marked in the answering sentence against the words that
stand both in it and in the question in its own language, without those in more than 2% of the language's sentences.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.progress import track

from index.alignment import Alignment, fit
from index.common_words import CommonWords
from index.encoder import Encoder, TokenEncoder
from index.evaluation import Collection, read_collection
from index.language_priors import shipped_prior
from index.library import Library
from index.marks import Asked, Mark, SentenceMarker, Shown
from index.passage_encoding import encode
from index.related import QUERY_WEIGHT, TokenMeans, ready, shipped_means
from index.rounded import restored, rounded
from index.sentence_encoder import open_encoder
from index.terms import pieces
from index.word_codes import shipped_codebook
from index.words import parse, search_words
from ingest.records import Edition, Passage, Publication, Span

PARAGRAPHS = 30  # drawn, each in all languages: encoding them takes most of the time
WINDOW = 3  # sentences of a passage of the library that counts words, the last one shared with the next
GOLD_COMMON = 0.02  # of a language's sentences
PLAIN = "sentence vectors"
BATCH = 32  # paragraphs whose tokens are in memory at the same time
UNSPACED = {"th", "zh"}  # where the gold counts pieces of the tokenizer


@dataclass(frozen=True)
class Pair:
    """A question and a paragraph that answers it."""

    question: str  # id
    paragraph: str  # id
    right: frozenset[int]  # places of the answering sentences

    @property
    def crosses(self) -> bool:
        return self.question.split("-")[0] != self.paragraph.split("-")[0]


@dataclass(frozen=True)
class Way:
    """A way to mark."""

    marker: SentenceMarker
    shown: dict[str, Shown]  # by paragraph
    closely: bool = False  # whether the encoder sees marked sentences once more


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", default=3000, help="Pairs to draw.")
@click.option("--seed", default=0, help="Constants were chosen on the paragraphs that 0 draws; another draws from the others.")
def main(folder: Path, pairs: int, seed: int) -> None:
    """Print the measures of each way to mark."""
    encoder, collection = open_encoder(), read_collection(folder)
    means = shipped_means(encoder.fingerprint)
    if means is None or not isinstance(encoder, TokenEncoder):
        raise click.ClickException("No token means ship with this encoder; run: python training/make_token_means.py")
    every = paragraphs_of(collection)
    names = sorted({name.split("-", 1)[1] for name in every})
    drawn = set(random.Random(0).sample(names, min(PARAGRAPHS, len(names))))
    if seed:
        others = [name for name in names if name not in drawn]
        drawn = set(random.Random(seed).sample(others, min(PARAGRAPHS, len(others))))
    chosen = draw(collection, {name: passage for name, passage in every.items() if name.split("-", 1)[1] in drawn}, pairs)
    click.echo(f"{len(chosen)} pairs, {sum(pair.crosses for pair in chosen)} of them across languages, {len(drawn)} paragraphs in each language")
    texts = {query.text_id: query.text for query in collection.queries}
    gold = gold_of(collection, Words(encoder, means), chosen, texts, every)
    with tempfile.TemporaryDirectory() as scratch:
        library = library_of(every, Path(scratch) / "library", encoder.dimension)
        alignment = aligned_by(encoder, [every[name] for name in sorted({pair.paragraph for pair in chosen})])
        for name, way in ways(encoder, means, CommonWords(library), shown_of(chosen, every)).items():
            marks = marks_of(way, alignment, library, chosen, texts)
            report_sentences(name, chosen, marks, every)
            if name != PLAIN:
                report_words(name, chosen, marks, gold, every)


def shown_of(pairs: list[Pair], paragraphs: dict[str, Passage]) -> dict[str, Shown]:
    return {name: Shown(key, paragraphs[name]) for key, name in enumerate(sorted({pair.paragraph for pair in pairs}))}


def ways(encoder: TokenEncoder, means: TokenMeans, common: CommonWords, shown: dict[str, Shown]) -> dict[str, Way]:
    """The ways to mark, by name; from codes only where a codebook ships with the encoder."""
    found = {PLAIN: Way(SentenceMarker(encoder), shown), "with tokens": Way(SentenceMarker(encoder, means, common), shown)}
    codebook = shipped_codebook(encoder.fingerprint)
    if codebook is not None:
        marker, kept = SentenceMarker(encoder, means, common, codebook), kept_of(encoder, shown)
        found |= {"from codes": Way(marker, kept), "codes, closely": Way(marker, kept, closely=True)}
    return found


def kept_of(encoder: TokenEncoder, shown: dict[str, Shown]) -> dict[str, Shown]:
    """The same paragraphs with what a library keeps of them."""
    kept: dict[str, Shown] = {}
    for start in range(0, len(shown), BATCH):
        batch = dict(list(shown.items())[start : start + BATCH])
        passages = [one.passage for one in batch.values()]
        vectors, codes = encode(encoder, [passage.text for passage in passages], passages)
        stored = restored([row.tobytes() for row in rounded(vectors)])
        kept |= {name: one._replace(vector=vector, codes=code) for (name, one), vector, code in zip(batch.items(), stored, codes, strict=True)}
    return kept


def paragraphs_of(collection: Collection) -> dict[str, Passage]:
    """Put paragraphs together from their sentences: "en-3-1" -> passage."""
    sentences: dict[str, dict[int, str]] = defaultdict(dict)
    for sentence in collection.corpus:
        paragraph, number = sentence.text_id.rsplit("-", 1)
        sentences[paragraph][int(number)] = sentence.text.strip()
    made = {}
    for name, there in sentences.items():
        text, spans = "", list[Span]()
        for place in sorted(there):
            text += " " * bool(text)
            spans.append((len(text), len(text) + len(there[place])))
            text += there[place]
        made[name] = Passage(name, 0, 0, 0, 0, len(text), name.split("-")[0], text, tuple(spans))
    return made


def draw(collection: Collection, paragraphs: dict[str, Passage], wanted: int) -> list[Pair]:
    found = []
    for query, judged in collection.qrels.items():
        right: dict[str, set[int]] = defaultdict(set)
        for sentence, relevance in judged.items():
            paragraph, place = sentence.rsplit("-", 1)
            if relevance > 0 and len(paragraphs[paragraph].sentences if paragraph in paragraphs else ()) > 1:
                right[paragraph].add(int(place))
        found += [Pair(query, paragraph, frozenset(places)) for paragraph, places in right.items()]
    return random.Random(0).sample(found, min(wanted, len(found)))


def library_of(paragraphs: dict[str, Passage], folder: Path, dimension: int) -> Library:
    """A library that counts words, with passages about as long as those of publications; nothing is searched in it."""
    library = Library.create(folder)
    with library.transaction():
        for name, paragraph in paragraphs.items():
            publication = Publication(name, {}, {}, None, "", (), (), "", (Edition(name, name, paragraph.language, "", "whole", None),))
            windows = [paragraph.sentences[start : start + WINDOW] for start in range(0, len(paragraph.sentences), WINDOW - 1)]
            texts = [paragraph.text[window[0][0] : window[-1][1]] for window in windows]
            passages = [Passage(name, place, 0, 0, 0, len(text), paragraph.language, text, ()) for place, text in enumerate(texts)]
            library.put_publication(publication, "", passages, np.zeros((len(passages), dimension), np.float32))
    return library


def aligned_by(encoder: Encoder, passages: Sequence[Passage]) -> Alignment:
    """Fit the alignment to two sentences of each passage."""
    sample = [(passage.language, passage.text[start:end]) for passage in passages for start, end in passage.sentences[:2]]
    alignment = fit(encoder.encode_passages([text for _, text in sample]), [language for language, _ in sample], shipped_prior(encoder.fingerprint))
    assert alignment is not None, "a prior ships with the default encoder"
    return alignment


def marks_of(way: Way, alignment: Alignment, library: Library, pairs: list[Pair], texts: dict[str, str]) -> list[tuple[Mark, ...]]:
    of_question: dict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        of_question[pair.question].append(place)
    marks: dict[int, tuple[Mark, ...]] = {}
    for question, places in track(of_question.items(), "marking"):
        words = search_words(library, parse(texts[question]), 1).telling
        vector, tokens = way.marker.question(texts[question])
        asked = Asked(alignment.apply(vector), texts[question], words, tokens)
        shown = [way.shown[pairs[place].paragraph] for place in places]
        marks |= zip(places, (marked for marked, _ in way.marker.mark(asked, shown, alignment.apply, way.closely)), strict=True)
    return [marks[place] for place in range(len(pairs))]


def report_sentences(name: str, pairs: list[Pair], marks: list[tuple[Mark, ...]], paragraphs: dict[str, Passage]) -> None:
    right = [
        paragraphs[pair.paragraph].sentences.index((there[0].start, there[0].end)) in pair.right for pair, there in zip(pairs, marks, strict=True)
    ]
    rows = {"all": right}
    for crosses, label in ((False, "same language"), (True, "across")):
        rows[label] = [found for found, pair in zip(right, pairs, strict=True) if pair.crosses == crosses]
    click.echo(f"right sentence, {name:17} " + "  ".join(f"{label} {np.mean(found):.3f}" for label, found in rows.items()))


def gold_of(
    collection: Collection, words: Words, pairs: list[Pair], texts: dict[str, str], paragraphs: dict[str, Passage]
) -> dict[tuple[str, str, int], set[int]]:
    """By question, paragraph and place of an answering sentence: the characters that are worth a mark, where there are some."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    drawn = {pair.paragraph for pair in pairs}
    for text in track(collection.corpus, "counting words"):
        if text.language not in UNSPACED or text.text_id.rsplit("-", 1)[0] in drawn:
            counts[text.language].update(set(words.of(text.text, text.language).values()))
            sizes[text.language] += 1
    gold = {}
    for pair in (pair for pair in pairs if pair.crosses):
        passage = paragraphs[pair.paragraph]
        language = passage.language
        own = texts.get(f"{language}-{pair.question.split('-', 1)[1]}", "")
        asked = {word for word in words.of(own, language).values() if counts[language][word] <= GOLD_COMMON * sizes[language]}
        for sentence in pair.right:
            start, end = passage.sentences[sentence]
            there = words.of(passage.text[start:end], language)
            gold[pair.question, pair.paragraph, sentence] = {start + place for span, word in there.items() if word in asked for place in range(*span)}
    return {key: there for key, there in gold.items() if there}


def report_words(
    way: str, pairs: list[Pair], marks: list[tuple[Mark, ...]], gold: dict[tuple[str, str, int], set[int]], paragraphs: dict[str, Passage]
) -> None:
    """Compare where the marked sentence is the right one: in another one there is nothing to mark."""
    for name, reasons in (("exact words", {"words"}), ("related words", {"related"}), ("both", {"words", "related"})):
        measured = marked = right = wanted = some = 0
        for pair, there in zip(pairs, marks, strict=True):
            start, end = there[0].start, there[0].end
            key = (pair.question, pair.paragraph, paragraphs[pair.paragraph].sentences.index((start, end)))
            if key in gold:
                found = {place for mark in there[1:] if mark.why in reasons for place in range(mark.start, mark.end) if start <= place < end}
                measured, some = measured + 1, some + bool(found & gold[key])
                marked, right, wanted = marked + len(found), right + len(found & gold[key]), wanted + len(gold[key])
        precision, recall = right / max(marked, 1), right / max(wanted, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        shares = f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}  one right {some / max(measured, 1):.2f}"
        click.echo(f"{way:16} {name:13} in {measured} pairs  {shares}")


class Words:
    """The words of a text as the gold counts them, folded: by the letters in scripts with spaces, else pieces of the tokenizer."""

    def __init__(self, encoder: TokenEncoder, means: TokenMeans) -> None:
        self._encoder, self._means = encoder, means
        self._known: dict[str, dict[Span, str]] = {}

    def of(self, text: str, language: str) -> dict[Span, str]:
        if text not in self._known:
            self._known[text] = self._cut(text) if language in UNSPACED else {(piece.start, piece.end): piece.text for piece in pieces(text)}
        return self._known[text]

    def _cut(self, text: str) -> dict[Span, str]:
        spans = ready([text], self._encoder.encode_tokens([text], self._means.layers), self._means, QUERY_WEIGHT)[0].spans
        return {(start, end): text[start:end] for start, end in spans}


if __name__ == "__main__":
    main()
