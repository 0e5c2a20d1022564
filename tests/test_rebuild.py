"""Rebuilding with a preview: the jobs, what they show, and the page of the desk where it is published."""

from __future__ import annotations

import re

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from flask import Flask
from test_candidate import WiderEncoder, sound

from index import candidate, generations, language_priors
from index.changes import Changes
from index.generations import BEFORE, CANDIDATE, IN_USE, named
from index.jobs import Jobs
from index.preview import TOP, compare
from index.questions import MOST, Questions, WrongQuestionError
from index.searcher import Query, Searcher, State
from ingest.passages import encoded_text
from search_app import storing
from search_app.factory import create_app
from search_app.work import encoder as encoder_job
from search_app.work import generation as generation_job
from search_app.work.encoder import UnfitEncoderError
from search_app.work.task import CancelledError, Task

WORKS = {
    "woods": {"en": ["The forest grows.", "A school stands in it."], "ar": ["غابة"]},
    "rivers": {"th": ["น้ำไหลผ่านป่า", "น้ำลึก"], "km": ["ទឹក"]},
    "roads": {"ko": ["버스 bus"], "hi": ["बस bus forest"], "my": ["ဘတ်စ်ကား bus"]},
}


class ContraryEncoder(WiderEncoder):
    """An encoder that takes water for a forest."""

    def _vector(self, text):
        return super()._vector(text.replace("น้ำ", "ป่า"))


@pytest.fixture
def filled(library, encoder):
    for name, texts in WORKS.items():
        fill(library, encoder, publication(name, list(texts), titles={tag: f"{name}: {texts[tag][0]}" for tag in texts}), texts)
    generations.build(library)
    return library


@pytest.fixture
def app(filled, encoder) -> Flask:
    return create_app(filled, encoder)


def task(library, kind, *encoders, **arguments):
    """A task whose encoders are opened by their fingerprint; the first is the library's own."""
    by_name = {encoder.fingerprint: encoder for encoder in encoders}
    job = Jobs(library).job(Jobs(library).add(kind, "ana", arguments=arguments))
    return Task(library, job, lambda name: by_name[name or library.meta("encoder")])


def test_the_preview_shows_edition_page_and_sentence_in_every_script(filled, encoder):
    for text in ("غابة أين؟", "ป่าอยู่ที่ไหน", "ចាប់ bus"):
        Questions(filled).add("ana", text)
    generation_job.run(task(filled, "generation", encoder))
    shown = candidate.preview(filled)
    assert (shown["passages"], shown["languages"], shown["differing"], shown["overlap"]) == (len(filled.passage_table()), 7, 0, 1.0)
    arabic, thai, khmer = shown["questions"]
    assert (arabic["text"], thai["text"], khmer["text"]) == ("غابة أين؟", "ป่าอยู่ที่ไหน", "ចាប់ bus")
    best = thai["after"][0]
    assert best == {
        "rank": 1, "score": best["score"], "publication_id": "woods", "title": best["title"], "title_language": best["language"],
        "language": best["language"], "sentence": best["sentence"], "sentence_language": best["language"], "page": 1, "page_label": "1", "move": "same",
    }  # fmt: skip
    assert best["sentence"] in ("غابة", "The forest grows.") and best["title"] == f"woods: {WORKS['woods'][best['language']][0]}"
    assert khmer["after"][0]["publication_id"] == "roads" and khmer["before"] == khmer["after"]
    assert named(filled).name == "0001" and candidate.standing(filled, CANDIDATE).encoder == "lexicon"


def test_what_moved_is_told_apart(filled, encoder):
    before = State.of(filled, encoder)
    fill(filled, encoder, publication("lakes", ["ja"]), {"ja": ["water water"]})
    filled.remove_publication("roads")
    shown = compare(["ماء", "bus"], before, State.of(filled, encoder), lambda *_: None)
    water, bus = shown["questions"]
    assert {row["publication_id"]: row["move"] for row in water["before"]} == {"rivers": "same", "woods": "down"}
    assert {row["publication_id"]: row["move"] for row in water["after"]} == {"rivers": "same", "lakes": "new", "woods": "down"}
    assert {row["publication_id"] for row in bus["after"]} == {"rivers", "lakes", "woods"}
    assert shown["differing"] == 2 and 0 < shown["overlap"] < 1 and all(len(one["after"]) <= TOP for one in shown["questions"])


def test_passages_that_removed_editions_had_are_no_hits_of_either_side(filled, encoder):
    before = State.of(filled, encoder)
    filled.remove_publication("woods")
    (one,) = compare(["غابة"], before, State.of(filled, encoder), lambda *_: None)["questions"]
    assert "woods" not in {row["publication_id"] for row in one["before"] + one["after"]}


