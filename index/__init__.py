"""Passages to ranked hits: the encoder, the library on disk, the vectors FAISS serves, the searcher and its evaluation."""

import sys
from typing import Any, cast

# openvino and nncf report their use to a server on the internet wherever they can import this; without it they do their work and are silent.
sys.modules["openvino_telemetry"] = cast(Any, None)
