"""A worker runs while there is something to do, and ends with its server."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from index.jobs import Jobs
from search_app import cli_working, supervision
from search_app.cli import main
from search_app.supervision import Supervisor, command

SAYS = "import os, sys; open(sys.argv[1], 'a').write(str(os.getpid()) + '\\n'); "


@pytest.fixture
def started(library, tmp_path):
    """The numbers of the processes that were started."""
    return lambda: [int(line) for line in (tmp_path / "started").read_text().split()] if (tmp_path / "started").exists() else []


@pytest.fixture
def supervisor(library, tmp_path):
    """Supervise processes that do this."""
    return lambda does: Supervisor(library, [sys.executable, "-c", SAYS + does, str(tmp_path / "started")], every=0.02)


def wait_until(so, seconds=30):
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(number):
    return Path(f"/proc/{number}").exists() and "State:\tZ" not in Path(f"/proc/{number}/status").read_text()


def test_one_worker_is_started_at_once_and_the_next_when_there_is_a_job(library, supervisor, started):
    with supervisor("").beside():
        wait_until(started)
        time.sleep(0.5)
        assert len(started()) == 1
        Jobs(library).add("reading", "ana")
        wait_until(lambda: len(started()) > 1)


def test_a_worker_that_leaves_work_undone_is_started_again_after_growing_waits(library, supervisor, started, caplog):
    Jobs(library).add("reading", "ana")
    supervised = supervisor("sys.exit(3)")
    with supervised.beside():
        wait_until(lambda: len(started()) == 3)
        wait_until(lambda: supervised._in_vain == 3)
    waits = [int(number) for number in re.findall(r"in (\d+) seconds", caplog.text)]
    assert waits == [1, 2, 4] and len(started()) == 3 and "ended with 3" in caplog.text


def test_the_worker_ends_with_its_server(supervisor, started):
    with supervisor("sys.stdin.read()").beside():
        wait_until(started)
        assert is_alive(started()[0])
    assert not is_alive(started()[0])


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_a_worker_that_does_not_listen_is_killed(supervisor, started, monkeypatch):
    monkeypatch.setattr(supervision, "GRACE", 0.2)
    with supervisor("import signal, time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'a').write('0\\n'); time.sleep(99)").beside():
        wait_until(lambda: len(started()) == 2)
    wait_until(lambda: not is_alive(started()[0]))


def test_trouble_in_looking_does_not_end_the_supervision(library, supervisor, started, monkeypatch, caplog):
    monkeypatch.setattr(supervision, "LONGEST", 0.1)
    real, failing = Jobs.any_open, [True]
    monkeypatch.setattr(Jobs, "any_open", lambda self: real(self) if not failing else (failing.clear(), 1 / 0))
    with supervisor("").beside():
        wait_until(started)
        Jobs(library).add("reading", "ana")
        wait_until(lambda: len(started()) > 1)
    assert "trying again" in caplog.text


def test_the_command_hands_on_library_and_encoder_and_can_be_started(tmp_path):
    assert command(tmp_path, "", "--threads", "2", "--nice", "5")[-4:] == ["--threads", "2", "--nice", "5"]
    assert command(Path("ไลบรารี"), "intfloat/e5")[-2:] == ["--encoder", "intfloat/e5"] and "ไลบรารี" in command(Path("ไลบรารี"), "")
    assert os.access(command(tmp_path, "")[0], os.X_OK)


def test_the_worker_of_a_service_is_told_all_that_the_service_was_told(library, monkeypatch):
    started = []
    monkeypatch.setattr(Supervisor, "run", lambda self: started.append(self._command))
    monkeypatch.setattr(cli_working, "_end_politely", lambda _: None)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ISOGLOSS_LOG"):  # which the command sets
        monkeypatch.setenv(name, "")
    said = ["--threads", "3", "--nice", "7", "--workers", "tcp://127.0.0.1:8786"]
    done = CliRunner().invoke(main, ["work", "--library", str(library.folder), *said])
    assert (done.exit_code, done.output) == (0, "") and started[0][-len(said) :] == said


def test_of_several_supervisors_one_starts_workers_and_another_takes_over_when_it_ends(supervisor, started):
    with supervisor("sys.stdin.read()").beside():
        wait_until(started)
        with supervisor("sys.stdin.read()").beside():
            time.sleep(0.5)
            assert len(started()) == 1
    first, second = supervisor("sys.stdin.read()"), supervisor("sys.stdin.read()")
    with second.beside():
        with first.beside():
            wait_until(lambda: len(started()) == 2)
        wait_until(lambda: len(started()) == 3 or second._worker)


def test_a_supervisor_where_nothing_can_be_written_waits(library, supervisor, started, monkeypatch):
    def fail(*_, **__):
        raise OSError("read-only")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(library.store), "lock", fail)
        with supervisor("").beside():
            time.sleep(0.2)
            assert started() == []
