"""What the export writes as catalogue.csv comes in again through the import, unchanged."""

from __future__ import annotations

import pytest

from index.library import Library
from ingest.imports import read_import
from ingest.records import Edition, Publication, edition_id
from search_app.exporting import export
from search_app.importing import store

TITLES = {
    "ar": "الغابة «الكبيرة»", "fa": "جنگل بزرگ", "he": "היער", "hi": "जंगल", "bn": "বন", "ta": "காடு", "th": "ป่า", "lo": "ປ່າ", "km": "ព្រៃ", "my": "တော",
    "am": "ጫካ", "ja": "森", "zh-Hant": "森林", "ko": "숲", "de-AT": 'Der "Wald", die Bäume; [x]', "pt-BR": "=A floresta+1", "sr-Latn": "-Šuma", "qu": "@sacha",
}  # fmt: skip
LABELS = {"ar": "العربية", "ja": "日本語", "de-AT": "Austrian", "pt-BR": "+Português", "sr-Latn": ""}
PARTS = ("whole", "executive summary", "annex")


def edition(name: str, language: str, label: str = "", part: str = "whole") -> Edition:
    return Edition(edition_id(name, language, part), name, language, label, part, None)  # type: ignore[arg-type]


WHOLE = Publication(
    "many-scripts", TITLES, {"th": "เกี่ยวกับป่า\nและน้ำ", "de-AT": "Über den Wald, der groß ist."}, 1999, "-study", ("a topic", "@topic", "水"), ("BO", "KH"),
    "https://lantern.example/x?a=1&b=2", tuple(edition("many-scripts", tag, LABELS.get(tag, tag)) for tag in TITLES),
    ("Quispe Mamani, Ana", "李明", "မောင်မောင်"), "Lantern & Co", "9783161484100", "10.5555/lantern.1",
)  # fmt: skip
IN_PARTS = Publication(
    "ป่า-2020", {"es": "El agua", "und": "<b>?</b>"}, {}, 2020, "", (), (), "", (*(edition("ป่า-2020", "es", "Español", part) for part in PARTS), edition("ป่า-2020", "und")), isbn="9780306406157",
)  # fmt: skip


@pytest.fixture
def table(library, tmp_path) -> bytes:
    for one in (WHOLE, IN_PARTS):
        library.put_publication(one, "", (), ())
    export(library, tmp_path / "export")
    return (tmp_path / "export" / "catalogue.csv").read_bytes()


@pytest.mark.parametrize("before", [WHOLE, IN_PARTS], ids=["many scripts", "parts"])
def test_an_exported_catalogue_comes_in_again_unchanged(table, tmp_path, before):
    found, other = read_import(table), Library.create(tmp_path / "other")
    assert found.problems == () and {remark.code for entry in found.entries for remark in entry.remarks if remark.flagged} <= {
        "unsure"
    }  # of the text in "und"
    store(other, "ana", "catalogue.csv", [(entry, "add") for entry in found.entries])
    assert other.entry(before.publication_id) == before


def test_an_exported_catalogue_is_known_to_its_own_library(table, library):
    before = library.publications()
    report = store(library, "ana", "catalogue.csv", [(entry, "merge") for entry in read_import(table).entries])
    assert len(report.having("skipped")) == 2 and library.publications() == before
