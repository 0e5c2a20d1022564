"""What is known of an encoder's languages: it ships whole, is learnt once for another encoder, and goes on where it was interrupted."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index import generations, language_priors
from index.alignment import LanguagePrior
from index.language_priors import PRIORS, declaration, learn, load_prior, prior_for, save_prior, wanted

WORDS = [("en", "forest"), ("en", "water"), ("th", "ป่า"), ("th", "ป่า"), ("km", "ទឹក"), ("km", "ទឹក")]


@pytest.fixture
def small_declaration(monkeypatch):
    monkeypatch.setattr(language_priors, "declaration", lambda: WORDS)


def test_a_prior_survives_its_file(tmp_path):
    prior = LanguagePrior({"km": np.asarray([0.5, -0.25], np.float32)}, np.eye(2, dtype=np.float32), close=0.75)
    save_prior(prior, tmp_path / "prior.npz")
    loaded = load_prior(tmp_path / "prior.npz")
    assert {tag: offset.tolist() for tag, offset in loaded.offsets.items()} == {"km": [0.5, -0.25]}
    assert loaded.hub.tolist() == [[1, 0], [0, 1]]
    assert loaded.close == 0.75


def test_only_a_library_of_several_languages_wants_to_learn(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    assert not wanted(library)
    fill(library, encoder, publication("one", ["en"]), {"en": ["Forest."]})
    assert not wanted(library)
    fill(library, encoder, publication("two", ["th"]), {"th": ["ป่า"]})
    assert wanted(library)


def test_what_was_learnt_is_used_from_then_on(library, encoder, small_declaration):
    library.set_meta("encoder", encoder.fingerprint)
    fill(library, encoder, publication("one", ["en", "th"]), {"en": ["Forest."], "th": ["ป่า"]})
    steps = []
    learn(library, encoder, lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert not wanted(library)
    assert np.allclose(sum(prior_for(library).offsets.values()), 0, atol=1e-3)
    assert prior_for(library).offsets["th"][0] > prior_for(library).offsets["en"][0]  # the Thai text speaks of forests alone
    assert generations.build(library).alignment is not None


def test_an_interrupted_learning_goes_on_where_it_stopped(library, encoder, small_declaration):
    library.set_meta("encoder", encoder.fingerprint)

    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(library, encoder, interrupt)
    assert prior_for(library) is None
    again = LexiconEncoder()
    learn(library, again, lambda *_: None)
    assert again.encoded == ["ទឹក", "ទឹក"]
    whole = LexiconEncoder("whole")
    library.set_meta("encoder", "whole")
    interrupted = load_prior(library.folder / "prior-lexicon.npz")
    learn(library, whole, lambda *_: None)
    assert len(whole.encoded) == len(WORDS)
    for language, offset in prior_for(library).offsets.items():
        assert np.allclose(offset, interrupted.offsets[language])


@pytest.mark.parametrize(
    "language", ["am", "ar", "bn", "en", "es", "fa", "fr", "hi", "ja", "km", "ko", "lo", "my", "pt", "ru", "sw", "th", "vi", "zh"]
)
def test_the_declaration_ships_whole_in_every_language_of_the_sample(language):
    assert sum(there == language for there, _ in declaration()) == 30


def test_the_default_encoder_has_a_prior_that_fits_it(real_encoder):
    prior = load_prior(PRIORS / f"{real_encoder.fingerprint[:16]}.npz")
    assert len(prior.offsets) >= 100
    assert {offset.shape for offset in prior.offsets.values()} == {(real_encoder.dimension,)}
    assert prior.hub.shape == (real_encoder.dimension, real_encoder.dimension)


def test_a_damaged_file_of_what_was_learnt_is_set_aside_and_made_again(library, encoder, small_declaration):
    library.set_meta("encoder", encoder.fingerprint)
    fill(library, encoder, publication("one", ["en", "th"]), {"en": ["Forest."], "th": ["ป่า"]})
    learn(library, encoder, lambda *_: None)
    name = generations.build(library).name
    (library.folder / "prior-lexicon.npz").write_bytes(b"rubbish")
    assert prior_for(library) is None and wanted(library)
    assert (library.folder / "damaged-prior-lexicon.npz").exists()
    learn(library, encoder, lambda *_: None)
    assert generations.load_or_build(library).alignment is not None
    assert generations.load(library).name >= name


def test_a_generation_made_before_the_languages_were_known_serves_until_another_is_built(library, encoder, small_declaration):
    library.set_meta("encoder", encoder.fingerprint)
    fill(library, encoder, publication("one", ["en", "th"]), {"en": ["Forest."], "th": ["ป่า"]})
    assert generations.build(library).alignment is None
    learn(library, encoder, lambda *_: None)
    assert generations.load_or_build(library).alignment is None
    assert generations.build(library).alignment is not None


def test_regions_of_one_language_are_no_reason_to_learn(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    fill(library, encoder, publication("one", ["pt-BR", "pt-PT"]), {"pt-BR": ["A."], "pt-PT": ["B."]})
    assert not wanted(library)
