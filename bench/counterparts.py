"""Measure counterparts: python -m bench.counterparts LIBRARY CORPUS FOLDER

LIBRARY was made of the sample library CORPUS, whose editions were written paragraph by paragraph beside each other; FOLDER is the Declaration in
the layout of index/evaluation.py, ids language-article, made here into editions with an article on each page. Every sentence is asked for in the
other editions: whole; short, without every other group of four paragraphs or articles; and in an edition of something else, in which nothing is
right. Right is a sentence of the same paragraph or article. One that is not known to be of any is wrong, but is not asked for.

Of the sample library every other publication chooses the limits, of the Declaration every other article; the tables are of the others. The
limits are the lowest that are right often enough in the whole editions and in the short ones of both.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from rapidfuzz import fuzz
from rich.progress import track

from index.contents import EditionState
from index.counterparts import Counterparts, Match, Wanted, preferences
from index.encoder import Encoder, Vectors
from index.evaluation import read_collection
from index.library import Library
from index.sentence_encoder import open_encoder
from index.view import View
from ingest.passages import cut_pages
from ingest.records import Edition, Page, Passage, Publication, edition_id, primary

GROUP = 4  # units; every other group of them is left out of a short edition
TARGETS = 3  # other editions, at most, in which those of the Declaration are asked for
LEAST_LIKELY, LEAST_CERTAIN = 0.96, 0.98  # precision where the limits are chosen
SPACELESS = {"th", "lo", "km", "my", "zh", "ja"}
LATIN = {"en", "fr", "de", "es", "pt", "it", "id", "vi", "sw", "tr", "pl", "nl", "yo", "ha", "fi", "hu", "tl", "so", "zu", "sq", "az", "uz"}
SUMMARY = {  # units of the whole edition -> of its summaries, which tell its first six in one
    **dict.fromkeys("2356", "2"), "7": "3", "9": "4", "10": "5", "11": "6", "13": "7", "14": "8", "15": "9", "16": "10", "17": "11",
    "19": "12", "21": "13", "22": "14", "23": "15", "24": "15",
}  # fmt: skip

Units = Mapping[str, str]  # sentence -> paragraph or article


@dataclass(frozen=True)
class Source:
    """An edition to be asked for, with what is known of its sentences."""

    edition: Edition
    passages: Sequence[Passage]
    vectors: Vectors
    units: Units


@dataclass(frozen=True)
class Asked:
    """What came of asking for one sentence."""

    setting: str  # whole, short, other
    source: str  # language
    target: str
    chooses: bool
    there: bool  # whether the target holds its unit
    evidence: float
    right: bool
    ordered: bool | None  # whether it is the sentence at the same place, where its unit has as many sentences in both


@click.command()
@click.argument("folder", metavar="LIBRARY", type=click.Path(exists=True, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.argument("collection", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, corpus: Path, collection: Path) -> None:
    """Print the limits, and the tables of docs/counterparts.md."""
    encoder = open_encoder()
    asked = {
        "sample library": ask(of_library(Library.open(folder), corpus), encoder, 100),
        "the Declaration": ask(of_declaration(collection, encoder), encoder, TARGETS),
    }
    settings = [[row for row in rows if row.setting == one] for rows in asked.values() for one in ("whole", "short")]
    likely, certain = (max(limit(rows, least) for rows in settings) for least in (LEAST_LIKELY, LEAST_CERTAIN))
    click.echo(f"Limits: likely {likely:.2f}, certain {certain:.2f}; index/counterparts.py has LIKELY and CERTAIN.\n")
    head = "asked | has a counterpart | spoke | precision | of it certain | precision of those | same sentence"
    table(
        f"edition | {head}",
        {f"{name}, {kind}": of(rows, setting=kind) for name, rows in asked.items() for kind in ("whole", "short", "other")},
        likely,
        certain,
    )
    table(f"from, to (whole) | {head}", by_script([row for rows in asked.values() for row in of(rows, setting="whole")]), likely, certain)
    table(f"to (whole) | {head}", by_target([row for rows in asked.values() for row in of(rows, setting="whole")]), likely, certain)
    click.echo("| passages of both editions | aligned in |\n| --- | --- |")
    for size in (100, 500, 1500, 4000):
        click.echo(f"| {size:,} | {milliseconds(size):.0f} ms |")


def of_library(library: Library, corpus: Path) -> list[Source]:
    """The editions of publications with more than one, with the paragraphs of their sources."""
    sources = []
    for publication in library.publications():
        for edition in publication.editions:
            keys, vectors = library.vectors_in(edition.edition_id)
            passages = list(library.passages_of(edition.edition_id).values())
            written = corpus / publication.publication_id / "source" / f"{edition.language}.md"
            if len(publication.editions) > 1 and len(keys):
                units = units_of(passages, paragraphs(written.read_text("utf-8")))
                summarised = any(other.part != edition.part for other in publication.editions) and edition.part == "whole"
                units = {text: SUMMARY[unit] for text, unit in units.items() if unit in SUMMARY} if summarised else units
                sources.append(Source(edition, passages, vectors, units))
    return sources


def paragraphs(markdown: str) -> list[tuple[str, str]]:
    """The units of a source and the text of each: paragraphs, headings, list items, notes; a table's rows are one unit, since they are sorted."""
    units, number, in_table = [], 0, False
    for line in markdown.split("---\n", 2)[2].splitlines():
        if not line.strip() or line.startswith(":::") or set(line) <= set("|-: "):
            continue
        number += not (in_table and line.startswith("|"))
        in_table = line.startswith("|")
        units.append((str(number), letters(re.sub(r"\[\[note:.*?\]\]", "", line))))
        units += [(f"{number} note", letters(note)) for note in re.findall(r"\[\[note:\s*(.*?)\]\]", line)]
    return units


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def units_of(passages: Sequence[Passage], written: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The unit of each sentence that clearly stands in one only."""
    found = {}
    for text in dict.fromkeys(passage.text[start:end] for passage in passages for start, end in passage.sentences):
        sentence = letters(text)
        likeness = {place: fuzz.partial_ratio(sentence, unit) for place, (_, unit) in enumerate(written) if len(sentence) <= len(unit) + 5}
        best = max(likeness.values(), default=0.0)
        names = {written[place][0] for place, score in likeness.items() if score >= best - 3}
        if len(sentence) > 5 and best >= 85 and len(names) == 1:
            found[text] = names.pop()
    return found


def of_declaration(folder: Path, encoder: Encoder) -> list[Source]:
    articles: dict[str, dict[int, Page]] = defaultdict(dict)
    languages = {}
    for text in read_collection(folder).corpus:
        name, number = text.text_id.rsplit("-", 1)
        languages[name] = text.language
        articles[name][int(number)] = Page(edition_id("declaration", name), int(number), number, text.text, "good")
    sources = []
    for name, pages in track(articles.items(), "encoding"):
        passages = cut_pages([pages[number] for number in sorted(pages)], encoder.count_tokens, languages[name])
        units = {passage.text[start:end]: str(passage.page_at(start)) for passage in passages for start, end in passage.sentences}
        edition = Edition(edition_id("declaration", name), "declaration", languages[name], name, "whole", "0" * 64)
        sources.append(Source(edition, passages, encoder.encode_passages([passage.text for passage in passages]), units))
    return sources


def shortened(source: Source, first: int) -> Source:
    """An edition without every other group of units, from the first or the second on."""
    dropped = {unit for place, unit in enumerate(dict.fromkeys(source.units.values())) if place // GROUP % 2 == first}
    kept = [
        place
        for place, one in enumerate(source.passages)
        if not any(source.units.get(one.text[start:end]) in dropped for start, end in one.sentences)
    ]
    edition = replace(source.edition, edition_id=source.edition.edition_id + ".short")
    passages = [replace(source.passages[place], edition_id=edition.edition_id, ordinal=number) for number, place in enumerate(kept)]
    return Source(edition, passages, source.vectors[kept], source.units)


def ask(sources: Sequence[Source], encoder: Encoder, most: int) -> list[Asked]:
    """Ask for every sentence in other editions: all of its publication, or some drawn at random."""
    short = {source.edition.edition_id: shortened(source, place % 2) for place, source in enumerate(sources)}
    with tempfile.TemporaryDirectory() as scratch:
        library = library_of([*sources, *short.values()], encoder, Path(scratch) / "library")
        view = View.of(library, None)
        counterparts = Counterparts(library, encoder)
        draw = random.Random(0)
        publications = sorted({source.edition.publication_id for source in sources})
        rows: list[Asked] = []
        for source in track(sources, "asking"):
            chooses = {sentence: chosen(source, unit, publications) for sentence, unit in source.units.items()}
            others = [one for one in sources if one is not source and one.edition.publication_id == source.edition.publication_id]
            strangers = [one for one in sources if one.edition.publication_id != source.edition.publication_id]
            for target in draw.sample(others, min(most, len(others))):
                settings = {"whole": target, "short": short[target.edition.edition_id]}
                settings |= {"other": draw.choice(strangers)} if strangers else {}
                for setting, there in settings.items():
                    rows += asked_in(setting, source, there, chooses, counterparts, view)
    return rows


def chosen(source: Source, unit: str, publications: Sequence[str]) -> bool:
    """Whether a sentence is of the half on which limits are chosen."""
    if source.edition.publication_id == "declaration":
        return int(unit) % 2 == 0
    return publications.index(source.edition.publication_id) % 2 == 0


def library_of(sources: Sequence[Source], encoder: Encoder, folder: Path) -> Library:
    library = Library.create(folder)
    library.set_meta("encoder", encoder.fingerprint)
    editions: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        editions[source.edition.publication_id].append(source)
    for name, there in editions.items():
        work = Publication(name, {}, {}, None, "", (), (), "", tuple(source.edition for source in there))
        library.put_publication(work, "", [], np.zeros((0, encoder.dimension), np.float32))
        for source in there:
            library.put_reading(EditionState(source.edition, "read", "", 1, ""), [], source.passages, source.vectors)
    return library


def asked_in(setting: str, source: Source, target: Source, chooses: Mapping[str, bool], counterparts: Counterparts, view: View) -> list[Asked]:
    wanted = [Wanted(passage, span, target.edition.edition_id) for passage in source.passages for span in passage.sentences]
    wanted = [one for one in wanted if text_of(one) in source.units]
    there = {target.units.get(one.text[start:end]) for one in target.passages for start, end in one.sentences} if setting != "other" else set()
    own, others = in_order(source), in_order(target)
    rows = []
    for one, match in zip(wanted, counterparts.matches(view, wanted), strict=True):
        unit = source.units[text_of(one)]
        found = match.passage.text[slice(*match.span)] if match else ""
        right = setting != "other" and target.units.get(found) == unit
        place, length = own[text_of(one)]
        ordered = others[found] == (place, length) if right and others[found][1] == length else None
        rows.append(
            Asked(setting, source.edition.language, target.edition.language, chooses[text_of(one)], unit in there, evidence(match), right, ordered)
        )
    return rows


def text_of(wanted: Wanted) -> str:
    return wanted.passage.text[slice(*wanted.span)]


def evidence(match: Match | None) -> float:
    return match.evidence if match else -9.0


def in_order(source: Source) -> dict[str, tuple[int, int]]:
    """For each sentence its place in its unit, and how many stand there."""
    units: dict[str, list[str]] = defaultdict(list)
    for sentence, unit in source.units.items():
        units[unit].append(sentence)
    return {sentence: (place, len(there)) for there in units.values() for place, sentence in enumerate(there)}


def limit(rows: Sequence[Asked], least: float) -> float:
    """The lowest evidence from which on so many of what is said is right, in the half that chooses."""
    known = sorted((row for row in rows if row.chooses), key=lambda row: -row.evidence)
    precision = np.cumsum([row.right for row in known]) / np.arange(1, len(known) + 1)
    return known[int(np.flatnonzero(precision >= least)[-1])].evidence


def of(rows: Sequence[Asked], setting: str) -> list[Asked]:
    return [row for row in rows if row.setting == setting and not row.chooses]


def script_of(language: str) -> str:
    own = primary(language)
    return "Latin" if own in LATIN else "without spaces" if own in SPACELESS else "other scripts"


def by_script(rows: Sequence[Asked]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        groups[f"{script_of(row.source)}, {script_of(row.target)}"].append(row)
    return dict(sorted(groups.items()))


def by_target(rows: Sequence[Asked]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        groups[row.target].append(row)
    return dict(sorted(groups.items()))


def table(head: str, groups: Mapping[str, Sequence[Asked]], likely: float, certain: float) -> None:
    click.echo(f"| {head} |\n|" + " --- |" * (head.count("|") + 1))
    for name, rows in groups.items():
        if not rows:
            continue
        spoke, sure = [row for row in rows if row.evidence >= likely], [row for row in rows if row.evidence >= certain]
        ordered = [row.ordered for row in spoke if row.ordered is not None]
        click.echo(
            f"| {name} | {len(rows):,} | {share([row.there for row in rows])} | {share([row.evidence >= likely for row in rows])} "
            f"| {share([row.right for row in spoke])} | {share([row.evidence >= certain for row in spoke])} | {share([row.right for row in sure])} "
            f"| {share(ordered)} |"
        )
    click.echo("")


def share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.1%}" if values else ""


def milliseconds(size: int) -> float:
    """Processor time for two editions to be aligned, their vectors being at hand."""
    made = np.random.default_rng(0).standard_normal((2 * size, 384)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    begin = time.process_time()
    preferences(made[:size] @ made[size:].T)
    return 1000 * (time.process_time() - begin)


if __name__ == "__main__":
    main()
