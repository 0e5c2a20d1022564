from __future__ import annotations

import re
import time

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, BaseConverter
from werkzeug.routing.converters import NumberConverter

from index import accounts
from index.accounts import IDLE, Accounts
from index.changes import Changes
from index.library import Library
from search_app.desk.browsers import DeskSessions
from search_app.factory import create_app

PASSWORD = "กขค three blue horses"
READERS = ["/", "/?q=ป่า", "/publications/woods", "/languages", "/quality", "/api/", "/api/v1/search?q=غابة", "/search.atom", "/sitemap.xml", "/oai?verb=Identify",
           "/publications/woods.ris", "/nowhere", "/static/isogloss.css", "/api/v1/nowhere"]  # fmt: skip
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def app(library: Library) -> Flask:
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า"], "ar": ["غابة"]})
    Accounts(library).put("ana", PASSWORD)
    return create_app(library, LexiconEncoder())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token_in(page) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def sign_in(client, name="ana", password=PASSWORD, **more):
    token = token_in(client.get("/desk/sign-in", **more))
    return client.post("/desk/sign-in", data={"name": name, "password": password, "csrf_token": token}, **more)


def cookies(answer) -> dict[str, str]:
    return {line.split("=", 1)[0]: line for line in answer.headers.getlist("Set-Cookie")}


@pytest.mark.parametrize("address", READERS)
@pytest.mark.parametrize("signed_in", [False, True])
def test_readers_pages_set_no_cookie_and_do_not_look_at_the_session(client, address, signed_in, monkeypatch):
    if signed_in:
        sign_in(client)
    looked = []
    monkeypatch.setattr(DeskSessions, "save_session", lambda _, app, session, answer: looked.append(session.accessed))
    with client.get(address) as answer:
        assert "Set-Cookie" not in answer.headers and looked == [False]
        assert "isogloss" not in answer.request.headers.get("Cookie", "")
        assert "Cookie" not in str(answer.vary) or "Accept-Language" in str(answer.vary)  # of the languages that a reader chooses


def test_signing_in_opens_the_desk_and_nothing_of_it_may_be_stored(client):
    assert client.get("/desk").headers["Location"] == "/desk/sign-in?back=/desk"
    answer = sign_in(client, " ANA ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    page = client.get("/desk")
    assert page.status_code == 200 and "Sign out (ana)" in page.text and page.headers["Cache-Control"] == "private, no-store"
    assert client.get("/desk/sign-in").headers["Cache-Control"] == "private, no-store"


def test_cookies_are_for_the_desk_only_and_over_https_for_https_only(client):
    plain = cookies(sign_in(client))
    assert set(plain) == {"isogloss", "isogloss-known"}
    for line in plain.values():
        assert {"HttpOnly", "Path=/desk", "SameSite=Lax"} <= set(line.split("; ")) and "Secure" not in line
    safe = cookies(sign_in(client, base_url="https://localhost"))
    assert set(safe) == {"isogloss", "isogloss-known"} and all("; Secure" in line for line in safe.values())


def test_signing_in_leaves_nothing_of_the_session_that_was_there(client):
    before = token_in(client.get("/desk/sign-in"))
    planted = client.get_cookie("isogloss", path="/desk").value
    sign_in(client)
    assert client.get_cookie("isogloss", path="/desk").value != planted
    assert client.post("/desk/sign-out", data={"csrf_token": before}).status_code == 400  # the token of before is worth nothing now
    thief = client.application.test_client()
    thief.set_cookie("isogloss", planted, path="/desk")
    assert thief.get("/desk").status_code == 303


def test_signing_out_ends_the_session_in_the_library_so_that_a_copied_cookie_is_worth_nothing(client, app):
    sign_in(client)
    copied = client.get_cookie("isogloss", path="/desk").value
    answer = client.post("/desk/sign-out", data={"csrf_token": token_in(client.get("/desk/password"))})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/") and client.get_cookie("isogloss", path="/desk") is None
    thief = app.test_client()
    thief.set_cookie("isogloss", copied, path="/desk")
    assert thief.get("/desk").status_code == 303


def test_a_session_that_is_over_leads_back_to_where_it_was(client, monkeypatch):
    sign_in(client)
    later = time.time() + IDLE + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert client.get("/desk/password?x=ü").headers["Location"] == "/desk/sign-in?back=/desk/password?x%3D%C3%BC"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n/evil.example", "\\\\evil.example", "evil"]
)
def test_signing_in_leads_to_no_other_site(client, back):
    token = token_in(client.get("/desk/sign-in", query_string={"back": back}))
    answer = client.post("/desk/sign-in", query_string={"back": back}, data={"name": "ana", "password": PASSWORD, "csrf_token": token, "back": back})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(client):
    wrong = [sign_in(client, name, "a wrong password") for name in ("ana", "ไม่มีใคร")]
    pages = [re.sub(r'value="[^"]+"', "", answer.text) for answer in wrong]
    assert [answer.status_code for answer in wrong] == [403, 403] and pages[0] == pages[1] and 'role="alert"' in pages[0]
    assert client.get("/desk").status_code == 303


