"""What the model of capacity computes, and where its constants are kept."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bench import capacity, constants
from bench.between_marks import write
from bench.capacity import SIZES, Plan, Prices, Service, check_table, report
from bench.costs import GIB, Embedded, constant, fitted, linear

SECTIONS = {name: constants.found(name) for name in capacity.NEEDED}
SERVICE = Service(10, 100, 60, 7, 1, 1, 128 * GIB, 32, 125e6)
ENGINE = {
    "passages": 200_000,
    "disk": {"passages": 200_000_000, "generation": 300_000_000},
    "graph": 200_000_000,
    "log": 900_000_000,
    "server": 0.01,
    "words": {"none": 0.02},
    "vectors": {"none": 0.004},
}
ON_ENGINE = SECTIONS | {"stores": {"engine": ENGINE}}


@pytest.fixture(params=[SECTIONS, ON_ENGINE], ids=["in files", "on an engine"])
def plan(request: pytest.FixtureRequest) -> Plan:
    return Plan.of(SERVICE, request.param)


def test_a_line_is_found_again():
    line = fitted([(10, 25.0), (100, 205.0)], constant, linear)
    assert line(1000) == pytest.approx(2005)


def test_nothing_is_foretold_to_shrink_below_nothing():
    falling = fitted([(10, 30.0), (100, 20.0)], constant, linear)
    assert falling(1e9) > 0


def test_of_one_point_only_what_grows_is_told():
    assert fitted([(100, 20.0)], constant, linear)(1000) == pytest.approx(200)


def test_a_larger_library_costs_no_less(plan: Plan):
    for costs in (plan.library, plan.originals, plan.embedded.process, plan.embedded.answer, plan.embedded.building, plan.processes):
        told = [costs(n) for n in (50_000, *SIZES[1:])]
        assert told == sorted(told)


def test_what_is_measured_is_foretold_of_the_same_size():
    one = SECTIONS["growth"][1]
    assert sum(Embedded(SECTIONS).disk(one["passages"]).values()) == pytest.approx(sum(one["parts"].values()), rel=0.1)


def test_the_largest_library_is_foretold_without_having_seen_it():
    largest = SECTIONS["growth"][-1]
    without = SECTIONS | {name: SECTIONS[name][:-1] for name in ("growth", "search")}
    assert Embedded(SECTIONS, largest["passages"] - 1).disk(1e6) == Embedded(without).disk(1e6)
    assert Embedded(SECTIONS).disk(1e6) != Embedded(without).disk(1e6)


def test_a_prediction_that_is_off_is_said_to_be_missed():
    growth = [*SECTIONS["growth"][:-1], SECTIONS["growth"][-1] | {"building": 1e9}]
    lines = check_table(SECTIONS | {"growth": growth}).splitlines()
    assert next(line for line in lines if line.startswith("| a generation built")).endswith("| 0.00 | **missed** |")


def test_without_a_run_of_the_largest_nothing_is_said_of_predictions():
    shorter = {name: SECTIONS[name][:2] for name in ("growth", "search")}
    assert check_table(SECTIONS | shorter).startswith("Only two sizes were measured")


def test_every_size_has_its_row_in_every_table(plan: Plan):
    told = report(plan, SIZES, Prices(0, 0, 0))
    tables = told.count("| passages |")
    assert tables == (5 if plan.engine else 3)
    assert all(told.count(f"\n| {n:,} |") == tables for n in SIZES)


def test_money_is_told_only_where_prices_are_given(plan: Plan):
    assert "a month" not in report(plan, SIZES, Prices(0, 0, 0))
    assert "a month" in report(plan, SIZES, Prices(20, 3, 0.1))


def test_what_no_one_measured_of_the_engine_is_said_to_be_unknown():
    assert "Not measured; run: make bench-stores" in report(Plan.of(SERVICE, SECTIONS), SIZES, Prices(0, 0, 0))


def test_each_replica_holds_everything():
    one, two = (Plan.of(Service(10, 100, 60, 7, replicas, 1, 128 * GIB, 32, 125e6), ON_ENGINE) for replicas in (1, 2))
    more = two.engine_needs(1e7).disk - one.engine_needs(1e7).disk
    assert more == pytest.approx(one.tables(1e7))


def test_constants_that_are_noted_leave_the_others(tmp_path: Path):
    path = tmp_path / "constants.json"
    constants.note({"growth": [1], "stores": {"engine": 2}}, path)
    constants.note({"growth": [3]}, path)
    assert (constants.found("growth", path), constants.found("stores", path)) == ([3], {"engine": 2})
    assert set(constants.measured(path)) == {"growth", "stores"}


def test_without_constants_the_command_says_what_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capacity.constants, "found", lambda name: None)
    done = CliRunner().invoke(capacity.main)
    assert done.exit_code == 1 and "make bench-full" in done.output


def test_tables_are_put_between_the_marks_of_a_page(tmp_path: Path):
    page = tmp_path / "scaling.md"
    page.write_text(f"before\n{capacity.BEGIN}\nwhat was there\n{capacity.END}\nafter\n", "utf-8")
    done = CliRunner().invoke(capacity.main, ["--passages", "20000", "--into", str(page)])
    assert done.exit_code == 0, done.output
    told = page.read_text("utf-8")
    assert told.startswith("before\n") and told.endswith("\nafter\n") and "what was there" not in told and "| 20,000 |" in told


def test_a_page_without_marks_stays_as_it_is(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("no marks", "utf-8")
    with pytest.raises(click.ClickException, match="nothing was written"):
        write("told", page, capacity.BEGIN, capacity.END)
    assert page.read_text("utf-8") == "no marks"
