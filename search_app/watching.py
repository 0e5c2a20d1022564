"""What becomes of each request, for logs and metrics: told by the template of its address, never by the address, which holds what was asked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Flask, Response, g, has_request_context, request
from flask.signals import request_finished, request_started

from index.parts import Spent, measure

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}  # whatever else somebody sends counts as "other"


@dataclass(frozen=True, slots=True)
class Answered:
    """A request and what became of it."""

    number: str  # random: tells the lines of one request from those of another, and nothing of who asked
    route: str  # such as "/publications/<publication_id>"; "" where there is nothing
    method: str
    status: int
    seconds: float
    parts: Spent


class _Asked(NamedTuple):
    number: str
    began: float
    parts: Spent


def watch(app: Flask, *told: Callable[[Answered], None]) -> None:
    """Tell these of every request once it is answered, but for what is sent bit by bit afterwards."""

    def begin(_: Any, **__: Any) -> None:
        g.asked = _Asked(secrets.token_hex(8), time.perf_counter(), measure())

    def end(_: Any, response: Response, **__: Any) -> None:
        asked: _Asked = g.asked
        method = request.method if request.method in METHODS else "other"
        answered = Answered(asked.number, route(), method, response.status_code, time.perf_counter() - asked.began, asked.parts)
        for tell in told:
            tell(answered)

    request_started.connect(begin, app, weak=False)
    request_finished.connect(end, app, weak=False)


def number() -> str:
    """The number of the request that this thread answers; "" outside of one, and where nobody watches."""
    return g.asked.number if has_request_context() and "asked" in g else ""


def route() -> str:
    """The template of its address; "" outside of a request, and where there is nothing at its address."""
    return request.url_rule.rule if has_request_context() and request.url_rule else ""
