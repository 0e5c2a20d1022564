"""Measure the encoder against plain SentenceTransformer.encode in float32: python bench/encoding.py XQUAD UDHR [--rounds 3] > encoding.md

XQUAD and UDHR are test collections in the layout of index/evaluation.py, made from XQuAD-R and the Universal Declaration. Prints Markdown: passages a
second and the time of a query as ratios to the plain model in the same run, alternating with it; the share of the processor's own matrix multiplication;
the cosine to float32 in every language; the memory of a process that only encodes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import platformdirs
import torch

from bench.table import Row, table
from index.encoder import Encoder
from index.evaluation import Text, read_collection
from index.network import best_precision
from index.pytorch_encoder import open_original
from index.sentence_encoder import COMPUTE, open_encoder

PASSAGES = 104  # texts of about 190 tokens, as long as passages are
JOINED = 4  # paragraphs of the collection in one of them
PLAIN = "PyTorch float32"
QUERY = "how do children report abuse at school"
QUERIES = 50  # timed together
THROUGHPUT = {"bf16": 3.8, "int8": 3.8, "f32": 1.2}  # targets by what the processor is best at, and elsewhere
QUERY_TIME, COSINE = 0.35, 0.999
SIZE = 2048  # of the square matrices that tell the processor's peak
MEMORY = """
import sys, pathlib
from index.sentence_encoder import open_encoder
encoder = open_encoder()
encoder.encode_queries(["water"])
status = pathlib.Path("/proc/self/status").read_text()
kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.endswith("kB")}
print(kilobytes["VmRSS"], kilobytes["RssFile"], kilobytes["VmHWM"], *(name in sys.modules for name in ("torch", "transformers")))
"""


@dataclass(frozen=True)
class Measured:
    """What was found of each way to compute; the first is PyTorch's."""

    tokens: int
    texts: int
    operations: float  # additions and multiplications of all texts together
    seconds: Mapping[str, float]  # for all texts
    query: Mapping[str, float]  # seconds for one
    peaks: Mapping[str, float]  # operations a second of the processor, by the numbers that are multiplied
    cosines: Mapping[str, Mapping[str, Sequence[float]]]  # with what PyTorch makes, by way and language
    best: str  # what is chosen on this processor


@click.command()
@click.argument("passages", type=click.Path(exists=True, path_type=Path))
@click.argument("declaration", type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=3, help="How often everything is timed; the best counts.")
@click.option("--compute", "computes", multiple=True, default=["int8", "f32", "bf16"], help="What is compared; may be repeated.")
def main(passages: Path, declaration: Path, rounds: int, computes: Sequence[str]) -> None:
    """Print the tables."""
    found = measure(passages, declaration, rounds, computes)
    click.echo(
        f"# Encoding\n\n{found.texts} passages of {found.tokens / found.texts:.0f} tokens on {processor()}; {torch.get_num_threads()} threads."
    )
    click.echo(
        f"Matrix multiplication of {SIZE} by {SIZE}: " + ", ".join(f"{kind} {found.peaks[kind] / 1e9:.0f} Gop/s" for kind in found.peaks) + ".\n"
    )
    click.echo(f"{table(rows_of(found))}\n\nA process that only encodes: {memory()}.\n")
    click.echo("| language | " + " | ".join(f"{name}, mean | least" for name in found.cosines) + " |\n|---" + "|---|---" * len(found.cosines) + "|")
    for language in sorted(next(iter(found.cosines.values()))):
        cells = (f"{np.mean(there[language]):.5f} | {min(there[language]):.5f}" for there in found.cosines.values())
        click.echo(f"| {language} | " + " | ".join(cells) + " |")


def measure_chosen(passages: Path, declaration: Path, rounds: int = 3) -> Measured:
    """PyTorch, and the way that is chosen on this processor."""
    return measure(passages, declaration, rounds, [best_precision()])


def measure(passages: Path, declaration: Path, rounds: int, computes: Sequence[str]) -> Measured:
    texts = joined(read_collection(passages).corpus)
    plain = open_original("", platformdirs.user_cache_path("isogloss"))
    encoders: dict[str, Encoder] = {PLAIN: plain, **{compute: opened(compute) for compute in computes}}
    seconds = timed({name: lambda one=one: one.encode_passages(texts) for name, one in encoders.items()}, rounds)
    queries = timed({name: lambda one=one: [one.encode_queries([QUERY]) for _ in range(QUERIES)] for name, one in encoders.items()}, rounds)
    tokens = sum(plain.count_tokens(texts))
    return Measured(
        tokens,
        len(texts),
        tokens * operations(plain, tokens / len(texts)),
        seconds,
        {name: time / QUERIES for name, time in queries.items()},
        {kind: peak(kind, rounds) for kind in ("f32", "int8")},
        {name: by_language(read_collection(declaration).corpus, plain, encoders[name]) for name in computes},
        best_precision(),
    )


