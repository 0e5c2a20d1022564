"""Measure recognition on the sample library: python bench/recognition.py [--report docs/reading.md]. Needs tesseract and its packs (isogloss doctor).

The page with the most letters of every edition is drawn by PDFium, recognised and compared with the edition's source, and its text layer with
what was recognised. The section of the report is written anew, the rest of it stays.
"""

from __future__ import annotations

import random
import re
import resource
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import mean

import click
import pypdf
import pypdfium2
from rich.progress import track

from ingest.limits import Limits, Watch
from ingest.ocr import DPI, OTHER_DPI, RecognitionError, Tesseract, find_tesseract, language_name, scale_for
from ingest.pdf import read_pdf
from ingest.trust import TRUSTED, doubt, fonts_of, has_wrong_letters, sample_page, similarity

ROOT = Path(__file__).parent.parent
NOT_RECOGNISED = Watch(Limits(recognition_seconds=0))  # of the text layers, to which recognition is compared
TITLE = "## Recognition (OCR)"
SPOILT = 0.5  # share of the letters of the alphabet that change places, to see what a broken layer gets


@dataclass(frozen=True)
class Measured:
    """What recognising one page of an edition gave."""

    edition: str
    language: str
    packs: str
    right: float  # of what was recognised, against the source
    layer: float  # the text layer against what was recognised
    spoilt: float  # the same with letters changed
    distrusted: bool
    doubt: str
    confidence: float
    seconds: float  # of processor time


@click.command()
@click.option("--report", type=click.Path(path_type=Path), default=ROOT / "docs" / "reading.md", show_default="docs/reading.md")
@click.argument("editions", nargs=-1)
def main(report: Path, editions: tuple[str, ...]) -> None:
    """Measure all EDITIONS ("river-corridor/km"), by default the whole sample library, and write the section of the report."""
    try:
        tesseract = find_tesseract()
        paths = [ROOT / "corpus" / f"{edition}.pdf" for edition in editions] or sorted((ROOT / "corpus").glob("*/*.pdf"))
        rows = [measure(tesseract, path) for path in track(paths, "recognising")]
    except RecognitionError as error:
        raise click.ClickException(str(error)) from error
    section = "\n".join([TITLE, "", *lines_of(rows, tesseract)]) + "\n"
    click.echo(section)
    if not editions:
        written = report.read_text("utf-8") if report.exists() else "# How publications are read\n"
        kept = re.sub(rf"^{re.escape(TITLE)}\n.*?(?=^## |\Z)", "", written, flags=re.M | re.S).rstrip()
        report.write_text(f"{kept}\n\n{section}", "utf-8")


def measure(tesseract: Tesseract, path: Path) -> Measured:
    language = path.stem
    texts = [page.text for page in read_pdf(path, path.stem, watch=NOT_RECOGNISED).pages]
    number = sample_page(texts) or 2  # the cover of a scan has few letters
    page, layer = pypdfium2.PdfDocument(path)[number - 1], texts[number - 1]
    scale = scale_for(*page.get_size(), language)
    picture = page.render(scale=scale, grayscale=True).to_numpy()
    before = processor_time()
    recognition = tesseract.recognise(picture.reshape(picture.shape[:2]), scale, language)
    seconds = processor_time() - before
    source = (path.parent / "source" / f"{language}.md").read_text("utf-8").replace("[[note:", "")
    return Measured(
        f"{path.parent.name}/{language}", language, "+".join(tesseract.packs_for(language)), similarity(recognition.text, source),
        similarity(layer, recognition.text), similarity(spoil(layer), recognition.text), has_wrong_letters(layer, recognition.text),
        doubt(fonts_of(pypdf.PdfReader(path).pages[number - 1]), language), recognition.confidence, seconds,
    )  # fmt: skip


def processor_time() -> float:
    """Of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spoil(text: str) -> str:
    """Let letters of the same script and case change places."""
    kinds: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for char in sorted({char for char in text if char.isalpha()}):
        kinds[unicodedata.name(char, "?").split()[0], char.islower()].append(char)
    table: dict[str, str] = {}
    for alphabet in kinds.values():
        chosen = random.Random(0).sample(alphabet, int(SPOILT * len(alphabet)))
        table.update(zip(chosen, chosen[1:] + chosen[:1], strict=True))
    return text.translate(str.maketrans(table))


def lines_of(rows: list[Measured], tesseract: Tesseract) -> list[str]:
    by_language: dict[str, list[Measured]] = defaultdict(list)
    for row in rows:
        by_language[row.language].append(row)
    distrusted = [row for row in rows if row.distrusted]
    sound = [row for row in rows if not row.distrusted and row.layer]
    other = ", ".join(f"{dpi} for {pack}" for pack, dpi in OTHER_DPI.items())
    return [
        f"Made {date.today()} by `python bench/recognition.py` with tesseract {tesseract.version}: one page of each of {len(rows)} editions of the sample",
        f"library, the one with the most letters, at {DPI} dpi ({other}), one thread. Right: how much of the recognised letters stands in the source the PDF was made from. Sure: the mean",
        "of tesseract's own confidence; it differs more between packs than between good and bad pages. Layer: how much of the text layer was recognised",
        f"again. Spoilt: the same, after {SPOILT:.0%} of the letters of the alphabet had changed places.",
        "",
        "| Language | Packs | Pages | Right | Sure | Layer | Spoilt | CPU seconds a page |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {language_name(language)} ({language}) | {there[0].packs} | {len(there)} | {mean(row.right for row in there):.3f} "
            f"| {mean(row.confidence for row in there):.2f} | {layer_of(there)} | {spoilt_of(there)} | {mean(row.seconds for row in there):.1f} |"
            for language, there in sorted(by_language.items())
        ),
        "",
        f"A layer below {TRUSTED} is not trusted. Of {len(sound) + len(distrusted)} text layers {len(distrusted)} fell below it: "
        + ("; ".join(f"{row.edition} ({row.layer:.2f}; {row.doubt or 'nothing else spoke against it'})" for row in distrusted) or "none")
        + f". The lowest trusted: {', '.join(f'{row.edition} {row.layer:.2f}' for row in sorted(sound, key=lambda row: row.layer)[:3])}."
        + f" Of the spoilt ones {sum(row.spoilt < TRUSTED for row in sound)} of {len(sound)} fell below it."
        + f" Fonts or language make a sample page worth recognising in {sum(bool(row.doubt) for row in rows)} of the {len(rows)} editions.",
    ]


def layer_of(rows: list[Measured]) -> str:
    there = [row.layer for row in rows if row.layer and not row.distrusted]
    return f"{mean(there):.3f}" if there else "no sound layer"


def spoilt_of(rows: list[Measured]) -> str:
    there = [row.spoilt for row in rows if row.layer and not row.distrusted]
    return f"{mean(there):.3f}" if there else ""


if __name__ == "__main__":
    main()
