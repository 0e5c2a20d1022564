"""The page of new files: sending without a script, remarks on duplicates, grouping, adding and discarding."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from conftest import pdf_of
from filling import fill, publication
from flask import Flask

from index.changes import Changes, entry_to_json
from index.jobs import Jobs
from index.sketches import Sketches
from index.uploads import Uploads
from ingest.records import Edition, Publication, edition_id
from ingest.sketch import sketch
from search_app.desk import files
from search_app.factory import create_app

TEXTS = {
    "th": "ป่าไม้เติบโตช้าๆ ตลอดหลายปี และแม่น้ำไหลผ่านทุกฤดูกาล เด็กๆ เดินไปโรงเรียนทุกเช้า",
    "km": "ព្រៃឈើលូតលាស់យឺតៗអស់ជាច្រើនឆ្នាំ ហើយទន្លេហូរកាត់គ្រប់រដូវ កុមារដើរទៅសាលារៀនរាល់ព្រឹក",
    "ar": "تنمو الغابة ببطء على مر السنين ويجري النهر فيها في كل الفصول ويذهب الأطفال إلى المدرسة كل صباح",
    "zh": "森林在许多年里慢慢生长起来，河水一年四季从中流过，孩子们每天早晨都走路去学校上课读书",
}


@pytest.fixture
def app(library, encoder) -> Flask:
    library.set_meta("encoder", encoder.fingerprint)
    return create_app(library, encoder)


@pytest.fixture
def send(library):
    """Put an examined file among the new ones: send("a-fr.pdf", language="fr", title="...") -> its upload_id."""

    def into(name: str, text: str = "", content: bytes = b"", **findings: object) -> str:
        content = content or pdf_of([name.encode("ascii", "replace").decode()])
        box = Uploads(library)
        upload = box.create("ana", name, len(content))
        box.append(upload.upload_id, 0, [content])
        box.finish(upload.upload_id, lambda _: "")
        box.put_findings(
            upload.upload_id, {"language": "en", "title": f"Title of {name}", "year": 2020, "pages": 3, "health": {"good": 3}, **findings}
        )
        if text:
            Sketches(library).put(box.upload(upload.upload_id).digest, sketch([text]))
        return upload.upload_id

    return into


def shown(client, path: str = "/desk/files") -> dict[str, str]:
    """What the form of the page would send, with what is chosen."""
    text = client.get(path).text
    fields = {}
    for tag in re.findall(r"<input[^>]*>", text):
        said = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        name = said.get("name", "")
        if "-" in name and (said.get("type") != "checkbox" or tag.endswith("checked>")):
            fields[name] = said["value"]
    for name, options in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', text, re.S):
        fields[name] = re.search(r'value="([^"]*)" selected', options)[1]
    fields["upload"] = re.findall(r'name="upload" value="([^"]*)"', text)
    return fields


def post(client, do="add", **changed):
    return client.post("/desk/files/rows", data={**shown(client), "do": do, **changed})


def test_the_page_is_for_those_who_are_signed_in(app):
    assert app.test_client().get("/desk/files").status_code == 303


def test_files_come_in_without_a_script_and_each_wrong_one_is_said(analyst, library):
    parts = [(io.BytesIO(pdf_of(["one"])), "รายงาน.pdf"), (io.BytesIO(b""), "empty.pdf"), (io.BytesIO(b"<html><p>x"), "../<b>page.pdf")]
    answer = analyst.post("/desk/files", data={"files": parts}, content_type="multipart/form-data")
    assert answer.status_code == 400 and "empty.pdf: The file is empty." in answer.text
    found = {upload.name: upload for upload in Uploads(library).uploads()}
    assert {name: upload.state for name, upload in found.items()} == {"รายงาน.pdf": "complete", "../<b>page.pdf": "refused"}
    page = analyst.get("/desk/files").text
    assert "../&lt;b&gt;page.pdf" in page and "it is a HTML file, expected a PDF" in page and "Being examined" in page
    assert analyst.post("/desk/files", data={"files": parts[:0]}, content_type="multipart/form-data").status_code == 303


def test_editions_of_one_publication_are_proposed_together_and_added_with_one_button(analyst, library, send):
    send("plan-ar.pdf", language="ar", title="خطة", abstract="ملخص", authors=["أحمد"], isbn="9783161484100", content=pdf_of(["a"]))
    send("plan-th.pdf", language="th", title="แผนงาน", content=pdf_of(["b"]))
    send("other.pdf", language="ko", title="계획", year=None, content=pdf_of(["c"]))
    answer = post(analyst)
    assert (answer.status_code, answer.location) == (303, "/desk/files?added=3")
    one, other = library.entry("خطة"), library.entry("계획")
    assert (
        one.titles == {"ar": "خطة", "th": "แผนงาน"} and one.abstracts == {"ar": "ملخص"} and one.isbn == "9783161484100" and one.authors == ("أحمد",)
    )
    assert [(edition.edition_id, edition.part) for edition in one.editions] == [("خطة.ar", "whole"), ("خطة.th", "whole")]
    assert (one.year, other.year) == (2020, None) and all(library.file(edition.digest).is_file() for edition in one.editions)
    assert Uploads(library).uploads() == [] and [change.what for change in Changes(library).changes()] == ["added", "added"]
    assert {job.kind for job in Jobs(library).jobs()} == {"examination", "reading"} and library.folder_of("خطة") == ""
    assert "3 files were added" in analyst.get(answer.location).text


def test_a_title_that_another_publication_has_gets_a_number(analyst, library, send):
    for place in range(3):
        send(f"{place}.pdf", title="年次報告", language="ja", content=pdf_of([str(place)]))
    post(analyst)
    assert [one.publication_id for one in library.publications()] == ["年次報告", "年次報告-2", "年次報告-3"]


def test_what_is_wrong_is_said_at_its_row_and_loses_nothing_typed_while_the_rest_is_added(analyst, library, send):
    wrong, right, mate = send("a.pdf", content=pdf_of(["a"])), send("b.pdf", content=pdf_of(["b"])), send("c.pdf", content=pdf_of(["c"]))
    typed = {f"title-{wrong}": "<i>วน</i>", f"language-{wrong}": "nonsense!", f"place-{wrong}": "+7", f"place-{mate}": "+7", f"year-{right}": ""}
    answer = post(analyst, **typed)
    assert (
        answer.status_code == 400 and "A language is needed" in answer.text and "another file of this publication needs a correction" in answer.text
    )
    assert 'value="&lt;i&gt;วน&lt;/i&gt;"' in answer.text and 'value="nonsense!"' in answer.text
    assert [upload.upload_id for upload in Uploads(library).uploads()] == [wrong, mate] and len(library.publications()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "  "),
        ("title", "x" * 1001),
        ("year", "20"),
        ("year", "x"),
        ("part", "half"),
        ("place", "nowhere"),
        ("place", "#9"),
        ("language", ""),
    ],
)
def test_each_field_is_checked(analyst, library, send, field, value):
    upload_id = send("a.pdf")
    answer = post(analyst, **{f"{field}-{upload_id}": value})
    assert answer.status_code == 400 and 'role="alert"' in answer.text and library.publications() == []


def existing(library, encoder, name: str, language: str, digest: str, text: str) -> None:
    work = publication(name, [language])
    work = replace(work, editions=(replace(work.editions[0], digest=digest),))
    fill(library, encoder, work, {language: [text]})
    library.file(digest).parent.mkdir(parents=True, exist_ok=True)
    library.file(digest).touch()
    Sketches(library).put(digest, sketch([text]))


def test_an_edition_that_is_there_is_replaced_only_when_asked(analyst, library, encoder, send):
    existing(library, encoder, "woods", "th", "1" * 64, TEXTS["th"])
    upload_id = send("new.pdf", language="th", title="ใหม่")
    typed = {f"place-{upload_id}": "woods", f"chosen-{upload_id}": "1"}
    answer = post(analyst, **typed)
    assert answer.status_code == 400 and "has an edition in this language already" in answer.text and f"replaces-{upload_id}" in answer.text
    digest = Uploads(library).upload(upload_id).digest
    assert post(analyst, **typed, **{f"replaces-{upload_id}": "1"}).status_code == 303
    assert library.entry("woods").edition("woods.th").digest == digest and library.entry("woods").titles == {"th": "woods (th)"}
    assert Changes(library).changes()[0].what == "edited"


def test_another_part_or_language_joins_a_publication_that_is_there(analyst, library, encoder, send):
    existing(library, encoder, "woods", "th", "1" * 64, TEXTS["th"])
    one, other = send("a.pdf", language="th", content=pdf_of(["a"])), send("b.pdf", language="lo", title="ປ່າ", content=pdf_of(["b"]))
    typed = {f"place-{one}": "woods", f"part-{one}": "annex", f"place-{other}": "woods"}
    assert post(analyst, **typed).status_code == 303
    entry = library.entry("woods")
    assert {edition.edition_id for edition in entry.editions} == {"woods.th", "woods.th.annex", "woods.lo"} and entry.titles["lo"] == "ປ່າ"


def test_an_imported_entry_is_used_up_by_its_files(analyst, library, send):
    entry = Publication(
        "loose", {"fr": "La forêt"}, {}, 1999, "study", (), ("BO",), "", (Edition("loose.fr", "loose", "fr", "Français", "whole", None),)
    )
    with library.transaction() as run:
        run("INSERT INTO loose_entries (entry, flags, source, \"by\", at) VALUES (?, '[]', 'list', 'ana', '2026')", (entry_to_json(entry),))
    send("x.pdf", language="fr", title="La forêt")
    assert post(analyst).status_code == 303
    stored = library.entry("la-forêt")
    assert (stored.year, stored.countries, [edition.label for edition in stored.editions]) == (1999, ("BO",), ["Français"]) and stored.editions[
        0
    ].digest
    assert not library.rows("SELECT * FROM loose_entries")


@pytest.mark.parametrize("language", TEXTS)
def test_the_very_file_and_nearly_the_same_text_are_pointed_out_and_not_chosen(analyst, library, encoder, send, language):
    text, box = TEXTS[language] * 2, Uploads(library)
    very, near = (
        send("very.pdf", text, content=pdf_of(["very"]), language=language),
        send("near.pdf", text + "新しい。", content=pdf_of(["n"]), language=language),
    )
    existing(library, encoder, "woods", language, box.upload(very).digest, text)
    page = analyst.get("/desk/files").text
    assert (
        "This very file is in the library already, as" in page
        and re.search(r"Nearly the same text as\s.*?woods", page)
        and edition_id("woods", language) in page
    )
    assert not [field for field in shown(analyst) if field.startswith("chosen")]
    assert shown(analyst)[f"place-{near}"] == "woods"


def test_another_languages_edition_is_never_called_a_duplicate(analyst, library, encoder, send):
    existing(library, encoder, "woods", "sr", "1" * 64, TEXTS["ar"])
    send("same-letters.pdf", TEXTS["ar"], language="hr")
    send("other.pdf", TEXTS["zh"], language="zh", content=pdf_of(["z"]))
    assert "same text" not in analyst.get("/desk/files").text


def test_of_one_file_sent_twice_the_first_is_chosen(analyst, send):
    first, second = send("a.pdf", content=pdf_of(["same"])), send("b.pdf", content=pdf_of(["same"]))
    fields, page = shown(analyst), analyst.get("/desk/files").text
    assert f"chosen-{first}" in fields and f"chosen-{second}" not in fields and "The same file as" in page


def test_two_files_for_one_edition_are_not_both_added(analyst, library, send):
    one, other = send("a.pdf", content=pdf_of(["a"])), send("b.pdf", content=pdf_of(["b"]))
    answer = post(analyst, **{f"place-{one}": "+1", f"place-{other}": "+1", f"part-{one}": "whole", f"part-{other}": "whole"})
    assert answer.status_code == 400 and "Another of these files is the same part" in answer.text and library.publications() == []


def test_what_somebody_else_has_added_meanwhile_is_not_added_twice(analyst, library, send):
    send("a.pdf")
    fields = shown(analyst)
    assert analyst.post("/desk/files/rows", data={**fields, "do": "add"}).status_code == 303
    assert analyst.post("/desk/files/rows", data={**fields, "do": "add"}).status_code == 400
    assert len(library.publications()) == 1


def test_chosen_files_are_discarded_and_the_others_stay(analyst, library, send):
    gone, kept = send("a.pdf", content=pdf_of(["a"])), send("b.pdf", content=pdf_of(["b"]))
    fields = {name: value for name, value in shown(analyst).items() if name != f"chosen-{kept}"}
    assert analyst.post("/desk/files/rows", data={**fields, "do": "discard"}).status_code == 303
    assert [upload.upload_id for upload in Uploads(library).uploads()] == [kept] and Uploads(library).upload(gone) is None
    analyst.post("/desk/files/discard", data={"upload": kept})
    assert Uploads(library).uploads() == [] and len(Changes(library).changes()) == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "<script>alert(1)</script>ก.pdf", "تقرير\u202efdp.exe", "line\nbreak.pdf", '" onclick="x'])
def test_names_and_titles_are_shown_as_text(analyst, send, name):
    send(name, title=name, summary="<b>")
    page = analyst.get("/desk/files").text
    assert "<script>alert" not in page and 'onclick="x' not in page.replace("&#34;", "") and "<bdi>" in page


def test_a_hundred_files_come_on_pages_that_do_not_part_publications(analyst, library, send, monkeypatch):
    monkeypatch.setattr(files, "ROWS", 4)
    for place in range(3):
        for language in ("ta", "am", "my"):
            send(f"{place}x-{language}.pdf", language=language, content=pdf_of([f"{place}{language}"]))
    assert [len(shown(analyst, f"/desk/files?page={page}")["upload"]) for page in (1, 2, 9)] == [6, 3, 3]
    analyst.post("/desk/files/rows?page=2", data={**shown(analyst, "/desk/files?page=2"), "do": "add"})
    assert len(library.publications()) == 1 and len(Uploads(library).uploads()) == 6


def test_the_desk_says_how_many_files_wait(analyst, send):
    send("a.pdf")
    assert "1 new file waits to be added." in analyst.get("/desk").text


def test_another_language_can_be_chosen_on_the_page_that_says_what_is_wrong(analyst, send):
    send("a.pdf")
    page = post(analyst, **{name: "" for name in shown(analyst) if name.startswith("chosen")})
    assert page.status_code == 400 and re.findall(r'name="back" value="([^"]*)"', page.text) == ["/desk/files"]
    assert analyst.post("/desk/import/loose/9", data={}).text.count('name="back" value="/desk/import"') == 1
