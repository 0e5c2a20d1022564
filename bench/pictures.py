"""Draw how the costs of a search grow with the library. The only module that imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot

from bench.search import Measured

INCHES = (7, 4)
DRAWN_ALIKE = {"svg.hashsalt": "isogloss", "svg.fonttype": "none"}  # the same figures give the same file

Line = Callable[[Measured], float]


def draw(measured: Sequence[Measured], folder: Path) -> None:
    """Write search-growth.svg, parts-growth.svg and memory-growth.svg."""
    mpl.use("svg")
    times: dict[str, Line] = {
        "answer, p50": lambda one: one.ratio("all", 50),
        "answer, p95": lambda one: one.ratio("all", 95),
        "in a language of 1%, p50": lambda one: one.ratio("filtered", 50),
    }
    limits = {"asked of p50": 3.0, "asked of p95": 6.0}
    _curves(measured, times, limits, "times the encoding of the query", folder / "search-growth.svg")
    parts = {part: _part(part) for part in measured[0].parts}
    _curves(measured, parts, {}, "times the encoding of the query", folder / "parts-growth.svg")
    sizes: dict[str, Line] = {
        "in memory, beside the encoder": lambda one: (one.after.all - one.before.all) / one.passages,
        "on disk, above the text": lambda one: one.size.each,
    }
    _curves(measured, sizes, {"asked of memory": 700.0, "asked of the disk": 1638.0}, "bytes a passage", folder / "memory-growth.svg")


def _part(name: str) -> Line:
    return lambda one: float(one.parts[name] / np.median(one.encoding))


def _curves(measured: Sequence[Measured], lines: Mapping[str, Line], limits: Mapping[str, float], unit: str, path: Path) -> None:
    with mpl.rc_context(DRAWN_ALIKE):
        figure, axes = pyplot.subplots(figsize=INCHES, layout="constrained")
        passages = [one.passages for one in measured]
        for name, line in lines.items():
            axes.plot(passages, [line(one) for one in measured], marker="o", label=name)
        for (name, limit), style in zip(limits.items(), ("--", ":"), strict=False):
            axes.axhline(limit, color="grey", linestyle=style, label=name)
        axes.set(xscale="log", yscale="log", xlabel="passages", ylabel=unit)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(True, which="major", alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
