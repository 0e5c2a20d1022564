"""Import a publisher's listings into a scratch library: python -m bench.imports FOLDER [PUBLICATIONS EDITIONS]. Prints the tables of docs/importing.md.

Every file of the folder is imported, twice; the second time must add nothing. Exit code 1 where the sums are not those that were named.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from index.library import Library
from index.loose_entries import LooseEntries
from ingest.imports import read_import
from search_app.importing import compare, store
from search_app.remarks import remark


def main() -> None:
    """Import, print and count."""
    folder, expected = Path(sys.argv[1]), tuple(map(int, sys.argv[2:4]))
    remarks: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        library = Library.create(Path(scratch) / "library")
        for path in sorted(folder.iterdir()):
            found = read_import(path.read_bytes())
            print(f"\n{path.name}: {found.form}, {len(found.problems)} problems")
            for said in found.remarks:
                remarks[said.code] += 1
                print(f"  {said.code}")
            for row in compare(library, found.entries):
                entry = row.entry.publication
                called = "titled" if entry.titles else "no title" if entry.abstracts else "neither title nor text"
                languages = " ".join(edition.language for edition in entry.editions) or "none: kept aside"
                print(f"  line {row.entry.line:3}  {called:22}  {languages}")
                for said in row.entry.remarks:
                    remarks[said.code] += 1
                    if said.code not in ("no title", "no text", "no editions"):
                        print(f"            {remark(said)[:150]}")
            report = store(library, "bench", path.name, [(entry, "add") for entry in found.entries])
            again = store(library, "bench", path.name, [(entry, "add") for entry in found.entries])
            assert len(again.having("skipped")) == len(found.entries), again.summary
            print(f"  {report.summary}; again: {again.summary}")
        counts = library.counts()
        loose = len(LooseEntries(library).entries())
        print(f"\n{counts['publications']} publications, {counts['editions']} editions, {loose} entries without editions; remarks: {dict(remarks)}")
        if expected and expected != (counts["publications"], counts["editions"]):
            sys.exit(f"expected {expected[0]} publications with {expected[1]} editions")


if __name__ == "__main__":
    main()
