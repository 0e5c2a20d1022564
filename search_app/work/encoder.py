"""The job that changes the library's encoder: every stored passage is encoded by the new one, while the old one serves, and a candidate is built.

Asked for the encoder that the library has, it encodes the passages that an older version stored without codes for marks; these are seen at once.
Its arguments: "name", a folder or hub name; "fingerprint", where it must be that very encoder; or "forget", the fingerprint of one to drop the vectors of.
"""

from __future__ import annotations

from index import candidate, generations
from index.encoder import DEFAULT, Encoder
from index.library import Library
from index.passage_encoding import codebook_of
from ingest.records import IsoglossError
from search_app.storing import encode_uncoded
from search_app.work import generation
from search_app.work.task import Task


class UnfitEncoderError(IsoglossError):
    """The encoder is not one that the library can change to."""


def run(task: Task) -> None:
    """Encode what is stored, and prepare a candidate; nothing of it is seen until it is published."""
    arguments = task.job.arguments
    if "forget" in arguments:
        _forget(task.library, str(arguments["forget"]))
        return
    name = str(arguments["name"])
    encoder = task.open_encoder(name)
    _require_same(encoder, name, str(arguments.get("fingerprint", "")))
    codebook = codebook_of(encoder)
    if encoder.fingerprint == task.library.meta("encoder") and codebook and task.library.without_codes(encoder.fingerprint, codebook.heads):
        encode_uncoded(task.library, encoder, lambda done, total: task.progress(done, total, "encoding passages"))
        return
    _require_other(task.library, encoder, name)
    task.library.name_encoder(encoder.fingerprint, name)
    if not task.library.encoder_name() and task.encoder.fingerprint == task.library.meta("encoder"):
        task.library.name_encoder(task.encoder.fingerprint, DEFAULT)  # which is what no name has stood for; so one can go back to it
    for other in task.library.encoders():
        if other.fingerprint not in (encoder.fingerprint, task.library.meta("encoder")):
            _forget(task.library, other.fingerprint)  # the disk holds the vectors of two encoders, not of all that were ever tried
    generation.prepare(task, encoder)


def _require_other(library: Library, encoder: Encoder, name: str) -> None:
    if encoder.fingerprint == library.meta("encoder"):
        raise UnfitEncoderError(f"{name} is the encoder that the library has. To build a generation by it, ask for a new one instead.")


def _require_same(encoder: Encoder, name: str, expected: str) -> None:
    if expected and encoder.fingerprint != expected:
        raise UnfitEncoderError(f"{name} is not the encoder that it was (fingerprint {expected[:12]}, now {encoder.fingerprint[:12]}).")


def _forget(library: Library, fingerprint: str) -> None:
    """Drop the vectors of an encoder that serves nobody."""
    waiting = candidate.standing(library, generations.CANDIDATE)
    if fingerprint == library.meta("encoder") or (waiting and waiting.encoder == fingerprint):
        raise UnfitEncoderError("expected an encoder that is neither in use nor that of the generation which waits; discard that first")
    library.forget_encoder(fingerprint)
