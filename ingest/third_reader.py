"""The third reader of a text's language: langdetect, which draws letter sequences and multiplies how likely they are. The only module that imports it.

It multiplies for one language after another, in Python; here numpy does it for all at once. What is drawn and what comes of it stay the same to the last
digit.
"""

from __future__ import annotations

from functools import cache, lru_cache
from threading import Lock
from typing import Any

import numpy as np
from langdetect import DetectorFactory, LangDetectException, detector_factory
from langdetect.detector import Detector
from numpy.typing import NDArray

REMEMBERED = 2**14  # letter sequences, of 88 thousand; half a kilobyte each

DetectorFactory.seed = 0  # it draws at random; the same text must get the same answer

_loading = Lock()  # the library shows its profiles while it still reads them

Likelihoods = NDArray[np.float64]  # shape (languages,)


def languages() -> tuple[str, ...]:
    """The languages it knows."""
    return tuple(_profiles().langlist)


def read(text: str) -> list[tuple[str, float]]:
    """The languages a text may be in, each with its probability, the likeliest first; none where it has no profile for the script."""
    detector = _AllAtOnce(_profiles())
    detector.append(text)
    try:
        return [(found.lang, float(found.prob)) for found in detector.get_probabilities()]
    except LangDetectException:
        return []


class _AllAtOnce(Detector):  # type: ignore[misc]  # it ships no types
    """langdetect's detector, drawing the likelihoods of letter sequences instead of the sequences."""

    def _init_probability(self) -> Likelihoods:
        return np.array(super()._init_probability())

    def _extract_ngrams(self) -> list[Likelihoods]:
        return [_likelihoods(letters) for letters in super()._extract_ngrams()]

    def _update_lang_prob(self, prob: Likelihoods, likelihoods: Likelihoods, alpha: float) -> None:
        prob *= likelihoods + alpha / self.BASE_FREQ

    def _normalize_prob(self, prob: Likelihoods) -> float:
        prob /= sum(prob.tolist())  # numpy adds in another order
        return float(prob.max())


@lru_cache(maxsize=REMEMBERED)
def _likelihoods(letters: str) -> Likelihoods:
    return np.array(_profiles().word_lang_prob_map[letters])


@cache
def _profiles() -> Any:
    with _loading:
        detector_factory.init_factory()
        return detector_factory._factory