def rows_of(found: Measured) -> list[Row]:
    """Three rows for each way, with targets for the one that is chosen here."""
    made = []
    for name in found.seconds:
        chosen, plain, least = name == found.best, name == PLAIN, THROUGHPUT.get(name, 0.0)
        faster, shorter = found.seconds[PLAIN] / found.seconds[name], found.query[name] / found.query[PLAIN]
        shares = ", ".join(f"{found.operations / found.seconds[name] / peak:.0%} of the {kind} peak" for kind, peak in found.peaks.items())
        rate = f"{found.tokens / found.seconds[name]:,.0f} tokens/s; {shares}"
        made.append(
            Row(
                "1",
                f"encoding, {name}",
                rate,
                f"{faster:.2f} x PyTorch",
                f"at least {least} x" * chosen,
                faster >= least if chosen else None,
            )
        )
        made.append(
            Row(
                "1",
                f"one query, {name}",
                f"{1000 * found.query[name]:.1f} ms",
                f"{shorter:.2f} x PyTorch",
                f"at most {QUERY_TIME} x" * chosen,
                shorter <= QUERY_TIME if chosen else None,
            )
        )
        if not plain:
            worst, language = min((min(there), language) for language, there in found.cosines[name].items())
            figure = f"{worst:.5f} ({language}, worst text of {len(found.cosines[name])} languages)"
            made.append(Row("1", f"cosine to float32, {name}", figure, "", f"at least {COSINE}" * chosen, worst >= COSINE if chosen else None))
    return made


def figures(found: Measured) -> dict[str, float]:
    """What bench/capacity.py computes with, of the way that is chosen here; seconds of all cores."""
    return {"tokens": found.tokens, "seconds": found.seconds[found.best], "cores": torch.get_num_threads()}


def joined(corpus: Sequence[Text]) -> list[str]:
    """As many texts of each of eight languages, each of some paragraphs."""
    languages = sorted({text.language for text in corpus})[:8]
    own = {language: [text.text for text in corpus if text.language == language] for language in languages}
    places = range(0, JOINED * (PASSAGES // len(languages)), JOINED)
    return [" ".join(own[language][place : place + JOINED]) for place in places for language in languages]


def opened(compute: str) -> Encoder:
    with environment(COMPUTE, compute):
        return open_encoder()


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        os.environ.update({name: before} if before is not None else {})


def timed(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Seconds that each takes at best, in turn, after a first run that does not count."""
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    for number in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if number:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak(kind: str, rounds: int) -> float:
    """Operations a second of a multiplication of square matrices, as PyTorch does it."""
    if kind == "int8":
        a, b = (torch.randint(-127, 127, (SIZE, SIZE), dtype=torch.int8) for _ in range(2))
        work = {kind: lambda: torch._int_mm(a, b)}
    else:
        x, y = (torch.randn(SIZE, SIZE) for _ in range(2))
        work = {kind: lambda: x @ y}
    return 2 * SIZE**3 / timed(work, 5 * rounds)[kind]


def operations(encoder: Any, length: float) -> float:
    """Additions and multiplications for one token in a text of this length: of every matrix but the tables, and of attention."""
    model = encoder.model[0].auto_model
    matrices = sum(
        weight.numel() for name, weight in model.named_parameters() if weight.ndim == 2 and "embeddings" not in name and "pooler" not in name
    )
    return 2 * matrices + 4 * length * model.config.hidden_size * model.config.num_hidden_layers


def by_language(corpus: Sequence[Text], plain: Encoder, other: Encoder) -> dict[str, list[float]]:
    """The cosines of every text's two vectors, by language."""
    texts = [text.text for text in corpus]
    cosines: dict[str, list[float]] = defaultdict(list)
    for text, cosine in zip(corpus, (plain.encode_passages(texts) * other.encode_passages(texts)).sum(axis=1).tolist(), strict=True):
        cosines[text.language].append(cosine)
    return cosines


def memory() -> str:
    """Resident memory of a new process that has answered one query, in MiB."""
    kilobytes = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True).stdout.split()
    resident, mapped, most = (int(value) // 1024 for value in kilobytes[:3])
    return f"{resident} MiB resident, of which {mapped} are files shared with other processes; {most} at most; torch imported: {kilobytes[3]}"


def processor() -> str:
    info = Path("/proc/cpuinfo").read_text()
    name = next(line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name"))
    flags = next(line.split(":")[1].split() for line in info.splitlines() if line.startswith("flags"))
    return f"{name} ({', '.join(flag for flag in flags if flag.startswith(('avx512_vnni', 'avx_vnni', 'avx512_bf16', 'amx')))})"


if __name__ == "__main__":
    main()
