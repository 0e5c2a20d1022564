"""What is known of an encoder's languages before any library is seen: it ships for the default encoder and is learnt once for any other.

It comes from the Universal Declaration of Human Rights, which says the same in every language: where the mean of a language's articles lies
beside the mean over all languages. What is learnt for another encoder is kept in the library's folder.
"""

from __future__ import annotations

import json
import logging
import lzma
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile
from zlib import crc32

import numpy as np

from index.alignment import LanguagePrior
from index.durable import checksum, replacing
from index.encoder import Encoder, Vectors
from index.library import Library
from ingest.records import UNDETERMINED, primary

log = logging.getLogger(__name__)

PRIORS = Path(__file__).parent / "priors"
LENGTH = 0.8  # the Declaration's offsets are that much too long for other texts

Read = TypeVar("Read")
Progress = Callable[[int, int], None]  # languages done, of how many


def prior_for(library: Library, encoder: str | None = None) -> LanguagePrior | None:
    """What is known of the languages of an encoder; None, and so plain cosine, while nothing is.

    Here and below, `encoder` is a fingerprint; None stands for that of the library.
    """
    fingerprint = library.meta("encoder") if encoder is None else encoder
    return shipped_prior(fingerprint) or _read(_path(library, fingerprint), _prior_of)


def prior_name(library: Library, encoder: str | None = None) -> str:
    """Tells what `prior_for` gave from what it gives now; "" for nothing."""
    fingerprint = library.meta("encoder") if encoder is None else encoder
    files = (shipped_file(fingerprint), _path(library, fingerprint))
    return next((checksum(path) for path in files if path.exists()), "")


def wanted(library: Library, encoder: str | None = None) -> bool:
    """Whether the library would gain by `learn`: it has several languages, and nothing is known of those of the encoder."""
    return prior_for(library, encoder) is None and len({primary(tag) for tag in library.passage_languages()} - {UNDETERMINED}) > 1


def learn(library: Library, encoder: Encoder, progress: Progress) -> None:
    """Encode the Declaration, language by language, and keep what it shows; an interrupted run goes on where it stopped."""
    texts = declaration()
    kept = _path(library, encoder.fingerprint)
    begun = kept.with_suffix(f".begun-{crc32(repr(texts).encode()):08x}.npz")
    means = _read(begun, lambda stored: dict(stored.items())) or {}
    total = len({language for language, _ in texts})
    for language, some in groupby(texts, key=lambda pair: pair[0]):
        if language not in means:
            means[language] = encoder.encode_passages([text for _, text in some]).mean(axis=0)
            with replacing(begun) as path, path.open("wb") as file:
                np.savez(file, allow_pickle=False, **means)
        progress(len(means), total)
    save_prior(LanguagePrior(offsets(means), None), kept)
    begun.unlink(missing_ok=True)


def offsets(means: Mapping[str, Vectors]) -> dict[str, Vectors]:
    """Where each language lies beside the mean of all; of means over texts that say the same, shape (dimension,)."""
    centre = np.mean(list(means.values()), axis=0)
    return {language: np.asarray(LENGTH * (mean - centre), np.float32) for language, mean in means.items()}


def declaration() -> Sequence[tuple[str, str]]:
    """The Universal Declaration of Human Rights, article by article: (language, text) pairs in the order of the languages."""
    with lzma.open(PRIORS / "udhr.jsonl.xz", "rt", encoding="utf-8") as file:
        pairs = [(language, text) for line in file for language, text in json.loads(line)["texts"].items()]
    return sorted(pairs, key=lambda pair: pair[0])


def shipped_file(fingerprint: str, kind: str = "") -> Path:
    """Where what is known of an encoder lies in the installation, if anything is."""
    return PRIORS / f"{fingerprint[:16]}{kind}.npz"


@cache
def shipped_prior(fingerprint: str) -> LanguagePrior | None:
    """The prior that comes with the installation for the encoder with this fingerprint, or None."""
    path = shipped_file(fingerprint)
    return load_prior(path) if path.exists() else None


def load_prior(path: Path) -> LanguagePrior:
    with np.load(path) as stored:
        return _prior_of(stored)


def save_prior(prior: LanguagePrior, path: Path) -> None:
    """Store a prior in half precision: its offsets are small, and the error stays far below that of their estimate."""
    arrays = {"languages": np.asarray(list(prior.offsets)), "offsets": np.stack(list(prior.offsets.values())).astype(np.float16)}
    if prior.hub is not None:
        arrays["hub"] = prior.hub.astype(np.float16)
    if prior.close is not None:
        arrays["close"] = np.asarray(prior.close)
    with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _path(library: Library, fingerprint: str) -> Path:
    return library.folder / f"prior-{fingerprint[:16]}.npz"


def _prior_of(stored: Mapping[str, Any]) -> LanguagePrior:
    known = dict(zip(stored["languages"].tolist(), stored["offsets"].astype(np.float32), strict=True))
    hub = stored["hub"].astype(np.float32) if "hub" in stored else None
    return LanguagePrior(known, hub, float(stored["close"]) if "close" in stored else None)


def _read(path: Path, read: Callable[[Any], Read]) -> Read | None:
    """Read a file that can be made again; a damaged one is set aside."""
    try:
        with np.load(path) as stored:
            return read(stored)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        log.warning("%s cannot be read (%s); setting it aside. The next ingest makes it again.", path, error)
        path.replace(path.with_name(f"damaged-{path.name}"))
        return None
