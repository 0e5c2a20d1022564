"""Measure what publications say of themselves: python bench/proposals.py [FOLDER], by default corpus. Prints the table of docs/reading.md.

The truth is publication.toml (title, year, abstract) and, for who wrote it, the publisher that the Markdown beside it names, which stands in
the metadata of the sample's files as their author. Text layers only; nothing is recognised.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from ingest.limits import Limits, Watch
from ingest.pdf import read_pdf
from ingest.records import primary

ROOT = Path(__file__).parent.parent
NOT_RECOGNISED = Watch(Limits(recognition_seconds=0))


def main() -> None:
    """Print how many files are proposed rightly, wrongly and not at all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "corpus"
    counts = {what: [0, 0, 0, 0] for what in ("title", "year", "authors", "abstract")}
    wrong = []
    for path in sorted(folder.glob("*/*.pdf")):
        entry = tomllib.loads((path.parent / "publication.toml").read_text("utf-8"))
        found = read_pdf(path, path.stem, path.stem, NOT_RECOGNISED).proposal
        source = (path.parent / "source" / f"{path.stem}.md").read_text("utf-8")
        publisher = re.search(r"(?m)^publisher: (.*)$", source)
        truth = {
            "title": _in(entry["title"], path.stem), "year": entry.get("year"), "authors": (publisher[1],) if publisher else (),
            "abstract": _in(entry.get("abstract", {}), path.stem),
        }  # fmt: skip
        for what, count in counts.items():
            said = getattr(found, what)
            right, begun = said == truth[what], what == "title" and truth[what].startswith(said)
            count[3 if not said else 0 if right else 1 if begun else 2] += 1
            if said and not (right or begun):
                wrong.append(f"{path.parent.name}/{path.stem}: {what} {said!r}, not {truth[what]!r}")
    print("| | right | without the subtitle | wrong | none proposed |\n| --- | --: | --: | --: | --: |")
    for what, count in counts.items():
        print(f"| {what} | {' | '.join(map(str, count))} |")
    print("\n".join(["", *wrong]))


def _in(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or next((text for tag, text in texts.items() if primary(tag) == primary(language)), "")


if __name__ == "__main__":
    main()
