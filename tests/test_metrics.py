"""What Prometheus is told: figures of what was asked, and never what."""

from __future__ import annotations

import re

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from prometheus_client.parser import text_string_to_metric_families

from index.jobs import Jobs
from index.library import Library
from index.store import DamagedLibraryError
from ingest.records import IsoglossError
from search_app import metrics, standing
from search_app.busy import admission
from search_app.factory import create_app
from search_app.places import NoPlaceError
from search_app.serving import parsed

THERE = {"SERVER_PORT": "9100", "SERVER_NAME": "127.0.0.1"}


@pytest.fixture
def app(library):
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    app = create_app(library, LexiconEncoder(), places=4)
    standing.place(app, "https://library.example/isogloss", 1, "127.0.0.1")
    metrics.install(app, 9100)
    return app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def told(client):
    """The figures as Prometheus reads them: told("name", label="value")."""

    def read(name, **labels):
        families = text_string_to_metric_families(client.get("/metrics", environ_overrides=THERE).text)
        found = {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        }
        return found.get(name)

    return read


def test_requests_are_counted_by_template_method_and_status(client, told):
    for name in ("woods", "غابة", "nothing"):
        client.get(f"/publications/{name}")
    assert told("isogloss_requests_total", route="/publications/<publication_id>", method="GET", status="404") == 2
    assert told("isogloss_request_seconds_count", route="/publications/<publication_id>") == 3


def test_parts_of_a_search_are_timed(client, told):
    client.get("/?q=ป่า")
    for part in ("encoder", "words", "vectors", "marks"):
        assert told("isogloss_part_seconds_count", part=part) == 1, part
    client.get("/static/isogloss.css").close()
    assert told("isogloss_part_seconds_count", part="encoder") == 1


def test_the_figures_say_what_is_there(client, told, library):
    assert (told("isogloss_view_passages"), told("isogloss_view_publications"), told("isogloss_processes")) == (4, 1, 1)
    assert told("isogloss_view_revision") == told("isogloss_library_revision") == library.revision()
    assert told("isogloss_view_generation") == told("isogloss_generation") == 1
    assert told("isogloss_generation_made_timestamp_seconds") > 1.5e9 and told("isogloss_library_answers") == 1


def test_a_process_that_nobody_asks_lags_until_somebody_does(client, told, library):
    fill(library, LexiconEncoder(), publication("rivers", ["km"]), {"km": ["ទឹក"]})
    assert told("isogloss_view_revision") < told("isogloss_library_revision")
    client.get("/")
    assert told("isogloss_view_revision") == told("isogloss_library_revision") and told("isogloss_view_publications") == 2


def test_jobs_are_counted_by_state(told, library):
    jobs = Jobs(library)
    for _ in range(3):
        jobs.add("generation", "ana")
    jobs.end(jobs.take().job_id, "failed", "of ป่า")
    jobs.take()
    assert [told("isogloss_jobs", state=state) for state in ("waiting", "running", "failed")] == [1, 1, 1]


def test_places_are_told(app, told):
    computing = admission(app).computing
    tickets = [computing.enter() for _ in range(4)]
    assert (told("isogloss_places", kind="computing"), told("isogloss_places_taken", kind="computing")) == (4, 4)
    computing.patience = 0
    with pytest.raises(NoPlaceError):
        computing.enter()
    assert told("isogloss_places_refused_total", kind="computing") == 1 and told("isogloss_places_waiting", kind="computing") == 0
    for ticket in tickets * 2:
        computing.leave(ticket)
    assert told("isogloss_places_taken", kind="computing") == 0


def test_a_library_that_does_not_answer_is_said_and_stops_no_figures(told, client, monkeypatch):
    def fail(_):
        raise DamagedLibraryError("of ป่า")

    monkeypatch.setattr(Library, "revision", fail)
    assert client.get("/").status_code == 503
    assert told("isogloss_library_answers") == 0 and told("isogloss_requests_total", route="/", status="503") == 1


def test_nothing_of_a_question_or_of_a_reader_is_in_them(client):
    marker, sender = "secretword", "203.0.113.7"
    for address in (
        f"/?q={marker}",
        f"/api/v1/search?q={marker}",
        f"/{marker}",
        f"/search.csv?q={marker}",
        f"/publications/{marker}",
        f"/languages?back={marker}",
    ):
        client.get(
            address, headers={"X-Forwarded-For": sender, "Referer": f"https://{marker}.example", "User-Agent": marker, "Cookie": f"{marker}={marker}"}
        )
    client.open("/", method=marker.upper())
    text = client.get("/metrics", environ_overrides=THERE).text
    assert marker not in text.lower() and sender not in text and 'method="other"' in text


def test_labels_take_so_many_values_as_there_are_routes_however_many_addresses_are_asked(app, client):
    for number in range(30):
        client.get(f"/publications/{number}")
        client.get(f"/{number}")
    text = client.get("/metrics", environ_overrides=THERE).text
    assert set(re.findall(r'route="([^"]*)"', text)) <= {rule.rule for rule in app.url_map.iter_rules()} | {""}


@pytest.mark.parametrize("headers", [{}, {"Host": "127.0.0.1:9100"}, {"X-Forwarded-Host": "library.example:9100"}, {"X-Forwarded-Port": "9100"}])
def test_no_reader_gets_them(client, headers):
    for path in ("/metrics", "/isogloss/metrics", "/desk/metrics"):
        assert "isogloss_requests" not in client.get(path, headers=headers).text


def test_at_their_port_there_is_nothing_else(client):
    answer = client.get("/?q=ป่า", environ_overrides=THERE)
    assert (answer.status_code, answer.text) == (404, "The figures are at /metrics.\n")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("9100", ("127.0.0.1", 9100)), ("0.0.0.0:9100", ("0.0.0.0", 9100)), ("[::1]:9100", ("::1", 9100)), ("localhost:0", ("localhost", 0))],
)
def test_where_they_are_told_is_an_address_or_a_port_of_this_machine(said, meant):
    assert parsed(said) == meant


@pytest.mark.parametrize("said", ["", "localhost", "here:many", "127.0.0.1:70000", "127.0.0.1:²"])
def test_anything_else_is_refused_with_an_example(said):
    with pytest.raises(IsoglossError, match=r"127\.0\.0\.1:9100"):
        parsed(said)
