"""Jobs are done once, in a sensible order, whatever ends the worker, and whoever else writes."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import LexiconEncoder, pdf_of
from filling import publication

from index import generations
from index.changes import Changes
from index.jobs import Jobs
from index.library import Library
from index.searcher import Query, Searcher
from index.verification import faults
from ingest.records import IsoglossError
from search_app import storing, worker
from search_app.ingesting import ingest
from search_app.work import reading

WALD = ["Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit in diesem Wald."]
AGUA = ["El agua del río está limpia y los niños del pueblo la beben todos los días de la semana."]
OTHERS = {"ar": "الغابة قديمة والناس يعيشون فيها منذ زمن طويل", "th": "ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว", "am": "ደኑ ያረጀ ነው ሰዎችም በውስጡ ይኖራሉ",
          "my": "သစ်တောသည် ရှေးကျပြီး လူများ နေထိုင်ကြသည်", "zh": "这片森林很古老，人们在这里生活了很长时间。", "ko": "숲은 오래되었고 사람들이 그 안에서 살고 있습니다."}  # fmt: skip


@pytest.fixture
def jobs(library):
    return Jobs(library)


@pytest.fixture
def put(library, tmp_path):
    """Put a publication into the catalogue at the desk: put("woods", {"de": WALD}) -> the number of the job that reads it."""

    def put(name, texts, **described):
        work = publication(name, list(texts), **described)
        editions = tuple(replace(edition, digest=keep(library, tmp_path, texts[edition.language])) for edition in work.editions)
        expected = library.entry(name)
        return storing.change_entry(library, "ana", "edited" if expected else "added", expected, replace(work, editions=editions))

    return put


def keep(library, folder, text):
    """Keep a file with this text in the library: a PDF of Latin letters, a web page of all others; return its digest."""
    if text is None:
        return None
    latin = not isinstance(text, str)
    path = folder / f"given{'.pdf' if latin else '.html'}"
    path.write_bytes(pdf_of(text) if latin else f"<!doctype html><meta charset=utf-8><p>{text}".encode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    library.keep_file(path, digest)
    return digest


@pytest.fixture
def done(library, encoder):
    """Do all there is to do; returns the jobs, newest first."""

    def done(open_encoder=lambda name: encoder):
        assert worker.work(library, open_encoder, until_idle=True, linger=0)
        return Jobs(library).jobs()

    return done


def kinds(monkeypatch, **modules):
    """Give each kind of job what it does: kinds(monkeypatch, encoder=run)."""
    real = worker.importlib.import_module
    fakes = {f"search_app.work.{kind}": type(kind, (), {"run": staticmethod(run)}) for kind, run in modules.items()}
    monkeypatch.setattr(worker.importlib, "import_module", lambda name: fakes.get(name) or real(name))


def states(library, job_id):
    return {document.name: (document.state, document.reason) for document in Jobs(library).documents(job_id)}


def test_what_is_added_at_the_desk_to_a_new_library_is_read_and_found(library, encoder, put, done):
    job_id = put("woods", {"de": WALD, "es": AGUA, **OTHERS, "km": None})
    (job,) = done()
    assert (job.state, job.done, job.total, job.doing, job.attempts) == ("done", 8, 8, "", 1) and job.started <= job.ended
    assert {state for state, _ in states(library, job_id).values()} <= {"read", "partly read"}
    (hit,) = Searcher(library, encoder).search(Query("bosque", readers=["de"]))
    assert hit.hit.passage.text in WALD[0] or hit.hit.passage.text in OTHERS.values()
    assert len(generations.load(library).keys) == library.passage_count() and list(faults(library)) == []


@pytest.mark.parametrize(("language", "text"), OTHERS.items())
def test_every_script_is_read_in_the_language_of_the_catalogue(library, put, done, language, text):
    put("woods", {language: text})
    done()
    passages = library.passages_of(f"woods.{language}").values()
    assert "".join(passage.text for passage in passages).startswith(text[:10]) and library.edition_states()[0].state == "read"


def test_later_readings_are_searched_beside_the_generation_in_use(library, encoder, put, done):
    put("woods", {"de": WALD})
    done()
    name = generations.current_name(library)
    put("wells", {"es": AGUA})
    done()
    assert generations.current_name(library) == name
    assert Searcher(library, encoder).search(Query("water"))[0].publication.publication_id == "wells"


def test_a_catalogue_entry_without_files_is_encoded_too(library, encoder, put, done):
    put("talk", {"th": None}, titles={"th": "ป่า"})
    done()
    assert Searcher(library, encoder).search(Query("forest"))[0].publication.publication_id == "talk"


def test_a_document_that_cannot_be_read_fails_for_itself(library, put, done):
    job_id = put("woods", {"de": WALD, "fa": "", "hi": "<img src=x>"})
    (job,) = done()
    found = states(library, job_id)
    assert job.state == "done" and found["woods.de"][0] == "read"
    assert found["woods.fa"][0] == "failed" and "no readable text" in found["woods.fa"][1]


def test_an_edition_that_has_gone_meanwhile_is_passed_over_with_the_reason(library, put, done):
    first = put("woods", {"de": WALD, "es": AGUA})
    put("woods", {"de": WALD})
    done()
    assert states(library, first)["woods.es"] == ("cancelled", reading.GONE) and states(library, first)["woods.de"][0] == "read"


def test_an_edition_whose_file_is_replaced_while_it_is_read_is_read_as_the_catalogue_now_says(library, encoder, put, done):
    put("woods", {"de": WALD})
    real = encoder.encode_passages

    def replace_meanwhile(texts):
        if any("Wald liegt" in text for text in texts) and len(Jobs(library).jobs()) == 1:
            put("woods", {"de": ["Die Schule steht neben dem Wasser, und alle Kinder gehen gern in diese Schule."]})
        return real(texts)

    encoder.encode_passages = replace_meanwhile
    done()
    state = library.edition_states()[0]
    assert (state.edition.digest, state.state) == (state.file, "read")
    assert ["Schule" in passage.text for passage in library.passages_of("woods.de").values()] == [True]


def test_the_library_of_another_encoder_is_refused_as_the_reason_of_the_job(library, put, done, encoder):
    put("woods", {"de": WALD})
    done()
    put("wells", {"es": AGUA})
    job = done(lambda name: LexiconEncoder("another"))[0]
    assert job.state == "failed" and "was made by another encoder" in job.problem and library.edition("wells.es").digest is None
    assert Jobs(library).retry(job.job_id) and done()[0].state == "done" and library.edition("wells.es").digest


def test_the_encoder_is_loaded_only_for_a_job_that_needs_it(library, jobs, done, monkeypatch):
    kinds(monkeypatch, examination=lambda task: None)
    jobs.add("examination", "ana", ["one"])
    assert done(lambda name: pytest.fail("loaded"))[0].state == "done"


@pytest.mark.parametrize(("raised", "problem"), [(IsoglossError("no room; make some"), "no room; make some"), (OSError(28, "No space left"), "[Errno 28] No space left"),
                                                 (KeyError("森"), "KeyError: '森'")])  # fmt: skip
def test_a_job_that_raises_has_failed_with_what_it_raised_and_the_next_is_done(jobs, done, monkeypatch, raised, problem):
    def run(task):
        if task.job.arguments:
            raise raised

    kinds(monkeypatch, generation=run)
    jobs.add("generation", "ana", arguments={"fail": True})
    jobs.add("generation", "ana")
    assert [(job.state, job.problem) for job in done()] == [("done", ""), ("failed", problem)]
    assert [job.problem for job in jobs.undecided()] == [problem]
    jobs.dismiss(1, "ana")
    assert jobs.undecided() == []


def test_urgent_jobs_go_first_and_a_long_one_gives_way_to_them_without_an_attempt(jobs, done, monkeypatch):
    order = []

    def rebuild(task):
        order.append("rebuild")
        for step in range(3):
            task.progress(step, 3)
            if order == ["rebuild"]:
                jobs.add("examination", "bo", ["upload"])
        order.append("rebuilt")

    kinds(monkeypatch, encoder=rebuild, examination=lambda task: order.append("examined"))
    jobs.add("encoder", "ana")
    done()
    assert order == ["rebuild", "examined", "rebuild", "rebuilt"] and jobs.job(1).attempts == 1 and jobs.any_open() is False


def test_a_job_that_waits_is_cancelled_at_once_and_a_running_one_when_it_next_looks(library, jobs, done, monkeypatch):
    kinds(monkeypatch, generation=lambda task: (jobs.cancel(task.job.job_id), task.progress(0, 1)))
    waiting, running = jobs.add("encoder", "ana", ["a"]), jobs.add("generation", "ana", ["b"])
    jobs.cancel(waiting)
    assert jobs.job(waiting).state == "cancelled"
    done()
    assert jobs.job(running).state == "cancelled" and states(library, running) == {"b": ("cancelled", "")} and jobs.undecided() == []


def test_what_was_cancelled_is_not_taken_up_again_but_can_be_retried(library, jobs, put, done):
    job_id = put("woods", {"de": WALD})
    jobs.cancel(job_id)
    assert [job.state for job in done()] == ["done", "cancelled"]  # the entry is encoded; the file stays unread
    assert library.edition_states()[0].state == "waiting"
    assert jobs.retry(job_id) and done()[-1].state == "done" and library.edition_states()[0].state == "read"


def test_editions_that_nobody_asks_for_are_adopted(library, put, done, monkeypatch):
    put("woods", {"de": WALD, "es": AGUA})
    with library.transaction() as run:
        run("DELETE FROM jobs")
    assert done()[0].kind == "reading" and {state.state for state in library.edition_states()} == {"read"}
    monkeypatch.setattr(reading, "READING_VERSION", 99)
    monkeypatch.setattr(storing, "READING_VERSION", 99)
    assert len(done()) == 2 and len(done()) == 2 and {state.reading_version for state in library.edition_states()} == {99}


def test_a_retry_does_again_only_what_failed(library, encoder, put, jobs, done):
    job_id = put("woods", {"de": WALD, "fa": ""})
    done()
    encoder.encoded.clear()
    assert [job.job_id for job in jobs.undecided()] == [job_id] and jobs.retry(job_id)
    assert jobs.retry(job_id) is False and jobs.undecided() == []  # it is open
    done()
    assert encoder.encoded == [] and [document.attempts for document in jobs.documents(job_id)] == [1, 1]
    assert jobs.retry(job_id, ["woods.de"]) is False


def test_what_failed_needs_no_decision_once_it_was_replaced_removed_or_ignored(library, put, jobs, done):
    put("woods", {"fa": ""})
    put("wells", {"hi": ""})
    put("roads", {"km": ""})
    done()
    assert len(jobs.undecided()) == 3
    put("woods", {"fa": OTHERS["ar"]})
    Changes(library).remove("ana", library.entry("wells"))
    assert [job.job_id for job in jobs.undecided()] == [3]
    with library.transaction(contents=False) as run:
        run("INSERT INTO decisions VALUES (?, 0, 'ignore', 'ana', '')", (library.edition_states("roads")[0].file,))
    assert jobs.undecided() == []


def test_while_another_process_writes_a_job_waits_and_an_examination_goes_on(library, encoder, put, jobs, monkeypatch):
    kinds(monkeypatch, examination=lambda task: None)
    put("woods", {"de": WALD})
    with library.writing():
        thread = threading.Thread(target=worker.work, args=(library, lambda name: encoder), kwargs={"linger": 0})
        thread.start()
        wait_until(lambda: jobs.job(1).doing == worker.OTHER_WRITER)
        jobs.add("examination", "ana")
        wait_until(lambda: jobs.job(2).state == "done")
        assert jobs.job(1).state != "done" and library.edition_states()[0].state == "waiting"
    thread.join(30)
    assert (jobs.job(1).state, jobs.job(1).attempts) == ("done", 1)


def test_a_second_worker_leaves_the_library_to_the_first(library, encoder, jobs, monkeypatch):
    kinds(monkeypatch, generation=lambda task: seconds.append(worker.work(Library(library.folder), lambda name: encoder)))
    seconds = []
    jobs.add("generation", "ana")
    assert worker.work(library, lambda name: encoder, linger=0) and seconds == [False]


def test_an_interruption_leaves_the_job_for_the_next_worker(library, put, jobs, done, monkeypatch):
    real = reading.store_reading

    def interrupt(*given):
        monkeypatch.setattr(reading, "store_reading", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "store_reading", interrupt)
    job_id = put("woods", {"de": WALD, "es": AGUA})
    with pytest.raises(KeyboardInterrupt):
        done()
    assert (jobs.job(job_id).state, jobs.job(job_id).attempts) == ("waiting", 0)
    assert {(document.state, document.attempts) for document in jobs.documents(job_id)} == {("waiting", 0)}
    assert done()[0].state == "done"


# -- with processes of their own, which are killed

PROCESS = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import LexiconEncoder
from index.library import Library
from search_app import worker

class Encoder(LexiconEncoder):
    def encode_passages(self, texts):
        if any("Fluss" in text for text in texts):
            {fluss}
        return super().encode_passages(texts)

worker.work(Library.open(Path(sys.argv[1])), lambda name: Encoder(), linger=0)
"""


