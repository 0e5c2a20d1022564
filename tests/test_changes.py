"""What analysts change: stored with what was there, undone exactly, and never over what somebody else has done."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import LexiconEncoder
from filling import DIGEST, fill, passage_of, publication
from hypothesis import given, settings
from hypothesis import strategies as st

from index.changes import HERE, Changes, ConflictError, entry_from_json, entry_to_json
from index.contents import EditionState
from index.jobs import Jobs
from index.library import Library
from ingest.records import Edition, IsoglossError, Page, edition_id

TEXTS = {"km": ["ព្រៃឈើ forest"], "ar": ["تنمو الغابة قرب النهر", "وفيها ماء كثير"]}


@pytest.fixture
def woods(library, encoder):
    """A publication from a folder, with files that are in the library."""
    work = publication("woods", ["km", "ar"], abstracts={"am": "ደን"}, authors=("李明", "Quispe Mamani, Ana"))
    work = replace(work, editions=tuple(replace(edition, digest=kept(library, edition.language)) for edition in work.editions))
    fill(library, encoder, work, TEXTS)
    return library.entry("woods")


@pytest.fixture
def changes(library):
    return Changes(library)


def kept(library: Library, said: str) -> str:
    """The digest of a file that is in the library."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.pdf"
        path.write_text(said, "utf-8")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        library.keep_file(path, digest)
    return digest


def texts(library: Library, name: str) -> list[str]:
    return [page.text for page in library.pages(name)]


def documents(library: Library, job_id: int) -> list[str]:
    return [document.name for document in Jobs(library).documents(job_id)]


def test_a_change_is_kept_with_what_was_there_and_who_made_it(library, changes, woods):
    after = replace(woods, titles={"lo": "ປ່າໄມ້"}, year=2021)
    changes.put("ana", "edited", woods, after)
    (made,) = changes.changes("woods")
    assert (made.by, made.what, made.before, made.after, made.folder) == ("ana", "edited", woods, after, "folder")
    assert library.entry("woods") == after and library.folder_of("woods") == HERE


def test_nothing_is_written_down_where_nothing_changes(library, changes, woods):
    revision = library.revision()
    assert changes.put("ana", "edited", woods, woods) is None
    assert changes.changes() == [] and library.folder_of("woods") == "folder" and library.revision() == revision + 1


def test_who_saw_an_older_entry_changes_nothing(library, changes, woods):
    theirs = replace(woods, year=1999)
    changes.put("ana", "edited", woods, theirs)
    for stale in (
        lambda: changes.put("bo", "edited", woods, replace(woods, kind="x")),
        lambda: changes.remove("bo", woods),
        lambda: changes.put("bo", "added", None, woods),
    ):
        with pytest.raises(ConflictError, match="meanwhile"):
            stale()
    assert library.entry("woods") == theirs and len(changes.changes()) == 1


