from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CORPUS, LexiconEncoder, pdf_of
from hostile import book_with_a_hostile_page, word_file

from index import generations, language_priors
from index.alignment import LanguagePrior
from index.changes import HERE, Changes
from index.decisions import Decisions
from index.generations import current_name
from index.language_priors import save_prior
from index.library import Library
from index.searcher import Query, Searcher, WrongEncoderError
from index.store import BusyLibraryError
from index.verification import faults as library_faults
from ingest.catalogue import NoPublicationsError
from ingest.pdf import ASKED_FOR
from search_app import ingesting
from search_app.ingesting import ingest

WANTED = language_priors.wanted  # conftest.py puts another in its place
FOREST = ["The forest grows slowly beside the river, and people have lived in it for a very long time."]
WATER = ["The water of the river is clean, and the children of the village drink it every day."]
WALD = ["Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit in diesem Wald."]


NO_FORMAT = (
    "it is in no format that is known here: it begins with b'not a PDF at', expected a PDF, a Word file (.docx) or an HTML file (.html, .htm); "
    "open it in the program it was made with and save it as PDF or .docx"
)
NO_PROGRAM = "recognising pages needs the program tesseract (on Debian: apt-get install tesseract-ocr; elsewhere: isogloss doctor)"


@pytest.fixture
def bring(tmp_path, library, encoder, monkeypatch):
    """Ingest tmp_path / "corpus" again, as it then is, on a machine without tesseract."""
    monkeypatch.setenv("PATH", "")
    return lambda **options: ingest(options.pop("folder", tmp_path / "corpus"), library, encoder, workers=1, **options)


def sample(name: str) -> bytes:
    return (CORPUS / f"{name}.pdf").read_bytes()


def states(report) -> dict[str, tuple[str, str]]:
    return {state.edition.edition_id: (state.state, state.reason) for state in report.editions}


def text(library: Library, edition_id: str) -> list[str]:
    return [page.text for page in library.pages(edition_id)]


def test_what_has_not_changed_is_neither_read_nor_encoded_again(publish, bring, encoder, library):
    publish("woods", {"en": FOREST, "de": WALD, "ar": None})
    first = bring()
    encoded, generation = list(encoder.encoded), current_name(library)
    second = bring()
    assert (first.done, second.done) == ({"read": 2}, {"unchanged": 2})
    assert (encoder.encoded, current_name(library)) == (encoded, generation)
    assert states(first) == states(second) == {"woods.en": ("read", ""), "woods.de": ("read", ""), "woods.ar": ("no file", "")}
    assert not first.failed


def test_asked_to_read_again_it_does(publish, bring):
    publish("woods", {"en": FOREST})
    bring()
    assert bring(again=True).done == {"read": 1}


def test_a_changed_file_replaces_its_edition_and_no_other(publish, bring, encoder, library):
    folder = publish("woods", {"lo": FOREST, "th": WATER})
    (folder / "th.pdf").write_bytes(sample("river-corridor/th"))
    bring()
    before = text(library, "woods.th")
    encoder.encoded.clear()
    (folder / "lo.pdf").write_bytes(sample("river-corridor/lo"))
    report = bring()
    assert report.done == {"read": 1, "unchanged": 1}
    assert "ແລວທາງແມ່ນ້ຳດອກບົວ" in text(library, "woods.lo")[0] and text(library, "woods.th") == before
    assert encoder.encoded and not any("forest" in passage or "ป" in passage for passage in encoder.encoded)


def test_a_changed_catalogue_entry_is_encoded_anew_without_reading_its_files(publish, bring, encoder, library):
    publish("woods", {"en": FOREST})
    bring()
    encoder.encoded.clear()
    publish("woods", {"en": FOREST, "fa": None}, year=2024)
    report = bring()
    assert (report.done, encoder.encoded) == ({"unchanged": 1}, ["woods in en", "woods in fa"])
    assert library.publication("woods").year == 2024 and text(library, "woods.en") == FOREST


def test_a_publication_that_is_gone_leaves_the_library_and_its_search(publish, bring, encoder, library):
    shutil.copytree(CORPUS / "helpline-data", publish("woods", {"en": FOREST}).parent / "helpline-data")
    bring()
    shutil.rmtree(publish("woods", {"en": FOREST}))
    assert bring().done == {"unchanged": 1, "removed": 1}
    assert [one.publication_id for one in library.publications()] == ["helpline-data"]
    assert {hit.publication.publication_id for hit in Searcher(library, encoder).search(Query("forest"))} == {"helpline-data"}


