"""The truth on disk: what goes in comes out, whole or not at all."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from filling import DIGEST, fill, passage_of, publication

from index.contents import EditionState
from index.library import MANIFEST, ChangedFileError, Library
from index.query import sought
from index.rounded import restored
from index.store import BusyLibraryError, UnusableLibraryError
from index.tables import boxes_packed, boxes_unpacked
from index.terms import TERMS_VERSION
from index.verification import faults
from ingest.records import Page, WordBox, WordBoxes

SAYINGS = {
    "th": "ป่าเติบโต", "km": "ព្រៃឈើដុះ", "lo": "ປ່າໄມ້ເຕີບໂຕ", "my": "သစ်တောကြီးထွားသည်", "ar": "تنمو الغابة", "fa": "جنگل می‌روید",
    "hi": "जंगल बढ़ता है", "am": "ደን ያድጋል", "zh": "森林在生长", "ja": "森は育つ", "ko": "숲이 자란다", "vi": "Rừng lớn lên",
}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), SAYINGS.items())
def test_what_was_stored_comes_back_in_every_script(library, encoder, language, text):
    work = publication("woods", [language], topics=("trees", text), countries=("BO",), abstracts={language: text})
    fill(library, encoder, work, {language: [text, text + " 2"]})
    stored = Library.open(library.folder).publication("woods")
    assert stored.titles == work.titles
    assert (stored.topics, stored.countries, stored.abstracts) == (("trees", text), ("BO",), {language: text})
    assert [page.text for page in library.pages(f"woods.{language}")] == [text, text + " 2"]
    passages = library.passages([key for key, _, on_page in library.passage_table() if on_page])
    assert [(passage.text, passage.language) for passage in passages.values()] == [(text, language), (text + " 2", language)]


def test_vectors_come_back_in_the_order_of_their_passages(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest", "water", "school"]})
    keys, vectors = library.vectors()
    texts = [library.passages([int(key)])[int(key)].text for key in keys]
    assert np.allclose(vectors, encoder.encode_passages(texts), atol=5e-3)  # a byte a dimension
    assert library.vectors(after=int(keys[1]))[0].tolist() == keys[2:].tolist()


def test_reading_an_edition_again_replaces_it_under_new_keys(library, encoder):
    work = publication("woods", ["en", "de"])
    fill(library, encoder, work, {"en": ["old forest"], "de": ["alter Wald"]})
    before = {key for key, edition, on_page in library.passage_table() if edition == "woods.en" and on_page}
    fill(library, encoder, work, {"en": ["new forest"], "de": ["alter Wald"]})
    after = {key for key, edition, on_page in library.passage_table() if edition == "woods.en" and on_page}
    assert min(after) > max(before)
    assert {passage.text for passage in library.passages(sorted(before | after)).values()} == {"new forest"}


def test_an_edition_the_catalogue_no_longer_has_leaves_with_its_pages(library, encoder):
    fill(library, encoder, publication("woods", ["en", "de"]), {"en": ["forest"], "de": ["Wald"]})
    library.put_publication(publication("woods", ["en"]), "folder", [], encoder.encode_passages([]))
    assert library.pages("woods.de") == []
    assert [state.edition.edition_id for state in library.edition_states()] == ["woods.en"]
    assert {edition for _, edition, _ in library.passage_table()} == {"woods.en"}


def test_a_failure_in_a_transaction_leaves_nothing_behind(library, encoder):
    work = publication("woods", ["en"])
    passage = passage_of(work.editions[0], 0, "forest", 0)
    with pytest.raises(ValueError, match="zip"):
        library.put_publication(work, "folder", [passage, passage], encoder.encode_passages(["forest"]))
    assert library.counts() == {"publications": 0, "editions": 0, "pages": 0, "passages": 0, "languages": 0}


def test_the_revision_grows_with_every_commit_and_only_then(library, encoder):
    before = library.revision()
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest"]})
    after = library.revision()
    assert after > before
    library.publications()
    assert library.revision() == after


def test_an_original_is_kept_under_its_digest(library, tmp_path):
    path = tmp_path / "รายงาน.pdf"
    path.write_bytes(b"%PDF-1.4 content")
    digest = hashlib.sha256(b"%PDF-1.4 content").hexdigest()
    kept = library.keep_file(path, digest)
    assert kept == library.folder / "files" / digest[:2] / f"{digest}.pdf"
    assert kept.read_bytes() == path.read_bytes()


def test_a_missing_library_says_which_command_makes_one(tmp_path):
    with pytest.raises(UnusableLibraryError, match="run: isogloss ingest"):
        Library.open(tmp_path)


@pytest.mark.embedded_only("library.sqlite is overwritten")
def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "library.sqlite").write_text("not a database, whatever its name says" * 30)
    with pytest.raises(UnusableLibraryError, match="not a library"):
        Library.open(tmp_path)


@pytest.mark.embedded_only("a file of SQLite's")
def test_a_database_that_has_lost_its_tables_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "library.sqlite").touch()
    with pytest.raises(UnusableLibraryError, match="is not a library: no such table: meta"):
        Library.open(tmp_path)


def test_a_library_of_another_format_is_refused(library):
    library.set_meta("format", "999")
    with pytest.raises(UnusableLibraryError, match="format 999"):
        Library.open(library.folder)


def test_only_one_writes_at_a_time(library):
    with library.writing(), pytest.raises(BusyLibraryError, match="Another process"), Library.open(library.folder).writing():
        pass


def test_a_removed_passage_is_left_out_not_replaced(library, encoder):
    work = publication("woods", ["en"])
    fill(library, encoder, work, {"en": ["forest", "water"]})
    key = library.passage_table()[-1][0]
    fill(library, encoder, replace(work, year=2021), {"en": ["forest"]})
    assert library.passages([key]) == {}


@pytest.mark.embedded_only("asks SQLite; tests/engine/test_kills.py kills servers")
def test_commits_are_synchronous(library):
    library.counts()
    connection = library._connection()
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert isinstance(connection, sqlite3.Connection)


def test_a_file_that_changes_while_it_is_copied_is_refused(library, tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    with pytest.raises(ChangedFileError, match="changed while it was being read"):
        library.keep_file(tmp_path / "a.pdf", hashlib.sha256(b"another").hexdigest())
    assert not list((library.folder / "files").glob("*/*"))


@pytest.mark.embedded_only("library.sqlite is empty")
def test_a_library_whose_making_was_interrupted_is_made(tmp_path):
    (tmp_path / "library.sqlite").touch()
    assert Library.create(tmp_path).counts()["passages"] == 0


@pytest.mark.embedded_only("library.sqlite is overwritten")
def test_a_database_with_overwritten_pages_is_told_not_raised(library, encoder):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest " * 500] * 20})
    library._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = library.folder / "library.sqlite"
    content = bytearray(file.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    file.write_bytes(content)
    assert Library(library.folder).faults()


@pytest.mark.parametrize("suffix", [".docx", ".html", ".PDF"])
def test_an_original_keeps_its_suffix_and_is_found_by_its_digest_alone(library, tmp_path, suffix):
    (tmp_path / f"ป่า{suffix}").write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    kept = library.keep_file(tmp_path / f"ป่า{suffix}", digest)
    assert (kept.name, kept) == (digest + suffix.lower(), library.file(digest))
    (tmp_path / "copy.htm").write_bytes(b"x")
    assert library.keep_file(tmp_path / "copy.htm", digest) == kept and len(list(kept.parent.iterdir())) == 1


@pytest.mark.parametrize(("language", "text"), SAYINGS.items())
def test_pages_and_passages_come_back_with_all_that_is_known_of_them(library, encoder, language, text):
    work = publication("woods", [language])
    fill(library, encoder, work, {})
    edition = library.edition_states()[0].edition
    boxes = WordBoxes.of(WordBox(place, place + 1, 10.5 + place, 20, 11.25 + place, 30) for place in range(len(text)))
    pages = [
        Page(edition.edition_id, 1, "iv", text, "recognised", boxes, f"an image without text: {text}", 3, 0.875),
        Page(edition.edition_id, 2, "A-3", "", "empty"),
    ]
    passage = replace(passage_of(edition, 0, text, 1), headings=(text, "1. \u1796\u17d2\u179a\u17c3"))
    state = EditionState(edition, "partly read", "x", 3, "folder", wants="khm", file=edition.digest)
    library.put_reading(state, pages, [passage], encoder.encode_passages([text]))
    assert library.pages(edition.edition_id) == pages
    (stored,) = library.passages_of(edition.edition_id).values()
    assert stored == passage and library.edition_states() == [state]


def test_boxes_take_a_third_of_their_space_on_disk():
    boxes = WordBoxes.of(
        WordBox(6 * n, 6 * n + 5, 50.0 + n % 10 * 40, 700.0 - n // 10 * 14, 85.0 + n % 10 * 40, 712.0 - n // 10 * 14) for n in range(400)
    )
    assert len(boxes_packed(boxes)) < len(boxes.packed) / 3 and boxes_unpacked(boxes_packed(boxes)) == boxes
    assert (boxes_packed(WordBoxes()), boxes_unpacked(b"")) == (b"", WordBoxes())


ADDED_SINCE_2 = {  # by table, the columns that format 2 had not
    "editions": ("wants", "file"),
    "passages": ("headings",),
    "pages": ("cause", "boxes", "footnotes", "confidence"),
    "publications": ("authors", "publisher", "isbn", "doi", "added", "changed"),
}
ADDED_SINCE_4 = (
    "vectors", "encoders", "documents", "jobs", "changes", "uploads", "loose_entries", "decisions", "sketches", "questions", "sessions", "accounts",
    "failed_attempts",
)  # fmt: skip
ADDED_SINCE_5 = ("touched",)


def as_format_6(run) -> None:
    """Take away what came with format 7: vectors have 16 bits a dimension, and nothing is kept for marks."""
    run("ALTER TABLE vectors DROP COLUMN codes")
    for key, vector in run("SELECT key, vector FROM vectors").fetchall():
        run("UPDATE vectors SET vector = ? WHERE key = ?", (restored([vector])[0].astype(np.float16).tobytes(), key))


def as_format_5(run, library) -> None:
    """Take away what came with format 6 too: put the full-text index back that kept a copy of what it indexed."""
    as_format_6(run)
    for trigger in library.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%touched%'"):
        run(f"DROP TRIGGER {trigger['name']}")
    run("DROP TABLE touched")
    for statement in (
        "DROP TRIGGER words_of",
        "DROP TABLE words",
        "DROP VIEW passage_terms",
        "DELETE FROM meta WHERE key IN ('removed', 'terms')",
        "CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = 'ascii')",
        "CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row)",
        "CREATE TRIGGER words_of AFTER DELETE ON passages BEGIN DELETE FROM words WHERE rowid = old.key; END",
        "INSERT INTO words (rowid, terms) SELECT key, indexed(text) FROM passages",
    ):
        run(statement)


@pytest.fixture
def of_format_2(library, encoder):
    """A library as Isogloss left it before pages had boxes and publications had authors."""
    fill(library, encoder, publication("woods", ["my"]), {"my": ["သစ်တော"]})
    with library.transaction() as run:
        as_format_5(run, library)
        run("ALTER TABLE passages ADD COLUMN vector BLOB")
        run("UPDATE passages SET vector = (SELECT vector FROM vectors WHERE vectors.key = passages.key)")
        for table in ADDED_SINCE_4:
            run(f"DROP TABLE {table}")
        for index in ("healths", "passages_of"):
            run(f"DROP INDEX {index}")
        run("CREATE INDEX passages_of ON passages (edition_id)")
        for table, columns in ADDED_SINCE_2.items():
            for column in columns:
                run(f"ALTER TABLE {table} DROP COLUMN {column}")
        run("UPDATE meta SET value = '2' WHERE key = 'format'")
    return library


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_a_library_of_an_older_format_gets_what_is_new_and_keeps_what_it_has(of_format_2):
    opened = Library.open(of_format_2.folder)
    assert opened.meta("format") == "7" and opened.pages("woods.my") == [Page("woods.my", 1, "1", "သစ်တော", "good")]
    assert [passage.headings for passage in opened.passages_of("woods.my").values()] == [()]
    assert [state.wants for state in opened.edition_states()] == [""]
    assert (opened.publication("woods").authors, opened.publication("woods").isbn) == ((), "")
    assert opened.dates()["woods"].added == opened.dates()["woods"].changed != ""
    assert Library.open(of_format_2.folder).counts()["passages"] == 2
    assert [len(vector) for vector in opened.vectors()[1]] == [5, 5] and opened.entry("woods").editions[0].digest == DIGEST


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_a_library_made_anew_and_one_brought_up_to_date_have_the_same_tables(of_format_2, tmp_path):
    old, new = Library.open(of_format_2.folder), Library.create(tmp_path / "new")
    for table in (*ADDED_SINCE_2, *ADDED_SINCE_4, *ADDED_SINCE_5):
        columns = [[tuple(row) for row in one._connection().execute(f"PRAGMA table_info({table})")] for one in (old, new)]
        assert columns[0] == columns[1]
    indexes = [sorted(tuple(row) for row in one.rows("SELECT name, sql FROM sqlite_master WHERE type <> 'table'")) for one in (old, new)]
    assert indexes[0] == indexes[1] and {"healths", "passages_of", "passage_terms", "words_of"} <= {name for name, _ in indexes[0]}


@pytest.fixture
def of_format_5(library, encoder):
    """A library that kept a copy of its terms, and from which a publication was removed."""
    fill(library, encoder, publication("gone", ["ta"]), {"ta": ["காடு"]})
    fill(library, encoder, publication("woods", ["am", "bn", "fa"]), {"am": ["ደን"], "bn": ["বন"], "fa": ["جنگل"]})
    library.remove_publication("gone")
    with library.transaction() as run:
        as_format_5(run, library)
        run("UPDATE meta SET value = '5' WHERE key = 'format'")
    return library


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_whoever_comes_while_a_library_is_brought_up_to_date_is_told_to_come_again(of_format_5, monkeypatch):
    monkeypatch.setattr("index.embedded.PATIENCE", 0.1)
    with closing(sqlite3.connect(of_format_5.folder / "library.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyLibraryError, match="bringing a large library up to date takes minutes"):
            Library.open(of_format_5.folder)
        other.execute("ROLLBACK")
    assert Library.open(of_format_5.folder).passage_count()


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_words_are_found_and_removed_after_their_copies_are_gone(of_format_5):
    opened = Library.open(of_format_5.folder)
    assert [opened.postings.count(f'"{term}"') for term in ("ደን", "বন", "جنگل", "காடு")] == [1, 1, 1, 0]
    assert opened.extent() == (8, 2) and opened.passage_count() == opened.counts()["passages"] == 6
    assert not [fault for fault in faults(opened) if "original" not in fault]
    opened.remove_publication("woods")
    assert [opened.postings.count(f'"{term}"') for term in ("ደን", "বন", "جنگل")] == [0, 0, 0]
    assert opened.rows("SELECT count(*) FROM words_docsize")[0][0] == opened.passage_count() == 0
    with opened.transaction() as run:
        run("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")


def test_words_are_indexed_anew_where_terms_are_made_otherwise(library, encoder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("index.tables.indexed", lambda text: "former")
        fill(library, encoder, publication("woods", ["lo"], titles={}), {"lo": ["ປ່າໄມ້"]})
    library.set_meta("terms", "former")
    assert [library.postings.count(sought(term)) for term in ("former", "ປ່າ*")] == [1, 0]
    opened = Library.open(library.folder)
    assert [opened.postings.count(sought(term)) for term in ("former", "ປ່າ*")] == [0, 1]
    assert opened.meta("terms") == TERMS_VERSION


def test_a_backup_is_not_changed_where_terms_are_made_otherwise(library, encoder):
    fill(library, encoder, publication("woods", ["zh"], titles={}), {"zh": ["森林"]})
    library.set_meta("terms", "former")
    (library.folder / MANIFEST).write_text("{}")
    assert Library.open(library.folder).meta("terms") == "former"


def test_languages_are_stored_anew_without_a_new_passage(library, encoder):
    fill(library, encoder, publication("woods", ["sr", "hr"]), {"sr": ["šuma", "voda"], "hr": ["šuma"]})
    before = library.vectors()
    first, second = library.passages_of("woods.sr")
    library.put_languages({first: "sr-Latn"})
    assert [passage.language for passage in library.passages_of("woods.sr").values()] == ["sr-Latn", "sr"]
    assert list(library.passages_of("woods.sr")) == [first, second] and all(map(np.array_equal, library.vectors(), before))


def test_an_edition_can_be_marked_to_be_read_again(library, encoder):
    fill(library, encoder, publication("woods", ["am", "ti"]), {"am": ["ደን"], "ti": ["ደን"]})
    library.read_again(["woods.ti"])
    assert {state.edition.edition_id: state.reading_version for state in library.edition_states()} == {"woods.am": 1, "woods.ti": 0}
    assert [page.text for page in library.pages("woods.ti")] == ["ደን"]


def test_the_day_a_publication_came_stays_and_the_day_it_changed_moves_on(library, encoder):
    fill(library, encoder, publication("woods", ["km"]), {"km": ["ព្រៃ"]})
    with library.transaction() as run:
        run("UPDATE publications SET added = '2020-01-01T00:00:00Z', changed = '2020-01-01T00:00:00Z'")
    fill(library, encoder, publication("woods", ["km"]), {"km": ["ព្រៃឈើ"]})
    dates = library.dates()["woods"]
    assert dates.added == "2020-01-01T00:00:00Z" and dates.changed > "2026"


def test_an_edition_is_found_by_its_file_and_by_the_beginning_of_its_digest(library, encoder):
    fill(library, encoder, publication("woods", ["lo"]), {"lo": ["ປ່າ", "ນໍ້າ"]})
    digest = library.digest("woods.lo")
    assert library.edition_of_file(digest[:16]) == library.edition_of_file(digest) == library.publication("woods").editions[0]
    assert library.edition_of_file("1" * 64) is None
    assert library.page("woods.lo", 2).text == "ນໍ້າ" and library.page("woods.lo", 3) is None


def test_nothing_can_be_changed_within_a_snapshot_which_would_drop_it(library):
    with library.snapshot(), pytest.raises(RuntimeError, match="snapshot"):
        library.set_meta("noted", "ป่า")
    library.set_meta("noted", "숲")
    assert library.meta("noted") == "숲"


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_a_library_of_format_6_gets_shorter_vectors_and_keeps_what_they_say(library, encoder):
    fill(library, encoder, publication("woods", ["am"]), {"am": ["ደን ውሃ ይይዛል"]})
    before = library.vectors()
    with library.transaction() as run:
        as_format_6(run)
        run("UPDATE meta SET value = '6' WHERE key = 'format'")
    library.close()
    opened = Library.open(library.folder)
    keys, vectors = opened.vectors()
    assert opened.meta("format") == "7" and keys.tolist() == before[0].tolist()
    assert vectors == pytest.approx(before[1], abs=1e-6)
    assert opened.without_codes(encoder.fingerprint) == keys.tolist() and opened.faults() == []


def test_codes_are_kept_beside_vectors_and_leave_with_them(library, encoder):
    fill(library, encoder, publication("woods", ["lo", "fa"]), {"lo": ["ປ່າ"], "fa": ["جنگل"]})
    keys, vectors = library.vectors()
    some, other, *_ = keys.tolist()
    library.put_vectors(
        encoder.fingerprint, dict(zip(keys.tolist(), vectors, strict=True)), {key: b"words" if key == some else b"" for key in keys.tolist()}
    )
    assert library.codes_of(keys.tolist()) == {some: b"words"} and library.codes_of([other]) == {}
    assert library.without_codes(encoder.fingerprint) == []
    library.put_vectors(encoder.fingerprint, {some: vectors[0]})
    assert library.codes_of([some]) == {} and some in library.without_codes(encoder.fingerprint)
    library.put_vectors(encoder.fingerprint, {some: vectors[0]}, {some: b"again"})
    library.remove_publication("woods")
    assert library.rows("SELECT * FROM vectors WHERE codes IS NOT NULL") == []


def test_codes_come_with_a_reading_and_leave_with_the_next(library, encoder):
    fill(library, encoder, publication("woods", ["km", "he"]), {"km": ["ព្រៃ", "ទឹក"], "he": ["יער"]})
    (entry, *_), (state, *_) = library.passages(library.vectors()[0].tolist()).values(), library.edition_states("woods")
    passages = list(library.passages_of("woods.km").values())
    vectors = encoder.encode_passages([passage.text for passage in passages])
    assert [passage.edition_id for passage in (entry, *passages)] == [state.edition.edition_id] * 3
    assert library.put_reading(state, library.pages("woods.km"), passages, vectors, codes=[b"", b"words"])
    library.put_catalogue_passages("woods", [entry], vectors[:1], codes=[b"title"])
    keys = library.vectors_in("woods.km")[0].tolist()
    assert sorted(library.codes_of(library.vectors()[0].tolist()).values()) == [b"title", b"words"]
    assert library.codes_of(keys) == {keys[1]: b"words"} and set(keys).isdisjoint(library.without_codes(encoder.fingerprint))
    assert library.put_reading(state, library.pages("woods.km"), passages, vectors)
    assert list(library.codes_of(library.vectors()[0].tolist()).values()) == [b"title"]


def test_of_passages_that_are_encoded_together_some_have_codes(library, encoder):
    fill(library, encoder, publication("woods", ["my", "ta"]), {"my": ["သစ်တော"], "ta": ["காடு"]})
    keys = library.vectors()[0].tolist()
    library.put_vectors(encoder.fingerprint, library.vectors_of(keys), {keys[1]: b"words"})
    assert library.codes_of(keys) == {keys[1]: b"words"}
    assert library.without_codes(encoder.fingerprint) == [key for key in keys if key != keys[1]]


@pytest.mark.embedded_only("no engine has a library of an older format")
def test_vectors_that_were_damaged_in_format_6_are_found_in_the_library_that_is_made_of_it(library, encoder):
    fill(library, encoder, publication("woods", ["bn"]), {"bn": ["বন", "জল"]})
    damaged = library.vectors()[0].tolist()[-1]
    with library.transaction() as run:
        as_format_6(run)
        run("UPDATE vectors SET vector = ? WHERE key = ?", (np.full(len(encoder.encode_queries([""])[0]), np.nan, np.float16).tobytes(), damaged))
        run("UPDATE meta SET value = '6' WHERE key = 'format'")
    library.close()
    assert list(Library.open(library.folder).damaged_vectors()) == [damaged]


def test_an_encoder_that_is_forgotten_takes_its_codes_along(library, encoder):
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    keys, vectors = library.vectors()
    library.put_vectors("another", {int(keys[0]): vectors[0]}, {int(keys[0]): b"words"})
    assert library.codes_of(keys.tolist(), "another") == {int(keys[0]): b"words"} and library.codes_of(keys.tolist()) == {}
    library.forget_encoder("another")
    assert library.rows("SELECT * FROM vectors WHERE codes IS NOT NULL") == []