def test_changing_the_encoder_encodes_each_passage_once_below_its_title(filled, encoder):
    wider = WiderEncoder()
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    passages = filled.passages([key for key, _, _ in filled.passage_table()]).values()
    titles = {name: publication_.titles for name, publication_ in ((one.publication_id, one) for one in filled.publications())}
    expected = [
        encoded_text(one, titles[one.edition_id.split(".")[0]][filled.edition(one.edition_id).language]) if one.first_page else one.text
        for one in passages
    ]
    assert sorted(wider.encoded[: len(expected)]) == sorted(expected)
    assert filled.encoder_name("wider") == "wider" and filled.meta("encoder") == "lexicon"
    assert candidate.standing(filled, CANDIDATE).encoder == "wider"
    candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    assert Searcher(filled, wider).search(Query("water"), k=1)[0].publication.publication_id == "rivers" and sound(filled)


def test_the_librarys_own_encoder_gives_codes_to_what_has_none(filled, context_encoder):
    assert filled.without_codes("lexicon")
    encoder_job.run(task(filled, "encoder", context_encoder, name="lexicon"))
    keys = [key for key, _, _ in filled.passage_table()]
    assert filled.without_codes("lexicon") == [] and filled.codes_of(keys).keys() == set(keys)
    assert candidate.standing(filled, CANDIDATE) is None
    with pytest.raises(UnfitEncoderError, match="is the encoder that the library has"):
        encoder_job.run(task(filled, "encoder", context_encoder, name="lexicon"))


def test_an_interrupted_change_goes_on_where_it_stopped_and_takes_what_came_meanwhile(filled, encoder, monkeypatch):
    monkeypatch.setattr(storing, "BATCH", 4)
    wider = WiderEncoder()
    encode = wider.encode_passages

    def killed_at_the_third_batch(texts):
        if len(wider.encoded) >= 8:
            raise KeyboardInterrupt
        return encode(texts)

    wider.encode_passages = killed_at_the_third_batch
    with pytest.raises(KeyboardInterrupt):
        encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    assert len(wider.encoded) == 8 and candidate.standing(filled, CANDIDATE) is None
    assert Searcher(filled, encoder).search(Query("forest"), k=1)

    def another_comes(texts):
        if not filled.publication("lakes"):
            fill(filled, encoder, publication("lakes", ["lo"]), {"lo": ["ນ້ຳ water"]})
        return encode(texts)

    wider.encode_passages = another_comes
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    stored = len(filled.passage_table())
    assert len(wider.encoded[:stored]) == len(set(wider.encoded[:stored])) == stored and "ນ້ຳ water" in " ".join(wider.encoded)
    assert filled.without_vector("wider") == [] and candidate.standing(filled, CANDIDATE).passages == stored


def test_a_cancelled_change_keeps_what_was_encoded_and_changes_nothing_else(filled, encoder, monkeypatch):
    monkeypatch.setattr(storing, "BATCH", 4)
    wider, asked = WiderEncoder(), task(filled, "encoder", encoder, WiderEncoder(), name="wider")
    asked = Task(filled, asked.job, lambda name: wider if name else encoder)
    encode = wider.encode_passages

    def cancelled_meanwhile(texts):
        with filled.transaction(contents=False) as run:
            run("UPDATE jobs SET state = 'cancelling'")
        return encode(texts)

    wider.encode_passages = cancelled_meanwhile
    with pytest.raises(CancelledError):
        encoder_job.run(asked)
    assert len(wider.encoded) == 4 and candidate.standing(filled, CANDIDATE) is None and filled.meta("encoder") == "lexicon"