def test_an_edition_that_loses_its_file_or_its_place_in_the_catalogue_leaves_the_search(publish, bring, library):
    folder = publish("woods", {"en": FOREST, "de": WALD, "es": WATER})
    bring()
    for name in ("de", "es"):
        (folder / f"{name}.pdf").unlink()
    publish("woods", {"en": FOREST, "de": None})
    assert states(bring()) == {"woods.en": ("read", ""), "woods.de": ("no file", "")}
    assert (text(library, "woods.de"), text(library, "woods.es"), library.digest("woods.de")) == ([], [], None)


@pytest.mark.parametrize("wrong", ['year = "soon"', "[title", 'titel = "ป่า"'])
def test_a_wrong_entry_leaves_the_stored_publication_as_it_was(publish, bring, library, wrong):
    entry = publish("woods", {"de": WALD}, year=2020) / "publication.toml"
    publish("rivers", {"en": WATER})
    bring()
    entry.write_text(f"{wrong}\n{entry.read_text()}")
    report = bring()
    assert report.failed and "woods/publication.toml" in report.problems[0]
    assert (library.publication("woods").year, text(library, "woods.de")) == (2020, WALD)


def test_a_missing_file_is_reported_and_what_was_read_of_it_stays(publish, bring, library):
    folder = publish("woods", {"de": WALD})
    bring()
    (folder / "de.pdf").unlink()
    report = bring()
    assert "found no 'de.pdf'" in report.problems[0] and states(report) == {"woods.de": ("read", "")} and text(library, "woods.de") == WALD


def test_pages_that_somebody_asked_to_have_recognised_are_whenever_their_file_is_read(publish, bring, library):
    folder = publish("woods", {"ar": FOREST, "th": WATER})
    for language, name in (("ar", "platform-reporting-law/ar"), ("th", "motorbike-taxi-line/th")):
        (folder / f"{language}.pdf").write_bytes(sample(name))
    bring()
    Decisions(library).put("ana", library.digest("woods.ar"), [2, 3], "recognise")
    Decisions(library).put("ana", library.digest("woods.th"), [2], "ignore")
    bring(again=True)
    asked_for = {edition: [page.number for page in library.pages(edition) if ASKED_FOR in page.cause] for edition in ("woods.ar", "woods.th")}
    assert asked_for == {"woods.ar": [2, 3], "woods.th": []}
    assert {state.edition.language: state.wants for state in library.edition_states()}["ar"] == "ara"
    (folder / "ar.pdf").write_bytes(sample("humanitarian-casework/ar"))
    bring()
    assert not [page for page in library.pages("woods.ar") if ASKED_FOR in page.cause]


def test_a_failed_file_is_remembered_until_it_changes(publish, bring, library):
    folder = publish("woods", {"km": FOREST, "en": FOREST})
    (folder / "km.pdf").write_text("not a PDF at all")
    first, second = bring(), bring()
    assert states(first) == states(second) == {"woods.km": ("failed", NO_FORMAT), "woods.en": ("read", "")}
    assert (second.done, first.failed, second.failed) == ({"unchanged": 2}, True, True)
    (folder / "km.pdf").write_bytes(sample("mekong-homestays/km"))
    third = bring()
    looked = f"4 good (pages 1-4): its text layer could not be compared with what is seen: {NO_PROGRAM}"
    assert (third.failed, states(third)["woods.km"]) == (False, ("read", looked))
    assert (first.done, third.done) == ({"read": 1, "failed": 1}, {"read": 1, "unchanged": 1})


def test_a_file_that_became_unreadable_replaces_what_could_be_read(publish, bring, library):
    folder = publish("woods", {"en": FOREST})
    bring()
    (folder / "en.pdf").write_bytes(pdf_of(FOREST)[:300])
    state, reason = states(bring())["woods.en"]
    assert (state, reason.split(":")[0], text(library, "woods.en")) == ("failed", "damaged", [])


def test_an_interrupted_run_keeps_what_was_done_and_the_next_one_finishes(publish, bring, encoder, library):
    publish("a", {"en": FOREST, "de": WALD})
    publish("b", {"es": WATER})

    def interrupt(done: int, total: int, what: str) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(progress=interrupt)
    assert [state.state for state in library.edition_states()] == ["read", "read", "waiting"]
    assert bring().done == {"unchanged": 2, "read": 1}
    read = [f"a in en\n{FOREST[0]}", f"a in de\n{WALD[0]}", f"b in es\n{WATER[0]}"]
    assert set(encoder.encoded) == {"a in en", "a in de", "b in es", *read}
    assert {text for text in encoder.encoded if encoder.encoded.count(text) > 1} <= {read[2]}  # but for what was in flight, each once
    assert {hit.publication.publication_id for hit in Searcher(library, encoder).search(Query("water"))} == {"a", "b"}


