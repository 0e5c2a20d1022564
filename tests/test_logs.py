"""What is logged: enough to see what goes wrong, and nothing of who asked or what."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from started import ISOGLOSS, site

from index.library import Library
from search_app import logs
from search_app.factory import create_app
from search_app.logs import Discreet, JsonFormatter, outline
from search_app.watching import watch

MARKER = "secretword"
SENDER = "203.0.113.7"
OWN = [
    sys.executable,
    "-m",
    "gunicorn",
    "--bind",
    "127.0.0.1:PORT",
    "--bind",
    "127.0.0.1:FIGURES",
    "--workers",
    "2",
    "--threads",
    "8",
    "lexicon_isogloss:create()",
]
SERVE = [*ISOGLOSS, "serve", "--port", "PORT", "--metrics", "FIGURES", "--behind-proxy", "1", "--no-work"]


@pytest.fixture
def written():
    """What a logger writes, through the formatter and the filter of a server: a list of lines."""
    lines, handler = [], logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Discreet())
    handler.emit = lambda record: lines.append(handler.format(record))
    for name in ("search_app.factory", "gunicorn.error", "isogloss.requests", "tests"):
        logging.getLogger(name).addHandler(handler)
    logs.REQUESTS.setLevel("INFO")
    yield lines
    for name in ("search_app.factory", "gunicorn.error", "isogloss.requests", "tests"):
        logging.getLogger(name).removeHandler(handler)
    logs.REQUESTS.setLevel(logging.NOTSET)


@pytest.fixture
def app(library):
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    app = create_app(library, LexiconEncoder())
    watch(app, logs.note)
    return app


def test_a_request_is_one_line_of_json_with_its_template_and_what_became_of_it(app, written):
    app.test_client().get("/publications/غابة?q=x")
    (line,) = map(json.loads, written)
    assert {name: line[name] for name in ("level", "logger", "message", "route", "method", "status")} == {
        "level": "info", "logger": "isogloss.requests", "message": "answered", "route": "/publications/<publication_id>", "method": "GET", "status": 404,
    }  # fmt: skip
    assert line["milliseconds"] >= 0 and len(line["request"]) == 16 and line["time"].endswith("+00:00")


def test_what_is_logged_while_a_request_is_answered_bears_its_number(app, written):
    app.add_url_rule("/said", "said", lambda: (logging.getLogger("tests").warning("of ភ្នំ\nand\u2028more"), "")[1])
    app.test_client().get("/said")
    said, answered = map(json.loads, written)
    assert (said["message"], said["request"], said["route"]) == ("of ភ្នំ\nand\u2028more", answered["request"], "/said")
    assert len(written[0].splitlines()) == 1


def test_an_error_is_told_by_its_kind_and_place_and_not_by_what_it_says(app, written):
    def fail():
        try:
            raise ValueError(MARKER)
        except ValueError as error:
            raise RuntimeError(f"asked for {MARKER}") from error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fail", "fail", fail)
    assert app.test_client().get(f"/fail?q={MARKER}").status_code == 500
    text = "".join(written)
    told = json.loads(written[0])
    assert told["level"] == "error" and MARKER not in text
    assert told["exception"].startswith("RuntimeError\n") and "ValueError\n" in told["exception"] and "test_logs.py" in told["exception"]


def test_an_error_does_not_tell_which_publication_was_read(app, written):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fail/<name>", "fail", lambda name: 1 / 0)
    assert app.test_client().get(f"/fail/{MARKER}").status_code == 500
    assert MARKER not in "".join(written) and json.loads(written[0])["route"] == "/fail/<name>" and "ZeroDivisionError" in written[0]


def test_of_two_errors_at_once_both_kinds_are_told():
    try:
        try:
            raise KeyError(MARKER)
        except KeyError:
            raise OSError(MARKER)  # noqa: B904  # the first is its context
    except OSError as error:
        said = outline(error)
    assert [line for line in said.splitlines() if not line.startswith(" ")] == ["OSError", "KeyError"] and MARKER not in said


@pytest.mark.parametrize(
    "said",
    [f"Invalid request from ip={SENDER}: GET /?q={MARKER}", "Error handling request %s %s", f"Exception while serving /publications/{MARKER}"],
)
def test_what_servers_say_of_a_request_is_left_out(written, said):
    logging.getLogger("gunicorn.error").error(said, *(["GET", f"/?q={MARKER}"] if "%s" in said else []))
    assert MARKER not in written[0] and SENDER not in written[0] and json.loads(written[0])["level"] == "error"


def _ask_for_trouble(found):
    """Ask, in every way that may end in a log, for a word."""
    said = {"X_Forwarded_For": SENDER, "Referer": f"https://reader.example/?q={MARKER}", "User_Agent": MARKER}
    for address in (f"/?q={MARKER}", f"/api/v1/search?q={MARKER}", f"/search.csv?q={MARKER}", f"/publications/woods?q={MARKER}", f"/api/v1/search?q={MARKER}&k=none",
                    f"/desk?back={MARKER}", f"/fail?q={MARKER}", f"/?q={MARKER}&k=many", f"/?q={MARKER * 200}"):  # fmt: skip
        found.ask(address, **said)
    for line in (
        f"GET /?q={MARKER} {MARKER}",
        f"GET /?q={MARKER}\x01 HTTP/1.1",
        f"GET /?q={MARKER} HTTP/1.1\r\nHost: x\r\n{MARKER}",
        f"{MARKER} /?q={MARKER} HTTP/9.9",
    ):
        _send(found.port, line)


def _send(port, line):
    import socket

    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"{line}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


@pytest.mark.parametrize("log_format", ["plain", "json"])
@pytest.mark.parametrize(
    ("command", "processes", "environment"),
    [(SERVE, 1, {}), ([*SERVE, "--processes", "2"], 2, {}),
     (OWN, 2, {"ISOGLOSS_PROCESSES": "2", "ISOGLOSS_METRICS": "FIGURES", "ISOGLOSS_PROXIES": "1"})],
    ids=["waitress", "gunicorn", "gunicorn of one's own"],
)  # fmt: skip
def test_nothing_that_was_asked_is_in_anything_a_server_writes(tmp_path, command, processes, environment, log_format):
    library = Library.create(tmp_path / "library")
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    (tmp_path / "figures").mkdir()
    if command is OWN:
        environment = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "figures")}
    with site(tmp_path, command, processes, ISOGLOSS_LOG=log_format, **environment) as found:
        _ask_for_trouble(found)
        told = found.ask("/metrics", port=found.figures).text
    said = found.log.read_text("utf-8")
    assert 'route="/api/v1/search"' in told and MARKER not in told.lower()
    assert MARKER not in said.lower() and SENDER not in said and "reader.example" not in said
    assert "RuntimeError" in said  # what failed is known
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if MARKER.encode() in path.read_bytes()] == []
    if log_format == "json":
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        assert {line["status"] for line in lines if line["logger"] == "isogloss.requests"} >= {200, 400, 500}