def test_the_languages_of_a_new_encoder_are_learnt_before_it_serves(filled, encoder, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(language_priors, "declaration", lambda: [("ar", "غابة"), ("en", "water"), ("th", "น้ำ")])
    wider = WiderEncoder()
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    assert set(language_priors.prior_for(filled, "wider").offsets) == {"ar", "en", "th"} and language_priors.prior_for(filled) is None
    candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    assert generations.load(filled).alignment is not None


def test_what_a_rebuild_learns_of_languages_changes_nothing_before_it_is_published_nor_after_it_is_rolled_back(filled, encoder, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(language_priors, "declaration", lambda: [("ar", "غابة"), ("en", "water"), ("th", "น้ำ")])
    before = named(filled)
    generation_job.run(task(filled, "generation", encoder))
    assert language_priors.prior_for(filled) is not None
    assert generations.load_or_build(filled).named == before and generations.load(filled).alignment is None
    candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    assert generations.load(filled).alignment is not None
    candidate.roll_back(filled, "ana", before.token)
    assert generations.load_or_build(filled).named == before and not list((filled.folder / "generations").glob("damaged-*"))


@pytest.mark.parametrize(
    ("name", "fingerprint", "said"), [("lexicon", "", "has"), ("wider", "another", "not the encoder that it was")], ids=["own", "another"]
)
def test_an_encoder_that_is_no_change_or_not_what_it_was_is_refused(filled, encoder, name, fingerprint, said):
    wider = WiderEncoder()
    with pytest.raises(UnfitEncoderError, match=said):
        encoder_job.run(task(filled, "encoder", encoder, wider, name=name, fingerprint=fingerprint))
    assert wider.encoded == []


def test_the_disk_holds_the_vectors_of_two_encoders_at_most(filled, encoder):
    wider, third = WiderEncoder(), LexiconEncoder("third")
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    with pytest.raises(UnfitEncoderError, match="discard that first"):
        encoder_job.run(task(filled, "encoder", encoder, wider, third, name="third"))
    candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    encoder_job.run(task(filled, "encoder", encoder, wider, third, name="third"))
    assert {one.fingerprint for one in filled.encoders()} == {"wider", "third"}
    with pytest.raises(candidate.NotReadyError):
        candidate.roll_back(filled, "ana", named(filled, BEFORE).token)
    candidate.discard(filled, "ana", named(filled, CANDIDATE).token)
    encoder_job.run(task(filled, "encoder", wider, forget="third"))
    assert {one.fingerprint for one in filled.encoders()} == {"wider"} and sound(filled)
    with pytest.raises(UnfitEncoderError):
        encoder_job.run(task(filled, "encoder", wider, forget="wider"))


def test_what_the_former_encoder_made_is_never_stored_as_the_new_ones(filled, encoder):
    """An ingest that has the former encoder in hand when the new one is published."""
    wider = WiderEncoder()
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    candidate.publish(filled, "ana", named(filled, CANDIDATE).token)
    storing.store_entry(filled, encoder, publication("late", ["fa"], titles={"fa": "آب water"}), "folder")
    searcher = Searcher(filled, wider)
    assert "late" not in {hit.publication.publication_id for hit in searcher.search(Query("water"))} and len(filled.without_vector("wider")) == 1
    generation_job.run(task(filled, "generation", wider))
    assert "late" in {hit.publication.publication_id for hit in Searcher(filled, wider).search(Query("water"))} and sound(filled)


@pytest.mark.parametrize("text", ["", "  ؟! ", "x" * 1001])
def test_a_check_question_has_words(filled, text):
    with pytest.raises(WrongQuestionError):
        Questions(filled).add("ana", text)


def test_check_questions_are_kept_once_in_their_order(filled):
    for text in ("الغابة أين؟", " الغابة   أين؟ ", "森はどこ"):
        Questions(filled).add("ana", text)
    assert [one.text for one in Questions(filled).all()] == ["الغابة أين؟", "森はどこ"]
    Questions(filled).remove("bo", Questions(filled).all()[0].question_id)
    Questions(filled).remove("bo", 12345)
    assert next((change.by, change.what, change.about) for change in Changes(filled).changes()) == ("bo", "question removed", "الغابة أين؟")
    for number in range(MOST - 1):
        Questions(filled).add("ana", f"question {number}")
    with pytest.raises(WrongQuestionError, match="at most"):
        Questions(filled).add("ana", "one more")


def token_of(page, form):
    return re.search(rf'action="/desk/index/{form}".*?name="token" value="([0-9a-f]+)"', page, re.S)[1]


def test_an_analyst_builds_looks_publishes_and_rolls_back(analyst, filled, encoder):
    assert analyst.post("/desk/index/questions", data={"text": "ป่า <b>forest</b>؟"}).status_code == 303
    assert analyst.post("/desk/index/build").status_code == 303
    assert analyst.post("/desk/index/build").status_code == 409
    job = Jobs(filled).take()
    assert "A new one is being built." in analyst.get("/desk/index").text
    generation_job.run(Task(filled, job, lambda _: encoder))
    Jobs(filled).end(job.job_id, "done")
    page = analyst.get("/desk/index").text
    assert 'lang="ar" dir="rtl"' in page or 'lang="th" dir="ltr"' in page
    assert '<h3 dir="auto">ป่า &lt;b&gt;forest&lt;/b&gt;؟</h3>' in page and "waits" in analyst.get("/desk").text
    assert analyst.post("/desk/index/publish", data={"token": "of another"}).status_code == 409
    assert analyst.post("/desk/index/publish", data={"token": token_of(page, "publish")}).status_code == 303
    assert generations.current_name(filled) == "0002"
    assert analyst.post("/desk/index/roll-back", data={"token": token_of(analyst.get("/desk/index").text, "roll-back")}).status_code == 303
    assert generations.current_name(filled) == "0001"
    assert [change.what for change in Changes(filled).changes()] == [
        "generation rolled back", "generation published", "generation asked for", "question added",
    ]  # fmt: skip


def test_the_page_says_what_has_changed_and_marks_what_moved_in_words(analyst, filled, encoder):
    Questions(filled).add("ana", "น้ำ")
    fill(filled, encoder, publication("lakes", ["am"]), {"am": ["water ውሃ"]})
    wider = ContraryEncoder()
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    page = analyst.get("/desk/index").text
    assert candidate.preview(filled)["differing"] == 1
    assert re.search(r'<strong class="move"><span aria-hidden="true">[▲▼+−]</span> (up|down|new|gone)</strong>', page)
    filled.remove_publication("lakes")
    assert "The library has changed since it was built." in analyst.get("/desk/index").text
    assert analyst.post("/desk/index/discard", data={"token": token_of(page, "discard")}).status_code == 303
    assert candidate.standing(filled, CANDIDATE) is None and candidate.standing(filled, IN_USE)


def test_what_another_encoder_lacks_is_said_and_encoded_before_it_can_serve(analyst, filled, encoder):
    wider = WiderEncoder()
    encoder_job.run(task(filled, "encoder", encoder, wider, name="wider"))
    fill(filled, encoder, publication("lakes", ["am"]), {"am": ["water ውሃ"]})
    page = analyst.get("/desk/index").text
    assert "2 passages came since its encoder was last run" in page and 'action="/desk/index/publish"' not in page
    assert analyst.post("/desk/index/publish", data={"token": named(filled, CANDIDATE).token}).status_code == 409
    for job in Jobs(filled).open_jobs():
        Jobs(filled).end(job.job_id, "done")
    asked = dict(re.findall(r'name="(name|fingerprint)" value="([^"]+)"', page))
    assert analyst.post("/desk/index/encoder", data=asked).status_code == 303
    job = Jobs(filled).take()
    encoder_job.run(Task(filled, job, lambda name: wider if name == "wider" else encoder))
    Jobs(filled).end(job.job_id, "done")
    assert analyst.post("/desk/index/publish", data={"token": named(filled, CANDIDATE).token}).status_code == 303
    fill(filled, wider, publication("seas", ["fa"]), {"fa": ["آب water"]})
    page = analyst.get("/desk/index").text
    assert 'action="/desk/index/roll-back"' not in page and dict(re.findall(r'name="(name|fingerprint)" value="([^"]+)"', page)) == {
        "name": "default", "fingerprint": "lexicon",
    }  # fmt: skip


def test_what_is_newer_than_the_index_is_said(analyst, filled, encoder):
    assert "came after it" not in analyst.get("/desk").text
    fill(filled, encoder, publication("lakes", ["bn"]), {"bn": ["জল water"]})
    assert "2 passages came after it; they are searched all the same." in analyst.get("/desk").text


@pytest.mark.parametrize("name", ["", " ", "x" * 501, "a\u202eb", "a\nb"])
def test_a_name_that_is_none_asks_for_no_encoder(analyst, filled, name):
    assert analyst.post("/desk/index/encoder", data={"name": name}).status_code == 400
    assert Jobs(filled).open_jobs() == []


def test_an_encoder_is_asked_for_and_forgotten_by_jobs(analyst, filled):
    assert analyst.post("/desk/index/encoder", data={"name": " models/größer "}).status_code == 303
    (job,) = Jobs(filled).open_jobs()
    assert (job.kind, job.by, job.arguments["name"]) == ("encoder", "ana", "models/größer")
    Jobs(filled).end(job.job_id, "failed", "Cannot load the encoder <b>")
    page = analyst.get("/desk/index").text
    assert "Cannot load the encoder &lt;b&gt;" in page
    assert analyst.post("/desk/index/forget", data={"fingerprint": "wider"}).status_code == 303
    assert Jobs(filled).open_jobs()[0].arguments == {"forget": "wider"}


def test_nobody_rebuilds_who_is_not_signed_in(app, filled):
    client = app.test_client()
    for form in ("build", "publish", "discard", "roll-back", "encoder", "forget", "questions", "questions/1/remove"):
        assert client.post(f"/desk/index/{form}").status_code in (303, 400)
    assert Jobs(filled).open_jobs() == [] and Changes(filled).changes() == []
