"""Whatever is killed, nothing acknowledged is lost and no answer is wrong."""

from __future__ import annotations

import random

import pytest

from engine.kills import KILLS


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_what_was_acknowledged_is_there_and_no_answer_is_wrong(server, kill):
    found = kill(random.Random())
    assert found.wrong == [] and found.half == []
    assert found.found == found.acknowledged and found.after > 0 and found.right > 0
