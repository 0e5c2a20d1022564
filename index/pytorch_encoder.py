"""Encoders as sentence-transformers runs them, on PyTorch: what others are prepared from. The only module that imports sentence_transformers."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers.utils import logging

from index import bundled
from index.encoder import Tokens, UnusableEncoderError, Vectors
from index.made_once import made_once

PROMPTS = {"query": "query: ", "document": "passage: "}  # E5 was trained with them; without them search across languages breaks
NEEDS_PROMPTS = re.compile(r"\be5-(small|base|large)(-v2)?$")  # models that are published without the prompts they need
BATCH = 32  # texts encoded together

logging.disable_progress_bar()  # type: ignore[no-untyped-call]
logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class SentenceEncoder:
    """A sentence-transformers model with its prompts."""

    def __init__(self, model: SentenceTransformer, weights_digest: str) -> None:
        self.model = model
        self._lock = threading.Lock()  # a fast tokenizer changes its padding in place and refuses two callers
        known = model.prompts
        self.prompts = {"query": known.get("query") or "", "document": known.get("document") or known.get("passage") or ""}
        self._fingerprint = _digest_of(
            weights_digest, self.prompts, str(model.max_seq_length), [type(module).__name__ for module in model], _pooling(model)
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 over weights, prompts, pooling and maximum length, in hexadecimal."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return int(self.model.get_embedding_dimension() or 0)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions; row i belongs to text i."""
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode what is searched; row i belongs to text i."""
        return self._encode(texts, "document")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, without prompt and without the marks of beginning and end."""
        if not texts:
            return []
        with self._lock:
            return [len(ids) for ids in self.model.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]]

    def _encode(self, texts: Sequence[str], kind: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            vectors = self.model.encode(list(texts), prompt=self.prompts[kind], batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


class TokenSentenceEncoder(SentenceEncoder):
    """A sentence-transformers model that begins with a transformer whose tokenizer knows the place of each token."""

    def __init__(self, model: SentenceTransformer, weights_digest: str) -> None:
        super().__init__(model, weights_digest)
        model.eval().requires_grad_(False)  # so that what is computed without `encode` keeps no gradients

    def encode_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Encode what is searched and keep the tokens' vectors of these layers, counted from 1; item i belongs to text i."""
        return self._shown("document", texts, layers)

    def encode_query_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        """Do the same with questions."""
        return self._shown("query", texts, layers)

    def _shown(self, kind: str, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # texts of like length need little padding
        made: list[Tokens] = []
        for start in range(0, len(order), BATCH):
            with self._lock:
                made += self._encode_batch(self.prompts[kind], [texts[place] for place in order[start : start + BATCH]], layers)
        return [tokens for _, tokens in sorted(zip(order, made, strict=True), key=lambda pair: pair[0])]

    def _encode_batch(self, prompt: str, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        transformer: Any = self.model[0]
        how = {"padding": True, "truncation": True, "max_length": self.model.max_seq_length, "return_tensors": "pt"}
        batch = self.model.tokenizer([prompt + text for text in texts], return_offsets_mapping=True, return_special_tokens_mask=True, **how)
        spans, special = batch.pop("offset_mapping").numpy() - len(prompt), batch.pop("special_tokens_mask").numpy()
        output = transformer.auto_model(**batch.to(self.model.device), output_hidden_states=True)
        features = {"token_embeddings": output.last_hidden_state, "attention_mask": batch["attention_mask"]}
        for module in islice(self.model, 1, None):
            features = module(features)
        vectors = features["sentence_embedding"].float().cpu().numpy()
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        chosen = [output.hidden_states[layer].float().cpu().numpy() for layer in layers]
        own = (special == 0) & (spans[..., 1] > np.maximum(spans[..., 0], 0))  # neither of the prompt nor empty
        return [
            Tokens(vectors[row], np.maximum(spans[row][own[row]], 0).astype(np.int64), tuple(layer[row][own[row]] for layer in chosen))
            for row in range(len(texts))
        ]


def open_original(name: str, cache: Path, fetch: bool = True) -> SentenceEncoder:
    """Load a model as its makers run it, by folder or hub name; "" is the one that comes with the installation, unpacked into `cache` on first use.

    With `fetch` False nothing is asked of the hub. Raises UnusableEncoderError.
    """
    packed = bundled.packed_weights()
    if not name and packed:
        unpacked = made_once(cache / bundled.UNPACKED, lambda folder: _write_model(packed, folder))
        return _encoder_of(_load(str(unpacked)), f"{bundled.UNPACKED} {bundled.SHA256}")
    model = _load(name, fetch)
    if NEEDS_PROMPTS.search(name) and not any(model.prompts.values()):
        model.prompts.update(PROMPTS)
    return _encoder_of(model, _weights_digest(model))


def _encoder_of(model: SentenceTransformer, weights_digest: str) -> SentenceEncoder:
    tokens = isinstance(model[0], Transformer) and getattr(model.tokenizer, "is_fast", False)
    return TokenSentenceEncoder(model, weights_digest) if tokens else SentenceEncoder(model, weights_digest)


def _load(name: str, fetch: bool = True) -> SentenceTransformer:
    try:
        return SentenceTransformer(name, device=None, local_files_only=not fetch)
    except (OSError, ValueError) as error:
        raise UnusableEncoderError(
            f"Cannot load the encoder {name!r}: {error}. Expected a folder with a sentence-transformers model, or a name on a hub that this "
            f"machine {'reaches' if fetch else 'has in its cache; nothing is fetched here'}. Without --encoder and ISOGLOSS_ENCODER the default one is used, which needs no network."
        ) from error


def _write_model(packed: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        bundled.write_transformer(packed, Path(scratch))
        transformer = Transformer(scratch, max_seq_length=bundled.MAX_TOKENS, model_kwargs={"add_pooling_layer": False})
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        model = SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=dict(PROMPTS), device="cpu")
        model.save(str(folder), create_model_card=False)


def _weights_digest(model: SentenceTransformer) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    digest.update(model.tokenizer.backend_tokenizer.to_str().encode() if hasattr(model.tokenizer, "backend_tokenizer") else b"")
    return digest.hexdigest()


def _pooling(model: SentenceTransformer) -> list[str]:
    describe: list[Callable[[], dict[str, object]]] = [module.get_config_dict for module in model if isinstance(module, Pooling)]
    return [json.dumps(config(), sort_keys=True, default=str) for config in describe]


def _digest_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
