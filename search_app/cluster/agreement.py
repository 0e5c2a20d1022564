"""What a worker and whoever asks it must have in common, so that a library is the same whoever read it: Dask hands work out by it, as a resource."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from index.encoder import Encoder
from ingest.ocr import installed_packs
from ingest.passages import LANGUAGE_VERSION
from ingest.pipeline import READING_VERSION

PREFIX = "isogloss "
PACKAGES = ("ingest", "index", "search_app")


def terms(encoder: Encoder) -> dict[str, str]:
    """What this process would read and encode by, each in a word or a few."""
    return {
        "program": _program(),
        "reading": f"{READING_VERSION}.{LANGUAGE_VERSION}",
        "encoder": encoder.fingerprint,
        "packs of tesseract": " ".join(sorted(installed_packs())) or "none",
    }


def resource(own: Mapping[str, str]) -> str:
    """The name under which workers with these terms offer themselves."""
    return PREFIX + json.dumps(own)


def differences(own: Mapping[str, str], offered: str) -> str:
    """How the terms of a worker, as it offers itself, differ from our own; "" where they do not."""
    other = json.loads(offered.removeprefix(PREFIX))
    return "; ".join(f"{what}: {other.get(what)} there, {said} here" for what, said in own.items() if other.get(what) != said)


@cache
def _program() -> str:
    """A digest of the program's own files: other versions may read otherwise, or not understand each other."""
    found, root = hashlib.sha256(), Path(__file__).parents[2]
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]
