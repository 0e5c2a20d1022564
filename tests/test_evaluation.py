"""Evaluation: figures that can be worked out by hand."""

from __future__ import annotations

import json
from math import log2

import ir_measures
import pytest

from index import evaluation
from index.evaluation import BadCollectionError, evaluate, index_collection, read_collection
from index.searcher import Searcher

CORPUS = [
    {"_id": "1", "title": "", "text": "forest forest forest", "language": "en"},
    {"_id": "2", "title": "", "text": "bosque agua", "language": "es"},
    {"_id": "3", "title": "", "text": "Wasser Wasser", "language": "de"},
    {"_id": "4", "title": "", "text": "น้ำ", "language": "th"},
]
QUERIES = [{"_id": "q1", "text": "forest", "language": "en"}, {"_id": "q2", "text": "น้ำ", "language": "th"}, {"_id": "q3", "text": "unjudged"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\t2\t1\nq2\t3\t1\nq2\t4\t1\nq3\t1\t0\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CORPUS), "utf-8")
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUERIES), "utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text(QRELS)
    return tmp_path


def figures(folder, library, encoder):
    collection = read_collection(folder)
    index_collection(library, encoder, collection.corpus, lambda *_: None)
    return evaluate(Searcher(library, encoder), collection, lambda *_: None)


def test_measures_agree_with_those_worked_out_by_hand(folder, library, encoder):
    # q1 ranks 1, 2, ...: its one answer stands second. q2 ranks 3, 4, ...: both answers stand on top.
    found = figures(folder, library, encoder)
    assert found["by_language"]["en"]["nDCG@10"] == pytest.approx(1 / log2(3))
    assert found["by_language"]["en"]["AP"] == found["by_language"]["en"]["RR@10"] == pytest.approx(0.5)
    assert found["by_language"]["th"]["nDCG@10"] == found["by_language"]["th"]["AP"] == pytest.approx(1)
    assert found["AP"] == pytest.approx(0.75)
    assert (found["passages"], found["queries"]) == (4, 2)


def test_own_language_share_counts_the_top_ten(folder, library, encoder):
    found = figures(folder, library, encoder)
    assert found["by_language"]["th"]["own_language@10"] == pytest.approx(1 / 4)


def test_recall_by_pair_counts_only_what_is_relevant_in_that_language(folder, library, encoder, monkeypatch):
    (folder / "qrels" / "test.tsv").write_text(QRELS + "q1\tgone\t1\nq1\t3\t0\n")
    yes, no = {"R@1": 1.0, "queries": 1}, {"R@1": 0.0, "queries": 1}
    monkeypatch.setattr(evaluation, "PAIRS", ir_measures.R @ 1)  # of four passages everything is among the first 20
    assert figures(folder, library, encoder)["by_pair"] == {"en": {"es": no}, "th": {"de": no, "th": yes}}


def test_every_measure_lies_between_0_and_1(folder, library, encoder):
    found = figures(folder, library, encoder)
    for row in (found, *found["by_language"].values()):
        assert all(0 <= row[name] <= 1 for name in ("nDCG@10", "AP", "RR@10", "R@10", "R@20", "own_language@10"))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": "2"}\n', r"corpus.jsonl:2: expected an object"),
        ("queries.jsonl", "nonsense\n", r"queries.jsonl:1: expected an object"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\n', r"expected every query of the qrels, found none with _id 'q2'"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1 2 1\n", r"test.tsv:2: expected query, passage and a whole number"),
        ("qrels/test.tsv", None, r"expected a file of a BEIR test collection"),
    ],
)
def test_a_broken_collection_is_refused_with_file_and_line(folder, file, content, message):
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    with pytest.raises(BadCollectionError, match=message):
        read_collection(folder)
