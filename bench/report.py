"""How long the reading report and the language-gap map take on a large library: python bench/report.py

Fills a library in a temporary folder with pages of the usual weight (3 kB of text, 4 kB of word boxes), 200 topics and 100 languages, and asks each page
five times; prints the median in milliseconds, and the weight as sent. Nothing is read, and no model is needed.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import LexiconEncoder  # noqa: E402

from index.accounts import Accounts  # noqa: E402
from index.library import Library  # noqa: E402
from index.tables import encoder_number, insert_vector  # noqa: E402
from search_app.factory import create_app  # noqa: E402

LANGUAGES = [
    "en", "fr", "es", "pt", "ar", "fa", "he", "hi", "bn", "ta", "th", "lo", "km", "my", "am", "ja", "zh", "ko", "ru", "uk", "vi", "id", "sw", "de", "it", "nl",
    "pl", "cs", "sk", "hu", "ro", "bg", "el", "tr", "az", "ka", "hy", "ur", "ps", "ku", "ne", "si", "te", "ml", "kn", "gu", "pa", "mr", "or", "as", "mn", "ti",
    "so", "om", "ha", "yo", "ig", "zu", "xh", "st", "tn", "sn", "ny", "rw", "rn", "lg", "ln", "wo", "ff", "bm", "mg", "mt", "sq", "sr", "hr", "sl", "bs", "mk",
    "lt", "lv", "et", "fi", "sv", "nb", "da", "is", "ga", "cy", "eu", "ca", "gl", "kk", "ky", "uz", "tg", "tk", "ms", "tl", "jv", "su",
]  # fmt: skip
CONDITIONS = [("good", "")] * 16 + [("empty", ""), ("suspect", "letters unlikely: words in two scripts"), ("image only", "an image without text; no text"), ("recognised", "an image without text")]  # fmt: skip
ASKED = [
    "/desk", "/desk/report", "/desk/report?undecided=1", "/desk/report?health=suspect&cause=letters+unlikely:+words+in+two+scripts",
    "/desk/report?offset=1500", "/desk/report/p00000.en", "/gaps", "/gaps?by=km&country=KH", "/gaps.csv", "/api/v1/gaps",
]  # fmt: skip


def fill(library: Library, documents: int, pages: int) -> None:
    """Four editions a publication, three topics of two hundred each."""
    text = "Kinder an der Grenze brauchen Schutz. " * 80
    with library.transaction() as run:
        for number in range(documents // 4):
            topics = [f"topic {(number * step) % 200}" for step in (1, 7, 31)]
            name = f"p{number:05}"
            run(
                "INSERT INTO publications (publication_id, folder, titles, abstracts, year, kind, topics, countries, source) VALUES (?,'',?,'{}',?,'study',?,?,'')",
                (
                    name,
                    json.dumps({"en": f"Publication {number}"}),
                    2000 + number % 25,
                    json.dumps(topics),
                    json.dumps(["KH", "TH"][: 1 + number % 2]),
                ),
            )
            for place in range(4):
                language = LANGUAGES[(number + place * number) % len(LANGUAGES)] if place else "en"
                _put_edition(run, f"{name}.{language}" + (f".{place}" if place else ""), (name, place, language), (pages, text))


def _put_edition(run, edition_id: str, said: tuple[str, int, str], filled: tuple[int, str]) -> None:
    (name, place, language), (pages, text) = said, filled
    digest = os.urandom(32).hex()
    state = "partly read" if place % 2 else "read"
    run("INSERT INTO editions VALUES (?,?,?,?,'','whole',?,?,'',5,'',?)", (edition_id, name, place, language, digest, state, digest))
    for page in range(1, pages + 1):
        health, cause = CONDITIONS[page % len(CONDITIONS)] if place % 2 else ("good", "")
        run("INSERT INTO pages VALUES (?,?,?,?,?,?,?,-1,1.0)", (edition_id, page, str(page), text, health, cause, os.urandom(4000)))
        key = run("INSERT INTO passages (edition_id, ordinal, first_page, start, last_page, \"end\", language, text, sentences) VALUES (?,?,?,0,?,9,?,?,'[]')",
            (edition_id, page, page, page, language, text[:1500])).lastrowid  # fmt: skip
        insert_vector(run, key, encoder_number(run, "lexicon"), np.eye(5, dtype=np.float32)[page % 5])


@click.command()
@click.option("--documents", default=2000, show_default=True)
@click.option("--pages", default=60, show_default=True)
def main(documents: int, pages: int) -> None:
    """Print a line for each address."""
    with tempfile.TemporaryDirectory() as folder:
        library, encoder = Library.create(Path(folder)), LexiconEncoder()
        library.set_meta("encoder", encoder.fingerprint)
        fill(library, documents, pages)
        Accounts(library).put("bench", "a long enough password")
        app = create_app(library, encoder)
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        client.post("/desk/sign-in", data={"name": "bench", "password": "a long enough password"})
        print(f"{documents} documents of {pages} pages, {(Path(folder) / 'library.sqlite').stat().st_size >> 20} MiB")
        for path in ASKED:
            times, spent = [], []
            for _ in range(5):
                start, begun = time.perf_counter(), time.process_time()
                answer = client.get(path)
                times.append(1000 * (time.perf_counter() - start))
                spent.append(1000 * (time.process_time() - begun))
                assert answer.status_code == 200, (path, answer.text)
            print(
                f"{path:75} {median(times):7.0f} ms  {median(spent):7.0f} of CPU  first {times[0]:6.0f}  {len(gzip.compress(answer.data)) >> 10:5} kB"
            )


if __name__ == "__main__":
    main()
