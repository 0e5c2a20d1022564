"""A network gives the same for a text whatever stands beside it, at once or in a long row, on one thread or two."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import openvino
import openvino.opset15 as operations
import pytest

from index import network
from index.network import NETWORK, Batch, Network, best_precision, weights_for

WORDS, WIDTH = 50, 8
TABLE = np.random.default_rng(7).standard_normal((WORDS, WIDTH)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network that gives the sum of its tokens' rows in a table, and then those rows."""
    ids, mask = operations.parameter([-1, -1], np.int64, "input_ids"), operations.parameter([-1, -1], np.int64, "attention_mask")
    rows = operations.gather(operations.constant(TABLE), ids, operations.constant(0))
    kept = operations.multiply(rows, operations.unsqueeze(operations.convert(mask, np.float32), operations.constant(2)))
    made = tmp_path_factory.mktemp("network")
    model = openvino.Model([operations.reduce_sum(kept, operations.constant(1)), rows], [ids, mask])
    openvino.save_model(model, made / NETWORK, compress_to_fp16=False)
    return made


TEXTS = [[3], [4, 5, 6, 7], [1, 2], [49, 0, 9]]


def test_what_fills_up_a_batch_does_not_count(folder):
    vectors, rows = Network(folder, "f32").run(Batch.of(TEXTS, filler=11))
    assert np.allclose(vectors, [TABLE[text].sum(axis=0) for text in TEXTS], atol=1e-5)
    assert rows.shape == (4, 4, WIDTH) and np.allclose(rows[1], TABLE[[4, 5, 6, 7]])


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_many_batches_keep_their_order(folder, threads):
    batches = [Batch.of([[number % WORDS] * (number % 5 + 1)]) for number in range(100)]
    made = Network(folder, "f32", threads).run_all(batches, [0])
    assert all(len(outputs) == 1 for outputs in made)
    assert np.allclose([vectors[0] for (vectors,) in made], [TABLE[number % WORDS] * (number % 5 + 1) for number in range(100)], atol=1e-5)


def test_a_row_of_batches_that_is_broken_off_leaves_nothing_behind(folder):
    one, batches = Network(folder, "f32"), [Batch.of([[number] * 400] * 8) for number in range(20)]

    def broken():
        yield from batches
        raise LookupError("ไม่พบ")

    for _ in range(5):
        with pytest.raises(LookupError, match="ไม่พบ"):
            one.run_all(broken(), [0])
        made = one.run_all(batches, [0])
        assert np.allclose([vectors[0] for (vectors,) in made], [TABLE[number] * 400 for number in range(20)], rtol=1e-3, atol=1e-2)


def test_what_was_returned_is_not_overwritten(folder):
    one = Network(folder, "f32")
    before = one.run(Batch.of([[1]]))[0].copy()
    kept = one.run(Batch.of([[1]]))[0]
    one.run(Batch.of([[2]]))
    assert np.array_equal(kept, before)


@pytest.mark.parametrize(("units", "chosen"), [(True, "bf16"), (False, "int8")])
def test_the_processor_chooses_the_precision(monkeypatch, units, chosen):
    monkeypatch.setattr(network, "_has_matrix_units", lambda: units)
    assert best_precision() == chosen and weights_for(chosen) == ("whole" if units else "int8")


def test_openvino_tells_whether_there_are_matrix_units():
    assert network._has_matrix_units() in (True, False)


def test_nothing_that_reports_its_use_is_imported():
    code = "import sys, index.network, index.preparation; sys.exit(sys.modules['openvino_telemetry'] is not None)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
