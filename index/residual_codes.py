"""Tell a row of numbers by a few bytes: the nearest of 256 centroids, the one nearest to what that leaves over, and so on (residual coding)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.encoder import Layer

CENTROIDS = 256  # of a stage: a code has a byte for each stage

Codes = NDArray[np.uint8]  # shape (rows, stages)


@dataclass(frozen=True)
class ResidualCodes:
    """The centroids, shape (stages, CENTROIDS, width)."""

    stages: Layer

    def codes(self, rows: Layer) -> Codes:
        """The codes of rows, shape (rows, width). To follow more than the nearest centroid of a stage costs more than it brings."""
        codes = np.zeros((len(rows), len(self.stages)), np.uint8)
        for place, (stage, halves) in enumerate(zip(self.stages, self._halves, strict=True)):
            codes[:, place] = (rows @ stage.T - halves).argmax(axis=1)
            rows = rows - stage[codes[:, place]]
        return codes

    def rows(self, codes: Codes) -> Layer:
        """About the rows that have these codes."""
        flat = self.stages.reshape(-1, self.stages.shape[2])
        found: Layer = flat[codes + np.arange(len(self.stages)) * CENTROIDS].sum(axis=1)
        return found

    @cached_property
    def _halves(self) -> Layer:
        """Half the squared lengths of the centroids, shape (stages, CENTROIDS)."""
        halves: Layer = (self.stages**2).sum(axis=2) / 2
        return halves
