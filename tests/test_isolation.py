from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import CORPUS
from pebble import ProcessPool

from ingest import isolation, limits
from ingest.drawing import Drawer, outcome
from ingest.isolation import hindrance, leave_networks
from ingest.limits import Limits, confine
from ingest.pipeline import read_files
from ingest.reading import Source

isolated = pytest.mark.skipif(bool(hindrance()), reason="this system lets no process leave its networks")


def reach(port: int) -> str:
    """Try to get to a server on this machine, itself or by a program that is started."""
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError as error:
        started = subprocess.run(["/bin/bash", "-c", f"echo > /dev/tcp/127.0.0.1/{port}"], capture_output=True)
        return f"{type(error).__name__} {started.returncode}"
    return "reached"


def rights() -> str:
    return next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))


def in_a_process(initializer, function, *arguments):
    with ProcessPool(1, initializer=initializer, initargs=[Limits()] if initializer else [], context=multiprocessing.get_context("spawn")) as pool:
        return pool.schedule(function, args=arguments).result()


@isolated
def test_a_confined_process_cannot_even_reach_this_machine_and_neither_can_what_it_starts():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert in_a_process(None, reach, port) == "reached"
        assert in_a_process(confine, reach, port) == "OSError 1"


@isolated
def test_a_confined_process_gains_no_rights():
    own = int(rights(), 16)
    assert int(in_a_process(confine, rights), 16) | own == own


@isolated
def test_files_are_read_and_drawn_by_processes_without_a_network(tmp_path):
    path = tmp_path / "ปลา.pdf"
    path.write_bytes(next(CORPUS.glob("*/*.pdf")).read_bytes())
    (reading,) = read_files([Source("fish.und", path)], workers=1)
    assert reading.content and any(page.text for page in reading.content.pages)
    drawer = Drawer(workers=1)
    assert outcome(drawer.start(path, 1, 600)).webp[:4] == b"RIFF"
    drawer.close()


def test_what_the_system_forbids_is_logged_and_hinders_nothing(monkeypatch, caplog):
    monkeypatch.setattr(limits, "leave_networks", lambda: "Operation not permitted")
    monkeypatch.setattr(limits, "_set", lambda *_: None)
    with caplog.at_level(logging.INFO, "ingest.limits"):
        confine(Limits())
    assert f"process {os.getpid()}: not cut off from the network: Operation not permitted" in caplog.text


def test_where_there_are_no_namespaces_that_is_said(monkeypatch):
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    assert leave_networks() == "darwin has no namespaces"
