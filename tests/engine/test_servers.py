"""The servers that the other tests kill are real, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from engine.servers import Server, primary_and_replica


@pytest.fixture
def durable(server):
    """A server of the test's own that keeps what it acknowledged."""
    with Server.create() as running:
        yield running


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_every_database_is_empty_and_knows_vectors(server, new_database):
    names = [new_database().rpartition("/")[2] for _ in range(2)]
    server.sql("CREATE TABLE passage (text text, vector halfvec(2))", database=names[0])
    server.sql("INSERT INTO passage VALUES ('ป่าไม้', '[1,2]')", database=names[0])
    assert server.sql("SELECT text, vector::text FROM passage", database=names[0]) == [("ป่าไม้", "[1,2]")]
    assert server.sql("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'", database=names[1]) == [(0,)]


@pytest.mark.parametrize("how", ["kill", "kill_postmaster", "stop"])
def test_what_was_committed_is_there_after_a_server_was_killed(durable, how):
    durable.sql("CREATE TABLE said (word text)")
    durable.sql("INSERT INTO said VALUES ('森林')")
    getattr(durable, how)()
    assert not durable.answers()
    durable.start()
    assert durable.sql("SELECT word FROM said") == [("森林",)] and durable.sql("SHOW fsync") == [("on",)]


def test_a_promoted_copy_has_all_that_was_committed(server):
    with primary_and_replica() as (primary, replica):
        primary.sql("CREATE TABLE said (word text)")
        primary.sql("INSERT INTO said VALUES ('غابة')")
        primary.kill()
        replica.promote()
        replica.sql("INSERT INTO said VALUES ('ደን')")
        assert replica.sql("SELECT word FROM said") == [("غابة",), ("ደን",)]


def test_a_server_that_hangs_answers_nobody_until_it_goes_on(durable):
    durable.hang()
    assert not durable.answers()
    durable.go_on()
    assert durable.answers()


def test_no_server_outlives_a_test_run_that_is_killed(server):
    script = (
        "from engine.servers import Server, programs; s = Server.create(); print(s.process.pid, s.folder, programs().parents[2], flush=True); input()"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        pid, *folders = process.stdout.readline().split()
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while alive(int(pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(int(pid))
    assert not (Path(folders[0]) / "data" / "postmaster.pid").exists()
    for folder in map(Path, folders):
        if folder.name.startswith("isogloss-"):
            shutil.rmtree(folder)
