"""Which new files belong together: those whose names differ only in a language, or that share a number; and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.loose_entries import LooseEntry
from index.uploads import Upload
from ingest.records import Edition, Publication
from search_app.desk.duplicates import Remark
from search_app.desk.grouping import groups, parts, places, stem_of


def upload(name: str, **findings: object) -> Upload:
    return Upload(name, "ana", name, 1, "", "2026-01-01T00:00:00Z", "examined", "", "d", findings)


def publication(name: str, **described: object) -> Publication:
    plain = Publication(name, {"en": name}, {}, None, "", (), (), "", ())
    return replace(plain, **described)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "stem", "language"),
    [
        ("report-fr.pdf", "report", "fr"), ("report_FR.pdf", "report", "fr"), ("fr-report.pdf", "report", "fr"), ("Report (es).PDF", "report", "es"),
        ("report-pt-BR.pdf", "report", "pt-BR"), ("report_zh-Hans.pdf", "report", "zh-Hans"), ("report Khmer.pdf", "report", "km"),
        ("Arabic_report.pdf", "report", "ar"), ("แผนงาน-th.pdf", "แผนงาน", "th"), ("報告_ja.pdf", "報告", "ja"), ("report.pdf", "report", ""),
        ("report-2020.pdf", "report-2020", ""), ("fr.pdf", "", "fr"), ("../../etc/passwd", "passwd", ""),
    ],
)  # fmt: skip
def test_a_name_is_parted_into_stem_and_language(name, stem, language):
    assert stem_of(name) == (stem, language)


def names(found):
    return [[upload.name for upload in group] for group in found]


def test_names_that_differ_only_in_a_language_belong_together_in_the_order_in_which_they_came():
    files = [upload(name) for name in ("plan-km.pdf", "other-fr.pdf", "plan-vi.pdf", "plan.pdf", "th.pdf", "ar.pdf")]
    assert names(groups(files)) == [["plan-km.pdf", "plan-vi.pdf", "plan.pdf"], ["other-fr.pdf"], ["th.pdf"], ["ar.pdf"]]


def test_a_shared_isbn_or_doi_joins_what_names_keep_apart():
    files = [upload("a-fr.pdf", isbn="1"), upload("b.pdf", doi="x"), upload("a-es.pdf"), upload("c.pdf", isbn="1", doi="x"), upload("d.pdf", isbn="")]
    assert names(groups(files)) == [["a-fr.pdf", "a-es.pdf", "b.pdf", "c.pdf"], ["d.pdf"]]


def test_places_number_new_publications_and_name_those_that_are_there():
    files = [upload("a-fr.pdf", title="x"), upload("b.pdf", isbn="9"), upload("a-es.pdf", title="y"), upload("c.pdf", title="ป่า"), upload("d.pdf")]
    edition = Edition("old.es", "old", "es", "", "whole", "e")
    entries = [LooseEntry(7, publication("", titles={"th": "ป่า"}), (), "list", "ana", "2026")]
    there = [publication("numbered", isbn="9"), publication("old"), publication("without")]
    assert places(files, {}, there, entries) == {"a-fr.pdf": "+1", "a-es.pdf": "+1", "b.pdf": "numbered", "c.pdf": "#7", "d.pdf": "+4"}
    assert places(files, {"a-es.pdf": [Remark(0.97, False, edition=edition)]}, there, entries)["a-fr.pdf"] == "old"


def test_of_several_files_in_one_language_of_a_publication_the_longest_is_the_whole():
    files = [
        upload("a", language="fr", pages=3),
        upload("b", language="fr", pages=90),
        upload("c", language="es", pages=2),
        upload("d", language="fr", pages=1),
    ]
    said = parts(files, dict.fromkeys("abcd", "+1"))
    assert said == {"a": "executive summary", "b": "whole", "c": "whole", "d": "annex"}
