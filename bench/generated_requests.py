"""Thousands of requests made from the OpenAPI description, sound ones and broken ones, against the whole application.

    python -m bench.generated_requests [--requests 10000] [--seed 1]

No answer may be an error of the server (5xx) or hold a traceback, and every answer must be what the description says: its status, its media
type, its schema. Exit code 1 otherwise, with the requests that did it. Half of the requests with an id in their path ask for one that is
there. The library is the sample, read anew and encoded without a model.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import click
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from bench.hashing import HashingEncoder
from index.library import Library
from search_app.factory import create_app
from search_app.ingesting import ingest

ROUND = 25  # requests of each kind in a row
DESCRIPTION = "/api/v1/openapi.json"
CHECKS: list[CheckFunction] = [schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@click.command()
@click.option("--requests", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(requests: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        library = Library.create(Path(scratch))
        ingest(Path("corpus"), library, HashingEncoder())
        schema = schemathesis.openapi.from_wsgi(DESCRIPTION, create_app(library, HashingEncoder()))
        statuses, failures = hammer(schema, library, requests, seed)
    for (operation, status), count in sorted(statuses.items()):
        click.echo(f"{count:6} {status} {operation}")
    click.echo(f"{statuses.total()} requests, {len(failures)} failures")
    for failure in failures[:20]:
        click.echo(f"\n{failure}")
    sys.exit(1 if failures else 0)


def hammer(schema: Any, library: Library, requests: int, seed: int) -> tuple[Counter[tuple[str, int]], list[str]]:
    """Ask, and return how often each operation was answered with each status, and what was wrong."""
    statuses: Counter[tuple[str, int]] = Counter()
    failures: list[str] = []
    strategies = [one for found in schema.get_all_operations() for one in _strategies(found.ok(), library)]

    def ask(case: Case) -> None:
        response = case.call(headers={"Accept-Encoding": "identity"})
        statuses[case.operation.label, response.status_code] += 1
        if "Traceback (most recent call last)" in response.content.decode("utf-8", "replace"):
            failures.append(f"a traceback in the answer to {case.as_curl_command()}")
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as error:
            reasons = error.exceptions if isinstance(error, FailureGroup) else (error,)
            failures.append(f"{case.as_curl_command()}\n{'; '.join(str(reason)[:500] for reason in reasons)}")

    rounds = 0
    while statuses.total() < requests:
        for strategy in strategies:
            some = settings(max_examples=ROUND, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
            with suppress(Unsatisfiable):  # an operation without parameters cannot be asked wrongly
                seeded(seed + rounds)(some(given(case=strategy)(ask)))()
        rounds += 1
    return statuses, failures


def _strategies(operation: Any, library: Library) -> Iterator[Any]:
    """Sound and broken requests for an operation, with generated ids, and with those of the library where its path has some."""
    publication = next(one for one in library.publications() if len(one.editions) > 1)
    edition = next(one for one in publication.editions if one.digest)
    there = {"publication_id": publication.publication_id, "edition_id": edition.edition_id, "digest": (edition.digest or "")[:16], "page": 1}
    named = {parameter.name for parameter in operation.path_parameters}
    ids = [{}] + ([{"path_parameters": {name: there[name] for name in named}}] if named else [])
    for mode, known in product((GenerationMode.POSITIVE, GenerationMode.NEGATIVE), ids):
        yield operation.as_strategy(mode, **known)


if __name__ == "__main__":
    main()
