"""Measure search on a test collection through the code that serves readers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from index.database import EMBEDDED
from index.encoder import Encoder
from index.evaluation import Progress, evaluate, index_collection, read_collection
from index.library import Library
from index.searcher import Searcher


def evaluate_collection(folder: Path, home: Path, encoder: Encoder, progress: Progress) -> dict[str, Any]:
    """Index the collection's passages in a library of their own under `home`, once, and return the figures of its queries."""
    collection = read_collection(folder)
    content = hashlib.sha256(encoder.fingerprint.encode())
    content.update((folder / "corpus.jsonl").read_bytes())
    library = Library.create(home / f"{folder.name}-{content.hexdigest()[:12]}", EMBEDDED)
    if library.counts()["passages"] != len(collection.corpus):
        index_collection(library, encoder, collection.corpus, progress)
    return evaluate(Searcher(library, encoder), collection, progress)
