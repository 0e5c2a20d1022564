"""How sensible are related publications? Compares them with the topics of the catalogue, and shows them to be judged by eye.

Run: python -m bench.likeness [--library library]. The baseline of every figure is any two publications of the library.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from index import likeness
from index.library import Library
from index.view import View
from ingest.records import Publication

THRESHOLDS = (0.15, 0.1, 0.08, 0.06, 0.04, 0.02, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, default=Path("library"))
    library = Library.open(parser.parse_args().library)
    view = View.of(library, None)
    drawn = likeness.drawings(library, view)
    alike = drawn @ drawn.T
    np.fill_diagonal(alike, -np.inf)
    shared = np.asarray([[overlap(one, other) for other in view.publications] for one in view.publications])
    others = ~np.eye(len(shared), dtype=bool)
    print(f"any two: {np.mean(shared[others] > 0):.0%} share a topic, overlap {shared[others].mean():.3f}")
    first = np.argsort(-alike, axis=1)[:, :3]
    print(f"the three most alike: overlap {np.take_along_axis(shared, first, 1).mean():.3f}")
    for least in THRESHOLDS:
        shown = (alike >= least) & others
        if shown.any():
            said = f"{np.mean(shared[shown] > 0):.0%} share a topic, overlap {shared[shown].mean():.3f}"
            print(f"likeness from {least:.2f}: {shown.sum()} pairs, for {shown.any(1).sum()} of {len(shared)} publications; {said}")
    finder = likeness.Likeness(library)
    for publication in view.publications:
        start = time.perf_counter()
        found = finder.related(view, publication.publication_id)
        print(f"\n{publication.publication_id} ({(time.perf_counter() - start) * 1000:.0f} ms)")
        for related in found:
            print(f"  {related.likeness:.2f} {related.publication.publication_id}")
            for pair in related.pairs:
                print(
                    f"      {pair.lead:.2f} {pair.here.language}: {short(pair.here.text)}\n           {pair.there.language}: {short(pair.there.text)}"
                )


def overlap(one: Publication, other: Publication) -> float:
    """The topics that both have, of those that either has."""
    either = set(one.topics) | set(other.topics)
    return len(set(one.topics) & set(other.topics)) / len(either) if either else 0.0


def short(text: str) -> str:
    return " ".join(text.split())[:110]


if __name__ == "__main__":
    main()
