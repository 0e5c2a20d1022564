"""Texts are computed together in few shapes, whatever their lengths."""

from __future__ import annotations

import random

import pytest

from index.prepared_encoder import STEP, TOGETHER, _batches, _filled

ANY = random.Random(3)
LENGTHS = {
    "none": [],
    "one": [13],
    "sentences": [ANY.randint(5, 90) for _ in range(60)],
    "passages": [ANY.randint(60, 110) for _ in range(500)],
    "very long": [512, 511, 2000, 3],
    "empty": [0, 0, 1],
}


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_every_text_is_in_one_batch_with_others_that_are_filled_up_as_far(lengths):
    rows = [[7] * length for length in lengths]
    batches = _batches(rows)
    assert sorted(place for batch in batches for place in batch) == list(range(len(rows)))
    for batch in batches:
        filled = {_filled(rows[place]) for place in batch}
        assert len(filled) == 1 and (len(batch) == 1 or len(batch) * filled.pop() <= TOGETHER)


def test_the_largest_batches_come_first_and_shapes_are_few():
    batches = _batches([[7] * length for length in LENGTHS["sentences"] + LENGTHS["passages"]])
    shapes = [(len(batch), _filled([7] * (LENGTHS["sentences"] + LENGTHS["passages"])[batch[0]])) for batch in batches]
    sizes = [count * length for count, length in shapes]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(shapes)) <= 2 * 112 // STEP
