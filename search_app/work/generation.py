"""The job that builds a generation beside the one in use, and shows what it would change. Nobody is served by it until it is published."""

from __future__ import annotations

from dataclasses import replace

from index import candidate, generations, language_priors
from index.encoder import Encoder
from index.preview import compare
from index.questions import Questions
from index.searcher import State, require_encoder
from index.view import View
from search_app.storing import encode_missing
from search_app.work.task import Task


def run(task: Task) -> None:
    """Build by the library's own encoder; it has next to nothing to encode."""
    require_encoder(task.library, task.encoder)
    prepare(task, task.encoder)


def prepare(task: Task, encoder: Encoder) -> None:
    """Make a candidate by this encoder, with its preview. Whatever ends the job, what was encoded is kept, and the next attempt goes on from it."""
    library = task.library
    encode_missing(library, encoder, lambda done, total: task.progress(done, total, "encoding passages"))
    if language_priors.wanted(library, encoder.fingerprint):
        language_priors.learn(library, encoder, lambda done, total: task.progress(done, total, "learning where languages lie"))
        encode_missing(library, encoder)  # what came meanwhile
    task.progress(0, 1, "building")
    made = generations.make(library, encoder.fingerprint, lambda done, total: task.progress(done, total, "building"))
    before = State.of(library, task.encoder)
    same = encoder.fingerprint == task.encoder.fingerprint  # then sentences that both find are encoded once
    after = replace(before, view=View.of(library, made)) if same else State.of(library, encoder, made)
    questions = [question.text for question in Questions(library).all()]
    found = compare(questions, before, after, lambda done, total: task.progress(done, total, "asking the check questions"))
    candidate.keep(library, made, found)