def test_what_another_folder_gave_stays_and_a_name_that_is_taken_is_reported(publish, bring, tmp_path, library):
    publish("woods", {"de": WALD})
    publish("rivers", {"es": WATER})
    bring()
    other = tmp_path / "other"
    shutil.copytree(CORPUS / "motorbike-taxi-line", other / "motorbike-taxi-line")
    shutil.copytree(CORPUS / "helpline-data", other / "woods")
    report = bring(folder=other)
    assert [one.publication_id for one in library.publications()] == ["motorbike-taxi-line", "rivers", "woods"]
    (problem,) = report.problems
    assert f"found 'woods', which was ingested from {tmp_path / 'corpus'}" in problem
    assert text(library, "woods.de") == WALD and list(states(report)) == ["motorbike-taxi-line.th"]


def test_a_folder_that_has_moved_takes_its_publications_along(publish, bring, tmp_path, library):
    publish("woods", {"de": WALD})
    bring()
    (tmp_path / "corpus").rename(tmp_path / "moved")
    report = bring(folder=tmp_path / "moved")
    assert (report.problems, report.done, library.folder_of("woods")) == ([], {"unchanged": 1}, str(tmp_path / "moved"))


@pytest.mark.parametrize(
    ("name", "language", "title"),
    [("boys-services/my", "my", "နောက်ကျမှ မြင်ရပြီး အကူအညီ နည်းပါးခြင်း"), ("payment-signals/ja", "ja", "少額送金に表れる早期の兆候"),
     ("humanitarian-casework/fa", "fa", "یک کارت، یک مددکار"), ("east-africa-coast/fr", "und", "rapport")],
)  # fmt: skip
def test_a_bare_pdf_is_described_by_what_it_says_of_itself(bring, tmp_path, library, name, language, title):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "rapport.pdf").write_bytes(sample(name))
    bring()
    (found,) = library.publications()
    assert (found.titles, [edition.language for edition in found.editions]) == ({language: title}, [language])
    assert bring().done == {"unchanged": 1}


def test_a_bare_file_gives_all_that_it_says_of_itself(bring, tmp_path, library):
    (tmp_path / "corpus").mkdir()
    text = "<h1>الماء</h1><p>إعداد: ليلى حسن<p>ISBN 978-3-16-148410-0, doi:10.1000/182<h2>ملخص</h2><p>ماء نظيف في القرية يشربه الأطفال كل يوم."
    (tmp_path / "corpus" / "b.html").write_text(f'<html><meta charset=utf-8><meta name="dc.date" content="2019-03"><body>{text}', "utf-8")
    bring()
    found = library.publication("b")
    assert (found.titles, found.abstracts) == ({"ar": "الماء"}, {"ar": "ماء نظيف في القرية يشربه الأطفال كل يوم."})
    assert (found.year, found.authors, found.isbn, found.doi) == (2019, ("ليلى حسن",), "9783161484100", "10.1000/182")


@pytest.mark.parametrize("said", ["", "Microsoft Word - final3", "report_v2.docx", "Untitled"])
def test_a_title_that_a_program_made_up_gives_way_to_the_first_line(bring, tmp_path, library, said):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "x.pdf").write_bytes(pdf_of([], ["p. 1", *WALD], title=said))
    bring()
    assert library.publication("x").titles == {"de": ("p. 1 " + WALD[0])[:150]}


def test_a_text_layer_of_rubbish_a_scan_and_lost_pages_are_told_apart(publish, bring):
    folder = publish("woods", {"vi": WATER, "fr": WATER, "en": FOREST, "th": None})
    (folder / "vi.pdf").write_bytes(sample("river-corridor/vi"))
    (folder / "fr.pdf").write_bytes(sample("east-africa-coast/fr"))
    (folder / "en.pdf").write_bytes(pdf_of(FOREST, []).replace(b"/Count 2", b"/Count 4"))
    assert states(bring()) == {
        "woods.vi": (
            "failed",
            f"no readable text on any of its 4 pages: 4 suspect (pages 1-4): letters unlikely: marks without their letters; {NO_PROGRAM}",
        ),
        "woods.fr": ("failed", f"no readable text on any of its 4 pages: 4 image only (pages 1-4): an image without text; {NO_PROGRAM}"),
        "woods.en": ("partly read", "2 of 4 pages without readable text: 2 unreadable (pages 3-4): the page could not be opened"),
        "woods.th": ("no file", ""),
    }


