"""What another thread makes meanwhile: in which one, how many at once, and what becomes of errors."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from index.embedded import EmbeddedStore
from index.meanwhile import Helpers, Part
from index.parts import measure, part


def test_what_is_made_beside_is_made_by_another_thread_and_waited_for():
    helpers, may = Helpers(1), threading.Event()
    one = helpers.make(lambda: may.wait(10) and threading.current_thread())
    other = helpers.make(threading.current_thread)
    assert other.get() is threading.current_thread()  # none was free
    may.set()
    assert one.get() is not threading.current_thread() and one.get() is one.get()
    assert Part.of("ป่า").get() == "ป่า"


def test_without_helpers_all_is_made_at_once():
    assert Helpers(0).make(threading.current_thread).get() is threading.current_thread()


def test_an_error_is_raised_where_it_is_waited_for_and_the_thread_is_free_again():
    helpers = Helpers(1)

    def fails() -> None:
        raise LookupError("غابة")

    for _ in range(3):
        made = helpers.make(fails)
        with pytest.raises(LookupError, match="غابة"):
            made.get()
    assert helpers.make(threading.current_thread).get() is not threading.current_thread()


def test_its_time_counts_among_the_parts_of_the_answer():
    spent = measure()

    @part("words")
    def work() -> str:
        return "森"

    assert Helpers(1).make(work).get() == "森" and spent["words"] > 0


def test_numpy_multiplies_in_one_thread_once_answers_are_made():
    Helpers.of(EmbeddedStore(Path("nowhere")))
    threads = {one["num_threads"] for one in threadpool_info() if one.get("threading_layer") == "pthreads"}
    assert threads == {1}
