"""What benches measured, kept for bench/capacity.py: one section for each bench, with the day and the machine of its run.

The file lies beside this module and is committed, so that the model can be asked without measuring anew. Nobody types into it:
`make bench-full` and `make bench-stores` write it.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

KEPT = Path(__file__).with_name("constants.json")
TELLING = ("avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16")


def note(sections: Mapping[str, Any], path: Path = KEPT) -> None:
    """Put these sections, which JSON can hold, in the place of those of the same name; the others stay."""
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    kept |= {name: {"measured": machine(), "found": found} for name, found in sections.items()}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


def found(section: str, path: Path = KEPT) -> Any:
    """What is kept of a section; None where it was never measured."""
    return _sections(path).get(section, {}).get("found")


def measured(path: Path = KEPT) -> dict[str, str]:
    """For each section, when and on what it was measured."""
    return {name: section["measured"] for name, section in _sections(path).items()}


def machine() -> str:
    """One line about this machine, and the day."""
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"model name\s*: (.*)", about)
    there = re.search(r"flags\s*: (.*)", about)
    flags = there[1].split() if there else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    telling = ", ".join(flag for flag in TELLING if flag in flags) or "unknown"
    name = named[1].strip() if named else platform.machine()
    return f"{date.today().isoformat()}: {os.cpu_count()} cores of {name} with {telling}; {memory:.0f} GiB of memory; Python {platform.python_version()}."


def _sections(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise click.ClickException(f"{path} is not there; run: make bench-full")
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read
