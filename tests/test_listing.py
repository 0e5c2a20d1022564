from __future__ import annotations

import pytest

from ingest.imports import read_import
from ingest.labels import language_of
from ingest.listing import is_listing, labels_in, labels_of

ABOUT = "The lantern network looks after the safety of children who travel along the river, and says here in a few sentences what it found there."
MORE = (
    "Guards of the ferries were asked in four towns how they are trained; most of them had never been told whom to call when a child travels alone."
)
LISTING = f"""The lantern network publishes what it learns.
Short Paper: Ferries
Short Paper: Buses
{ABOUT}
Available in: German
Available in: English, Austrian, Greek
Safe Rivers: What Guards Know
{ABOUT}
{MORE}
Please find the annexes here.
Available in: English and Spanish
"""


def read(text):
    return read_import(text.encode(), "listing")


def shown(text):
    return [
        (list(one.publication.titles.values()), [edition.language for edition in one.publication.editions], {remark.code for remark in one.remarks})
        for one in read(text).entries
    ]


def test_a_listing_is_read_whole_with_what_has_no_title_and_what_has_no_editions():
    assert shown(LISTING) == [
        (["Short Paper: Ferries"], [], {"no editions"}),
        (["Short Paper: Buses"], [], {"no editions"}),
        ([], ["de"], {"several titles", "no title", "reads"}),
        ([], ["en", "de-AT", "el"], {"no text", "country"}),
        (["Safe Rivers: What Guards Know"], ["en", "es"], set()),
    ]
    assert read(LISTING).remarks[0].about == {"text": "The lantern network publishes what it learns."}
    assert list(read(LISTING).entries[4].publication.abstracts.values()) == [f"{ABOUT}\n{MORE}\nPlease find the annexes here."]
    assert [edition.label for edition in read(LISTING).entries[3].publication.editions] == ["English", "Austrian", "Greek"]


def test_an_opening_that_points_below_belongs_to_the_listing_and_one_that_does_not_to_its_entry():
    pointing = f"The network publishes what it learns. Read on below.\n{ABOUT}\nAvailable in: English\n"
    assert [remark.code for remark in read(pointing).remarks] == ["blurb"] and list(read(pointing).entries[0].publication.abstracts.values()) == [
        ABOUT
    ]
    plain = f"{ABOUT}\n{MORE}\nAvailable in: English\n"
    assert read(plain).remarks == () and list(read(plain).entries[0].publication.abstracts.values()) == [f"{ABOUT}\n{MORE}"]


def test_a_third_paragraph_that_speaks_of_itself_begins_an_entry_of_its_own():
    text = f"{ABOUT}\nAvailable in: English\n{ABOUT}\n{MORE}\nIn this study {MORE}\nAvailable in: French, Khmer\n"
    assert shown(text)[1:] == [([], [], {"no title", "no editions"}), ([], ["fr", "km"], {"apart", "no title"})]


def test_a_third_paragraph_that_says_nothing_of_itself_stays_and_is_flagged():
    text = f"{ABOUT}\n{MORE}\n{ABOUT}\nAvailable in: Thai, Lao\n"
    assert shown(text) == [([], ["th", "lo"], {"long", "no title"})]


def test_what_stands_after_the_last_languages_is_kept_too():
    assert shown(f"A Title\n{ABOUT}\nAvailable in: English\nAnother Title\n{MORE}\n")[-1] == (["Another Title"], [], {"no editions"})


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("Available in: English, Spanish", ["en", "es"]), ("Disponible en: inglés, español y francés", ["en", "es", "fr"]), ("Disponible en : anglais, français", ["en", "fr"]),
        ("Verfügbar in: Deutsch und Englisch", ["de", "en"]), ("Disponível em: Inglês, Português", ["en", "pt"]), ("Доступно на: английский, русский", ["en", "ru"]),
        ("متوفر باللغات: العربية والفرنسية", ["ar", "fr"]), ("متوفر باللغات: العربية، الإنجليزية", ["ar", "en"]), ("موجود به زبان‌های: فارسی، انگلیسی", ["fa", "en"]),
        ("उपलब्ध: हिन्दी, अंग्रेज़ी", ["hi", "en"]), ("មានជាភាសា: ខ្មែរ, អង់គ្លេស", ["km", "en"]), ("มีในภาษา: ไทย, อังกฤษ", ["th", "en"]),
        ("Có sẵn bằng: Tiếng Việt, Tiếng Anh", ["vi", "en"]), ("语言：中文、英语", ["zh", "en"]), ("Available in English, Khmer", ["en", "km"]),
        ("Languages: English / French", ["en", "fr"]), ("Available in: Chinese (Simplified), Thai", ["zh-Hans", "th"]), ("Available in: Chinese (Simplified, Han), Thai", ["zh", "th"]),
        ("Available in twelve countries, this programme trains guards.", None), ("Languages are many", None), ("An abstract available in: English", None),
    ],
)  # fmt: skip
def test_the_line_of_languages_is_known_in_the_languages_of_such_sites(line, tags):
    said = labels_in(line)
    assert (None if said is None else [language_of(label).tag for label, _ in labels_of(said)]) == tags


def test_a_part_in_brackets_is_the_edition_of_that_part():
    assert labels_of("English, French (executive summary), German (Annex)") == [
        ("English", "whole"),
        ("French", "executive summary"),
        ("German", "annex"),
    ]


def test_labels_go_on_in_the_next_line_after_a_comma_or_when_none_was_named():
    assert shown("A Title\nAvailable in: English,\nSpanish\n")[0][1] == ["en", "es"]
    assert shown("A Title\nAvailable in:\nEnglish\n")[0][1] == ["en"]


def test_several_languages_that_are_left_open_are_editions_each():
    (entry,) = read("A Title\nAvailable in: Swiss, Belgian, English\n").entries
    assert [(edition.language, edition.label) for edition in entry.publication.editions] == [("und", "Swiss"), ("und", "Belgian"), ("en", "English")]
    assert len({edition.edition_id for edition in entry.publication.editions}) == 3


def test_prose_is_no_listing():
    assert not is_listing(f"{ABOUT}\n{MORE}") and is_listing(LISTING)
