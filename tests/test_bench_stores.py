"""The two stores are compared as they are, and what is found is what the model of capacity reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import LexiconEncoder
from engine.servers import Server
from test_bench_libraries import TEXTS

from bench import libraries, material, stores
from bench.costs import Embedded
from bench.costs import Engine as EngineCosts
from bench.stores import Compared, Engine, figures, rows
from index import generations
from index.database import EMBEDDED
from index.library import Library

SECTIONS = {name: json.loads(stores.constants.KEPT.read_text("utf-8"))[name]["found"] for name in ("growth", "search")}


@pytest.fixture(scope="module")
def compared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    folder, encoder = tmp_path_factory.mktemp("stores"), LexiconEncoder()
    lines = [{"_id": f"{tag}-{subject}", "text": text, "language": tag} for tag, text in TEXTS.items() for subject in range(40)]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    read = material.read([folder], encoder, folder / "kept.npz")
    address = server.create_database("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libraries, "LONGEST", libraries.SHORTEST)
        patch.setattr(generations, "EXACT", 100)  # so that both stores make the index of a large library
        libraries.make(folder / "embedded", 300, read, encoder).close()
        both = {"embedded": Library.open(folder / "embedded", EMBEDDED), "engine": libraries.empty(folder / "engine", encoder, address)}
        made = Compared(both, Engine(address), encoder, read)
        for name, value in {"questions": lambda: ["forest water"] * 3, "WARM": 1, "QUESTIONS": 2, "COMPARED": 2, "ADDED": 2}.items():
            patch.setattr(stores, name, value)
        made.measure(300)
        yield made
    server.drop_database("compared")


def test_both_stores_have_the_same_rows_and_find_the_same(compared: Compared):
    embedded, engine = compared.sides["embedded"], compared.sides["engine"]
    assert embedded.passages == engine.passages >= 300
    assert embedded.recall.keys() == engine.recall.keys() == {"none", "a tenth", "a hundredth"}
    assert min(*embedded.recall.values(), *engine.recall.values()) > 0.9
    assert {"passages", "pages", "vectors", "words", "generation"} <= engine.disk.keys() and engine.log > 0
    assert 0 < engine.graph < engine.disk["generation"]
    assert engine.transactions == embedded.transactions > len(engine.added) == len(engine.removed) == 2


def test_the_table_tells_the_engine_by_the_embedded_store(compared: Compared):
    told = {row.what: row for row in rows(compared)}
    one = next(row for what, row in told.items() if what.startswith("building a generation"))
    sides = compared.sides
    assert one.ratio == f"{sides['engine'].building / sides['embedded'].building:.2f} x"
    recalls = [row for row in rows(compared) if row.what.startswith("recall")]
    assert len(recalls) == 6 and all(row.reached == (float(row.figure) >= stores.RECALL) for row in recalls)


def test_the_model_of_capacity_reads_what_was_found(compared: Compared):
    found = json.loads(json.dumps(figures(compared.sides["engine"])))
    engine = EngineCosts(Embedded(SECTIONS), found)
    assert sum(engine.disk(found["passages"]).values()) == pytest.approx(sum(found["disk"].values()))
    assert engine.log(2 * found["passages"]) == pytest.approx(2 * found["log"])
    assert engine.parts(1e6)["words"] > engine.parts(found["passages"])["words"] == pytest.approx(found["words"]["none"])
