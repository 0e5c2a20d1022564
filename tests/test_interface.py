"""The interface in other languages: nothing is missing, and every translation can be filled in as its message can."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from search_app.interface import FOLDER, LANGUAGES

ROOT = Path(__file__).parent.parent
ASKED_FOR = {"en", "fr", "es", "pt", "de", "ru", "ar", "fa", "hi", "th", "km", "vi", "zh"}
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
TAG = re.compile(r"</?\w+")


@pytest.fixture(scope="module")
def said() -> Catalog:
    """All messages of the pages, as `make messages` finds them."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(one["pattern"].removeprefix("search_app/"), one["method"]) for one in mappings]
    catalogue = Catalog()
    for _, _, message, _, _ in extract_from_dir(ROOT / "search_app", methods, keywords=KEYWORDS):
        catalogue.add(message)
    return catalogue


def translated(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def strings(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def test_the_interface_speaks_at_least_the_languages_that_were_asked_for(said):
    assert set(LANGUAGES) >= ASKED_FOR and len(said) > 200


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_message_is_missing_and_none_is_left_over(said, language):
    there = {message.id: message for message in translated(language) if message.id}
    assert {message.id for message in said if message.id} == set(there)
    assert [key for key, message in there.items() if not all(strings(message)) or message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_translation_keeps_what_is_filled_in_and_the_markup(language):
    catalogue = translated(language)
    for message in catalogue:
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        wanted = Counter(PLACEHOLDER.findall(ids[-1]))
        for said in strings(message) if message.id else ():
            left_out = wanted - Counter(PLACEHOLDER.findall(said))
            assert not Counter(PLACEHOLDER.findall(said)) - wanted and (
                not left_out or (message.pluralizable and set(left_out) <= {"%(num)d", "%(num)s", "%(count)s"})
            ), said
            assert Counter(TAG.findall(said)) == Counter(TAG.findall(ids[-1])), said


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_translation_is_no_copy_of_the_english(language):
    messages = [
        message for message in translated(language) if message.id and not message.pluralizable and len(PLACEHOLDER.sub("", message.id).split()) > 2
    ]
    same = [message.id for message in messages if message.string == message.id]
    assert len(messages) > 150 and same == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_plural_forms_are_as_many_as_the_language_has(language):
    catalogue = translated(language)
    assert {len(strings(message)) for message in catalogue if message.pluralizable} == {catalogue.num_plurals}
