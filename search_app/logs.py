"""What is written to logs by processes that serve readers: no question, no address, no referrer, whatever an error says."""

from __future__ import annotations

import json
import logging
import os
import traceback
from datetime import UTC, datetime

from search_app.plain import PlainFormatter
from search_app.watching import Answered, number, route

ENVIRONMENT = "ISOGLOSS_LOG"
REQUESTS = logging.getLogger("isogloss.requests")
ABOUT_A_REQUEST = ("Invalid request", "Error handling request", "Exception on ", "Exception while serving")
# with what begins that gunicorn, flask and waitress say; the line, what was read or the sender's address follow


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{
                name: value for name in ("request", "route", "method", "status", "milliseconds") if (value := getattr(record, name, None)) is not None
            },
        }
        if record.exc_info:
            told["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class Discreet(logging.Filter):
    """Lets every record pass without what it might quote of a request: of an exception, its kind and where it was raised are left."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1]:
            record.exc_text = outline(record.exc_info[1])  # formatters take it instead of making their own
        if str(record.msg).startswith(ABOUT_A_REQUEST):
            record.msg, record.args = "A request could not be read, or not be answered.", ()
        if number() and not hasattr(record, "request"):
            record.request, record.route = number(), route()
        return True


def outline(error: BaseException) -> str:
    """What kind of error was raised where, and because of which others; not what they say."""
    lines = []
    cause: BaseException | None = error
    while cause:
        lines += [type(cause).__qualname__, *(f"  {one.filename}:{one.lineno} in {one.name}" for one in traceback.extract_tb(cause.__traceback__))]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(lines)


def set_format(name: str) -> None:
    """Let whatever is logged be written as "plain" lines or as "json", here and by the processes that are started from here."""
    os.environ[ENVIRONMENT] = name
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonFormatter() if name == "json" else PlainFormatter("%(message)s"))


def keep_readers_out() -> None:
    """Let nothing about readers into the logs of this process, whoever configured them."""
    discreet = Discreet()
    for holder in (*logging.getLogger().handlers, logging.getLogger("gunicorn.error")):
        if not any(isinstance(one, Discreet) for one in holder.filters):
            holder.addFilter(discreet)


def note(answered: Answered) -> None:
    """Write a line about a request."""
    told = {"request": answered.number, "route": answered.route, "method": answered.method, "status": answered.status}
    REQUESTS.info("answered", extra={**told, "milliseconds": round(1000 * answered.seconds, 1)})