def test_too_many_attempts_are_answered_with_429_and_when_to_try_again(client):
    assert [sign_in(client, "ana", "wrong").status_code for _ in range(11)] == [403] * 10 + [429]
    answer = sign_in(client, "nobody", "wrong")
    assert answer.status_code == 429 and 800 < int(answer.headers["Retry-After"]) <= 900 and "in 15 minutes" in answer.text
    assert sign_in(client, environ_overrides={"REMOTE_ADDR": "127.0.0.2"}).status_code == 303


def test_strangers_cannot_keep_a_browser_out_that_has_signed_in_before(client, app):
    sign_in(client)
    client.delete_cookie("isogloss", path="/desk")
    stranger = app.test_client()
    assert [sign_in(stranger, "ana", "wrong").status_code for _ in range(11)][-1] == 429
    assert sign_in(client).status_code == 303
    assert sign_in(stranger).status_code == 429


def test_whoever_hashes_too_much_at_once_is_asked_to_wait(client, monkeypatch):
    with accounts._hashing, accounts._hashing:
        answer = sign_in(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2") and 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("more", "taken"),
    [({}, True), ({"environ_overrides": {"REMOTE_ADDR": "::1"}}, True), ({"environ_overrides": {"REMOTE_ADDR": "::ffff:127.0.0.1"}}, True),
     ({"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}, False), ({"headers": {"X-Forwarded-For": "192.0.2.1"}}, False),
     ({"base_url": "https://localhost", "environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}, True)],
)  # fmt: skip
def test_passwords_are_taken_over_https_or_from_this_machine_only(client, more, taken):
    page = client.get("/desk/sign-in", **more)
    assert (page.status_code == 200) == taken and ("https only" in page.text) != taken and ('type="password"' in page.text) == taken
    with client.application.app_context():
        client.application.config["WTF_CSRF_ENABLED"] = False
    assert client.post("/desk/sign-in", data={"name": "ana", "password": PASSWORD}, **more).status_code == (303 if taken else 403)


def change(client, current=PASSWORD, password="weiße Pferde im Wald", again=None):
    token = token_in(client.get("/desk/password"))
    data = {"current": current, "password": password, "again": again or password, "csrf_token": token}
    return client.post("/desk/password", data=data)


def test_another_password_ends_all_other_sessions_and_is_logged(client, app, library):
    other = app.test_client()
    sign_in(client), sign_in(other)
    answer = change(client)
    assert answer.status_code == 303 and "Your password was changed" in client.get(answer.headers["Location"]).text
    assert other.get("/desk").status_code == 303 and client.get("/desk").status_code == 200
    assert sign_in(other).status_code == 403 and sign_in(other, password="weiße Pferde im Wald").status_code == 303
    (change_made,) = Changes(library).changes()
    assert (change_made.by, change_made.what, change_made.about) == ("ana", "password changed", "ana")


@pytest.mark.parametrize(("said", "status"), [({"current": "wrong"}, 403), ({"again": "another"}, 400), ({"password": "short"}, 400)])
def test_a_password_is_changed_only_by_who_knows_it_and_types_the_new_one_well(client, library, said, status):
    sign_in(client)
    answer = change(client, **said)
    assert answer.status_code == status and 'role="alert"' in answer.text and Changes(library).changes() == []
    assert client.get("/desk").status_code == 200 and sign_in(client).status_code == 303


def below_the_desk(app):
    """(endpoint, address, method) of all that is below /desk, with values for what its rules take."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.rule == "/desk" or rule.rule.startswith("/desk/"):
                values = {name: a_value(converter) for name, converter in rule._converters.items()}
                for method in sorted(rule.methods):
                    yield rule.endpoint, rule.build(values)[1], method


def a_value(converter: BaseConverter) -> object:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, NumberConverter) else "0" * 64  # as long as a digest


def test_nobody_gets_to_any_address_of_the_desk_without_signing_in(app, client):
    asked = [one for one in below_the_desk(app) if one[0] != "desk.signing.sign_in"]
    assert {endpoint for endpoint, *_ in asked} >= {"desk.page", "desk.signing.sign_out", "desk.signing.password"}
    for endpoint, address, method in asked:
        answer = client.open(address, method=method)
        assert (endpoint, method, answer.status_code) == (endpoint, method, 303)
        assert answer.headers["Location"].startswith("/desk/sign-in?back=")


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "forged"}])
def test_nothing_below_the_desk_can_be_changed_without_a_token(app, client, headers):
    sign_in(client)
    changing = [one for one in below_the_desk(app) if one[2] in UNSAFE]
    assert {endpoint for endpoint, *_ in changing} >= {"desk.signing.sign_in", "desk.signing.sign_out", "desk.signing.password"}
    for endpoint, address, method in changing:
        answer = client.open(address, method=method, headers=headers)
        assert (endpoint, method, answer.status_code) == (endpoint, method, 400)
        assert "reload the page" in answer.text and "Traceback" not in answer.text


def test_a_token_may_come_as_a_header_as_resumable_uploads_send_it(client):
    sign_in(client)
    token = token_in(client.get("/desk/password"))
    assert client.post("/desk/sign-out", headers={"X-CSRFToken": token}).status_code == 303


def test_over_https_a_form_is_taken_without_a_referrer_which_pages_here_never_send(client):
    assert sign_in(client, base_url="https://localhost").status_code == 303
