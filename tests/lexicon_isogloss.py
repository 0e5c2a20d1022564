"""The whole command line with a LexiconEncoder, for tests that start processes: python tests/lexicon_isogloss.py serve ...

Every answer says in X-Process which process gave it. At /fail is a fault that says what was asked. Jobs that examine a file only note that they were done.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

from conftest import LexiconEncoder
from flask import request

from index import language_priors, sentence_encoder
from search_app import cli, serving, supervision, worker

ITSELF = Path(__file__).resolve()


def _fail():
    raise RuntimeError(f"asked for {request.full_path}")


def _signed(*parts, real=serving.create_app, **named):
    app = real(*parts, **named)
    app.add_url_rule("/fail", "fail", _fail)
    app.after_request(lambda answer: (answer.headers.set("X-Process", os.getpid()), answer)[1])
    return app


def _command(*parts, real=supervision.command):
    plain = real(*parts)
    return [sys.executable, str(ITSELF), *plain[plain.index("work") :], "--nice", "0"]


def _examine(task):
    """In place of an examination, which loads what reads files."""
    with (task.library.folder / "examined").open("a") as file:
        file.write(f"{task.job.job_id}\n")


sentence_encoder.open_encoder = lambda *_, **__: LexiconEncoder()
language_priors.wanted = lambda *_: False
serving.create_app = _signed
supervision.command = _command
sys.modules["search_app.work.examination"] = SimpleNamespace(run=_examine)
worker.adopt = lambda _: None  # libraries of tests name files that are not there, which would be read first


def create():
    """As search_app.wsgi makes it."""
    from search_app import wsgi

    return wsgi.create()


if __name__ == "__main__":
    cli.main()