def test_a_blank_page_is_no_loss(publish, bring):
    (publish("woods", {"en": FOREST}) / "en.pdf").write_bytes(pdf_of([], FOREST, []))
    assert states(bring()) == {"woods.en": ("read", "")}


def test_originals_are_kept_under_their_digest(publish, bring, library):
    folder = publish("woods", {"en": FOREST})
    bring()
    content = (folder / "en.pdf").read_bytes()
    shutil.rmtree(folder)
    assert library.file(library.digest("woods.en")).read_bytes() == content


def test_an_empty_folder_or_another_encoder_changes_nothing(publish, bring, library, tmp_path):
    publish("woods", {"en": FOREST})
    bring()
    revision = library.revision()
    (tmp_path / "unmounted").mkdir()
    with pytest.raises(NoPublicationsError):
        bring(folder=tmp_path / "unmounted")
    with pytest.raises(WrongEncoderError, match="--encoder"):
        ingest(tmp_path / "corpus", library, LexiconEncoder("another"))
    assert library.revision() == revision


def test_a_second_process_that_writes_is_refused_at_once(publish, bring, library):
    publish("woods", {"en": FOREST})
    program = "import sys; from pathlib import Path; from index.library import Library\nwith Library(Path(sys.argv[1])).writing(): print(flush=True); sys.stdin.read()"
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", program, str(library.folder)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "\n"
        with pytest.raises(BusyLibraryError, match="wait until it has ended"):
            bring()
        other.stdin.close()
    assert library.publications() == [] and states(bring()) == {"woods.en": ("read", "")}


def test_a_language_that_no_detector_is_sure_of_is_not_taken_for_rubbish(publish, bring):
    serbian = ["Sva ljudska bica radaju se slobodna i jednaka u dostojanstvu i pravima."] * 3
    folder = publish("woods", {"sr-Latn": serbian, "en": ["Bolivia 41 23 %", "Peru 17 9 %", "Chile 3 4 %"]})
    assert [state[0] for state in states(bring()).values()] == ["read", "read"], folder


def test_a_file_that_cannot_be_kept_is_told_and_the_others_go_on(publish, bring, monkeypatch, library):
    folder = publish("woods", {"en": FOREST, "de": WATER})
    keep = type(library).keep_file

    def refuse(self, path, digest):
        if path == folder / "en.pdf":
            raise PermissionError(13, "Permission denied", str(path))
        return keep(self, path, digest)

    monkeypatch.setattr(type(library), "keep_file", refuse)
    found = states(bring())
    assert library.pages("woods.de")
    assert found["woods.en"][0] == "failed" and "could not be kept" in found["woods.en"][1]


def test_where_languages_lie_is_learnt_once_for_an_encoder_nobody_has_measured(publish, bring, encoder, library, monkeypatch):
    monkeypatch.setattr(language_priors, "wanted", WANTED)
    monkeypatch.setattr(language_priors, "declaration", lambda: [("de", "Wald"), ("en", "forest"), ("en", "water")])
    publish("woods", {"en": FOREST})
    assert bring().done == {"read": 1}
    assert language_priors.prior_for(library) is None and "water" not in encoder.encoded
    publish("woods", {"en": FOREST, "de": WALD})
    steps = []
    bring(progress=lambda done, total, what: steps.append((done, total, what)))
    assert set(language_priors.prior_for(library).offsets) == {"de", "en"}
    assert steps[-1] == (2, 2, "Learning where languages lie")
    assert generations.load(library).alignment is not None
    assert generations.load(library).alignment is not None
    encoder.encoded.clear()
    bring()
    assert encoder.encoded == []


def test_what_became_known_of_languages_since_goes_into_the_next_generation(publish, bring, library):
    publish("woods", {"en": FOREST, "de": WALD})
    bring()
    before = generations.load(library)
    bring()
    assert before.alignment is None and generations.load(library).named == before.named
    offsets = np.eye(2, library.vectors()[1].shape[1], dtype=np.float32)
    save_prior(LanguagePrior({"en": offsets[0], "de": offsets[1]}, None), library.folder / "prior-lexicon.npz")
    bring()
    assert generations.load(library).alignment is not None


