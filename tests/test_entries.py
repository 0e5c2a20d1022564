"""Catalogue entries at the desk: every field can be changed, what is wrong is said at its place, nothing typed is lost, all can be undone."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from lxml import html
from test_changes import kept
from werkzeug.datastructures import MultiDict

from index.changes import Changes, fingerprint
from index.jobs import Jobs
from ingest.records import Edition
from search_app.desk.differences import differences
from search_app.desk.drafts import Draft, EditionDraft
from search_app.factory import create_app

TEXTS = {"km": ["ព្រៃឈើ forest"], "ar": ["تنمو الغابة قرب النهر"]}


@pytest.fixture
def woods(library, encoder):
    work = publication(
        "woods", ["km", "ar"], titles={"km": "ព្រៃឈើ", "ar": "الغابة"}, abstracts={"am": "ደን"}, authors=("李明",), topics=("ဝါး",), countries=("KH",)
    )
    work = replace(work, editions=tuple(replace(edition, digest=kept(library, edition.language)) for edition in work.editions))
    fill(library, encoder, work, TEXTS)
    return library.entry("woods")


@pytest.fixture
def app(library, woods):
    return create_app(library, LexiconEncoder())


def form_of(text: str) -> MultiDict[str, str]:
    """What a browser would send of the form on a page as it stands."""
    (form,) = html.fromstring(text.encode()).xpath('//form[@id="form"]')
    return MultiDict((name, value or "") for name, value in form.form_values() if name != "csrf_token")


def opened(analyst, name="woods") -> MultiDict[str, str]:
    return form_of(analyst.get(f"/desk/publications/{name}").text)


def put(form: MultiDict[str, str], key: str, row: int, value: str) -> None:
    rows = form.getlist(key)
    rows[row] = value
    form.setlist(key, rows)


def alert(response) -> str:
    return unescape(" ".join(html.fromstring(response.data).xpath('string(//*[@role="alert"])').split()))


def described(response, name: str, row: int = 0) -> str:
    """What is said at the field of this name, which it must refer to."""
    page = html.fromstring(response.data)
    field = page.xpath(f'//*[@name="{name}" or @id="{name}"]')[row]
    assert field.get("aria-invalid") == "true"
    return page.xpath(f'string(//*[@id="{field.get("aria-describedby")}"])')


def test_the_form_as_it_is_sent_back_changes_nothing(analyst, library, woods):
    assert analyst.post("/desk/publications/woods", data=opened(analyst)).status_code == 303
    assert library.entry("woods") == woods and Changes(library).changes() == []


def test_every_field_can_be_changed(analyst, library, woods):
    form = opened(analyst)
    put(form, "title_language", 2, "LO")
    put(form, "title_text", 2, " ປ່າໄມ້ \n ໃຫຍ່ ")
    put(form, "abstract_language", 1, "my")
    put(form, "abstract_text", 1, "သစ်တော")
    for key, value in {
        "year": "2021",
        "kind": "guide",
        "source": "https://x.example/a?b=1&c",
        "publisher": "한국 숲",
        "doi": "https://doi.org/10.1000/AB",
    }.items():
        form[key] = value
    put(form, "countries", 1, "pe")
    put(form, "authors", 1, "Quispe Mamani, Ana")
    put(form, "topics", 0, "")
    put(form, "edition_label", 0, "Khmer")
    put(form, "edition_language", 2, "ta")
    response = analyst.post("/desk/publications/woods", data=form)
    found = library.entry("woods")
    assert response.status_code == 303, alert(response)
    assert found.titles == {"km": "ព្រៃឈើ", "ar": "الغابة", "lo": "ປ່າໄມ້ ໃຫຍ່"} and found.abstracts == {"am": "ደን", "my": "သစ်တော"}
    assert (found.year, found.kind, found.source, found.publisher, found.doi) == (2021, "guide", "https://x.example/a?b=1&c", "한국 숲", "10.1000/ab")
    assert (found.countries, found.authors, found.topics) == (("KH", "PE"), ("李明", "Quispe Mamani, Ana"), ())
    assert found.editions[0] == replace(woods.editions[0], label="Khmer") and found.editions[2] == Edition(
        "woods.ta", "woods", "ta", "", "whole", None
    )
    (made,) = Changes(library).changes("woods")
    assert (made.by, made.what, made.before, made.after) == ("ana", "edited", woods, found)


@pytest.mark.parametrize(
    ("field", "row", "typed", "at", "said"),
    [
        ("year", 0, "next", "year", "four digits"),
        ("year", 0, "9" * 5000, "year", "four digits"),
        ("source", 0, "javascript:alert(1)", "source", "https://"),
        ("isbn", 0, "978-3-16-148410-1", "isbn", "check digit"),
        ("doi", 0, "ten", "doi", "10.1000/182"),
        ("countries", 0, "XX", "countries", "BO"),
        ("title_language", 1, "Arabic", "title_language", "zh-Hans"),
        ("title_text", 1, " ", "title_text", "some text"),
        ("title_language", 1, "KM", "title_language", "once"),
        ("edition_language", 1, "", "edition-1", "zh-Hans"),
        ("edition_language", 1, "km", "edition-1", "one edition for a language and part"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_all_that_was_typed_stays(analyst, library, woods, field, row, typed, at, said):
    form = opened(analyst)
    form["publisher"] = "သစ် <b>"
    put(form, field, row, typed)
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 400 and library.entry("woods") == woods
    assert said in described(response, at, row if at == field else 0) and said in alert(response)
    again = form_of(response.text)
    assert again["publisher"] == "သစ် <b>" and again.getlist(field)[row] == typed


def test_a_form_without_title_or_edition_is_refused(analyst, library, woods):
    form = opened(analyst)
    for name in ("title_language", "title_text", "edition_language", "edition_label", "edition_part", "edition_file", "edition_id"):
        form.setlist(name, [])
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 400 and "a title in at least one language" in alert(response) and "at least one edition" in alert(response)


@pytest.mark.parametrize("wrong", ["0" * 64, "../../library", "*"])
def test_a_file_is_one_that_the_library_has(analyst, library, woods, wrong):
    form = opened(analyst)
    put(form, "edition_file", 0, wrong)
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 400 and "one that was uploaded" in alert(response) and library.entry("woods") == woods


def test_an_uploaded_file_takes_the_place_of_another_and_the_job_reads_it(analyst, library, woods):
    new = kept(library, "new")
    with library.transaction() as run:
        run(
            "INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state, digest) VALUES ('u', 'ana', '=<i>ព្រៃ.pdf', 3, '', '', 'examined', ?)",
            (new,),
        )
    page = analyst.get("/desk/publications/woods")
    assert "=&lt;i&gt;ព្រៃ.pdf" in page.text
    form = form_of(page.text)
    put(form, "edition_file", 0, new)
    where = analyst.post("/desk/publications/woods", data=form).headers["Location"]
    assert library.entry("woods").editions[0].digest == new and library.rows("SELECT * FROM uploads") == []
    (job,) = Jobs(library).jobs()
    assert [document.name for document in Jobs(library).documents(job.job_id)] == ["woods.km"]
    undo = re.search(r"/desk/log/\d+/undo", analyst.get(where).text).group()
    assert analyst.post(undo).status_code == 303 and library.entry("woods") == woods
    assert analyst.post(undo).status_code == 409


def test_another_row_shows_the_form_again_with_what_was_typed(analyst, library, woods):
    form = opened(analyst)
    put(form, "title_language", 2, "nope nope")
    put(form, "title_text", 3, "ባለ ጫካ")
    response = analyst.post("/desk/publications/woods", data={**form.to_dict(flat=False), "more": "1"})
    again = form_of(response.text)
    assert again.getlist("title_language") == ["km", "ar", "nope nope", "", "", ""] and again.getlist("title_text")[3] == "ባለ ጫካ"
    assert response.status_code == 200 and library.entry("woods") == woods and again["seen"] == fingerprint(woods)


def test_who_saves_after_somebody_else_sees_both_and_loses_nothing(analyst, library, woods):
    form = opened(analyst)
    theirs = replace(woods, titles={**woods.titles, "km": "ព្រៃ <i>"}, year=1990)
    Changes(library).put("bo", "edited", woods, theirs)
    put(form, "title_text", 1, "غابات")
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 409 and library.entry("woods") == theirs
    table = html.fromstring(response.data).xpath('//table[@id="theirs"]')[0].text_content()
    assert all(said in table for said in ("ព្រៃ <i>", "ព្រៃឈើ", "غابات", "1990", "2020")) and "ደን" not in table
    again = form_of(response.text)
    assert again.getlist("title_text")[:2] == ["ព្រៃឈើ", "غابات"] and again["seen"] == fingerprint(theirs)
    assert analyst.post("/desk/publications/woods", data=again).status_code == 303
    assert library.entry("woods").titles["ar"] == "غابات" and Changes(library).changes()[0].before == theirs


def test_who_saves_what_was_removed_meanwhile_can_put_it_back(analyst, library, woods):
    form = opened(analyst)
    Changes(library).remove("bo", woods)
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 409 and analyst.get("/desk/publications/woods").status_code == 404
    assert analyst.post("/desk/publications/woods", data=form_of(response.text)).status_code == 303 and library.entry("woods") == woods


def test_a_file_that_somebody_else_has_replaced_meanwhile_is_not_lost_from_the_form(analyst, library, woods):
    form = opened(analyst)
    other = replace(woods, editions=(replace(woods.editions[0], digest=kept(library, "theirs")), woods.editions[1]))
    Changes(library).put("bo", "edited", woods, other)
    response = analyst.post("/desk/publications/woods", data=form)
    assert response.status_code == 409 and form_of(response.text).getlist("edition_file")[0] == woods.editions[0].digest
    assert analyst.post("/desk/publications/woods", data=form_of(response.text)).status_code == 303 and library.entry("woods") == woods


def test_a_publication_without_files_is_added_under_a_name_that_is_free(analyst, library, woods):
    for name in ("ባለ-ጫካ-2024", "ባለ-ጫካ-2024-2"):
        form = form_of(analyst.get("/desk/new-publication").text)
        put(form, "title_language", 0, "am")
        put(form, "title_text", 0, "ባለ ጫካ / 2024?")
        put(form, "edition_language", 0, "am")
        where = analyst.post("/desk/new-publication", data=form).headers["Location"]
        assert library.entry(name).titles == {"am": "ባለ ጫካ / 2024?"} and library.folder_of(name) == ""
        assert analyst.get(where).status_code == 200
    assert {change.what for change in Changes(library).changes()} == {"added"}
    assert {job.kind for job in Jobs(library).jobs()} == {"reading"}


def test_a_publication_is_removed_after_it_was_said_what_goes_and_comes_back(analyst, library, woods):
    page = analyst.get("/desk/publications/woods/remove").text
    assert "ខ្មែរ" in page and "العربية" in page and "It can be undone" in page and library.entry("woods") == woods
    seen = html.fromstring(page).xpath('//input[@name="seen"]/@value')[0]
    assert analyst.post("/desk/publications/woods/remove", data={"seen": "x"}).status_code == 409
    where = analyst.post("/desk/publications/woods/remove", data={"seen": seen}).headers["Location"]
    assert library.entry("woods") is None
    analyst.post(re.search(r"/desk/log/\d+/undo", analyst.get(where).text).group())
    assert library.entry("woods") == woods and library.folder_of("woods") == "folder"


def test_one_edition_is_removed_and_the_last_is_the_publication(analyst, library, woods):
    address = "/desk/publications/woods/remove?edition=woods.km"
    data = {"seen": fingerprint(woods), "edition": "woods.km"}
    assert "ខ្មែរ" in analyst.get(address).text and "Remove this edition?" in analyst.get(address).text
    assert analyst.post("/desk/publications/woods/remove", data=data).status_code == 303
    assert [edition.language for edition in library.entry("woods").editions] == ["ar"]
    assert "Remove this publication?" in analyst.get("/desk/publications/woods/remove?edition=woods.ar").text
    assert analyst.get(address).status_code == 404


def test_the_form_says_which_folder_keeps_the_publication_and_gives_it_back(analyst, library, woods):
    assert "folder keeps this publication up to date" in analyst.get("/desk/publications/woods").text
    analyst.post("/desk/publications/woods", data={**opened(analyst).to_dict(flat=False), "year": "1999"})
    assert library.folder_of("woods") == "" and "changes it no more" in analyst.get("/desk/publications/woods").text
    assert analyst.post("/desk/publications/woods/give-back").status_code == 303 and library.folder_of("woods") == "folder"
    assert analyst.post("/desk/publications/woods/give-back").status_code == 409


def test_publications_are_found_by_words_of_any_title_and_by_what_they_lack(analyst, library, encoder, woods):
    fill(library, encoder, publication("bare", ["und", "de-AT"], titles={"th": "ป่า"}, editions=publication("bare", ["und"]).editions), {})
    bare = library.entry("bare")
    fill(library, encoder, replace(bare, editions=(*bare.editions, Edition("bare.de-AT", "bare", "de-AT", "Austrian", "annex", None))), {})

    def found(query):
        return re.findall(r'/desk/publications/(\w+)"', analyst.get(f"/desk/publications?{query}").text)

    assert (
        found("") == ["bare", "woods"] and found("q=الغابة") == found("q=ព្រៃ") == ["woods"] and found("q=ป่า") == ["bare"] and found("q=nothing") == []
    )
    assert found("missing=language") == found("missing=label") == found("missing=abstract") == ["bare"] and found("missing=title") == []
    assert found("missing=nonsense") == ["bare", "woods"] and found("offset=1") == ["woods"]
    assert "1 publication" in analyst.get("/desk").text


def test_only_who_is_signed_in_sees_or_changes_anything(app, library, woods):
    reader = app.test_client()
    for address in ("/desk/publications", "/desk/publications/woods", "/desk/new-publication", "/desk/publications/woods/remove", "/desk/log"):
        assert reader.get(address).status_code == 303
    app.config["WTF_CSRF_ENABLED"] = False
    for address in ("/desk/publications/woods", "/desk/publications/woods/remove", "/desk/publications/woods/give-back", "/desk/log/1/undo"):
        assert "/desk/sign-in" in reader.post(address, data={"seen": fingerprint(woods)}).headers["Location"]
    assert library.entry("woods") == woods


def test_an_entry_in_many_languages_is_not_too_large(analyst, library, woods):
    form = opened(analyst)
    put(form, "abstract_text", 0, "ደን " * 90_000)
    assert analyst.post("/desk/publications/woods", data=form).status_code == 303


def test_a_draft_of_an_entry_makes_that_entry(woods):
    entry = replace(
        woods,
        isbn="9783161484100",
        doi="10.1000/182",
        source="https://x.example",
        editions=(*woods.editions, Edition("woods.km.annex", "woods", "km", "l", "annex", None)),
    )
    assert Draft.of(entry).checked("woods", {edition.digest for edition in entry.editions}) == (entry, {})


def test_a_part_that_is_none_is_refused(woods):
    _, faults = Draft([("km", "ព្រៃ")], editions=[EditionDraft("km", part="chapter")]).checked("woods", ())
    assert list(faults) == ["edition-0"]


def test_only_what_differs_is_told(app, woods):
    with app.test_request_context():
        other = replace(woods, titles={"km": "ព្រៃ"}, editions=(woods.editions[1], woods.editions[0]))
        assert [(one.field, one.language) for one in differences(woods, other)] == [("Title", "km"), ("Title", "ar"), ("Order of editions", "")]
        assert differences(woods, woods) == [] and all(one.before == "" for one in differences(None, woods))
