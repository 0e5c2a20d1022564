"""Alignment: the language is taken out, the meaning stays, and nothing gets worse where there is little to go by."""

from __future__ import annotations

import numpy as np
import pytest

from index.alignment import LanguagePrior, fit, prior_offset

LANGUAGES = ("en", "th", "km", "ar", "am")
DIMENSION, SUBJECTS = 48, 40


class World:
    """Passages about SUBJECTS in LANGUAGES: a vector is its subject, plus its language's corner, plus a little of its own."""

    def __init__(self, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.subjects = random.normal(size=(SUBJECTS, DIMENSION))
        self.corners = {language: 8 * random.normal(size=DIMENSION) / np.sqrt(DIMENSION) * 2 for language in LANGUAGES}
        self.random = random

    def vectors(self, languages: list[str], subjects: list[int]) -> np.ndarray:
        rows = [self.subjects[subject] + self.corners[language] for language, subject in zip(languages, subjects, strict=True)]
        rows = np.stack(rows) + 0.3 * self.random.normal(size=(len(rows), DIMENSION))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def prior(self) -> LanguagePrior:
        """What many texts that say the same in each language show."""
        means = {language: self.vectors([language] * SUBJECTS, list(range(SUBJECTS))).mean(axis=0) for language in LANGUAGES}
        centre = np.mean(list(means.values()), axis=0)
        return LanguagePrior({language: (mean - centre).astype(np.float32) for language, mean in means.items()}, None)


def accuracy(world: World, languages: list[str], subjects: list[int], tags: list[str], prior: LanguagePrior | None) -> tuple[float, float]:
    """Share of queries, in every language, whose best passage is on their subject: by plain cosine, and aligned."""
    passages = world.vectors(languages, subjects)
    asked = [(language, subject) for language in LANGUAGES for subject in sorted(set(subjects))]
    queries = world.vectors([language for language, _ in asked], [subject for _, subject in asked])
    wanted = np.asarray([subject for _, subject in asked])
    alignment = fit(passages, tags, prior)
    plain = np.asarray(subjects)[np.argmax(queries @ passages.T, axis=1)] == wanted
    if alignment is None:
        return float(plain.mean()), float(plain.mean())
    aligned = np.asarray(subjects)[np.argmax(alignment.apply(queries) @ alignment.apply(passages).T, axis=1)] == wanted
    return float(plain.mean()), float(aligned.mean())


@pytest.mark.parametrize("known", [True, False])
def test_what_is_written_in_one_language_only_is_found_from_all(known):
    world = World()
    subjects = list(range(SUBJECTS))
    languages = [LANGUAGES[subject % len(LANGUAGES)] for subject in subjects]
    plain, aligned = accuracy(world, languages, subjects, languages, world.prior() if known else LanguagePrior({}, None))
    assert plain < 0.6
    assert aligned > plain + 0.2


@pytest.mark.parametrize(
    ("case", "languages", "unknown"),
    [
        ("one language", ["th"] * SUBJECTS, 0),
        ("ten passages", ["en", "th", "km", "ar", "am"] * 2, 0),
        ("a language with a single passage", ["en"] * (SUBJECTS - 1) + ["km"], 0),
        ("a third of the passages in an unknown language", ["en", "th", "km", "ar", "am"] * (SUBJECTS // 5), 3),
        ("all passages in an unknown language", ["en", "th", "km", "ar", "am"] * (SUBJECTS // 5), 1),
    ],
)
def test_no_library_gets_worse_than_plain_cosine(case, languages, unknown):
    world = World(seed=len(case))
    tags = ["und" if unknown and place % unknown == 0 else language for place, language in enumerate(languages)]
    plain, aligned = accuracy(world, languages, list(range(len(languages))), tags, world.prior())
    assert aligned >= plain


def test_a_rare_language_keeps_the_subject_of_its_only_document():
    world = World()
    languages, subjects = ["en"] * 200 + ["km"] * 5, [place % SUBJECTS for place in range(200)] + [7] * 5
    passages = world.vectors(languages, subjects)
    subject = world.subjects[7] / np.linalg.norm(world.subjects[7])
    kept = {
        name: np.linalg.norm(fit(passages, languages, prior).matrix.T @ subject)
        for name, prior in (("prior", world.prior()), ("none", LanguagePrior({}, None)))
    }
    assert kept["prior"] > 0.8
    assert kept["prior"] > kept["none"] - 0.05


def test_aligned_vectors_have_unit_length_and_keep_their_order():
    world = World()
    passages = world.vectors(list(LANGUAGES), [1, 2, 3, 4, 5])
    alignment = fit(passages, list(LANGUAGES), world.prior())
    aligned = alignment.apply(passages)
    assert aligned.shape == passages.shape
    assert np.allclose(np.linalg.norm(aligned, axis=1), 1, atol=1e-5)
    assert np.allclose(aligned[2:3], alignment.apply(passages[2:3]), atol=1e-6)


@pytest.mark.parametrize(("languages", "prior"), [([], LanguagePrior({}, None)), (["und", "und"], LanguagePrior({}, None)), (["en", "th"], None)])
def test_where_nothing_is_known_it_stays_plain_cosine(languages, prior):
    assert fit(np.ones((len(languages), 4), np.float32) / 2, languages, prior) is None


@pytest.mark.parametrize(("tag", "expected"), [("sr-Cyrl", 1), ("sr-Latn", 3), ("sr", 2), ("sr-RS", 2), ("pt-BR", 5), ("qqq", 0), ("und", 0)])
def test_a_language_is_looked_up_with_its_script_then_without(tag, expected):
    offsets = {name: np.full(2, value, np.float32) for name, value in (("sr-Cyrl", 1), ("sr-Latn", 3), ("pt", 5))}
    assert prior_offset(LanguagePrior(offsets, None), tag, 2).tolist() == [expected, expected]


@pytest.mark.parametrize(("languages", "mixture"), [(["en"] * 40, 0.0), (["en", "th"] * 20, 0.5)])
def test_the_learnt_matrix_counts_as_much_as_the_library_is_mixed(languages, mixture):
    world = World()
    passages, hub = world.vectors(languages, list(range(40))), 3 * np.eye(DIMENSION, dtype=np.float32)
    plain, moved = (fit(passages, languages, LanguagePrior({}, matrix)) for matrix in (None, hub))
    assert np.allclose(moved.matrix, plain.matrix * (1 + 2 * mixture), atol=1e-5)
    assert np.allclose(moved.whole.matrix, plain.whole.matrix * 3, atol=1e-5)
    if not mixture:
        assert np.allclose(plain.offset, 0) and not np.allclose(plain.whole.offset, 0)
