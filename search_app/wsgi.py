"""The application for a WSGI server of one's own, such as gunicorn 'search_app.wsgi:create()', with the settings of `isogloss serve` from its environment variables."""

from __future__ import annotations

import logging

from flask import Flask

from search_app.cli_serving import made, settings_from_environment
from search_app.plain import plain_log


def create() -> Flask:
    """Make the application, in the process that serves it: never before it is forked (no --preload). Jobs are left to `isogloss work`.

    Where several processes serve, ISOGLOSS_PROCESSES says how many, and PROMETHEUS_MULTIPROC_DIR, where there are metrics, names an empty folder.
    """
    logging.basicConfig(level=logging.WARNING, handlers=[plain_log()])
    return made(settings_from_environment())
