"""How a library is served is said once, and what is wrong with it is said plainly."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest
from conftest import LexiconEncoder
from started import HERE, ISOGLOSS, free_port

from index.library import Library
from ingest.records import IsoglossError
from search_app import cli_serving, serving
from search_app.busy import admission
from search_app.cli_serving import made, settings_from_environment
from search_app.serving import SHARED, bound


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Say settings in the environment, where nothing else is said."""
    for name in [name for name in os.environ if name.startswith(("ISOGLOSS_", "PROMETHEUS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ISOGLOSS_LIBRARY", str(tmp_path / "ห้องสมุด"))
    monkeypatch.setattr(cli_serving, "encoders_of", lambda *_: lambda _: LexiconEncoder())
    return lambda **said: [monkeypatch.setenv(f"ISOGLOSS_{name.upper()}", value) for name, value in said.items()]


def test_an_application_is_made_from_the_environment_alone(environment, tmp_path):
    environment(processes="4", places="12", max_upload="7", proxies="1", address="https://library.example/isogloss")
    app = made(settings_from_environment())
    assert (admission(app).computing.count, app.config["LARGEST_UPLOAD"], app.config["PROXIES"]) == (3, 7 * 1024**2, 1)
    assert "https://library.example/isogloss/sitemap.xml" in app.test_client().get("/robots.txt").text
    assert Library.open(tmp_path / "ห้องสมุด").counts()["publications"] == 0


def test_figures_of_several_processes_need_a_folder(environment):
    environment(processes="2", metrics="9100")
    with pytest.raises(IsoglossError, match=SHARED):
        made(settings_from_environment())


@pytest.mark.parametrize(("processes", "threads", "drawers"), [(1, 0, 2), (2, 4, 1), (8, 1, 1), (64, 1, 1)])
def test_processes_share_the_processors(environment, monkeypatch, processes, threads, drawers):
    monkeypatch.setattr(serving.os, "cpu_count", lambda: 8)
    environment(processes=str(processes))
    assert (settings_from_environment().threads, serving.share_of_drawing(processes)) == (threads, drawers)


def test_sockets_are_bound_where_they_are_to_listen():
    sockets = bound("127.0.0.1", 0)
    assert [one.getsockname()[0] for one in sockets] == ["127.0.0.1"] and sockets[0].getsockname()[1] > 0
    for one in sockets:
        one.close()


def test_a_taken_port_is_said_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(IsoglossError, match="Choose another with --port"):
            bound("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(IsoglossError, match="Choose another with --metrics"):
            bound("127.0.0.1", taken.getsockname()[1], "--metrics")


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--address", "https://library.example"], "--behind-proxy"), (["--metrics", "everywhere"], "expected HOST:PORT"), (["--library", "spoilt"], "is not a database")],
)  # fmt: skip
def test_what_is_wrong_is_said_once_before_several_processes_are_started(tmp_path, options, says):
    (tmp_path / "spoilt").mkdir()
    (tmp_path / "spoilt" / "library.sqlite").write_text("ป่า")
    command = [*ISOGLOSS, "serve", "--processes", "2", "--port", str(free_port()), *options]
    known = {name: value for name, value in os.environ.items() if not name.startswith("ISOGLOSS_")}
    paths = os.pathsep.join([str(HERE), str(HERE.parent)])
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=known | {"PYTHONPATH": paths})
    assert (found.returncode, found.stderr.count("Error: ")) == (2, 1) and says in found.stderr and "Traceback" not in found.stderr
