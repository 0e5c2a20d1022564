from __future__ import annotations

import pytest

from ingest.scripts import chinese_script, read_script


@pytest.mark.parametrize(
    ("text", "letters", "script", "languages"),
    [
        ("ទឹក", 2, "Khmr", ("km",)), ("ນ້ຳ 12", 2, "Laoo", ("lo",)), ("น้ำ", 2, "Thai", ("th",)), ("မြန်မာ", 3, "Mymr", ("my",)), ("물과 숲", 3, "Hang", ("ko",)),
        ("water", 5, "Latn", ()), ("вода", 4, "Cyrl", ()), ("ماء", 3, "Arab", ()), ("पानी", 2, "Deva", ()), ("ውሃ", 2, "Ethi", ()), ("עברית", 5, "Hebr", ()),
        ("ᚠᚢᚦ", 3, "Zyyy", ("und",)), ("12 – 13", 0, "", ("und",)), ("", 0, "", ("und",)),
    ],
)  # fmt: skip
def test_letters_tell_the_script_and_with_it_often_the_language(text, letters, script, languages):
    assert read_script(text) == (letters, script, languages)


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("川のほとり", ("ja",)), ("人身取引対策年次報告", ("ja",)), ("全体会議", ("ja",)), ("河边的儿童", ("zh",)), ("兒童的權利與保護及其執行", ("zh",)), ("報告書", ("zh", "ja")),
        ("カラオケ", ("ja",)), ("Report on 儿童保护规程执行", ("zh",)),
    ],
)  # fmt: skip
def test_chinese_and_japanese_are_told_by_kana_and_by_reformed_characters(text, languages):
    assert read_script(text)[2] == languages


@pytest.mark.parametrize(
    ("text", "script"), [("儿童权利", "Hans"), ("兒童權利", "Hant"), ("人口", ""), ("国家 (國家) 图书馆", "Hans"), ("water", "")]
)  # fmt: skip
def test_the_script_of_chinese_is_told_by_characters_that_only_one_of_them_has(text, script):
    assert chinese_script(text) == script


def test_a_chinese_text_with_many_latin_names_is_still_chinese():
    assert read_script("请在 Chromium 设置中打开此页面的权限")[1:] == ("Hans", ("zh",))
