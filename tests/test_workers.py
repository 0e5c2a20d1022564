"""Files are read by workers of a Dask scheduler as they are read here, whatever dies: a real scheduler, workers in processes of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import dask
import pytest
from click.testing import CliRunner
from conftest import LexiconEncoder
from distributed import Worker
from filling import publication
from hostile import book_with_a_hostile_page

from index import sentence_encoder
from index.jobs import Jobs
from index.library import Library
from index.verification import faults
from ingest.ocr import find_tesseract
from search_app import storing, worker
from search_app.cli import main
from search_app.cluster import client
from search_app.cluster.address import UNPROTECTED, checked, own_host
from search_app.cluster.worker import EncodingWorker, Setup
from search_app.ingesting import ingest
from search_app.intake import WorkersError, workers_at

ROOT = Path(__file__).parent.parent
TEXTS = {"ar": "الغابة قديمة والناس يعيشون فيها منذ زمن طويل", "th": "ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว", "am": "ደኑ ያረጀ ነው ሰዎችም በውስጡ ይኖራሉ",
         "my": "သစ်တောသည် ရှေးကျပြီး လူများ နေထိုင်ကြသည်", "zh": "这片森林很古老，人们在这里生活了很长时间。", "ko": "숲은 오래되었고 사람들이 그 안에서 살고 있습니다.",
         "he": "היער עתיק ואנשים חיים בו זמן רב", "hi": "जंगल पुराना है और लोग इसमें लंबे समय से रहते हैं।", "km": "ព្រៃឈើនេះចាស់ណាស់ ហើយមនុស្សរស់នៅទីនេះជាយូរមកហើយ។"}  # fmt: skip
FATAL = "Feuer"  # a word that ends the worker which encodes it
PATIENCE = 120  # seconds until a process must have answered


class Processes:
    """A scheduler and its workers, each in a session of its own, so that it can be killed with all that it started."""

    def __init__(self, folder: Path, scheme: str = "tcp", **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self._folder, self._all = folder, []
        self._environment = {**os.environ, "PATH": "", "PYTHONPATH": str(ROOT), "FATAL": FATAL, **environment}
        self._environment["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"
        command = [
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            f"{scheme}://127.0.0.1",
            "--port",
            str(self.port),
            "--dashboard-address",
            "127.0.0.1:0",
        ]
        self.scheduler = self._start(*command)

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        return self._start(str(ROOT / "tests" / "lexicon_worker.py"), self.address, "--readers", "1", *options)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{len(self._all)}.log").open("wb") as log:
            self._all.append(
                subprocess.Popen([sys.executable, *command], cwd=self._folder, env=self._environment, stderr=log, stdout=log, start_new_session=True)
            )
        return self._all[-1]

    def said(self, number: int) -> str:
        return (self._folder / f"{number}.log").read_text("utf-8", "replace")

    def until(self, what: str, number: int) -> None:
        """Wait until one of the processes has said something."""
        end = time.monotonic() + PATIENCE
        while what not in self.said(number):
            assert time.monotonic() < end, self.said(number)
            time.sleep(0.05)

    def end(self) -> None:
        for process in self._all:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A scheduler with two workers, and a third by another encoder."""
    processes = Processes(tmp_path_factory.mktemp("two"))
    processes.until("Scheduler at", 0)
    for options in ((), (), ("--encoder", "another")):
        processes.worker(*options)
    for number in (1, 2, 3):
        processes.until("Registered to", number)
    yield processes
    processes.end()


@pytest.fixture(autouse=True)
def no_tesseract(monkeypatch):
    monkeypatch.setenv("PATH", "")
    getattr(find_tesseract, "cache_clear", lambda: None)()


@pytest.fixture
def corpus(publish, tmp_path):
    """Publications in many scripts, and a file that is none."""
    folder = publish("woods", {"de": ["Der Wald liegt am Fluss."], "es": ["El bosque es viejo."], "fr": ["La forêt."]})
    (folder / "fr.pdf").write_text("ليس ملفًا")
    for language, text in TEXTS.items():
        (folder.parent / f"{language}.html").write_text(f"<!doctype html><meta charset=utf-8><title>{text[:9]}</title><p>{text * 3}", "utf-8")
    return folder.parent


def contents(library: Library) -> dict[str, object]:
    """All that was read: states, pages, passages and their vectors, by edition."""
    keys, vectors = library.vectors()
    rows = {int(key): vector.tobytes() for key, vector in zip(keys, vectors, strict=True)}
    found: dict[str, object] = {}
    for state in library.edition_states():
        name = state.edition.edition_id
        passages = library.passages_of(name)
        found[name] = (state, library.pages(name), [(passage, rows[key]) for key, passage in passages.items()])
    return found