def test_a_word_file_and_a_web_page_are_ingested_searched_and_kept(bring, tmp_path, library, encoder):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.docx").write_bytes(word_file("<w:p><w:r><w:t>ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว</w:t></w:r></w:p>"))
    (folder / "b.html").write_bytes("<html lang=ar><title>الماء</title><p>ماء نظيف في القرية يشربه الأطفال كل يوم.".encode("cp1256"))
    assert bring().done == {"read": 2}
    titles = {"a": {"th": "ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว"}, "b": {"ar": "الماء"}}
    assert {one.publication_id: one.titles for one in library.publications()} == titles
    assert Searcher(library, encoder).search(Query("water"))[0].publication.publication_id == "b"
    assert {library.file(library.digest(f"{name}.und")).suffix for name in ("a", "b")} == {".docx", ".html"}
    assert bring().done == {"unchanged": 2} and not list(library_faults(library))


def test_one_hostile_page_costs_no_other_page(bring, tmp_path, library):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "book.pdf").write_bytes(book_with_a_hostile_page())
    (state,) = bring().editions
    assert state.state == "partly read" and "1 of 5 pages without readable text: 1 unreadable (page 3): reading gave up (SIGABRT)" in state.reason
    assert text(library, state.edition.edition_id) == [f"The forest is old {number}." if number != 3 else "" for number in range(1, 6)]


def test_an_edition_that_waits_for_a_language_pack_is_read_again_once_it_is_there(publish, bring, library, monkeypatch):
    publish("woods", {"km": FOREST, "en": FOREST})
    bring()
    state = next(one for one in library.edition_states() if one.edition.edition_id == "woods.km")
    pages, passages = library.pages("woods.km"), library.passages_of("woods.km").values()
    library.put_reading(replace(state, wants="khm"), pages, list(passages), library.vectors()[1][-len(passages) :])
    monkeypatch.setattr(ingesting, "installed_packs", lambda: frozenset({"eng", "lao"}))
    assert bring().done == {"unchanged": 2}
    monkeypatch.setattr(ingesting, "installed_packs", lambda: frozenset({"eng", "khm"}))
    assert bring().done == {"read": 1, "unchanged": 1}
    assert bring().done == {"unchanged": 2}


def test_when_languages_are_told_in_another_way_nothing_is_read_or_encoded_and_the_generation_is_new(publish, bring, encoder, library, monkeypatch):
    publish("woods", {"en": FOREST, "de": WALD})
    bring()
    key = next(iter(library.passages_of("woods.de")))
    library.put_languages({key: "nl"})
    encoder.encoded.clear()
    generation = current_name(library)
    assert bring().done == {"unchanged": 2} and library.passages([key])[key].language == "nl" and current_name(library) == generation
    monkeypatch.setattr(ingesting, "LANGUAGE_VERSION", 99)
    assert bring().done == {"unchanged": 2}
    assert (library.passages([key])[key].language, encoder.encoded, library.meta("language_version")) == ("de", [], "99")
    assert current_name(library) != generation
    generation = current_name(library)
    bring()
    assert current_name(library) == generation


def test_a_bare_file_whose_language_is_told_otherwise_now_changes_with_its_title(bring, tmp_path, library, encoder, monkeypatch):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.html").write_bytes("<title>ป่าไม้</title><p>ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว".encode())
    bring()
    stored = library.publication("a")
    assert (stored.titles, stored.editions[0].language) == ({"th": "ป่าไม้"}, "th")
    monkeypatch.setattr(ingesting, "prevailing", lambda _: "nod")
    monkeypatch.setattr(ingesting, "LANGUAGE_VERSION", 99)
    assert bring().done == {"unchanged": 1}
    stored = library.publication("a")
    assert (stored.titles, stored.editions[0].language) == ({"nod": "ป่าไม้"}, "nod")


def test_the_encoder_is_given_the_title_above_each_passage_and_again_when_it_changes(publish, bring, encoder, library):
    folder = publish("woods", {"en": FOREST, "de": WALD})
    bring()
    assert f"woods in en\n{FOREST[0]}" in encoder.encoded and f"woods in de\n{WALD[0]}" in encoder.encoded
    assert {passage.text for passage in library.passages_of("woods.en").values()} == set(FOREST)
    encoder.encoded.clear()
    entry = (folder / "publication.toml").read_text("utf-8")
    (folder / "publication.toml").write_text(entry.replace("woods in de", "der Wald"), "utf-8")
    assert bring().done == {"read": 1, "unchanged": 1}
    assert f"der Wald\n{WALD[0]}" in encoder.encoded and not any(FOREST[0] in text for text in encoder.encoded)
    assert bring().done == {"unchanged": 2}


