"""Candidates: built beside the generation in use, published, discarded and rolled back in one step, whatever ends the process."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import CONCEPTS, LexiconEncoder
from filling import fill, publication

from index import candidate, generation_files, generations
from index.candidate import NotReadyError
from index.changes import Changes, ConflictError
from index.filters import Filters
from index.generations import BEFORE, CANDIDATE, IN_USE, named
from index.library import EncoderInUseError, Library
from index.searcher import Query, Searcher, State
from index.verification import faults
from search_app.storing import encode_missing

TEXTS = {
    "en": ["The forest grows.", "The water rises."],
    "ar": ["تنمو غابة كبيرة.", "يرتفع ماء النهر."],
    "th": ["ป่าเติบโต", "น้ำสูงขึ้น"],
    "de": ["Der Wald wächst.", "Das Wasser steigt."],
}


class WiderEncoder(LexiconEncoder):
    """Another encoder, with another dimension."""

    def __init__(self) -> None:
        super().__init__("wider")
        self.dimension = 2 * len(CONCEPTS) + 2

    def _vector(self, text):
        narrow = super()._vector(text)
        return np.asarray(np.concatenate([narrow, narrow]) / np.sqrt(2), np.float32)


@pytest.fixture
def filled(library, encoder):
    fill(library, encoder, publication("woods", list(TEXTS)), TEXTS)
    generations.build(library)
    return library


def kept(library, encoder=None):
    return candidate.keep(library, generations.make(library, encoder), {"questions": []})


def found(library, encoder, query="forest"):
    return [hit.passage.text for hit in State.of(library, encoder).inside(Query(query), "woods", 4)]


def sound(library):
    return [fault for fault in faults(library) if "original" not in fault] == []  # no files were put in


def test_a_candidate_serves_nobody_until_it_is_published(filled):
    before, revision = named(filled), filled.revision()
    token = kept(filled).token
    assert (named(filled), filled.revision()) == (before, revision)
    candidate.publish(filled, "ana", token)
    assert (named(filled).token, named(filled, BEFORE), named(filled, CANDIDATE).name) == (token, before, "")
    assert generations.load(filled).name == "0002" and filled.revision() > revision


def test_ingests_leave_the_candidate_where_it_is(filled):
    waiting = kept(filled)
    for _ in range(3):
        generations.build(filled)
    assert named(filled, CANDIDATE) == waiting and candidate.preview(filled) == {"questions": []}
    candidate.publish(filled, "ana", waiting.token)
    assert generations.load(filled).named == waiting


def test_rolling_back_twice_is_where_one_began(filled):
    first = named(filled)
    second = kept(filled)
    candidate.publish(filled, "ana", second.token)
    candidate.roll_back(filled, "ana", first.token)
    assert (named(filled), named(filled, BEFORE)) == (first, second)
    candidate.roll_back(filled, "bo", second.token)
    assert (named(filled), named(filled, BEFORE)) == (second, first)
    assert [(change.what, change.by) for change in Changes(filled).changes()] == [
        ("generation rolled back", "bo"), ("generation rolled back", "ana"), ("generation published", "ana"),
    ]  # fmt: skip


def test_a_discarded_candidate_is_gone_from_the_disk(filled):
    waiting = kept(filled)
    candidate.discard(filled, "ana", waiting.token)
    assert candidate.standing(filled, CANDIDATE) is None and not (filled.folder / "generations" / waiting.name).exists()
    with pytest.raises(ConflictError):
        candidate.publish(filled, "ana", waiting.token)


@pytest.mark.parametrize("token", ["", "another"])
def test_only_what_was_looked_at_is_published(filled, token):
    kept(filled)
    with pytest.raises(ConflictError):
        candidate.publish(filled, "ana", token)
    assert named(filled).name == "0001"


def test_what_came_and_went_since_is_right_after_rolling_back(filled, encoder):
    first = named(filled)
    fill(filled, encoder, publication("rivers", ["ar"]), {"ar": ["ماء النهر."]})
    candidate.publish(filled, "ana", kept(filled).token)
    fill(filled, encoder, publication("woods", ["th"]), {"th": ["โรงเรียนใหม่"]})
    filled.remove_publication("rivers")
    fill(filled, encoder, publication("streams", ["km", "am"]), {"am": ["water, ውሃ"]})
    candidate.roll_back(filled, "ana", first.token)
    standing = candidate.standing(filled, IN_USE)
    assert standing.newer == len(filled.passage_table()) and standing.gone == standing.passages
    answers = Searcher(filled, encoder).search(Query("water"))
    assert [hit.publication.publication_id for hit in answers] == ["streams", "woods"]
    assert {hit.hit.passage.text for hit in answers} == {"water, ውሃ", "โรงเรียนใหม่"}


def test_a_damaged_candidate_or_former_one_is_set_aside_and_the_one_in_use_goes_on(filled):
    waiting = kept(filled)
    path = filled.folder / "generations" / waiting.name / "keys.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NotReadyError, match="Build a new one"):
        candidate.publish(filled, "ana", waiting.token)
    assert named(filled).name == "0001" and named(filled, CANDIDATE).name == ""
    assert len(list((filled.folder / "generations").glob("damaged-*"))) == 1
    generations.build(filled)
    (filled.folder / "generations" / "0001" / "keys.npy").unlink()
    with pytest.raises(NotReadyError):
        candidate.roll_back(filled, "ana", named(filled, BEFORE).token)
    assert generations.load(filled).name == named(filled).name and candidate.standing(filled, BEFORE) is None


def test_another_encoder_is_published_with_its_generation_and_rolled_back_with_it(filled, encoder):
    wider, first = WiderEncoder(), named(filled)
    encode_missing(filled, wider)
    candidate.publish(filled, "ana", kept(filled, wider.fingerprint).token)
    assert filled.meta("encoder") == "wider" and found(filled, wider)[0] == "The forest grows."
    assert sound(filled)
    candidate.roll_back(filled, "ana", first.token)
    assert filled.meta("encoder") == "lexicon" and found(filled, encoder)[0] == "The forest grows."


def test_the_vectors_of_an_encoder_that_was_just_brought_back_are_not_dropped(filled):
    there = filled.vectors()[0].tolist()
    with pytest.raises(EncoderInUseError):
        filled.forget_encoder(filled.meta("encoder"))
    assert filled.vectors()[0].tolist() == there != []


def test_rolling_back_to_the_generation_of_an_empty_library_keeps_the_encoder(library, encoder):
    empty = generations.build(library).named
    fill(library, encoder, publication("woods", list(TEXTS)), TEXTS)
    generations.build(library)
    candidate.roll_back(library, "ana", empty.token)
    assert library.meta("encoder") == encoder.fingerprint and sound(library)
    assert set(found(library, encoder)) >= {"ป่าเติบโต", "The forest grows."}


def test_neither_way_leads_to_an_encoder_that_has_not_encoded_what_came_since(filled, encoder):
    wider, first = WiderEncoder(), named(filled)
    encode_missing(filled, wider)
    waiting = kept(filled, wider.fingerprint)
    fill(filled, encoder, publication("rivers", ["ja"]), {"ja": ["川の water"]})
    with pytest.raises(NotReadyError, match="2 passages"):
        candidate.publish(filled, "ana", waiting.token)
    encode_missing(filled, wider)
    candidate.publish(filled, "ana", waiting.token)
    assert "川の water" in {hit.hit.passage.text for hit in Searcher(filled, wider).search(Query("water"))}
    fill(filled, wider, publication("lakes", ["ko"]), {"ko": ["호수 water"]})
    with pytest.raises(NotReadyError) as raised:
        candidate.roll_back(filled, "ana", first.token)
    assert raised.value.missing == 2
    encode_missing(filled, encoder)
    candidate.roll_back(filled, "ana", first.token)
    assert {hit.publication.publication_id for hit in Searcher(filled, encoder).search(Query("water"))} == {"woods", "rivers", "lakes"}


def test_a_generation_ends_before_the_first_passage_without_a_vector_so_that_none_is_lost(filled, encoder):
    wider = WiderEncoder()
    keys = [key for key, _, _ in filled.passage_table()]
    filled.put_vectors("wider", dict(zip(keys[:3] + keys[4:], wider.encode_passages(["water"] * (len(keys) - 1)), strict=True)))
    made = generations.make(filled, "wider")
    assert made.keys.tolist() == keys[:3]
    assert len(State.of(filled, wider, made).view.keys) == len(keys) - 1
    encode_missing(filled, wider)
    assert State.of(filled, wider, made).view.keys.tolist() == keys


class Killed(BaseException):
    """As if the process had ended here."""


STEPS = [
    (candidate, "save"), (generations, "_write"), (generation_files, "sync_file"), (generation_files, "sync_folder"), (Path, "replace"),
    (candidate, "assign"), (Library, "set_meta"), (Changes, "note"), (candidate, "sweep"), (candidate, "check"),
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "what"), STEPS, ids=[name for _, name in STEPS])
def test_a_process_that_ends_at_any_step_of_publishing_another_encoder_leaves_a_library_that_answers(
    filled, encoder, monkeypatch, where, what, after
):
    wider = WiderEncoder()
    encode_missing(filled, wider)
    real, ended = getattr(where, what), []

    def ends(*given, **named_):
        ended.append(what)
        if after:
            real(*given, **named_)
        raise Killed

    for steps in (lambda: kept(filled, "wider"), lambda: candidate.publish(filled, "ana", named(filled, CANDIDATE).token)):
        monkeypatch.setattr(where, what, ends)
        with suppress(Killed, ConflictError):
            steps()
        monkeypatch.undo()
        again = Library.open(filled.folder)
        serving = wider if again.meta("encoder") == "wider" else encoder
        assert generations.load(again).encoder == serving.fingerprint
        assert found(again, serving)[0] == "The forest grows." and sound(again)
        if named(filled, CANDIDATE).name == "" and again.meta("encoder") == "lexicon":
            kept(filled, "wider")
    assert ended
    if filled.meta("encoder") == "lexicon":
        candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    assert filled.meta("encoder") == "wider"


def test_readers_search_through_fifty_swaps_and_every_hit_is_what_was_scored(filled, encoder):
    candidate.publish(filled, "ana", kept(filled).token)
    searcher, ended, wrong = Searcher(filled, encoder), threading.Event(), []

    def read():
        while not ended.is_set():
            try:
                for query in ("forest", "ماء", "ป่า"):
                    state = searcher.state()
                    keys = {}
                    scores, ranked = state.rank_passages([query], 8)[0]
                    stored, raw = filled.passages(ranked), filled.vectors_of(ranked, state.view.generation.encoder)
                    asked = encoder.encode_queries([query])[0]
                    keys = {int(key): float(score) for key, score in zip(ranked, scores, strict=True)}
                    own = state.view.rank(asked[None], 8, state.view.among(Filters()))
                    for score, key in zip(own[0][0], state.view.keys[own[1][0]], strict=True):
                        again = encoder.encode_passages([stored[int(key)].text])[0]
                        if abs(float(raw[int(key)] @ asked) - float(score)) > 0.01 or abs(float(again @ asked) - float(score)) > 0.01:
                            wrong.append((query, key))
                    assert len(keys) == 8 and searcher.search(Query(query), 1)[0].hit.passage.text
            except Exception as error:
                wrong.append(repr(error))
                return

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(50):
        if turn % 5:
            candidate.roll_back(filled, "ana", named(filled, BEFORE).token)
        else:
            generations.build(filled)
    ended.set()
    for reader in readers:
        reader.join()
    assert wrong == [] and searcher.view().generation.named == named(filled)


def test_a_server_goes_on_by_the_former_encoder_until_the_new_one_is_there(filled, encoder, caplog):
    wider, may_open, asked_for = WiderEncoder(), threading.Event(), []

    def open_encoder(name):
        asked_for.append(name)
        may_open.wait(10)
        return wider

    searcher = Searcher(filled, encoder, open_encoder)
    encode_missing(filled, wider)
    filled.name_encoder("wider", "models/wider")
    candidate.publish(filled, "ana", kept(filled, "wider").token)
    for _ in range(3):
        assert searcher.search(Query("ป่า"), k=1)[0].hit.passage.text in {"ป่าเติบโต", "The forest grows."} and searcher.encoder is encoder
    filled.remove_publication("nothing")  # another revision: what is served is renewed, and the encoder is opened once only
    assert searcher.search(Query("forest"), k=1) and searcher.encoder is encoder
    may_open.set()
    searcher._switching.join()
    assert searcher.encoder is wider and asked_for == ["models/wider"]
    state = searcher.state()
    assert state.view.generation.encoder == "wider" and state.search(Query("غابة"), 1)[0].hit.passage.text
    candidate.roll_back(filled, "ana", named(filled, BEFORE).token)
    searcher._open_encoder = lambda _: encoder
    assert searcher.search(Query("water"), k=1)
    searcher._switching.join()
    assert searcher.encoder is encoder and searcher.search(Query("water"), k=1) and not caplog.records


def test_an_encoder_that_is_published_while_another_generation_is_loaded_answers_nothing_by_the_former(filled, encoder, monkeypatch):
    searcher, load = Searcher(filled, encoder), generations.load_or_build
    encode_missing(filled, WiderEncoder())
    token = kept(filled, "wider").token
    generations.build(filled)

    def load_once_published(library):
        candidate.publish(library, "ana", token)
        return load(library)

    monkeypatch.setattr("index.searcher.load_or_build", load_once_published)
    for _ in range(2):
        assert searcher.search(Query("ป่า"), k=1)[0].hit.passage.text in {"ป่าเติบโต", "The forest grows."}
        assert searcher.state().view.generation.encoder == "lexicon" and searcher.encoder is encoder


def test_a_server_that_cannot_open_the_new_encoder_says_so_and_answers_by_the_former(filled, encoder, caplog):
    def missing(name):
        raise OSError(f"no model called {name}")

    searcher = Searcher(filled, encoder, missing)
    wider = WiderEncoder()
    encode_missing(filled, wider)
    candidate.publish(filled, "ana", kept(filled, "wider").token)
    assert searcher.search(Query("forest"), k=1)
    searcher._switching.join()
    assert searcher.search(Query("forest"), k=1)[0].hit.passage.text == "The forest grows." and searcher.encoder is encoder
    assert "cannot be used" in caplog.text and len(caplog.records) == 1