def test_of_two_who_save_at_once_one_is_told_so(library, changes, woods):
    start, told = threading.Barrier(2), []

    def save(name):
        start.wait()
        try:
            changes.put(name, "edited", woods, replace(woods, publisher=name))
        except ConflictError:
            told.append(name)

    both = [threading.Thread(target=save, args=(name,)) for name in ("ana", "bo")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(told) == 1 and {library.entry("woods").publisher, *told} == {"ana", "bo"} and len(changes.changes()) == 1


def test_a_file_that_is_not_in_the_library_is_refused(library, changes, woods):
    with pytest.raises(IsoglossError, match=f"woods.km: expected a file .* found none with the SHA-256 {DIGEST}"):
        changes.put("ana", "edited", woods, replace(woods, editions=(replace(woods.editions[0], digest=DIGEST),)))
    assert library.entry("woods") == woods and changes.changes() == []


def test_a_file_that_is_discarded_in_the_moment_before_is_refused(library, changes, woods, monkeypatch):
    digest, begin = kept(library, "ខ្មែរ"), library.transaction

    def begin_after_another(contents=True):
        library.file(digest).unlink(missing_ok=True)
        return begin(contents)

    monkeypatch.setattr(library, "transaction", begin_after_another)
    with pytest.raises(IsoglossError, match=digest):
        changes.put("ana", "edited", woods, replace(woods, editions=(replace(woods.editions[0], digest=digest),)))
    assert library.entry("woods") == woods


def test_a_replaced_file_is_to_be_read_and_the_pages_of_the_former_stay_until_then(library, changes, woods):
    other = replace(woods.editions[0], digest=kept(library, "another"))
    job = changes.put("ana", "edited", woods, replace(woods, editions=(other, woods.editions[1])))
    assert documents(library, job) == ["woods.km"] and texts(library, "woods.km") == TEXTS["km"]
    job = changes.undo("bo", changes.changes()[0].change_id)
    assert library.entry("woods") == woods and documents(library, job) == [] and texts(library, "woods.km") == TEXTS["km"]


def test_an_edition_that_was_removed_and_put_back_is_read_from_the_file_that_was_kept(library, changes, woods):
    changes.put("ana", "edited", woods, replace(woods, editions=woods.editions[:1]))
    assert texts(library, "woods.ar") == [] and library.edition("woods.ar") is None
    job = changes.undo("ana", changes.changes()[0].change_id)
    assert documents(library, job) == ["woods.ar"] and library.entry("woods") == woods
    assert library.file(woods.editions[1].digest).read_text("utf-8") == "ar"


def test_without_its_file_an_edition_has_no_pages(library, changes, woods):
    job = changes.put("ana", "edited", woods, replace(woods, editions=(replace(woods.editions[0], digest=None), woods.editions[1])))
    (state, _) = library.edition_states("woods")
    assert (state.state, state.file, state.edition.digest, texts(library, "woods.km"), documents(library, job)) == ("no file", None, None, [], [])
    assert not library.faults()


@pytest.mark.parametrize(("language", "part", "again"), [("lo", "whole", True), ("ar", "annex", False), ("fa", "executive summary", True)])
def test_an_edition_with_another_language_or_part_keeps_what_was_read(library, changes, woods, language, part, again):
    name = edition_id("woods", language, part)
    other = Edition(name, "woods", language, "label", part, woods.editions[1].digest)
    keys = set(library.passages_of("woods.ar"))
    vectors = library.vectors_in("woods.ar")[1].tolist()
    own = library.vectors_in("woods.ar")[0].tolist()
    library.put_vectors(LexiconEncoder().fingerprint, library.vectors_of(own), {own[0]: b"words"})
    job = changes.put("ana", "edited", woods, replace(woods, editions=(woods.editions[0], other)))
    assert library.edition("woods.ar") is None and library.entry("woods").editions[1] == other
    assert texts(library, name) == TEXTS["ar"] and library.vectors_in(name)[1].tolist() == vectors
    assert library.codes_of(library.vectors_in(name)[0].tolist()) == {int(library.vectors_in(name)[0][0]): b"words"}
    assert keys.isdisjoint(library.passages_of(name)) and [passage.text for passage in library.passages_of(name).values()] == TEXTS["ar"]
    assert set(library.postings.of('"ماء"').tolist()) <= set(library.passages_of(name)) != set()
    assert documents(library, job) == ([name] if again else [])
    changes.undo("ana", changes.changes()[0].change_id)
    assert texts(library, "woods.ar") == TEXTS["ar"] and library.entry("woods") == woods


def test_languages_that_change_places_are_read_anew(library, changes, woods):
    km, ar = woods.editions
    job = changes.put("ana", "edited", woods, replace(woods, editions=(replace(km, digest=ar.digest), replace(ar, digest=km.digest))))
    assert documents(library, job) == ["woods.km", "woods.ar"]


def test_a_removed_publication_comes_back_whole_with_the_job_that_reads_it(library, changes, woods):
    changes.remove("ana", woods)
    assert library.entry("woods") is None and library.counts()["pages"] == 0 and changes.kept_here("woods")
    removal = changes.changes()[0]
    job = changes.undo("bo", removal.change_id)
    assert library.entry("woods") == woods and library.folder_of("woods") == "folder"
    assert documents(library, job) == ["woods.km", "woods.ar"] and not changes.kept_here("woods")
    assert changes.change(removal.change_id).undone == changes.changes()[0].change_id


def test_only_what_is_still_there_can_be_undone_and_each_change_once(library, changes, woods):
    one, two = replace(woods, year=2001), replace(woods, year=2002)
    changes.put("ana", "edited", woods, one)
    changes.put("ana", "edited", one, two)
    last, first = changes.changes()
    assert [changes.can_be_undone(change) for change in (last, first)] == [True, False]
    with pytest.raises(ConflictError):
        changes.undo("bo", first.change_id)
    changes.undo("bo", last.change_id)
    with pytest.raises(ConflictError, match="undone already"):
        changes.undo("bo", last.change_id)
    redo = changes.changes()[0]
    changes.undo("bo", redo.change_id)
    assert library.entry("woods") == two and [change.what for change in changes.changes()] == ["undone", "undone", "edited", "edited"]


def test_what_changes_no_entry_is_in_the_log_and_cannot_be_undone(library, changes, woods):
    revision = library.revision()
    changes.note("ana", "rebuilt", "3 passages")
    (noted,) = changes.changes(by="ana")
    assert (noted.what, noted.about, changes.can_be_undone(noted), library.revision()) == ("rebuilt", "3 passages", False, revision)
    for number in (noted.change_id, 99):
        with pytest.raises(ConflictError):
            changes.undo("ana", number)
    assert changes.changes(by="bo") == changes.changes("woods") == [] and changes.people() == ["ana"]


def test_a_publication_goes_back_to_its_folder_when_somebody_says_so(library, changes, woods):
    after = replace(woods, year=2021)
    changes.put("ana", "edited", woods, after)
    changes.put("ana", "edited", after, replace(after, kind="guide"))
    assert changes.kept_here("woods") and changes.folder_before("woods") == "folder"
    changes.give_back("bo", "woods")
    assert library.folder_of("woods") == "folder" and not changes.kept_here("woods") and changes.changes()[0].what == "given back"
    with pytest.raises(ConflictError):
        changes.give_back("bo", "woods")
    changes.put("ana", "added", None, publication("here", ["my"]))
    with pytest.raises(ConflictError):
        changes.give_back("bo", "here")


def test_a_name_that_was_never_a_folders_is_free_again_once_it_was_taken_away(library, changes):
    changes.put("ana", "added", None, publication("radio", ["ta"]))
    assert changes.kept_here("radio")
    changes.undo("ana", changes.changes()[0].change_id)
    assert library.entry("radio") is None and not changes.kept_here("radio") and not changes.kept_here("unknown")


def test_an_edition_that_is_replaced_while_its_old_file_is_read_does_not_get_the_old_text(library, changes, woods):
    old = library.edition_states("woods")[0].wanted
    changes.put("ana", "edited", woods, replace(woods, editions=(replace(old, digest=kept(library, "new")), woods.editions[1])))
    state = EditionState(old, "read", "", 1, "")
    assert not library.put_reading(state, [Page(old.edition_id, 1, "1", "late", "good")], [], LexiconEncoder().encode_passages([]))
    assert texts(library, "woods.km") == TEXTS["km"]


@pytest.mark.parametrize("text", ["\x00\x1b[2J\u2028\u202e", "</script>\"'&=+-@", "ဗမာ ไทย ລາວ አማርኛ 한국어 தமிழ்"])
def test_an_entry_survives_json_whatever_it_says(text):
    entry = publication("x", ["und"], titles={"und": text}, topics=(text,), authors=(text, text), publisher=text)
    assert entry_from_json(entry_to_json(entry)) == entry and entry_from_json(entry_to_json(None)) is None


LANGUAGES = ["km", "ar", "am", "bn", "zh-Hant"]
editions = st.dictionaries(
    st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(["whole", "annex"])), st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=4
)
entries = st.one_of(st.none(), st.tuples(editions, st.sampled_from(["ป่า", "שמש", "숲"]), st.one_of(st.none(), st.integers(1990, 1993))))