@pytest.fixture
def meanwhile(encoder, monkeypatch):
    """Let something happen in the library when the ingest encodes a text that holds these words, once."""

    def arrange(words, do):
        encode = encoder.encode_passages

        def encode_passages(texts):
            if any(words in text for text in texts):
                monkeypatch.setattr(encoder, "encode_passages", encode)
                do()
            return encode(texts)

        monkeypatch.setattr(encoder, "encode_passages", encode_passages)

    return arrange


def test_what_an_analyst_has_changed_or_removed_is_left_alone_and_told(publish, bring, library):
    publish("woods", {"en": FOREST})
    publish("rivers", {"en": WATER})
    bring()
    woods, rivers = library.entry("woods"), library.entry("rivers")
    Changes(library).put("ana", "edited", woods, replace(woods, titles={"km": "ព្រៃឈើ"}))
    Changes(library).remove("ana", rivers)
    publish("woods", {"en": FOREST}, year=1999)
    report = bring()
    assert (sorted(report.kept), report.failed, report.done["removed"]) == (["rivers", "woods"], False, 0)
    assert library.entry("woods").titles == {"km": "ព្រៃឈើ"} and library.entry("rivers") is None
    Changes(library).give_back("ana", "woods")
    assert bring().kept == ["rivers"] and library.entry("woods").year == 1999


def test_what_an_analyst_takes_up_during_an_ingest_is_not_removed_by_it(publish, bring, library, meanwhile):
    shutil.rmtree(publish("woods", {"en": FOREST}))
    publish("woods", {"en": FOREST})
    publish("rivers", {"en": WATER})
    bring()
    shutil.rmtree(publish("woods", {"en": FOREST}))
    publish("rivers", {"en": WATER}, year=2001)
    woods = library.entry("woods")
    meanwhile("rivers in en", lambda: Changes(library).put("ana", "edited", woods, replace(woods, year=2022)))
    assert bring().done["removed"] == 0 and library.entry("woods").year == 2022 and library.folder_of("woods") == HERE


@pytest.mark.parametrize("removed", [False, True])
def test_what_an_analyst_changes_while_the_folders_entry_is_encoded_stays(publish, bring, library, meanwhile, removed):
    publish("woods", {"en": FOREST})
    bring()
    woods = library.entry("woods")
    after = None if removed else replace(woods, titles={"my": "သစ်တော"})
    meanwhile("woods in en", lambda: Changes(library).remove("ana", woods) if removed else Changes(library).put("ana", "edited", woods, after))
    publish("woods", {"en": FOREST}, year=1999)
    assert bring().kept == ["woods"] and library.entry("woods") == after


def test_a_bare_file_whose_publication_is_removed_while_it_is_read_does_not_come_back(bring, tmp_path, library, meanwhile):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.html").write_text("<title>ป่าไม้</title><p>ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว", "utf-8")
    bring()
    (tmp_path / "corpus" / "a.html").write_text("<title>ป่าใหญ่</title><p>ป่าไม้เป็นของชุมชนและผู้คนอาศัยอยู่ที่นี่มานานมากแล้ว", "utf-8")
    meanwhile("ป่าใหญ่", lambda: Changes(library).remove("ana", library.entry("a")))
    assert bring().kept == ["a"] and library.entry("a") is None


@pytest.mark.parametrize("removed", [False, True])
def test_an_edition_that_is_replaced_or_removed_while_its_old_file_is_read_gets_none_of_its_text(publish, bring, library, meanwhile, removed):
    publish("woods", {"en": FOREST, "de": WALD})
    folder = publish("woods", {"en": FOREST, "de": WALD})
    bring()
    (folder / "de.pdf").write_bytes(pdf_of(WATER))

    def change():
        entry = library.entry("woods")
        others = tuple(edition for edition in entry.editions if edition.language != "de")
        again = () if removed else (replace(entry.edition("woods.de"), digest=entry.edition("woods.en").digest),)
        Changes(library).put("ana", "edited", entry, replace(entry, editions=others + again))

    meanwhile(WATER[0], change)
    assert bring().done["read"] == 0
    assert text(library, "woods.de") == ([] if removed else WALD) and not library.faults()