def process(library, fluss="pass"):
    """Start a worker in a process of its own, which does this when it comes to encode the German file."""
    source = PROCESS.format(tests=str(Path(__file__).parent), fluss=fluss)
    return subprocess.Popen([sys.executable, "-c", source, str(library.folder)], cwd=Path(__file__).parent.parent, stderr=subprocess.DEVNULL)


def wait_until(so, seconds=60):
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_file_over_which_the_worker_died_twice_fails_and_the_rest_goes_on(library, put, jobs):
    job_id = put("woods", {"de": WALD, "es": AGUA, "zh": OTHERS["zh"]})
    for _ in range(2):
        assert process(library, "os.kill(os.getpid(), 9)").wait(60) == -signal.SIGKILL
        assert jobs.job(job_id).state == "running"
    assert process(library, "os.kill(os.getpid(), 9)").wait(60) == 0
    found = states(library, job_id)
    assert jobs.job(job_id).state == "done" and found["woods.de"] == ("failed", reading.DEADLY)
    assert {found["woods.es"][0], found["woods.zh"][0]} == {"read"} and list(faults(library)) == []
    assert reading.adopt(library) is None  # nobody reads it again by himself
    assert jobs.retry(job_id) and process(library).wait(60) == 0 and states(library, job_id)["woods.de"][0] == "read"


