"""Measure search across languages against plain cosine: python bench/crosslingual.py FOLDER [--vectors KEPT] [--every N] > docs/ranking.md

FOLDER is a test collection in the layout of index/evaluation.py, made from XQuAD-R. Prints Markdown: both halves of the questions, figures by
query language, questions whose only answer is in another language, single names and acronyms, and how libraries of all sizes and mixtures fare.
Plain cosine over the same raw vectors is measured beside everything. KEPT is a folder where the encoded texts stay for the next run.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from index.alignment import Alignment, LanguagePrior, fit
from index.encoder import Encoder, Vectors
from index.evaluation import DEPTH, OWN_LANGUAGE, Collection, Text, index_collection, means, measured, read_collection
from index.language_priors import declaration, offsets, shipped_prior
from index.library import Library
from index.searcher import Searcher
from index.sentence_encoder import open_encoder

COLUMNS = ("AP", "RR@10", "nDCG@10", "R@20", OWN_LANGUAGE)
SIZES = (10, 30, 100, 300, 1000, 3000, 10_000)  # passages
LANGUAGES = (1, 2, 5, 10, 20, 50, 100)
DRAWS = 400  # questions, at most, asked of each library of a curve
ASKING = 20  # languages that ask in the curve over languages
LEARNT = range(1, 21)  # articles of the Declaration that the curve over languages may know; it asks for the others
RARE = range(2, 11)  # passages that hold a name or an acronym worth asking for
NAMES = 150  # of each kind

Run = dict[str, list[str]]  # query id -> passage ids, best first
Table = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Pool:
    """Passages with their raw vectors, and queries with theirs."""

    corpus: Sequence[Text]
    vectors: Vectors
    queries: Sequence[Text]
    asked: Vectors
    qrels: dict[str, dict[str, int]]

    @property
    def languages(self) -> dict[str, str]:
        return {text.text_id: text.language for text in self.corpus}

    def of(self, corpus: NDArray[np.int64], queries: NDArray[np.int64]) -> Pool:
        """Some of the passages and of the queries."""
        kept = {self.corpus[place].text_id for place in corpus}
        asked = [self.queries[place] for place in queries]
        judged = {query.text_id: {one: value for one, value in self.qrels[query.text_id].items() if one in kept} for query in asked}
        return Pool([self.corpus[place] for place in corpus], self.vectors[corpus], asked, self.asked[queries], judged)


class KeptEncoder:
    """The encoder, with what it once encoded kept in a folder."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder, self._folder = encoder, folder
        self.fingerprint, self.dimension = encoder.fingerprint, encoder.dimension
        self.count_tokens = encoder.count_tokens

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._kept("passages", texts, self._encoder.encode_passages)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._kept("queries", texts, self._encoder.encode_queries)

    def _kept(self, kind: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        name = hashlib.sha256("\0".join([self.fingerprint, kind, *texts]).encode()).hexdigest()[:16]
        path = self._folder / f"{name}.npy"
        if not path.exists():
            np.save(path, encode(texts))
        return np.asarray(np.load(path), np.float32)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--vectors", "kept", type=click.Path(file_okay=False, path_type=Path), help="A folder for what is encoded.")
@click.option("--every", default=1, help="Ask every so many-th question only.")
def main(folder: Path, kept: Path | None, every: int) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as scratch:
        home = kept or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        encoder = KeptEncoder(open_encoder(), home)
        prior = shipped_prior(encoder.fingerprint)
        if prior is None:
            raise click.ClickException("Nothing ships for this encoder; expected the default one.")
        collection = read_collection(folder)
        pool = encoded(encoder, collection, every)
        searcher = searcher_of(encoder, collection, Path(scratch) / "library")
        served = {text.text_id: ids for text, ids in zip(pool.queries, rank(searcher, [text.text for text in pool.queries]), strict=True)}
        runs = {"plain cosine": ranked(pool, None), "aligned": ranked(pool, aligned(pool, prior)), "as served": served}
        click.echo(
            f"# Search across languages\n\n{len(pool.corpus)} passages and {len(pool.queries)} questions in {folder.name}. Made by bench/crosslingual.py."
        )
        halves(pool, runs)
        by_language(pool, runs)
        one_other(pool, runs)
        whole_queries(pool, searcher)
        sizes(pool, encoder, prior)
        mixtures(pool, prior)
        languages(encoder, prior)


def encoded(encoder: Encoder, collection: Collection, every: int) -> Pool:
    queries = collection.queries[::every]
    blocks = [
        encoder.encode_passages([text.text for text in block])
        for block in track(blocks_of(collection.corpus), "passages", console=Console(stderr=True))
    ]
    asked = [encoder.encode_queries([text.text for text in block]) for block in track(blocks_of(queries), "questions", console=Console(stderr=True))]
    qrels = {query.text_id: dict(collection.qrels[query.text_id]) for query in queries}
    return Pool(collection.corpus, np.concatenate(blocks), queries, np.concatenate(asked), qrels)


def blocks_of(texts: Sequence[Text], size: int = 256) -> list[Sequence[Text]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def searcher_of(encoder: Encoder, collection: Collection, folder: Path) -> Searcher:
    library = Library.create(folder)
    index_collection(library, encoder, collection.corpus, lambda *_: None)
    return Searcher(library, encoder)


def rank(searcher: Searcher, texts: Sequence[str]) -> Iterator[list[str]]:
    ids = {key: edition_id for key, edition_id, _ in searcher.library.passage_table()}
    for start in track(range(0, len(texts), 256), "searching", console=Console(stderr=True)):
        for _, keys in searcher.rank_passages(texts[start : start + 256], DEPTH):
            yield [ids[int(key)] for key in keys]


def aligned(pool: Pool, prior: LanguagePrior) -> Alignment | None:
    return fit(pool.vectors, [text.language for text in pool.corpus], prior)


def ranked(pool: Pool, alignment: Alignment | None) -> Run:
    """Rank by meaning alone; plain cosine without an alignment."""
    passages, asked = (alignment.apply(pool.vectors), alignment.apply(pool.asked)) if alignment else (pool.vectors, pool.asked)
    ids = np.asarray([text.text_id for text in pool.corpus])
    order = (np.argsort(-(row @ passages.T), kind="stable")[:DEPTH] for row in asked)
    return {query.text_id: ids[best].tolist() for query, best in zip(pool.queries, order, strict=True)}


def figures(pool: Pool, run: Run, queries: Sequence[Text] | None = None) -> dict[str, Any]:
    asked = pool.queries if queries is None else queries
    return means(list(measured(asked, run, pool.qrels, pool.languages)))


def halves(pool: Pool, runs: dict[str, Run]) -> None:
    rows: Table = []
    for half, name in ((0, "constants chosen here"), (1, "reported")):
        asked = [query for query in pool.queries if half_of(query) == half]
        rows += [(f"{system}, {name} ({len(asked)})", figures(pool, run, asked)) for system, run in runs.items()]
    show("Both halves", "Questions are halved by their number, the same question in every language in the same half.", rows)


def half_of(query: Text) -> int:
    """Which half a question belongs to, by the last hexadecimal digit of its number."""
    return int(query.text_id[-1], 16) % 2


def by_language(pool: Pool, runs: dict[str, Run]) -> None:
    for system in ("plain cosine", "as served"):
        groups = {
            language: [query for query in pool.queries if query.language == language] for language in sorted({q.language for q in pool.queries})
        }
        show(f"By query language, {system}", "", [(language, figures(pool, runs[system], asked)) for language, asked in groups.items()])


def one_other(pool: Pool, runs: dict[str, Run]) -> None:
    """Keep one answer in a language other than the question's, drawn at random, and take the rest out of the library."""
    draw, left, gone = np.random.default_rng(0), {}, {}
    for query in pool.queries:
        others = sorted(one for one, value in pool.qrels[query.text_id].items() if value > 0 and pool.languages[one] != query.language)
        by_tongue = defaultdict(list)
        for one in others:
            by_tongue[pool.languages[one]].append(one)
        if by_tongue:
            kept = by_tongue[sorted(by_tongue)[draw.integers(len(by_tongue))]]
            left[query.text_id] = dict.fromkeys(kept, 1)
            gone[query.text_id] = set(pool.qrels[query.text_id]) - set(kept)
    asked = [query for query in pool.queries if query.text_id in left]
    rows = []
    for system, run in runs.items():
        thinned = {query: [one for one in run[query] if one not in gone[query]] for query in left}
        rows.append((system, figures(replace(pool, qrels=left), thinned, asked)))
    show("The answer stands in one random other language only", "All other answers are taken out of the ranking.", rows)


def whole_queries(pool: Pool, searcher: Searcher) -> None:
    """Ask for single acronyms and rare names; what holds them is relevant."""
    holding: dict[str, dict[str, set[str]]] = {"acronyms": defaultdict(set), "rare names": defaultdict(set)}
    for text in pool.corpus:
        for word in set(re.findall(r"\b[A-Z]{3,6}\b", text.text)):
            holding["acronyms"][word].add(text.text_id)
        for word in set(re.findall(r"(?<=[a-zäöüéèñíóá,] )[A-Z][a-z]{3,}\b", text.text)):
            holding["rare names"][word].add(text.text_id)
    rows: Table = []
    for kind, words in holding.items():
        chosen = sorted(word for word, there in words.items() if len(there) in RARE and not (kind == "rare names" and in_lower_case(word, pool)))
        chosen = [chosen[place] for place in np.random.default_rng(0).permutation(len(chosen))[:NAMES]]
        found = [set(ids[:10]) for ids in rank(searcher, chosen)]
        relevant = [{one.text_id for one in pool.corpus if re.search(rf"\b{word}\b", one.text)} for word in chosen]
        recall = [len(there & top) / min(10, len(there)) for there, top in zip(relevant, found, strict=True)]
        plain = Pool(pool.corpus, pool.vectors, [Text(word, word, "und") for word in chosen], searcher.encoder.encode_queries(chosen), {})
        by_meaning = ranked(plain, None)
        beside = [len(there & set(by_meaning[word][:10])) / min(10, len(there)) for word, there in zip(chosen, relevant, strict=True)]
        rows.append((f"{kind} ({len(chosen)})", {"plain cosine R@10": np.mean(beside), "as served R@10": np.mean(recall)}))
    show("A name or an acronym as the whole query", "Relevant is every passage that holds it, in any language; at most ten do.", rows)


def in_lower_case(word: str, pool: Pool) -> bool:
    return any(word.lower() in text.text for text in pool.corpus)


def sizes(pool: Pool, encoder: Encoder, prior: LanguagePrior) -> None:
    """Libraries of so many passages drawn at random; the largest is filled up with the Declaration."""
    flat = declaration()
    filler = [Text(f"declaration-{place}", text, language) for place, (language, text) in enumerate(flat)]
    vectors = np.concatenate([pool.vectors, encoder.encode_passages([text for _, text in flat])])
    whole = replace(pool, corpus=[*pool.corpus, *filler], vectors=vectors)
    draw, rows = np.random.default_rng(0), []
    for size in SIZES:
        among = len(pool.corpus) if size <= len(pool.corpus) else len(whole.corpus)
        some = [whole.of(np.sort(draw.permutation(among)[:size]), asked_of(draw, pool)) for _ in range(max(1, min(60, 6000 // size)))]
        rows.append((f"{min(size, among):,}", beside_plain([foreign(one) for one in some], prior)))
    show("By the size of the library", "AP of questions asked in languages other than the answer's; the mean over libraries drawn at random.", rows)


def asked_of(draw: np.random.Generator, pool: Pool) -> NDArray[np.int64]:
    return np.sort(draw.permutation(len(pool.queries))[:3000])


def foreign(pool: Pool) -> Pool:
    """Only answers in other languages count, and only questions that have one."""
    languages = pool.languages
    judged = {
        query.text_id: {one: value for one, value in pool.qrels[query.text_id].items() if value > 0 and languages[one] != query.language}
        for query in pool.queries
    }
    own = {query.text_id: {one for one in pool.qrels[query.text_id] if languages[one] == query.language} for query in pool.queries}
    kept = np.asarray([place for place, query in enumerate(pool.queries) if judged[query.text_id]], np.int64)
    chosen = pool.of(np.arange(len(pool.corpus)), np.sort(np.random.default_rng(0).permutation(kept)[:DRAWS]))
    return replace(chosen, qrels={query.text_id: judged[query.text_id] | dict.fromkeys(own[query.text_id], 0) for query in chosen.queries})


def beside_plain(pools: Sequence[Pool], prior: LanguagePrior, column: str = "AP") -> dict[str, Any]:
    """The measure for plain cosine and aligned vectors over all these libraries, answers in the asking language left out of the ranking."""
    values: dict[str, list[float]] = {"plain cosine": [], "aligned": []}
    for pool in pools:
        for system, alignment in (("plain cosine", None), ("aligned", aligned(pool, prior))):
            run = ranked(pool, alignment)
            run = {query: [one for one in ids if pool.qrels[query].get(one, 1) > 0] for query, ids in run.items()}
            values[system] += [row[column] for row in measured(pool.queries, run, pool.qrels, pool.languages)]
    found = {system: float(np.mean(rows)) for system, rows in values.items()}
    return {"questions": len(values["aligned"]), **found, "ratio": found["aligned"] / max(found["plain cosine"], 1e-9)}


def mixtures(pool: Pool, prior: LanguagePrior) -> None:
    """Libraries that give little to go by."""
    known = np.asarray([text.language for text in pool.corpus])
    asking = np.asarray([query.language for query in pool.queries])
    rows: Table = []
    tongues = sorted(set(known.tolist()))
    for own, name in ((True, "asked in it"), (False, "asked in others")):
        libraries = [judged(pool.of(np.flatnonzero(known == one), np.flatnonzero((asking == one) == own)[:: 1 if own else 10])) for one in tongues]
        rows.append((f"one language, {name} (mean of {len(tongues)})", beside_plain(libraries, prior)))
    everything, every = np.arange(len(pool.corpus)), np.arange(0, len(pool.queries), 10)
    single = [np.sort(np.concatenate([np.flatnonzero(known == "en"), np.flatnonzero(known == one)[:27]])) for one in tongues if one != "en"]
    rows.append(("English, and one article of another language", beside_plain([judged(pool.of(some, every)) for some in single], prior)))
    for share, name in ((3, "a third"), (1, "all")):
        corpus = [replace(text, language="und") if place % share == 0 else text for place, text in enumerate(pool.corpus)]
        rows.append((f"{name} of the passages in an unknown language", beside_plain([replace(pool, corpus=corpus).of(everything, every)], prior)))
    strangers = LanguagePrior({}, prior.hub)
    rows.append(("no language in the shipped table", beside_plain([pool.of(everything, every)], strangers)))
    show("Libraries that give little to go by", "AP, all answers count.", rows)


def judged(pool: Pool) -> Pool:
    """Only questions that have an answer."""
    kept = [place for place, query in enumerate(pool.queries) if any(value > 0 for value in pool.qrels[query.text_id].values())]
    return pool.of(np.arange(len(pool.corpus)), np.asarray(kept, np.int64))


def languages(encoder: Encoder, prior: LanguagePrior) -> None:
    """Libraries of so many languages: all articles of the Declaration; a table made from some of them, asked with the others."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for language, text in declaration():
        by_language[language].append(text)
    whole = sorted(language for language, texts in by_language.items() if len(texts) == 30)
    flat = [(language, article, text) for language in whole for article, text in enumerate(by_language[language], start=1)]
    vectors = encoder.encode_passages([text for _, _, text in flat])
    tags, articles = np.asarray([language for language, _, _ in flat]), np.asarray([article for _, article, _ in flat])
    learnt = np.isin(articles, LEARNT)
    known = LanguagePrior(offsets({one: vectors[(tags == one) & learnt].mean(axis=0) for one in whole}), prior.hub)
    asked = [place for place in range(len(flat)) if not learnt[place]]
    queries = [Text(f"ask-{flat[place][0]}-{flat[place][1]}", flat[place][2], flat[place][0]) for place in asked]
    corpus = [Text(f"{language}-{article}", text, language) for language, article, text in flat]
    everyone = {
        query.text_id: {f"{one}-{flat[place][1]}": int(one != query.language) for one in whole} for query, place in zip(queries, asked, strict=True)
    }
    pool = Pool(corpus, vectors, queries, encoder.encode_queries([query.text for query in queries]), everyone)
    draw, rows = np.random.default_rng(0), []
    asking_tags = np.asarray([query.language for query in queries])
    for number in LANGUAGES:
        libraries = []
        for _ in range(max(1, 20 // number)):
            held, asking = (draw.permutation(whole)[:some] for some in (number, ASKING))
            libraries.append(judged(pool.of(np.flatnonzero(np.isin(tags, held)), np.flatnonzero(np.isin(asking_tags, asking)))))
        rows.append((str(number), beside_plain(libraries, known)))
    show(
        "By the number of languages in the library",
        f"AP on the Declaration: {len(whole)} languages, {ASKING} of them ask, known from articles 1 to 20 and asked for articles 21 to 30; the same article in the "
        "asking language does not count.",
        rows,
    )


def show(title: str, said: str, rows: Table) -> None:
    columns = [column for column in COLUMNS if column in rows[0][1]] or list(rows[0][1])
    click.echo(f"\n## {title}\n" + (f"\n{said}\n" if said else "") + f"\n|  | {' | '.join(columns)} |\n|" + " --- |" * (len(columns) + 1))
    for label, row in rows:
        click.echo(f"| {label} | " + " | ".join(cell(row[column]) for column in columns) + " |")


def cell(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


if __name__ == "__main__":
    main()
