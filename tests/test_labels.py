from __future__ import annotations

import pytest
from babel import Locale

from ingest import labels
from ingest.labels import Told, country_of, language_of
from search_app.interface import LANGUAGES


@pytest.mark.parametrize(
    ("label", "tag"),
    [
        ("English", "en"), ("Español", "es"), ("Français", "fr"), ("العربية", "ar"), ("ภาษาไทย", "th"), ("ភាសាខ្មែរ", "km"), ("ພາສາລາວ", "lo"), ("မြန်မာ", "my"),
        ("አማርኛ", "am"), ("עברית", "he"), ("বাংলা", "bn"), ("தமிழ்", "ta"), ("日本語", "ja"), ("한국어", "ko"), ("Tiếng Việt", "vi"), ("فارسی", "fa"), ("हिन्दी", "hi"),
        ("Khmer", "km"), ("Farsi", "fa"), ("Burmese", "my"), ("Kiswahili", "sw"), ("Tagalog", "fil"), ("Bahasa Indonesia", "id"), ("Myanmar language", "my"),
        ("Chinese (Simplified)", "zh-Hans"), ("简体中文", "zh-Hans"), ("繁體中文", "zh-Hant"), ("Brazilian Portuguese", "pt-BR"), ("Português do Brasil", "pt-BR"),
        ("Portuguese (Brazil)", "pt-BR"), ("Spanish – Latin America", "es-419"), ("Colombian Spanish", "es-CO"), ("Serbian (Latin)", "sr-Latn"),
        ("Persian (Dari)", "fa-AF"), ("Filipino (Tagalog)", "fil"), ("Flemish", "nl-BE"), ("ES", "es"), ("por", "pt"), ("ger", "de"), ("zh_Hant", "zh-Hant"),
        ("немецкий", "de"), ("الفرنسية", "fr"), ("ALEMÁN", "de"), ("Ukranian", "uk"), ("  Italian ", "it"), ("English (UK)", "en-GB"),
    ],
)  # fmt: skip
def test_a_label_is_understood_in_whatever_language_it_is_written(label, tag):
    assert language_of(label) == Told(tag)


@pytest.mark.parametrize(
    ("label", "tag", "region"),
    [("Austrian", "de-AT", "AT"), ("Brazilian", "pt-BR", "BR"), ("Mexican", "es-MX", "MX"), ("Egyptian", "ar-EG", "EG"), ("Argentine", "es-AR", "AR"), ("Österreichisch", "de-AT", "AT"), ("النمسا", "de-AT", "AT")],
)  # fmt: skip
def test_a_people_or_a_country_stands_for_its_one_official_language_and_the_rule_is_told(label, tag, region):
    assert language_of(label) == Told(tag, "country", region)


@pytest.mark.parametrize(("label", "region"), [("Swiss", "CH"), ("Belgian", "BE"), ("Canadian", "CA"), ("Indian", "IN")])
def test_nothing_is_guessed_where_a_country_has_several_languages(label, region):
    assert language_of(label) == Told("und", "several", region)


def test_what_cannot_be_told_says_why():
    assert language_of("Martian dialect") == Told("und", "unknown")
    assert language_of("  ") == Told("und", "unknown")
    assert language_of("Dominican") == Told("und", "ambiguous", "DM, DO")
    assert language_of("English (first draft)") == Told("en", "qualifier", "first draft")


def test_nearly_all_names_of_languages_in_the_languages_of_the_interface_come_back_to_themselves():
    names = [(tag, name) for locale in LANGUAGES for tag, name in labels._languages(Locale.parse(locale))]
    told = [(tag, language_of(name).tag) for tag, name in names]
    assert len(names) > 7000 and sum(tag == found for tag, found in told) / len(told) > 0.997


def test_names_that_mean_several_languages_are_few_and_left_open():
    several = labels.ambiguous()
    assert len(several) < 60 and all(language_of(name).tag == "und" or language_of(name).why == "" for name in several)


@pytest.mark.parametrize(
    ("name", "code"),
    [("Bolivia", "BO"), ("BO", "BO"), ("Côte d’Ivoire", "CI"), ("Deutschland", "DE"), ("カンボジア", "KH"), ("Atlantis", ""), ("XX", "")],
)
def test_a_country_is_known_by_its_code_and_by_its_name_in_any_language(name, code):
    assert country_of(name) == code
