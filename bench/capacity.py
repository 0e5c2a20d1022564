"""What a service of any size needs, computed from what benches measured: python -m bench.capacity [--passages N]... [--into docs/scaling.md]

Prints tables of memory, disk, processors, times and cost for libraries from ten thousand to a hundred million passages, embedded and on an engine, and
what the model foretells of the largest library that was measured, from the smaller ones alone, beside what was found there. Every figure of a table is
computed by bench/costs.py; the constants are those of bench/constants.json, which benches write. Money is reckoned only where prices are given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench import constants
from bench.between_marks import write
from bench.costs import GIB, Embedded, Engine, Reading

SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
TOLERANCE = 0.25  # by which a prediction may be off before it counts as missed
BUSY = 0.5  # share of a core that answers may take, so that those who come at once wait little
PATIENCE = 1.0  # seconds that an answer may take at the median
LEAST = 2  # web processes, so that one may end
NEEDED = ("encoding", "growth", "ingest", "search")
BEGIN, END = "<!-- what follows is written by: python -m bench.capacity --into docs/scaling.md -->", "<!-- end of what is written -->"
UNKNOWN = "not measured"
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked of a service, and what its machines are like."""

    searches: float  # answers a second, in the busiest hour
    publications: float  # that come on a day
    pages: float  # of a publication
    days: float  # that a first ingest of all may take
    replicas: int  # beside the primary
    backups: int  # whole copies that are kept
    memory: float  # bytes, of one machine
    cores: int  # of one machine
    network: float  # bytes a second between machines


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one for a month; 0 where none is given."""

    core: float
    memory: float  # a GiB
    disk: float  # a GiB

    @property
    def given(self) -> bool:
        return any((self.core, self.memory, self.disk))


@dataclass(frozen=True, slots=True)
class Needs:
    """What runs all the time: cores, and bytes."""

    cores: float
    memory: float
    disk: float
    machines: int

    def month(self, prices: Prices) -> float:
        return self.cores * prices.core + self.memory / GIB * prices.memory + self.disk / GIB * prices.disk


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the tables are made of."""

    service: Service
    embedded: Embedded
    engine: Engine | None
    reading: Reading

    @classmethod
    def of(cls, service: Service, sections: Mapping[str, Any]) -> Plan:
        embedded, stores = Embedded(sections), sections.get("stores")
        return cls(service, embedded, Engine(embedded, stores["engine"]) if stores else None, Reading(sections["ingest"]))

    def processes(self, n: float) -> int:
        """Web processes, each as good as one core, that answer what is asked."""
        return max(LEAST, math.ceil(self.service.searches * self.embedded.processor(n) / BUSY))

    def originals(self, n: float) -> float:
        return self.reading.originals(n)

    def library(self, n: float) -> float:
        """Bytes of library.sqlite and the generations: the one in use, and the one before it."""
        parts = self.embedded.disk(n)
        return sum(parts.values()) + parts["generation"] + self.reading.boxes(n)

    def tables(self, n: float) -> float:
        """Bytes of an engine's tables and indexes on one server."""
        assert self.engine
        return sum(self.engine.disk(n).values()) + self.reading.boxes(n)

    def passages_a_day(self) -> float:
        return self.service.publications * self.service.pages * self.reading.each_page

    def uploads(self) -> float:
        """Core-seconds a day that what comes takes."""
        return self.service.publications * self.service.pages * self.reading.page

    def embedded_needs(self, n: float) -> Needs:
        """One machine; processes share what is mapped from files, and the system's memory has that and what is read of library.sqlite most."""
        processes = self.processes(n)
        memory = processes * self.embedded.process(n) + self.embedded.programs + self.embedded.codes(n) + self.embedded.disk(n)["vectors"]
        cores = processes + self.uploads() / DAY
        return Needs(cores, memory, (1 + self.service.backups) * (self.library(n) + self.originals(n)), 1)

    def engine_needs(self, n: float) -> Needs:
        """Web machines, and a primary with replicas: each holds everything."""
        assert self.engine
        servers, processes = 1 + self.service.replicas, self.processes(n)
        web = math.ceil(max(processes / self.service.cores, processes * self.engine.process(n) / self.service.memory))
        cores = processes + max(servers, math.ceil(self.service.searches * self.engine.server(n) / BUSY)) + self.uploads() / DAY
        memory = processes * self.engine.process(n) + web * self.embedded.programs + servers * self.engine.graph(n)
        disk = (servers + self.service.backups) * self.tables(n) + (1 + self.service.backups) * self.originals(n)
        return Needs(cores, memory, disk, web + servers)

    def limit(self, n: float) -> str:
        """What one machine lacks for an embedded library; "" where it carries it."""
        needs = self.embedded_needs(n)
        lacking = {
            "memory": needs.memory > self.service.memory,
            "cores": needs.cores > self.service.cores,
            "speed": self.embedded.answer(n) > PATIENCE,
        }
        return ", ".join(name for name, lacks in lacking.items() if lacks)


