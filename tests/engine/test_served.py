"""What readers of the pages and of the API see while the store does not answer, and afterwards."""

from __future__ import annotations

import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from engine.servers import Server
from index.library import Library
from search_app.factory import create_app

ADDRESSES = ["/?q=ป่า", "/search.csv?q=ป่า", "/search.atom?q=ป่า", "/publications/woods", "/api/v1/search?q=ป่า", "/pages/woods.th/1"]


@pytest.fixture
def durable(server):
    with Server.create() as running:
        yield running


@pytest.fixture
def client(durable, tmp_path):
    library = Library.create(tmp_path / "library", durable.create_database("library"))
    fill(library, LexiconEncoder(), publication("woods", ["th"]), {"th": ["ป่า น้ำ"]})
    return create_app(library, LexiconEncoder()).test_client()


@pytest.mark.parametrize("address", ADDRESSES)
def test_while_the_store_does_not_answer_pages_say_so_and_when_to_come_again(client, durable, address):
    before = client.get(address)
    assert before.status_code == 200
    durable.kill()
    said = client.get(address)
    assert said.status_code == 503 and int(said.headers["Retry-After"]) > 0
    assert b"Traceback" not in said.data and b"psycopg" not in said.data and str(durable.port).encode() not in said.data
    durable.start()
    after = client.get(address)
    assert after.status_code == 200 and ("woods" in after.text) == ("woods" in before.text)
