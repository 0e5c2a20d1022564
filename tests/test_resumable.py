"""The tus protocol: what its specification asks, and what broken lines, other clients and wrong requests bring about."""

from __future__ import annotations

import base64
import io
import threading

import pytest
from conftest import pdf_of
from flask import Flask

from index.jobs import Jobs
from index.uploads import MIB, Uploads
from search_app.desk.receiving import PIECE
from search_app.factory import create_app

TUS = {"Tus-Resumable": "1.0.0"}
PDF = pdf_of(["The forest grows."])
SIZE = len(PDF)
AT = "/desk/uploads"
STREAM = "application/offset+octet-stream"


@pytest.fixture
def app(library, encoder) -> Flask:
    library.set_meta("encoder", encoder.fingerprint)
    return create_app(library, encoder)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def create(client, size=SIZE, name="a.pdf", **headers):
    metadata = f"filename {encoded(name)},likeness {encoded('a/1/2')}"
    return client.post(AT, headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata, **headers})


def patch(client, address, offset, body, kind=STREAM, **more):
    return client.patch(address, data=body, headers={**TUS, "Upload-Offset": str(offset), **more}, content_type=kind)


def offset(client, address):
    return int(client.head(address, headers=TUS).headers["Upload-Offset"])


def test_the_server_says_what_it_can(analyst):
    answer = analyst.options(AT)
    assert answer.status_code == 204 and answer.headers["Tus-Version"] == "1.0.0" and answer.headers["Tus-Max-Size"] == str(200 * MIB)
    assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "termination", "expiration"}


def test_a_file_is_announced_and_comes_in_pieces(analyst, library):
    answer = create(analyst, name="แผน.pdf")
    address = answer.headers["Location"]
    assert answer.status_code == 201 and address.startswith("/desk/uploads/") and "GMT" in answer.headers["Upload-Expires"]
    first = patch(analyst, address, 0, PDF[:100])
    assert (first.status_code, first.headers["Upload-Offset"], first.headers["Tus-Resumable"]) == (204, "100", "1.0.0")
    told = analyst.head(address, headers=TUS)
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"], told.headers["Cache-Control"]) == ("100", str(len(PDF)), "no-store")
    assert patch(analyst, address, 100, PDF[100:]).headers["Upload-Offset"] == str(len(PDF)) == str(offset(analyst, address))
    (upload,) = Uploads(library).uploads()
    assert (upload.state, upload.name, upload.likeness, upload.by) == ("complete", "แผน.pdf", "a/1/2", "ana")
    assert library.file(upload.digest).read_bytes() == PDF and len(Jobs(library).jobs()) == 1


@pytest.mark.parametrize("method", ["post", "head", "patch", "delete"])
@pytest.mark.parametrize("headers", [{}, {"Tus-Resumable": "0.2.2"}])
def test_another_version_of_the_protocol_is_refused(analyst, method, headers):
    answer = getattr(analyst, method)(AT if method == "post" else f"{AT}/x", headers=headers)
    assert answer.status_code == 412 and answer.headers["Tus-Version"] == "1.0.0"


def test_a_wrong_offset_is_a_conflict(analyst):
    address = create(analyst).headers["Location"]
    patch(analyst, address, 0, PDF[:50])
    assert [patch(analyst, address, at, b"x").status_code for at in (0, 49, 51)] == [409] * 3
    assert offset(analyst, address) == 50


def test_another_content_type_is_refused(analyst):
    address = create(analyst).headers["Location"]
    assert patch(analyst, address, 0, PDF, kind="application/pdf").status_code == 415


@pytest.mark.parametrize("said", ["", "-1", "x", "1.5", "٣", "1" * 20])
def test_numbers_that_are_none_are_refused(analyst, said):
    assert analyst.post(AT, headers={**TUS, "Upload-Length": said}).status_code == 400
    address = create(analyst).headers["Location"]
    assert patch(analyst, address, said, b"x").status_code == 400


def test_metadata_that_is_no_base64_is_refused(analyst):
    assert analyst.post(AT, headers={**TUS, "Upload-Length": "5", "Upload-Metadata": "filename ***"}).status_code == 400


def test_a_file_that_is_too_large_or_a_piece_that_is_too_long_is_refused(analyst, app):
    app.config["LARGEST_UPLOAD"] = len(PDF)
    assert create(analyst, len(PDF) + 1).status_code == 413
    address = create(analyst).headers["Location"]
    assert patch(analyst, address, 0, PDF + b"x").status_code == 413
    assert patch(analyst, address, 0, b"x" * (PIECE + 1)).status_code == 413
    assert offset(analyst, address) == 0 and create(analyst, 0).status_code == 400


