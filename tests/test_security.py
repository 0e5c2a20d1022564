"""What docs/security.md promises as a whole, and no module alone can hold."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index.accounts import Accounts
from search_app.factory import create_app

WORDS = "ความลับที่ถาม"
ROOT = Path(__file__).parent.parent


@pytest.fixture
def client(library):
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    return create_app(library, LexiconEncoder()).test_client()


def test_nothing_that_is_asked_can_be_found_in_the_library_or_the_log(client, library, caplog):
    caplog.set_level(logging.DEBUG)
    asked = [f"/?q={WORDS}", f"/api/v1/search?q={WORDS}", f"/search.atom?q={WORDS}", f"/search.csv?q={WORDS}", f"/publications/woods?q={WORDS}",
             f"/pages/0000000000000000/1?q={WORDS}", f"/pages/0000000000000000/1?quote={WORDS}", f"/like?page=0000000000000000/1&quote={WORDS}", f"/nowhere?q={WORDS}",
             f"/desk?q={WORDS}", f"/languages?back=/?q={WORDS}"]  # fmt: skip
    for address in asked:
        assert client.get(address).status_code < 500
    kept = {path.name: path.read_bytes() for path in library.folder.rglob("*") if path.is_file()}
    assert "library.sqlite" in kept and not any(WORDS.encode() in content or WORDS[:8].encode() in content for content in kept.values())
    assert WORDS not in caplog.text


@pytest.mark.parametrize("address", ["/", "/desk/sign-in", "/nowhere", "/api/", "/static/isogloss.js", "/search.atom"])
def test_every_answer_bears_what_guards_it(client, address):
    with client.get(address) as answer:
        assert {name: answer.headers[name] for name in ("Referrer-Policy", "X-Frame-Options", "X-Content-Type-Options", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy")} == {
            "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }  # fmt: skip
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "form-action 'self'" in policy and "unsafe" not in policy
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_nothing_in_a_library_is_readable_by_others_when_the_service_is_set_up_as_documented(library):
    Accounts(library).put("ana", "a long enough password")
    assert (library.folder / "secret").stat().st_mode & 0o077 == 0
    unit = (ROOT / "deploy" / "isogloss-web.service").read_text("utf-8")
    assert "UMask=0077" in unit and "StateDirectoryMode=0700" in unit and "RestrictNamespaces=user net" in unit


def test_the_threat_model_names_the_limits_that_the_code_has():
    from index import accounts, attempts
    from search_app.factory import MOST_SENT

    said = (ROOT / "docs" / "security.md").read_text("utf-8")
    assert (accounts.SHORTEST, accounts.IDLE, accounts.LASTS, accounts.AT_ONCE, MOST_SENT) == (12, 12 * 3600, 7 * 86400, 2, 100_000)
    assert (attempts.FROM_ONE_PLACE, attempts.UPON_ONE_ACCOUNT) == ((10, 900), (100, 86400))
    for figure in (
        "twelve characters",
        "12 idle hours",
        "after 7 days",
        "two passwords",
        "100 kB",
        "ten failures in a quarter of an hour",
        "a hundred a day",
    ):
        assert figure in said
    assert all(
        re.search(rf"\b{option}\b", (ROOT / "docs" / "deploying.md").read_text("utf-8")) for option in ("ISOGLOSS_PROXIES", "ISOGLOSS_ADDRESS")
    )