def test_the_library_is_the_same_whoever_read_it_although_a_worker_is_killed_while_they_read(two, corpus, library, encoder, tmp_path, caplog):
    (corpus / "book.pdf").write_bytes(book_with_a_hostile_page())  # a page of which ends its reading process
    victim = two.worker()
    two.until("Registered to", 4)

    def progress(done, total, what):
        if done == 1:
            kill(victim)

    report = ingest(corpus, library, encoder, workers=two.address, progress=progress)
    here = Library.create(tmp_path / "here")
    assert ingest(corpus, here, LexiconEncoder(), workers=1).done == report.done == {"read": len(TEXTS) + 3, "failed": 1}
    assert contents(library) == contents(here) and list(faults(library)) == []
    states = {state.edition.edition_id: state.reason for state in report.editions}
    assert "in no format that is known" in states["woods.fr"] and "1 unreadable (page 3)" in states["book.und"]
    assert "is not asked, because it reads otherwise (encoder: another there, lexicon here)" in caplog.text
    assert not any(text for text in encoder.encoded if "Wald liegt" in text)  # it was encoded elsewhere


def test_what_ends_the_workers_fails_with_the_reason_and_costs_nothing_else(two, corpus, publish, library, encoder):
    publish("fires", {"de": [f"Das {FATAL} brennt im Wald."]})
    report = ingest(corpus, library, encoder, workers=two.address)
    states = {state.edition.edition_id: (state.state, state.reason) for state in report.editions}
    assert states.pop("fires.de") == ("failed", client.DEADLY)
    assert states.pop("woods.fr")[0] == "failed" and {state for state, _ in states.values()} <= {"read", "partly read"}
    assert report.done == {"read": len(TEXTS) + 2, "failed": 2}


def test_an_encoder_that_no_worker_has_is_refused_before_anything_is_read(two, corpus, library, monkeypatch):
    monkeypatch.setattr(client, "SOON", 0)
    with pytest.raises(WorkersError, match=r"encoder: \w+ there, third here.*Nothing was handed to them"):
        ingest(corpus, library, LexiconEncoder("third"), workers=two.address)
    assert {state.state for state in library.edition_states()} == {"waiting"}


def test_no_more_is_handed_out_than_there_is_room_for_and_an_interruption_leaves_nothing_behind(two, corpus, library, encoder, monkeypatch):
    sizes = []
    monkeypatch.setattr(client, "IN_HAND", 1)  # byte: one at a time
    submit = client.Cluster.submit
    monkeypatch.setattr(client.Cluster, "submit", lambda self, order, file: sizes.append(len(file)) or submit(self, order, file))

    def interrupt(done, total, what):
        if done == 2:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        ingest(corpus, library, encoder, workers=two.address, progress=interrupt)
    assert len(sizes) <= 2 + storing.DONE_AHEAD + 2 < len(TEXTS)
    assert threading.active_count() <= before + 3  # Dask keeps threads of its own for the next client
    done = ingest(corpus, library, encoder, workers=two.address).done
    assert done["unchanged"] in (1, 2) and sum(done.values()) == len(TEXTS) + 3


def test_what_is_lost_before_it_was_fetched_is_waited_for_again(two, corpus, library, encoder, monkeypatch):
    fetched, lost = client.Cluster._fetched, []

    def fetch(cluster, future):
        if len(lost) < 2:
            lost.append(future)
            raise client.LostError
        return fetched(cluster, future)

    monkeypatch.setattr(client.Cluster, "_fetched", fetch)
    assert ingest(corpus, library, encoder, workers=two.address).done == {"read": len(TEXTS) + 2, "failed": 1} and len(lost) == 2


def test_the_jobs_of_the_desk_are_read_by_the_same_workers(two, library, encoder, tmp_path):
    (tmp_path / "given.html").write_text(f"<!doctype html><meta charset=utf-8><p>{TEXTS['th']}", "utf-8")
    digest = hashlib.sha256((tmp_path / "given.html").read_bytes()).hexdigest()
    library.keep_file(tmp_path / "given.html", digest)
    work = publication("woods", ["th"])
    job_id = storing.change_entry(library, "ana", "added", None, replace(work, editions=(replace(work.editions[0], digest=digest),)))
    assert worker.work(library, lambda name: encoder, linger=0, workers=two.address)
    assert [(job.state, job.problem) for job in Jobs(library).jobs()] == [("done", "")]
    assert [(one.name, one.state) for one in Jobs(library).documents(job_id)] == [("woods.th", "read")] and not any(
        "ป่าไม้เป็น" in text for text in encoder.encoded
    )


def test_a_scheduler_that_dies_ends_the_ingest_with_what_to_do_and_it_goes_on_from_there(corpus, library, encoder, tmp_path):
    processes = Processes(tmp_path)
    try:
        processes.until("Scheduler at", 0)
        processes.worker()
        processes.until("Registered to", 1)

        def progress(done, total, what):
            if done == 1:
                kill(processes.scheduler)

        with pytest.raises(WorkersError, match=r"does not answer any more. What was stored is kept"):
            ingest(corpus, library, encoder, workers=processes.address, progress=progress)
        assert processes._all[1].wait(PATIENCE) == 2 and "has gone" in processes.said(1)
    finally:
        processes.end()
    assert ingest(corpus, library, encoder, workers=1).done["unchanged"] >= 1
    assert {state.state for state in library.edition_states()} == {"read", "failed"}


