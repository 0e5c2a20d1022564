"""What is known of an encoder's languages before any library is seen: it ships for the default encoder and is learnt once for any other.

It comes from the Universal Declaration of Human Rights, which says the same in every language: where the mean of a language's articles lies
beside the mean over all languages. What is learnt for another encoder is kept in the library's folder.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np

from index.alignment import LanguagePrior
from index.durable import replacing
from index.encoder import Encoder, Vectors
from index.library import Library
from ingest.records import UNDETERMINED

PRIORS = Path(__file__).parent / "priors"
LENGTH = 0.8  # the Declaration's offsets are that much too long for other texts

Progress = Callable[[int, int], None]  # languages done, of how many


def prior_for(library: Library) -> LanguagePrior | None:
    """What is known of the languages of the library's encoder; None, and so plain cosine, while nothing is."""
    fingerprint, learnt = library.meta("encoder"), _learnt(library)
    return shipped_prior(fingerprint) or (load_prior(learnt) if learnt.exists() else None)


def wanted(library: Library) -> bool:
    """Whether the library would gain by `learn`: it has several languages, and nothing is known of those of its encoder."""
    return prior_for(library) is None and len(set(library.passage_languages()) - {UNDETERMINED}) > 1


def learn(library: Library, encoder: Encoder, progress: Progress) -> None:
    """Encode the Declaration, language by language, and keep what it shows; an interrupted run goes on where it stopped."""
    kept, begun = _learnt(library), _learnt(library).with_suffix(".begun.npz")
    means: dict[str, Vectors] = {}
    if begun.exists():
        with np.load(begun) as stored:
            means = dict(stored.items())
    texts = declaration()
    total = len({language for language, _ in texts})
    for language, some in groupby(texts, key=lambda pair: pair[0]):
        if language not in means:
            means[language] = encoder.encode_passages([text for _, text in some]).mean(axis=0)
            with replacing(begun) as path, path.open("wb") as file:
                np.savez(file, allow_pickle=False, **means)
        progress(len(means), total)
    save_prior(LanguagePrior(offsets(means), None), kept)
    begun.unlink()


def offsets(means: Mapping[str, Vectors]) -> dict[str, Vectors]:
    """Where each language lies beside the mean of all; of means over texts that say the same, shape (dimension,)."""
    centre = np.mean(list(means.values()), axis=0)
    return {language: np.asarray(LENGTH * (mean - centre), np.float32) for language, mean in means.items()}


def declaration() -> Sequence[tuple[str, str]]:
    """The Universal Declaration of Human Rights, article by article: (language, text) pairs in the order of the languages."""
    with lzma.open(PRIORS / "udhr.jsonl.xz", "rt", encoding="utf-8") as file:
        pairs = [(language, text) for line in file for language, text in json.loads(line)["texts"].items()]
    return sorted(pairs, key=lambda pair: pair[0])


@cache
def shipped_prior(fingerprint: str) -> LanguagePrior | None:
    """The prior that comes with the installation for the encoder with this fingerprint, or None."""
    path = PRIORS / f"{fingerprint[:16]}.npz"
    return load_prior(path) if path.exists() else None


def load_prior(path: Path) -> LanguagePrior:
    with np.load(path) as stored:
        known = dict(zip(stored["languages"].tolist(), stored["offsets"].astype(np.float32), strict=True))
        hub = stored["hub"].astype(np.float32) if "hub" in stored else None
        return LanguagePrior(known, hub, float(stored["close"]) if "close" in stored else None)


def save_prior(prior: LanguagePrior, path: Path) -> None:
    """Store a prior in half precision: its offsets are small, and the error stays far below that of their estimate."""
    arrays = {"languages": np.asarray(list(prior.offsets)), "offsets": np.stack(list(prior.offsets.values())).astype(np.float16)}
    if prior.hub is not None:
        arrays["hub"] = prior.hub.astype(np.float16)
    if prior.close is not None:
        arrays["close"] = np.asarray(prior.close)
    with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _learnt(library: Library) -> Path:
    return library.folder / f"prior-{library.meta('encoder')[:16]}.npz"
