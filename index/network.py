"""Run a prepared network on this machine's processor. The only module that imports openvino to run something; index/preparation.py makes networks.

Weights are eight-bit numbers with a scale for each row. Where the processor multiplies such numbers (VNNI), a batch is rounded to eight bits too while
it is computed, 128 numbers at a time; elsewhere OpenVINO computes with 32 bits by itself. A processor with matrix units for bfloat16 (AMX) is better
served with whole weights. bench/encoding.py has the figures.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import openvino
from numpy.typing import NDArray

Precision = Literal["int8", "bf16", "f32"]
Weights = Literal["int8", "whole"]

GROUP = 128  # numbers that share a scale when they are rounded to eight bits
NETWORK = "network.xml"  # in a prepared folder, with its weights in network.bin


class Batch(NamedTuple):
    """Texts as tokens, filled up to the longest of them, or further."""

    ids: NDArray[np.int64]  # shape (texts, tokens)
    mask: NDArray[np.int64]  # shape (texts, tokens); 1 for a token, 0 for what fills up

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]], filler: int = 0, least: int = 0) -> Batch:
        """Texts, filled up to the longest of them, or to `least` tokens where they are shorter."""
        ids = np.full((len(texts), max(least, *map(len, texts))), filler, np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        return cls(ids, mask)


Outputs = list[NDArray[np.float32]]  # of one batch: vectors (texts, dimension), then layers (texts, tokens, width)


def best_precision() -> Precision:
    """What this processor is best at."""
    return "bf16" if _has_matrix_units() else "int8"


def weights_for(precision: Precision) -> Weights:
    """Which weights a network must have been prepared with to run at this precision."""
    return "int8" if precision == "int8" else "whole"


class Network:
    """A prepared network. Safe to share between threads. It is made ready beside the thread that opens it, which has other things to read."""

    def __init__(self, folder: Path, precision: Precision, threads: int = 0) -> None:
        """`threads` is how many compute; 0 stands for as many as the processor is made for."""
        self._path = folder / NETWORK
        self._settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32" if precision == "int8" else precision}
        if precision == "int8":
            self._settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = GROUP
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._one, self._many = threading.Lock(), threading.Lock()
        beside = ThreadPoolExecutor(1)
        self._first = beside.submit(self._compiled, "LATENCY")
        beside.shutdown(wait=False)

    def run(self, batch: Batch) -> Outputs:
        """Run one batch at once, by all threads together; all outputs."""
        with self._one:
            results = self._request.infer(list(batch), share_inputs=True)
            return [results[place] for place in range(len(results))]

    def run_all(self, batches: Iterable[Batch], outputs: Sequence[int]) -> list[Outputs]:
        """Run batches beside each other, one a thread; item i belongs to batch i. Only these outputs are kept. `run` does not wait for it."""
        kept: dict[int, Outputs] = {}

        def keep(request: Any, place: int) -> None:
            kept[place] = [request.output_tensors[output].data.copy() for output in outputs]

        with self._many:
            self._queue.set_callback(keep)
            try:
                for place, batch in enumerate(batches):
                    self._queue.start_async(list(batch), place)
            finally:
                self._queue.wait_all()  # also at an interruption: what still runs would refuse the next row
        return [kept[place] for place in range(len(kept))]

    @cached_property
    def _request(self) -> openvino.InferRequest:
        return self._first.result().create_infer_request()

    @cached_property
    def _queue(self) -> openvino.AsyncInferQueue:
        return openvino.AsyncInferQueue(self._compiled("THROUGHPUT"))

    def _compiled(self, purpose: str) -> openvino.CompiledModel:
        return openvino.Core().compile_model(self._path, "CPU", {**self._settings, "PERFORMANCE_HINT": purpose})


def _has_matrix_units() -> bool:
    """Whether the processor multiplies matrices of bfloat16 by units of their own, as OpenVINO sees it: it compiles one and says by what means."""
    size = 64
    ones = np.ones((size, size), np.float32)
    parameter = openvino.opset15.parameter([size, size], np.float32)
    product = openvino.opset15.matmul(parameter, openvino.opset15.constant(ones), False, True)
    compiled = openvino.Core().compile_model(openvino.Model([product], [parameter]), "CPU", {"INFERENCE_PRECISION_HINT": "bf16", "NUM_STREAMS": 1})
    compiled([ones])  # what computes it is chosen when it first runs
    return any("amx" in node.get_rt_info()["primitiveType"].astype(str) for node in compiled.get_runtime_model().get_ops())