def test_a_piece_of_a_mebibyte_comes_in_though_readers_may_send_next_to_nothing(analyst):
    address = create(analyst, 2 * MIB).headers["Location"]
    assert patch(analyst, address, 0, b"x" * MIB).headers["Upload-Offset"] == str(MIB)
    assert analyst.post("/languages", data={"back": "x" * MIB}).status_code == 413


def test_an_upload_can_be_ended(analyst, library):
    address = create(analyst).headers["Location"]
    patch(analyst, address, 0, PDF[:50])
    assert analyst.delete(address, headers=TUS).status_code == 204
    assert [analyst.head(address, headers=TUS).status_code, patch(analyst, address, 50, b"x").status_code] == [404, 404]
    assert list((library.folder / "uploads").iterdir()) == []


def test_a_proxy_that_lets_only_posts_through_is_no_hindrance(analyst, library):
    address = create(analyst).headers["Location"]
    headers = {**TUS, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert analyst.post(address, data=PDF, headers=headers, content_type=STREAM).status_code == 204
    assert analyst.post(address, headers={**TUS, "X-HTTP-Method-Override": "GET"}).status_code == 405
    assert Uploads(library).uploads()[0].state == "complete"


def test_what_came_before_the_line_broke_is_kept(analyst):
    address = create(analyst).headers["Location"]
    told_more = {"CONTENT_LENGTH": str(len(PDF))}
    headers = {**TUS, "Upload-Offset": "0"}
    analyst.patch(address, input_stream=io.BytesIO(PDF[:70]), headers=headers, content_type=STREAM, environ_overrides=told_more)
    assert offset(analyst, address) == 70
    assert patch(analyst, address, 70, PDF[70:]).headers["Upload-Offset"] == str(len(PDF))


def test_another_server_goes_on_where_the_first_one_stopped(analyst, app, library, encoder):
    address = create(analyst).headers["Location"]
    patch(analyst, address, 0, PDF[:70])
    anew = create_app(library, encoder)
    anew.config["WTF_CSRF_ENABLED"] = False
    client = anew.test_client()
    client.post("/desk/sign-in", data={"name": "ana", "password": "a long enough password"})
    assert offset(client, address) == 70 and patch(client, address, 70, PDF[70:]).status_code == 204
    assert Uploads(library).uploads()[0].state == "complete"


def test_of_two_clients_at_once_one_wins_and_nothing_is_mixed(analyst, app, library):
    content = pdf_of(["The forest grows."] * 3000)
    address = create(analyst, len(content)).headers["Location"]
    cookie = analyst.get_cookie("isogloss", path="/desk")
    answers = []

    def send() -> None:
        client = app.test_client()
        client.set_cookie("isogloss", cookie.value, path="/desk")
        for start in range(0, len(content), 5000):
            answers.append(patch(client, address, start, content[start : start + 5000]).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = offset(analyst, address)
    if at < len(content):  # both may have given way to each other
        patch(analyst, address, at, content[at:])
    (upload,) = Uploads(library).uploads()
    assert set(answers) <= {204, 409, 423} and library.file(upload.digest).read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\x00 this is a program", "in no format that is known here"),
        (b"<!doctype html><title>x</title><p>x", "it is a HTML file, expected a PDF"),
        (b"\0" * 1200 + PDF, "in no format that is known here"),
    ],
)
def test_what_is_no_pdf_by_its_content_is_refused_whatever_it_is_called(analyst, library, content, said):
    address = create(analyst, len(content), "report.pdf").headers["Location"]
    assert patch(analyst, address, 0, content).status_code == 204
    (upload,) = Uploads(library).uploads()
    assert upload.state == "refused" and said in upload.reason and not Jobs(library).jobs()


def test_who_is_not_signed_in_or_has_no_token_sends_nothing(app, library, analyst):
    stranger = app.test_client()
    assert create(stranger).status_code == 303 and stranger.patch(f"{AT}/x", data=b"x" * MIB).status_code in (303, 413)
    app.config["WTF_CSRF_ENABLED"] = True
    assert create(analyst).status_code == 400
    with analyst:
        page = analyst.get("/desk/files").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    address = create(analyst, **{"X-CSRFToken": token}).headers["Location"]
    assert patch(analyst, address, 0, PDF).status_code == 400
    assert patch(analyst, address, 0, PDF, **{"X-CSRFToken": token}).status_code == 204
