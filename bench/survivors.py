"""The processes that bench/survival.py kills: each does what the real one does, with an encoder that needs no model, and notes at which step it is.

A note is written into a file before a step and after it, with a moment's rest while the note stands, so that kills land there.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import waitress

from bench.hashing import HashingEncoder
from index import candidate, generations, language_priors
from index.changes import Changes, ConflictError
from index.encoder import DEFAULT
from index.jobs import Jobs
from index.library import Library
from index.store import BusyLibraryError
from ingest import language, pipeline
from ingest.records import Edition, Publication, edition_id
from search_app import ingesting, storing, worker
from search_app.factory import create_app

ENCODERS = ("hashing", "another hashing")
REST = 0.02  # seconds before and after a noted step
STEPS = {  # what is noted: module, name in it, step; those of parts that are not there yet are passed over
    "a file is copied": ("index.library", "shutil.copyfile"),
    "a file is made durable": ("index.library", "sync_file"),
    "a folder is made durable": ("index.library", "sync_folder"),
    "catalogue: commit": ("index.changes", "Changes._add"),
    "upload: bytes come": ("index.uploads", "Uploads.append"),
    "upload: it is finished": ("index.uploads", "Uploads.finish"),
    "examination: findings": ("index.uploads", "Uploads.put_findings"),
    "a file is read": ("search_app.work.reading", "source_of"),
    "reading: passages are cut": ("search_app.storing", "cut_pages"),
    "encoding": ("bench.hashing", "HashingEncoder.encode_passages"),
    "reading: pages are stored": ("index.library", "insert_pages"),
    "reading: passages are stored": ("index.library", "insert_passages"),
    "job: taken": ("index.jobs", "Jobs.take"),
    "job: ends": ("index.jobs", "Jobs.end"),
    "generation: written": ("index.generations", "_write"),
    "generation: checksums": ("index.generations", "checksum"),
    "generation: made durable": ("index.generation_files", "sync_file"),
    "generation: swap": ("index.generations", "assign"),
    "candidate: kept": ("index.candidate", "save"),
    "candidate: preview": ("search_app.work.generation", "compare"),
    "candidate: published or rolled back": ("index.candidate", "assign"),
    "encoder: vectors are stored": ("index.library", "Library.put_vectors"),
    "publication: removed": ("index.library", "Library.remove_publication"),
}
language.prevailing(["The forest belongs to the community, as it always has."])  # loads what tells languages, before readers are forked


def begin(folder: Path, name: str, seed: int) -> Library:
    """Make this process one that notes its steps; each process has its own file."""
    os.environ["OMP_NUM_THREADS"] = "1"
    random.seed(seed)
    notes = folder.parent / f"step-{name}"
    for step, (module, attribute) in STEPS.items():
        _note(notes, step, module, attribute)
    context = multiprocessing.get_context("fork")  # readers start in a moment; in every other way they are as they are
    pipeline.multiprocessing = type("Contexts", (), {"get_context": staticmethod(lambda _: context)})  # type: ignore[attr-defined]
    language_priors.wanted = lambda *_: False  # hashed letters have no languages to learn
    sys.stderr = (folder.parent / f"{name}.log").open("a", buffering=1)
    return Library.open(folder)


def _note(notes: Path, step: str, module: str, attribute: str) -> None:
    try:
        owner: Any = importlib.import_module(module)
        *path, name = attribute.split(".")
        for part in path:
            owner = getattr(owner, part)
        real = getattr(owner, name)
    except (ImportError, AttributeError):
        return

    def noted(*given: Any, **named: Any) -> Any:
        notes.write_text(step)
        time.sleep(REST)
        try:
            return real(*given, **named)
        finally:
            time.sleep(REST)
            notes.write_text("between steps")

    setattr(owner, name, staticmethod(noted) if isinstance(owner.__dict__.get(name), staticmethod) else noted)


def encoders(library: Library) -> Callable[[str], HashingEncoder]:
    """What opens encoders: that of the library for ""."""
    return lambda name: HashingEncoder((name or own_name(library)).replace(DEFAULT, ENCODERS[0]), seconds=0.004)


def own_name(library: Library) -> str:
    return (library.encoder_name() or DEFAULT).replace(DEFAULT, ENCODERS[0])


def web(folder: Path, seed: int, port: int) -> None:
    """Serve pages and the desk."""
    library = begin(folder, "web", seed)
    app = create_app(library, encoders(library)(""), encoders(library))
    app.config["WTF_CSRF_ENABLED"] = False
    waitress.serve(app, host="127.0.0.1", port=port, threads=8, ident=None)


def work(folder: Path, seed: int) -> None:
    """Do jobs for ever."""
    library = begin(folder, "worker", seed)
    worker.work(library, encoders(library), until_idle=False)


def ingest(folder: Path, seed: int, publications: Path) -> None:
    """Bring the library up to date with a folder; ends with 0 when it is."""
    library = begin(folder, "ingest", seed)
    while True:
        try:
            ingesting.ingest(publications, library, encoders(library)(""), workers=1)
            return
        except BusyLibraryError:
            time.sleep(0.05)


def desk(folder: Path, seed: int, actions: list[tuple[str, str, str]], ledger: Path) -> None:
    """Change the catalogue as an analyst does; a line in the ledger before each change, and one when it is acknowledged."""
    library = begin(folder, "desk", seed)
    with ledger.open("a") as file:

        def say(said: str, name: str, word: str) -> None:
            file.write(json.dumps([said, name, word]) + "\n")
            file.flush()

        for name, word, text in actions:
            say("asked", name, word)
            _change(library, name, word, text)
            say("acknowledged", name, word)


def _change(library: Library, name: str, word: str, text: str) -> None:
    before = library.entry(name)
    if not word:
        if before:
            Changes(library).remove("ana", before)
        return
    digest, path = write(library.folder.parent, text)
    library.keep_file(path, digest)
    path.unlink()
    language = random.choice(["th", "ar", "zh", "am", "hi", "my"])
    edition = Edition(edition_id(name, language), name, language, language, "whole", digest)
    after = Publication(name, {language: f"{word} {name}"}, {}, 2024, "study", (), (), "", (edition,))
    storing.change_entry(library, "ana", "edited" if before else "added", before, after)


def rebuild(folder: Path, seed: int) -> None:
    """Build a generation and put it in use; or ask for a candidate, also by another encoder; or publish the one that waits; or roll back."""
    library = begin(folder, "rebuild", seed)
    waits, before = generations.named(library, generations.CANDIDATE), generations.named(library, generations.BEFORE)
    with suppress(candidate.NotReadyError, ConflictError, BusyLibraryError):  # each says why, and changes nothing
        if any(job.kind in ("generation", "encoder") for job in Jobs(library).open_jobs()):
            generations.build(library)
        elif waits.name and random.random() < 0.8:
            candidate.publish(library, "ana", waits.token)
        elif before.name and random.random() < 0.3:
            candidate.roll_back(library, "ana", before.token)
        elif library.meta("encoder") and random.random() < 0.5:
            Jobs(library).add("encoder", "ana", (), {"name": next(name for name in ENCODERS if name != own_name(library))})
        else:
            Jobs(library).add("generation", "ana")


def write(folder: Path, text: str) -> tuple[str, Path]:
    """Write a web page with this text beside the library; return its digest and where it is."""
    content = f"<!doctype html><meta charset=utf-8><title>{text[:40]}</title><p>{text}".encode()
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{digest}.html"
    path.write_bytes(content)
    return digest, path


def pdf(words: str) -> bytes:
    """A PDF of one page with these words, which are ASCII."""
    stream = f"BT /F1 11 Tf 72 740 Td ({words}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    return (out + f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF").encode()
