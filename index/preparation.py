"""Prepare an encoder, once and slowly, so that it runs on OpenVINO without torch: its network, with eight-bit weights, its tokenizer and its description.

What was made is compared with the model it was made from, in every language of the Declaration that ships, before it is believed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import nncf
import openvino
import torch

from index.encoder import UnusableEncoderError, Vectors
from index.language_priors import declaration
from index.network import NETWORK, Precision, Weights, weights_for
from index.prepared_encoder import TOKENIZER, Description, PreparedEncoder, open_prepared
from index.pytorch_encoder import SentenceEncoder, TokenSentenceEncoder
from index.related import shipped_means

log = logging.getLogger(__name__)

LEAST = 0.999  # cosine with what the model itself gives, in the worst language


class UnfitEncoderError(UnusableEncoderError):
    """The encoder cannot be prepared; it can be used as it is."""


def prepare(encoder: SentenceEncoder, folder: Path, precision: Precision) -> None:
    """Write the prepared encoder into a folder, with the finest weights that are needed. Raises UnfitEncoderError and OSError."""
    description = _description(encoder)
    _tokenizer_of(encoder).save(str(folder / TOKENIZER))
    description.write(folder)
    network = _converted(encoder, description.layers)
    texts = _texts()
    expected = encoder.encode_passages(texts)
    kinds: list[Weights] = ["int8", "whole"]
    for kind in kinds[kinds.index(weights_for(precision)) :]:
        _save(network, kind, folder)
        likeness = _likeness(open_prepared(folder, precision), texts, expected)
        log.info("Prepared with %s weights: cosine %.5f or more with the encoder itself.", kind, likeness)
        if likeness >= LEAST:
            return
    raise UnfitEncoderError(f"what was prepared gives other vectors: cosine {likeness:.4f} with its own, expected at least {LEAST}")


class _Whole(torch.nn.Module):
    """A model from tokens to unit vectors, and the layers that are to be seen."""

    def __init__(self, model: Any, layers: Sequence[int]) -> None:
        super().__init__()
        self.model, self.layers = model, layers

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output = self.model[0].auto_model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=bool(self.layers))
        features = {"input_ids": input_ids, "attention_mask": attention_mask, "token_embeddings": output.last_hidden_state}
        for module in islice(self.model, 1, None):
            features = module(features)
        vectors = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
        return vectors, *(output.hidden_states[layer] for layer in self.layers)


def _description(encoder: SentenceEncoder) -> Description:
    tokenizer, means = encoder.model.tokenizer, shipped_means(encoder.fingerprint)
    if not isinstance(encoder, TokenSentenceEncoder) or tokenizer.padding_side != "right":
        raise UnfitEncoderError("it does not begin with a transformer whose tokenizer is a fast one and fills up on the right")
    return Description(
        fingerprint=encoder.fingerprint,
        dimension=encoder.dimension,
        max_tokens=int(encoder.model.max_seq_length or tokenizer.model_max_length),
        filler=tokenizer.pad_token_id or 0,
        query=encoder.prompts["query"],
        document=encoder.prompts["document"],
        layers=means.layers if means else (),
    )


def _tokenizer_of(encoder: SentenceEncoder) -> Any:
    return encoder.model.tokenizer.backend_tokenizer


def _converted(encoder: SentenceEncoder, layers: Sequence[int]) -> Any:
    model = _Whole(encoder.model.cpu().float(), layers).eval()
    example = {name: torch.ones(2, 16, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    try:
        with torch.inference_mode():
            return openvino.convert_model(model, example_input=example)
    except Exception as error:  # the model's own code is followed step by step, and may do anything
        raise UnfitEncoderError(f"OpenVINO cannot convert it: {error}") from error


def _save(network: Any, kind: Weights, folder: Path) -> None:
    if kind == "int8":
        network = nncf.compress_weights(network.clone(), mode=nncf.CompressWeightsMode.INT8_SYM)
    openvino.save_model(network, folder / NETWORK, compress_to_fp16=kind == "whole")


def _texts() -> list[str]:
    """One article of the Declaration in each language, and all of them in one text that is longer than encoders take."""
    texts = dict(declaration())
    return [*texts.values(), " ".join(texts.values())]


def _likeness(prepared: PreparedEncoder, texts: Sequence[str], expected: Vectors) -> float:
    return float((prepared.encode_passages(texts) * expected).sum(axis=1).min())
