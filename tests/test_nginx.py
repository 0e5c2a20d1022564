"""The configuration of nginx in docs/deploying.md, with a real nginx and a certificate made here."""

from __future__ import annotations

import gzip
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from waitress.server import create_server

from index.accounts import Accounts
from index.library import Library
from search_app.factory import create_app
from search_app.standing import place

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
PAGE = Path(__file__).parent.parent / "docs" / "deploying.md"
PASSWORD = "a long enough password"
CONTEXT = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/start.log;
worker_processes 1;
events {{ }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {told}
}}
"""

pytestmark = [
    pytest.mark.skipif(not NGINX or not shutil.which("openssl"), reason="nginx and openssl are not both there"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # of waitress
]


class Site:
    """What a browser sees of it, through nginx."""

    def __init__(self, folder: Path, port: int, plain_port: int) -> None:
        self.folder, self.port, self.plain_port, self.cookies = folder, port, plain_port, {}

    def ask(self, method, path, form=None, body=None, **headers):
        trusted = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        connection = http.client.HTTPSConnection("localhost", self.port, context=trusted, timeout=20)
        if form is not None:
            body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        if path.startswith("/isogloss/desk") and self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        answer.text = (gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body).decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= [line.split(";")[0].split("=", 1)]
        connection.close()
        return answer

    def sign_in(self, password=PASSWORD, **headers):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("GET", "/isogloss/desk/sign-in").text)[1]
        return self.ask("POST", "/isogloss/desk/sign-in", {"name": "ana", "password": password, "csrf_token": token}, **headers)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """The configuration as it is documented, on other ports, with another certificate and other logs."""
    library, (https, plain) = Library.create(tmp_path / "library"), (free_port(), free_port())
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า"], "ar": ["غابة"]})
    Accounts(library).put("ana", PASSWORD)
    app = create_app(library, LexiconEncoder())
    place(app, f"https://localhost:{https}/isogloss", 1, "127.0.0.1")
    server = create_server(app, host="127.0.0.1", port=0, threads=4, clear_untrusted_proxy_headers=False)
    threading.Thread(target=server.run, daemon=True).start()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"], check=True, capture_output=True,
    )  # fmt: skip
    told = re.search("```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]
    for documented, here in {
        "/etc/letsencrypt/live/library.example/fullchain.pem": f"{tmp_path}/certificate.pem", "/etc/letsencrypt/live/library.example/privkey.pem": f"{tmp_path}/key.pem",
        "/var/log/nginx": str(tmp_path), "listen 80": f"listen 127.0.0.1:{plain}", "listen 443": f"listen 127.0.0.1:{https}", "127.0.0.1:8000": f"127.0.0.1:{server.effective_port}",
        "server_name library.example": "server_name localhost",
    }.items():  # fmt: skip
        assert documented in told
        told = told.replace(documented, here)
    (tmp_path / "nginx.conf").write_text(CONTEXT.format(folder=tmp_path, told=told))
    process = subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL)
    for _ in range(100):
        if socket.socket().connect_ex(("127.0.0.1", https)) == 0:
            break
        time.sleep(0.05)
    yield Site(tmp_path, https, plain)
    process.terminate()
    process.wait()
    server.close()


def test_readers_and_analysts_are_served_below_the_prefix_over_https_and_no_question_is_kept(site):
    public = f"https://localhost:{site.port}/isogloss"
    for path in ("/isogloss/", "/isogloss/publications/woods", "/isogloss/static/isogloss.css", "/isogloss/api/v1/status"):
        assert site.ask("GET", path).status == 200
    found = site.ask("GET", f"/isogloss/?q={quote('ป่า secretword')}", Accept_Encoding="gzip")
    assert (
        "/isogloss/pages/0000000000000000/1" in found.text
        and found.headers["Content-Encoding"] == "gzip"
        and found.headers["Strict-Transport-Security"]
        and "Set-Cookie" not in found.headers
    )
    assert f"{public}/publications/woods" in site.ask("GET", "/isogloss/search.atom").text
    assert f"Sitemap: {public}/sitemap.xml" in site.ask("GET", "/robots.txt").text
    assert site.ask("GET", "/isogloss").headers["Location"].endswith("/isogloss/")
    assert site.ask("GET", "/isogloss/", Host="evil.example").status == 200
    log = (site.folder / "isogloss.log").read_text()
    assert (
        "GET /isogloss/publications/woods 200" in log
        and "secretword" not in log
        and "?" not in log
        and "secretword" not in (site.folder / "isogloss-errors.log").read_text()
    )


def test_analysts_sign_in_over_https_and_a_forged_address_gives_nobody_more_attempts(site):
    assert site.ask("GET", "/isogloss/desk").headers["Location"] == "/isogloss/desk/sign-in?back=/isogloss/desk"
    answer = site.sign_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/isogloss/desk")
    assert all("Secure" in line and "Path=/isogloss/desk" in line for line in answer.headers.get_all("Set-Cookie"))
    assert "Sign out (ana)" in site.ask("GET", "/isogloss/desk").text
    site.cookies.clear()
    said = [site.sign_in("wrong", X_Forwarded_For=f"192.0.2.{number}").status for number in range(11)]
    assert said == [403] * 10 + [429]


def test_plain_http_leads_to_https_and_large_bodies_are_for_the_desk_only(site):
    connection = http.client.HTTPConnection("localhost", site.plain_port, timeout=20)
    connection.request("GET", "/isogloss/?q=x", headers={"Host": "localhost"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://localhost/isogloss/?q=x")
    connection.close()
    assert site.ask("POST", "/isogloss/languages", body=b"x" * 200_000).status == 413
    assert site.ask("POST", "/isogloss/desk/password", body=b"x" * 50_000).status == 303  # to the desk, which wants to know who that is
