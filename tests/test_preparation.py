"""Any model of sentence-transformers is prepared: it gives the same vectors, and is opened again without torch. One that cannot be is used as it is."""

from __future__ import annotations

import logging
import os
import signal

import numpy as np
import pytest

from index import preparation, sentence_encoder
from index.encoder import TokenEncoder
from index.prepared_encoder import PreparedEncoder
from index.pytorch_encoder import SentenceEncoder, open_original
from index.sentence_encoder import COMPUTE, open_encoder

LETTERS = "abcdefghijklmnopqrstuvwxyzกขคงจฉชซดตถทนบปผพฟมยรลวสหอเาะิีุูแโใไ่้水林学校पानीजलमاللماءבית"
TEXTS = ["water", "ป่าไม้และน้ำ", "水 林", "पानी जल", "الماء", "", "a long text " * 50]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A small BERT with random weights and a tokenizer of single letters, as a folder of sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(LETTERS)]
    tokenizer = Tokenizer(models.WordLevel({letter: place for place, letter in enumerate(letters)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    scratch = tmp_path_factory.mktemp("transformer")
    config = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=len(letters), **config)).save_pretrained(scratch)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(scratch)
    transformer = Transformer(str(scratch), max_seq_length=60)
    modules = [transformer, Pooling(32, "mean"), Dense(32, 16)]
    folder = tmp_path_factory.mktemp("model")
    SentenceTransformer(modules=modules, prompts={"query": "ask ", "document": "say "}).save(str(folder))
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.mark.parametrize("precision", ["int8", "f32"])
def test_what_is_prepared_gives_the_vectors_of_the_model(model_folder, cache, monkeypatch, precision):
    monkeypatch.setenv(COMPUTE, precision)
    prepared, original = open_encoder(str(model_folder), cache), open_original(str(model_folder), cache)
    assert isinstance(prepared, PreparedEncoder) and (prepared.fingerprint, prepared.dimension) == (original.fingerprint, 16)
    for mine, its in ((prepared.encode_queries, original.encode_queries), (prepared.encode_passages, original.encode_passages)):
        assert (mine(TEXTS) * its(TEXTS)).sum(axis=1).min() > 0.998
    assert np.allclose(np.linalg.norm(prepared.encode_passages(TEXTS * 40), axis=1), 1, atol=1e-3)
    assert prepared.count_tokens(TEXTS) == original.count_tokens(TEXTS) and prepared.encode_passages([]).shape == (0, 16)
    assert not isinstance(prepared, TokenEncoder)  # nobody has measured its tokens


def test_it_is_prepared_once_and_again_when_its_files_change(model_folder, cache, monkeypatch):
    prepared = []
    monkeypatch.setattr(sentence_encoder, "_prepare", lambda *how: prepared.append(how) or sentence_encoder._prepare_here(*how))
    open_encoder(str(model_folder), cache)
    open_encoder(str(model_folder), cache)
    assert len(prepared) == 1
    (model_folder / "README.md").write_text("น้ำ", "utf-8")
    open_encoder(str(model_folder), cache)
    assert len(prepared) == 2


def test_one_that_cannot_be_prepared_is_used_as_it_is_and_the_log_says_so(model_folder, cache, monkeypatch, caplog):
    monkeypatch.setattr(sentence_encoder, "_prepare", sentence_encoder._prepare_here)
    monkeypatch.setattr(preparation, "LEAST", 1.1)
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            encoder = open_encoder(str(model_folder), cache)
        assert isinstance(encoder, SentenceEncoder) and encoder.encode_queries(["water"]).shape == (1, 16)
        assert "runs on PyTorch, which is slower: what was prepared gives other vectors" in caplog.text
        monkeypatch.setattr(preparation, "prepare", None)  # it is not tried again


def test_a_cache_that_cannot_be_written_is_named(model_folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(sentence_encoder.UnusableEncoderError, match=r"Cannot prepare the encoder in .*file.*Let this user write there"):
        open_encoder(str(model_folder), tmp_path / "file")


def test_one_that_shows_other_layers_than_are_known_now_is_made_again_by_one_process_only(model_folder, cache, monkeypatch):
    prepared, looked = [], []
    monkeypatch.setattr(sentence_encoder, "_prepare", lambda *how: prepared.append(how) or sentence_encoder._prepare_here(*how))
    open_encoder(str(model_folder), cache)
    (folder,) = (path.parent for path in cache.glob("*/encoder.json"))

    def meanwhile(there):
        looked.append(there)
        return len(looked) > 1  # another process has made it again since this one looked

    monkeypatch.setattr(sentence_encoder, "_shows_what_is_known", meanwhile)
    open_encoder(str(model_folder), cache)
    assert len(prepared) == 1 and set(looked) == {folder}
    looked.clear()
    monkeypatch.setattr(sentence_encoder, "_shows_what_is_known", lambda there: len(prepared) > 1)
    open_encoder(str(model_folder), cache)
    assert len(prepared) == 2


def killed(*how: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_preparation_that_is_killed_for_want_of_memory_says_so(model_folder, cache, monkeypatch):
    monkeypatch.setattr(sentence_encoder, "_prepare_here", killed)
    with pytest.raises(sentence_encoder.UnusableEncoderError, match="two gigabytes of memory"):
        open_encoder(str(model_folder), cache)
    assert list(cache.glob(".*.making")) == []


def test_pytorch_can_be_asked_for(model_folder, cache, monkeypatch):
    monkeypatch.setenv(COMPUTE, "torch")
    assert isinstance(open_encoder(str(model_folder), cache), SentenceEncoder) and not cache.exists()


def test_a_way_to_compute_that_there_is_not_is_refused(cache, monkeypatch):
    monkeypatch.setenv(COMPUTE, "int4")
    with pytest.raises(sentence_encoder.UnusableEncoderError, match=r"ISOGLOSS_COMPUTE must be int8, bf16, f32 or torch, got 'int4'"):
        open_encoder("", cache)


@pytest.mark.parametrize("file", ["modules.json", "config.json"])
@pytest.mark.parametrize("name", ["somebody/small-model", "small-model"])
def test_a_model_of_the_hub_is_known_by_its_snapshot(tmp_path, monkeypatch, name, file):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / ("models--somebody--small-model" if "/" in name else "models--sentence-transformers--small-model")
    assert sentence_encoder._place_of(name) is None
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "snapshots" / "abc" / file).write_text("{}")
    assert sentence_encoder._place_of(name) == repository / "snapshots" / "abc"