@settings(max_examples=20, deadline=None)
@given(st.lists(entries, min_size=1, max_size=6))
def test_any_changes_undone_one_by_one_give_every_entry_back(steps):
    with tempfile.TemporaryDirectory() as folder:
        library, encoder = Library.create(Path(folder) / "library"), LexiconEncoder()
        digests = {name: kept(library, name) for name in "abc"}
        first = publication("woods", ["km"])
        fill(library, encoder, replace(first, editions=(replace(first.editions[0], digest=digests["a"]),)), {"km": ["forest"]})
        changes, passed = Changes(library), [library.entry("woods")]
        for step in steps:
            before, after = passed[-1], entry_of(step, digests)
            if after is None and before is not None:
                changes.remove("ana", before)
            elif after is not None:
                changes.put("ana", "edited", before, after)
            if after != before:
                passed.append(after)
        made = list(reversed(changes.changes()))
        assert [change.after for change in made] == passed[1:]
        for change, before in zip(reversed(made), reversed(passed[:-1]), strict=True):
            assert changes.can_be_undone(change)
            changes.undo("bo", change.change_id)
            assert library.entry("woods") == before
        assert library.folder_of("woods") == "folder" and not list(library.faults())
        for change in list(changes.changes())[: len(made)]:
            changes.undo("bo", change.change_id)
        assert library.entry("woods") == passed[-1]


def entry_of(step, digests):
    if step is None:
        return None
    said, title, year = step
    made = tuple(Edition(edition_id("woods", tag, part), "woods", tag, tag, part, digests.get(file)) for (tag, part), file in said.items())
    return replace(publication("woods", ["km"], titles={"km": title}, year=year), editions=made)


def test_passages_made_by_the_catalogue_are_not_carried_over_as_read(library, changes, woods):
    other = replace(woods.editions[1], edition_id="woods.ar.annex", part="annex")
    changes.put("ana", "edited", woods, replace(woods, editions=(woods.editions[0], other)))
    assert library.without_catalogue_passages() == ["woods"]
    assert [passage.first_page for passage in library.passages_of("woods.ar.annex").values()] == [1, 2]
    assert passage_of(other, 0, TEXTS["ar"][0], 1) in [replace(p, language="ar") for p in library.passages_of("woods.ar.annex").values()]
