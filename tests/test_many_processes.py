"""Several processes in front of one library: what one of them knows, all know; what one is asked, no other does again."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import LexiconEncoder, pdf_of
from filling import fill, publication
from started import ISOGLOSS, site, wait_until

from index import generations
from index.accounts import Accounts
from index.jobs import Jobs
from index.library import Library

ROOT = Path(__file__).parent.parent
PASSWORD = "a long enough password"
PROCESSES = 3
TUS = {"Tus_Resumable": "1.0.0"}
KHMER = "ព្រៃឈើ" * 160  # 960 letters, of nine bytes each in an address

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see processes")


@pytest.fixture(scope="module", params=["embedded", "engine"])
def address(request):
    """Where the rows are: in the library's folder, or in a database of a real server."""
    if request.param == "embedded":
        return ""
    server = request.getfixturevalue("server")
    return server.create_database("many_processes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, address):
    folder = tmp_path_factory.mktemp("many")
    library = Library.create(folder / "library", address)
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    Accounts(library).put("ana", PASSWORD)
    return folder


@pytest.fixture(scope="module")
def started(folder, address):
    command = [*ISOGLOSS, "serve", "--port", "PORT", "--metrics", "FIGURES", "--processes", str(PROCESSES)]
    with site(folder, command, PROCESSES, ISOGLOSS_STORE=address) as found:
        yield found


@pytest.fixture
def many(started):
    """The site, with all its processes there, and nobody signed in."""
    wait_until(lambda: len(started.processes()) == PROCESSES)
    started.cookies.clear()
    return started


@pytest.fixture
def library(folder, address):
    return Library.open(folder / "library", address)


def test_so_many_processes_serve_as_were_asked_for_and_each_answers_in_every_script(many):
    for query, language in (("ป่า", "th"), ("غابة", "ar")):
        found = many.of_each(lambda query=query: many.json(f"/api/v1/search?q={query}")["hits"][0])
        assert len(found) == PROCESSES and {hit["publication_id"] for hit in found} == {"woods"}, language


def test_what_is_committed_is_in_the_next_answer_of_every_process(many, library):
    before = set(many.of_each(lambda: many.ask("/api/v1/status").headers["ETag"]))
    fill(library, LexiconEncoder(), publication("rivers", ["zh", "my"]), {"zh": ["water 水"], "my": ["water ရေ"]})
    assert many.of_each(lambda: many.json("/api/v1/search?q=water")["hits"][0]["publication_id"]) == ["rivers"] * PROCESSES
    with generations.building(library):
        made = generations.save(library, generations.make(library))
        generations.put_in_use(library, made)
    assert many.of_each(lambda: many.json("/api/v1/status")["generation"]) == [made.name] * PROCESSES
    after = set(many.of_each(lambda: many.ask("/api/v1/status").headers["ETag"]))
    assert len(before) == len(after) == 1 and before != after
    assert len(set(many.of_each(lambda: many.ask("/search.atom").text))) == 1


def test_who_signs_in_at_one_process_is_known_to_all_and_signs_out_of_all(many):
    token = many.of_each(lambda: many.token())[-1]
    assert many.ask("/desk/sign-in", "POST", form={"name": "ana", "password": PASSWORD, "csrf_token": token}).status == 303
    assert ["Sign out (ana)" in page.text for page in many.of_each(lambda: many.ask("/desk"))] == [True] * PROCESSES
    kept, token = dict(many.cookies), many.token("/desk/password")
    assert many.ask("/desk/sign-out", "POST", form={"csrf_token": token}).status == 303
    many.cookies = kept
    assert [page.status for page in many.of_each(lambda: many.ask("/desk"))] == [303] * PROCESSES


def test_failed_attempts_count_together(many, library):
    Accounts(library).put("eva", PASSWORD)
    token = many.token()
    form = {"name": "eva", "password": "wrong", "csrf_token": token}
    said = [status for _ in range(4) for status in many.of_each(lambda: many.ask("/desk/sign-in", "POST", form=form).status)]
    assert said == [403] * 10 + [429] * 2
    with library.transaction(contents=False) as run:
        run("DELETE FROM failed_attempts")


def test_pieces_of_a_file_may_come_to_different_processes_and_its_job_is_done_once(many, library):
    assert many.sign_in().status == 303
    token = many.token("/desk/files")
    said, name = TUS | {"X_CSRFToken": token}, base64.b64encode("ព្រៃ.pdf".encode()).decode()
    whole = pdf_of(["The forest grows slowly in the hills and along the river."])
    place = many.ask("/desk/uploads", "POST", b"", Upload_Length=str(len(whole)), Upload_Metadata=f"filename {name}", **said).headers["Location"]
    step, at, took = len(whole) // PROCESSES + 1, 0, []
    for process in sorted(many.processes()):
        with many.only(process):
            piece = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": str(at)}
            answer = many.ask(place, "PATCH", whole[at : at + step], **piece, **said)
        at, took = int(answer.headers["Upload-Offset"]), [*took, answer.by]
    assert at == len(whole) and len(set(took)) == PROCESSES
    (job_id,) = (job.job_id for job in Jobs(library).jobs() if job.kind == "examination")
    wait_until(lambda: Jobs(library).job(job_id).ended)
    job = Jobs(library).job(job_id)
    assert (job.state, job.attempts, job.problem) == ("done", 1, "")
    assert (library.folder / "examined").read_text().split() == [str(job_id)]


def test_a_long_question_is_taken_in_every_script(many):
    assert many.ask(f"/api/v1/search?q={KHMER}").status == 200


def test_figures_are_those_of_all_processes_together(many):
    before = many.told().get('isogloss_requests_total{method="GET",route="/health",status="200"}', 0)
    many.of_each(lambda: many.ask("/health"))
    told = many.told()
    assert told['isogloss_requests_total{method="GET",route="/health",status="200"}'] == before + PROCESSES
    assert told["isogloss_processes"] == PROCESSES and told["isogloss_view_publications"] == 2
    assert many.ask("/metrics").status == 404 and many.ask("/", port=many.figures).status == 404


def test_nothing_of_the_library_is_open_and_nothing_that_computes_is_loaded_before_processes_are_forked(many):
    opened = [str(path.readlink()) for path in Path(f"/proc/{many.process.pid}/fd").iterdir() if path.is_symlink()]
    assert opened and not any("library" in path for path in opened)
    loads = "import sys, search_app.cli, search_app.cli_serving, search_app.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert "gunicorn.arbiter" in loaded and not {"openvino", "torch", "tokenizers", "psycopg", "prometheus_client"} & set(loaded)


class Readers:
    """Readers who ask without a pause, and what they were answered."""

    def __init__(self, many):
        self._many, self._over = many, threading.Event()
        self.answers, self.broken = [], 0
        self._threads = [threading.Thread(target=self._ask, args=(query,)) for query in ("ป่า", "غابة", "ป่า", "غابة")]

    def _ask(self, query):
        while not self._over.is_set():
            try:
                answer = self._many.ask(f"/api/v1/search?q={query}&k=1")
            except (OSError, http.client.HTTPException):
                self.broken += 1
                continue
            self.answers.append((answer.status, '"woods"' in answer.text))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_a_killed_process_is_started_again_and_nobody_is_answered_wrongly(many):
    before = many.processes()
    victim = min(before)
    with Readers(many) as readers:
        wait_until(lambda: len(readers.answers) > 20)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in many.processes() and len(many.processes()) == PROCESSES)
        (new,) = many.processes() - before
        with many.only(new):
            assert many.ask("/ready").by == new
    assert set(readers.answers) == {(200, True)} and readers.broken <= 4, readers.broken
    wait_until(lambda: many.told()["isogloss_processes"] == PROCESSES)


