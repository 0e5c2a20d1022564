"""`isogloss ingest-worker` with an encoder that needs no model: python lexicon_worker.py ADDRESS [OPTION...]. With FATAL set, a text with that word kills it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from conftest import LexiconEncoder  # noqa: E402

from index import sentence_encoder  # noqa: E402
from search_app import cli  # noqa: E402


class FatalEncoder(LexiconEncoder):
    def encode_passages(self, texts):
        if (word := os.environ.get("FATAL")) and any(word in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_passages(texts)


# Also in the process that Dask starts, which loads this file before it opens an encoder.
sentence_encoder.open_encoder = lambda name="", **_: FatalEncoder(name or "lexicon")

if __name__ == "__main__":
    cli.main(["ingest-worker", *sys.argv[1:]])