def test_workers_and_those_who_ask_them_show_certificates_of_one_authority(corpus, library, encoder, tmp_path, monkeypatch):
    openssl = shutil.which("openssl", path=os.defpath)
    if not openssl:
        pytest.skip("there is no openssl")
    names = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    certificate = [*names, "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=workers", "-keyout", "own.key", "-out", "own.pem"]
    for command in ([*names, "-subj", "/CN=Isogloss", "-keyout", "ca.key", "-out", "ca.pem"], certificate):
        subprocess.run([openssl, *command], cwd=tmp_path, check=True, capture_output=True)
    settings = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(tmp_path / "ca.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"DASK_DISTRIBUTED__COMM__TLS__{role}__{what}": str(tmp_path / f"own.{end}") for what, end in (("CERT", "pem"), ("KEY", "key"))}
    processes = Processes(tmp_path, "tls", **settings)
    try:
        processes.until("Scheduler at", 0)
        processes.worker()
        processes.until("Registered to", 1)
        with pytest.raises(WorkersError, match="DASK_DISTRIBUTED__COMM__TLS__CA_FILE and DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT"):
            ingest(corpus, library, encoder, workers=processes.address)
        monkeypatch.setattr(client, "ANSWER", 2.0)
        with pytest.raises(WorkersError, match="No scheduler answers"):
            ingest(corpus, library, encoder, workers=processes.address.replace("tls", "tcp"))
        named = {"ca-file": tmp_path / "ca.pem", "client.cert": tmp_path / "own.pem", "client.key": tmp_path / "own.key"}
        with dask.config.set({f"distributed.comm.tls.{name}": str(path) for name, path in named.items()}):
            assert ingest(corpus, library, encoder, workers=processes.address).done["read"] == len(TEXTS) + 2
    finally:
        processes.end()


def test_where_nobody_answers_it_is_said_what_to_do(corpus, library, encoder, monkeypatch):
    monkeypatch.setattr(client, "ANSWER", 0.5)
    with pytest.raises(WorkersError, match=r"No scheduler answers at tcp://127.0.0.1:9 .*unset ISOGLOSS_WORKERS"):
        ingest(corpus, library, encoder, workers="tcp://127.0.0.1:9")


def test_a_worker_tells_figures_to_its_own_machine_only(monkeypatch):
    given = {}
    monkeypatch.setattr(sentence_encoder, "open_encoder", lambda *_, **__: LexiconEncoder())
    monkeypatch.setattr(Worker, "__init__", lambda self, *_, **settings: given.update(settings))
    EncodingWorker("tls://scheduler.internal:8786", setup=Setup()).readers.__exit__()
    assert given["dashboard_address"] == "127.0.0.1:0"  # where none is given, it is every interface


def test_without_dask_it_is_said_what_to_install(monkeypatch, encoder):
    for name in ("client", "worker"):
        monkeypatch.delitem(sys.modules, f"search_app.cluster.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkersError, match=r"need distributed, which is not installed here: pip install 'dask\[distributed\]'"):
        workers_at("tcp://127.0.0.1:8786", encoder)
    result = CliRunner().invoke(main, ["ingest-worker", "tcp://127.0.0.1:8786"])
    assert result.exit_code == 2 and "pip install 'dask[distributed]'" in result.output


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786", "tcp://127.9.9.9:1"])
def test_a_scheduler_on_this_machine_needs_no_certificate_and_its_workers_listen_here_only(address):
    assert not checked(address, "worker").require_encryption and own_host(address) in ("127.0.0.1", "::1", "localhost", "127.9.9.9")


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.7:8786", "tcp://scheduler:8786", "tcp://[fe80::1]:8786", "tcp://0.0.0.0:8786", "tcp://127.0.0.1.example:8786"]
)
def test_a_scheduler_on_a_network_is_refused_without_encryption_unless_somebody_says_so(address, monkeypatch):
    with pytest.raises(WorkersError, match="neither on this machine nor encrypted"):
        checked(address, "client")
    monkeypatch.setenv(UNPROTECTED, "yes")
    assert checked(address, "client") and own_host(address) is None


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://:8786", "tcp://127.0.0.1:ສາມ", "127.0.0.1:8786", "inproc://a:1"]
)
def test_what_is_no_address_of_a_scheduler_is_told(address):
    with pytest.raises(WorkersError, match=r"expected tcp://127.0.0.1:PORT on this machine, or tls://HOST:PORT"):
        checked(address, "worker")