@click.command()
@click.option("--passages", type=click.IntRange(1000), multiple=True, default=SIZES, help="Sizes of libraries; may be repeated.")
@click.option("--searches", default=10.0, show_default=True, help="Answers a second, in the busiest hour.")
@click.option("--publications", default=100.0, show_default=True, help="That come on a day.")
@click.option("--pages", default=60.0, show_default=True, help="Of a publication.")
@click.option("--days", default=7.0, show_default=True, help="That a first ingest of all may take.")
@click.option("--replicas", default=1, show_default=True, help="Beside the primary, on the engine.")
@click.option("--backups", default=1, show_default=True, help="Whole copies that are kept.")
@click.option("--machine-memory", default=128.0, show_default=True, help="GiB of one machine.")
@click.option("--machine-cores", default=32, show_default=True, help="Of one machine.")
@click.option("--network", default=1.0, show_default=True, help="Gbit/s between machines.")
@click.option("--price-core", default=0.0, help="Of one core for a month; no price is known here.")
@click.option("--price-memory", default=0.0, help="Of a GiB of memory for a month.")
@click.option("--price-disk", default=0.0, help="Of a GiB of disk for a month.")
@click.option("--into", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A Markdown file with the two marks.")
def main(passages: Sequence[int], into: Path | None, price_core: float, price_memory: float, price_disk: float, **asked: Any) -> None:
    sections = {name: constants.found(name) for name in (*NEEDED, "stores")}
    missing = [name for name in NEEDED if not sections[name]]
    if missing:
        raise click.ClickException(f"{constants.KEPT} lacks what these benches measure: {', '.join(missing)}; run: make bench-full")
    told = report(Plan.of(service_of(asked), sections), sorted(passages), Prices(price_core, price_memory, price_disk))
    click.echo(told)
    if into:
        write(told, into, BEGIN, END)


def service_of(asked: Mapping[str, Any]) -> Service:
    named = {name: asked[name] for name in ("searches", "publications", "pages", "days", "replicas", "backups")}
    return Service(**named, memory=asked["machine_memory"] * GIB, cores=asked["machine_cores"], network=asked["network"] * 1e9 / 8)


def report(plan: Plan, sizes: Sequence[int], prices: Prices) -> str:
    """All tables, as Markdown."""
    asked = plan.service
    begin = (
        f"Computed for {asked.searches:g} answers a second and {asked.publications:g} publications of {asked.pages:g} pages a day, on machines with "
        f"{asked.cores} cores and {asked.memory / GIB:g} GiB, {asked.network * 8 / 1e9:g} Gbit/s between them; cores such as these measured on: {constants.measured()['search']}"
    )
    tables = [
        ("A library in files", embedded_table(plan, sizes)),
        ("A library on an engine", engine_table(plan, sizes)),
        ("Work", work_table(plan, sizes)),
        ("The whole service", service_table(plan, sizes, prices)),
        ("Foretold and found", check_table(plan.embedded.sections)),
    ]
    return "\n\n".join([begin, *(f"### {title}\n\n{told}" for title, told in tables)]) + "\n"


def embedded_table(plan: Plan, sizes: Sequence[int]) -> str:
    one, read = plan.embedded, plan.reading
    columns: dict[str, Callable[[int], str]] = {
        "pages": lambda n: f"{read.pages(n):,.0f}",
        "library.sqlite": lambda n: size(sum(one.disk(n).values()) - one.disk(n)["generation"] + read.boxes(n)),
        "a generation": lambda n: size(one.disk(n)["generation"]),
        "originals": lambda n: size(plan.originals(n)),
        "a web process": lambda n: size(one.process(n)),
        "of it columns and keys": lambda n: size(one.columns(n) + one.generation(n)),
        "mapped, shared": lambda n: size(one.codes(n)) if one.disk(n)["generation"] > one.codes(n) else "none",
        "opened in": lambda n: time(one.opening(n)),
        "an answer, p50": lambda n: time(one.answer(n)),
        "words, p50": lambda n: time(one.parts(n)["words"]),
        "generation built in": lambda n: time(one.building(n)),
        "all of it copied in": lambda n: time((plan.library(n) + plan.originals(n)) / plan.service.network),
    }
    return by_size(columns, sizes)


def engine_table(plan: Plan, sizes: Sequence[int]) -> str:
    if not plan.engine:
        return f"{UNKNOWN[0].upper()}{UNKNOWN[1:]}; run: make bench-stores"
    one, asked = plan.engine, plan.service
    servers = 1 + asked.replicas
    columns: dict[str, Callable[[int], str]] = {
        "tables on each server": lambda n: size(plan.tables(n)),
        **{f"of it {name}": (lambda n, name=name: size(one.disk(n)[name])) for name in one.measured["disk"]},
        "graph in memory": lambda n: size(one.graph(n)),
        "one server carries it": lambda n: "yes" if one.graph(n) < BUSY * asked.memory else "no",
        f"{servers} servers": lambda n: size(servers * plan.tables(n)),
        "copied in": lambda n: time(plan.tables(n) / asked.network),
        "log of storing all": lambda n: size(one.log(n)),
        "sent with a filter": lambda n: size(n / 8),
        "a web process": lambda n: size(one.process(n)),
        "an answer, p50": lambda n: time(sum(one.parts(n).values())),
        "words, p50": lambda n: time(one.parts(n)["words"]),
        "a server, for an answer": lambda n: f"{time(one.server(n))} of a core",
    }
    return by_size(columns, sizes)


def work_table(plan: Plan, sizes: Sequence[int]) -> str:
    read, asked = plan.reading, plan.service
    columns: dict[str, Callable[[int], str]] = {
        "first ingest": lambda n: f"{read.pages(n) * read.page / HOUR:,.1f} core-hours",
        f"cores for it in {asked.days:g} days": lambda n: f"{math.ceil(read.pages(n) * read.page / (asked.days * DAY)):,}",
        "what comes on a day": lambda _: f"{plan.uploads() / HOUR:,.1f} core-hours",
        "cores for that": lambda _: f"{plan.uploads() / DAY:.2f}",
        "newer than the generation, after a day": lambda _: size(plan.embedded.newer(plan.passages_a_day())),
        **({"log of a day": lambda _: size(plan.engine.log(plan.passages_a_day()))} if plan.engine else {}),
        "an answer": lambda n: f"{1000 * plan.embedded.processor(n):,.0f} ms of a core",
        "web processes": lambda n: f"{plan.processes(n):,}",
    }
    return by_size(columns, sizes)


def service_table(plan: Plan, sizes: Sequence[int], prices: Prices) -> str:
    def columns_of(name: str, needs: Callable[[int], Needs]) -> dict[str, Callable[[int], str]]:
        found: dict[str, Callable[[int], str]] = {
            f"{name}: machines": lambda n: str(needs(n).machines),
            "cores": lambda n: f"{needs(n).cores:,.0f}",
            "memory": lambda n: size(needs(n).memory),
            "disk": lambda n: size(needs(n).disk),
        }
        return found | ({"a month": lambda n: f"{needs(n).month(prices):,.0f}"} if prices.given else {})

    told = [by_size(columns_of("in files", plan.embedded_needs) | {"one machine lacks": lambda n: plan.limit(n) or "nothing"}, sizes)]
    if plan.engine:
        told.append(by_size(columns_of("on an engine", plan.engine_needs), sizes))
    return "\n\n".join(told)


def check_table(sections: Mapping[str, Any]) -> str:
    """What the model foretells of the largest library measured, from the smaller ones alone, and what was found there."""
    grown, searched = sections["growth"][-1], sections["search"][-1]
    n = grown["passages"]
    if len(sections["growth"]) < 3 or searched["passages"] != n:
        return "Only two sizes were measured; run: make bench-full"
    model = Embedded(sections, n - 1)
    known = max(one["passages"] for one in sections["growth"][:-1])
    found_on_disk, disk = grown["parts"], model.disk(n)
    loaded = grown["generation"]["all"] - grown["generation"]["files"]
    parts = model.parts(n)
    compared = [
        ("library.sqlite", size, sum(disk.values()) - disk["generation"], sum(found_on_disk.values()) - found_on_disk["generation"]),
        *((f"of it {name}", size, disk[name], found_on_disk[name]) for name in ("vectors", "passages", "pages", "words")),
        ("generation on disk", size, disk["generation"], found_on_disk["generation"]),
        ("keys, lengths, lists and centres in memory", size, model.generation(n), loaded),
        ("columns in memory", size, model.columns(n), grown["columns"]),
        ("a process that was asked, beside the encoder", size, model.asked(n), searched["after"] - searched["before"]),
        ("opening: the generation", time, model.loading(n), grown["loading"]),
        ("opening: the columns", time, model.viewing(n), grown["viewing"]),
        ("a generation built", time, model.building(n), grown["building"]),
        ("an answer, p50", time, model.answer(n), searched["answer"]),
        *((f"{name}, p50", time, parts[name], searched["parts"][name]) for name in ("words", "vectors", "grouping", "marks")),
        ("processor for an answer", time, model.processor(n), searched["processor"]),
    ]
    head = (f"of {n:,} passages, by libraries up to {known:,}", "foretold", "found", "ratio", f"within {TOLERANCE:.0%}")
    return table(head, [(what, told(foretold), told(found), *_judged(foretold, found)) for what, told, foretold, found in compared])


def _judged(foretold: float, found: float) -> tuple[str, str]:
    ratio = foretold / found
    return f"{ratio:.2f}", "yes" if abs(ratio - 1) <= TOLERANCE else "**missed**"


def by_size(columns: Mapping[str, Callable[[int], str]], sizes: Sequence[int]) -> str:
    return table(("passages", *columns), [(f"{n:,}", *(told(n) for told in columns.values())) for n in sizes])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))


def size(taken: float) -> str:
    """Bytes, as people say them."""
    for unit, name in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB")):
        if taken >= unit:
            return f"{taken / unit:,.1f} {name}"
    return f"{taken / 2**10:,.0f} KiB"


def time(seconds: float) -> str:
    """Seconds, as people say them."""
    if seconds < 1:
        return f"{1000 * seconds:.1f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


if __name__ == "__main__":
    main()
