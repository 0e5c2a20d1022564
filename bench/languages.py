"""Measure how well languages are told: python bench/languages.py FOLDER [--corpus corpus] [--declaration FILE].

FOLDER is a collection in the layout of index/evaluation.py whose passages name their language, such as the Declaration of Human Rights by
articles. Three kinds of text: its paragraphs; headings made of them (the first three to eight words, or 15 to 30 characters where words are not
spaced); and the titles in the catalogue entries of --corpus. --declaration adds a file of the Declaration in many languages, one line an
article, {"id": 16, "texts": {tag: text}}, of which only articles 16 to 30 are measured: words and thresholds were chosen on 1 to 15.

Right is the right primary language ("pt" for "pt-BR"), with one name for one language (nb is no, tl is fil); in the column "near" languages that
ingest/near_languages.py calls near count as one; "script" is the share with the right script, of the texts for which it is asked.
"""

from __future__ import annotations

import json
import random
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import langcodes
from langdetect import LangDetectException, detect
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from index.evaluation import read_collection
from ingest.language import identify
from ingest.near_languages import near
from ingest.records import UNDETERMINED, primary

ONE_NAME = {"nb": "no", "tl": "fil", "jw": "jv", "iw": "he", "als": "sq", "zlm": "ms", "kmr": "ku"}
SCRIPT_ASKED = {"zh", "sr", "uz", "az"}  # of their gold tags, those that name a script
WORST = 10
ENCODERS = (  # the languages that XLM-R, and so the default encoder, was trained on
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fil fr fy ga gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ku ky la "
    "lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tr ug uk ur uz vi xh yi zh"
)

Teller = Callable[[str], str]


@dataclass(frozen=True)
class Told:
    """One text, what it is in, and what one teller says."""

    gold: str
    tag: str

    @property
    def right(self) -> bool:
        return name_of(self.gold) == name_of(self.tag)

    @property
    def nearly(self) -> bool:
        return near(name_of(self.gold), name_of(self.tag))

    @property
    def script_right(self) -> bool:
        return langcodes.get(self.gold).maximize().script == langcodes.get(self.tag).maximize().script


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--corpus", type=click.Path(exists=True, path_type=Path), help="Publications whose titles are told too.")
@click.option("--declaration", type=click.Path(exists=True, path_type=Path), help="The Declaration in many languages.")
def main(folder: Path, corpus: Path | None, declaration: Path | None) -> None:
    """Print accuracy, the worst languages and the time, beside langdetect and py3langid alone."""
    paragraphs = [(passage.language, passage.text) for passage in read_collection(folder).corpus]
    kinds = {"paragraphs": paragraphs, "headings": list(headings(paragraphs))}
    if corpus:
        kinds["titles"] = list(titles(corpus))
    if declaration:
        many = list(articles(declaration))
        encoders = [(gold, text) for gold, text in many if name_of(gold) in ENCODERS.split()]
        kinds |= {"articles 16-30 in every language of the encoder": encoders, "headings of these": list(headings(encoders))}
        kinds["articles 16-30 in other languages"] = [(gold, text) for gold, text in many if name_of(gold) not in ENCODERS.split()]
    tellers = {"ours": identify, "langdetect alone": langdetect_alone, "py3langid alone": py3langid_alone()}
    for teller in tellers.values():
        teller("The first text loads the profiles.")
    for kind, texts in kinds.items():
        click.echo(f"\n{kind}: {len(texts)} texts in {len({gold for gold, _ in texts})} languages")
        report(texts, tellers)


def report(texts: Sequence[tuple[str, str]], tellers: dict[str, Teller]) -> None:
    told, seconds = {}, {}
    for name, teller in tellers.items():
        start = time.process_time()
        told[name] = [Told(gold, teller(text)) for gold, text in texts]
        seconds[name] = time.process_time() - start
    for name, answers in told.items():
        wrong = [one for one in answers if not one.nearly and one.tag != UNDETERMINED]
        asked = [one for one in answers if "-" in one.gold and primary(one.gold) in SCRIPT_ASKED and langcodes.get(one.gold).script]
        script = f"  script {sum(one.script_right for one in asked) / len(asked):.3f}" if asked and name == "ours" else ""
        shares = [sum(one.right for one in answers), sum(one.nearly for one in answers), len(wrong)]
        right, nearly, another = (share / len(answers) for share in shares)
        speed = seconds["langdetect alone"] / seconds[name]
        click.echo(f"  {name:16}  right {right:.3f}  near {nearly:.3f}  another {another:.3f}  {speed:5.1f} times as fast as langdetect{script}")
    with_word = [Told(gold, identify(text, gold)) for gold, text in texts]
    click.echo(f"  ours with the catalogue's word: right {sum(one.right for one in with_word) / len(with_word):.3f}")
    click.echo("  worst of ours: " + "; ".join(worst(told["ours"])))


def worst(answers: Sequence[Told]) -> Iterator[str]:
    by_language: defaultdict[str, list[Told]] = defaultdict(list)
    for one in answers:
        by_language[one.gold].append(one)
    ranked = sorted(by_language.items(), key=lambda item: (sum(one.right for one in item[1]) / len(item[1]), item[0]))
    for gold, group in ranked[:WORST]:
        others = Counter(one.tag for one in group if not one.right).most_common(2)
        if others:
            yield f"{gold} {sum(one.right for one in group)}/{len(group)} ({', '.join(f'{tag} {count}' for tag, count in others)})"


def name_of(tag: str) -> str:
    return ONE_NAME.get(primary(tag), primary(tag))


def headings(texts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    draw = random.Random(0)
    for gold, text in texts:
        words = text.split()
        spaced = len(words) > len(text) / 15
        yield gold, " ".join(words[: draw.randint(3, 8)]) if spaced else text.strip()[: draw.randint(15, 30)]


def titles(corpus: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(corpus.glob("*/publication.toml")):
        yield from tomllib.loads(path.read_text("utf-8"))["title"].items()


def articles(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text("utf-8").splitlines():
        article = json.loads(line)
        if article["id"] > 15:
            yield from article["texts"].items()


def langdetect_alone(text: str) -> str:
    try:
        return str(detect(text))
    except LangDetectException:
        return UNDETERMINED


def py3langid_alone() -> Teller:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return lambda text: str(identifier.classify(text)[0])


if __name__ == "__main__":
    main()