def test_a_reload_renews_every_process_and_every_reader_is_answered(many, library):
    before = many.processes()
    with Readers(many) as readers:
        wait_until(lambda: len(readers.answers) > 20)
        os.kill(many.process.pid, signal.SIGHUP)
        wait_until(lambda: not many.processes() & before and len(many.processes()) == PROCESSES)
        count = len(readers.answers)
        wait_until(lambda: len(readers.answers) > count + 20)
    assert (set(readers.answers), readers.broken) == ({(200, True)}, 0)


def test_when_who_kept_the_worker_going_is_gone_another_does(many, library):
    for process in sorted(many.processes()):
        os.kill(process, signal.SIGKILL)
        wait_until(lambda process=process: process not in many.processes() and len(many.processes()) == PROCESSES)
    job_id = Jobs(library).add("generation", "ana")
    wait_until(lambda: not Jobs(library).any_open())
    job = Jobs(library).job(job_id)
    assert (job.state, job.problem) == ("done", "")


def test_while_the_engine_is_away_readers_are_told_and_once_it_is_back_they_are_answered(tmp_path):
    servers = pytest.importorskip("engine.servers")
    try:
        servers.programs()
    except servers.NoServersError as error:
        pytest.skip(str(error))
    with servers.Server.create(servers.HASTE) as server:
        address = server.create_database("away")
        fill(Library.create(tmp_path / "library", address), LexiconEncoder(), publication("woods", ["th"]), {"th": ["ป่า"]})
        command = [*ISOGLOSS, "serve", "--port", "PORT", "--metrics", "FIGURES", "--processes", "2", "--no-work"]
        with site(tmp_path, command, 2, ISOGLOSS_STORE=address) as many:
            before = many.processes()
            server.stop()
            page, api = many.ask("/?q=ป่า", Accept_Language="th"), many.ask("/api/v1/search?q=ป่า")
            assert [(answer.status, answer.headers["Retry-After"]) for answer in (page, api)] == [(503, "30")] * 2
            assert '<html lang="th"' in page.text and "Traceback" not in page.text + api.text and "127.0.0.1" not in api.text
            assert api.headers["Content-Type"] == "application/problem+json"
            wait_until(lambda: many.ask("/ready").status == 503)
            assert many.ask("/health").status == 200 and many.told()["isogloss_library_answers"] == 0
            os.kill(min(before), signal.SIGKILL)
            wait_until(lambda: "A process cannot be started" in many.log.read_text("utf-8"))
            assert many.ask("/health").by == max(before)
            server.start()
            assert many.of_each(lambda: many.json("/api/v1/search?q=ป่า")["hits"][0]["publication_id"]) == ["woods"] * 2
            wait_until(lambda: many.ask("/ready").status == 200)