def test_a_job_that_ends_its_worker_three_times_without_coming_further_fails(library, jobs, monkeypatch, done):
    job_id = jobs.add("generation", "ana")
    for _ in range(3):
        jobs.take()
        jobs.progress(job_id, 0, 9, "ป่า")
    (job,) = done()
    assert (job.state, job.problem) == ("failed", "its worker ended 3 times, last at: ป่า")


def test_a_job_that_comes_further_each_time_never_fails_for_that(jobs, monkeypatch, done):
    kinds(monkeypatch, generation=lambda task: None)
    job_id = jobs.add("generation", "ana")
    for step in range(9):
        jobs.take()
        jobs.progress(job_id, step + 1, 9, "")
    assert done()[0].state == "done"


def test_two_ingests_at_once_and_a_worker_leave_everything_whole(library, encoder, put, publish, tmp_path):
    folder = publish("rivers", {"es": AGUA, "de": WALD}).parent
    for number in range(4):
        put(f"woods-{number}", {"de": WALD, "zh": OTHERS["zh"]})
    running = process(library, "time.sleep(0.2)")
    refused = 0
    for _ in range(200):
        try:
            ingest(folder, Library(library.folder), encoder, workers=1)
            break
        except IsoglossError:
            refused += 1
            time.sleep(0.1)
    put("woods-9", {"ar": OTHERS["ar"]})
    assert running.wait(60) == 0 and process(library).wait(60) == 0
    assert {state.state for state in library.edition_states()} == {"read"} and list(faults(library)) == []
    assert {job.state for job in Jobs(library).jobs()} == {"done"}
    assert "rivers" in {hit.publication.publication_id for hit in Searcher(library, encoder).search(Query("agua"))}


def test_the_command_ends_cleanly_when_it_is_told_to_and_when_its_parent_has_died(library):
    command = [sys.executable, "-m", "search_app", "work", "--until-idle", "--tied", "--library", str(library.folder)]
    Jobs(library).add("reading", "ana", arguments={"publication_id": "woods"})
    with library.writing():  # so that the job waits
        tied = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: Jobs(library).job(1).doing == worker.OTHER_WRITER)
        second = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        said = second.stderr.read()
        second.stdin.close()
        second.stderr.close()
        assert second.wait(60) == 0 and b"Another process does the jobs" in said  # though its standard input was open all the time
        tied.stdin.close()
        assert tied.wait(30) == 130 and b"Traceback" not in tied.stderr.read()
        tied.stderr.close()
    assert (Jobs(library).job(1).state, Jobs(library).job(1).attempts) == ("waiting", 0)
