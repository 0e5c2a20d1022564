"""Hostile and broken files, each between sound ones: within shrunken limits each ends with a reason of its own, and the sound ones come out whole."""

from __future__ import annotations

import pytest
from conftest import pdf_of
from hostile import HOSTILE, SAID, encrypted, flate_bomb, lying_count, many_pages, nested_flate_bomb, state_bomb, vast_html, word_bomb

from ingest.limits import MIB, Limits
from ingest.pipeline import read_files
from ingest.reading import Source

LIMITS = Limits(memory=480 * MIB, unpacked=64 * MIB, page_seconds=20, pages=1000)
SMALLER = {  # the same files, in the size of these limits
    "flate bomb of 3 GiB.pdf": lambda: flate_bomb(500 * MIB),
    "flate bomb in a flate bomb.pdf": lambda: nested_flate_bomb(500 * MIB),
    "400 MiB of saved graphics states.pdf": lambda: state_bomb(200 * MIB),
    "100,000 pages.pdf": lambda: many_pages(1001),
    "Count of 500,000, one page.pdf": lambda: lying_count(5000),
    "100 MiB.html": lambda: vast_html(33 * MIB),
    "zip bomb of 3 GiB.docx": lambda: word_bomb(65 * MIB),
}
GAVE_UP = "reading gave up (SIGABRT), as it does when it needs more than 480 MiB of memory"
BOMB = f"a stream in it unpacks to more than 64 MiB: {GAVE_UP}"
READ = {  # texts of the pages, and the causes of those that are not good
    "form that draws itself.pdf": ([""], [GAVE_UP]),
    "forms that draw the next twice.pdf": ([""], [GAVE_UP]),
    "flate bomb of 3 GiB.pdf": ([""], [BOMB]),
    "flate bomb in a flate bomb.pdf": ([""], [BOMB]),
    "400 MiB of saved graphics states.pdf": ([""], [BOMB]),
    "book with one hostile page.pdf": ([f"The forest is old {number}." if number != 3 else "" for number in range(1, 6)], [GAVE_UP]),
    "cyclic page tree.pdf": ([SAID] * 3, []),
    "Count of 2,000,000,000, one page.pdf": ([SAID], []),
    "Count of -5, one page.pdf": ([SAID], []),
    "encrypted, empty password.pdf": ([SAID], []),
    "garbage before the header.pdf": ([SAID], []),
    "startxref into nowhere.pdf": ([SAID], []),
    "no content stream.pdf": ([""], [""]),
    "arrays 100,000 deep.pdf": ([SAID], []),
    "dictionaries 100,000 deep.pdf": ([""], [""]),
    "JPX image of 10,000 megapixels.pdf": ([SAID], []),
    "JBIG2 image of 10,000 megapixels.pdf": ([SAID], []),
    "MediaBox of 10,000,000,000 points.pdf": ([SAID], []),
}
REFUSED = {
    "book of nine hostile pages.pdf": f"after 3 other pages, page 4: {GAVE_UP}; the file may be damaged or hostile: if it is sound, print it to a new PDF",
    "100,000 pages.pdf": "it says it has 1,001 pages, and at most 1,000 are read; if it is sound, split it",
    "Count of 500,000, one page.pdf": "it says it has 5,000 pages, and at most 1,000 are read; if it is sound, split it",
    "encrypted, password.pdf": "it is encrypted and needs a password; open it with the password and save a copy without one",
    "truncated.pdf": "damaged: Failed to load document (PDFium: Data format error).",
    "no PDF.pdf": "it is in no format that is known here: it begins with b'",
    "zero bytes.pdf": "it is empty (0 bytes), expected a PDF, a Word file (.docx) or an HTML file (.html, .htm); get it anew from where it came",
    "zip bomb of 3 GiB.docx": "it unpacks to 65 MiB, and at most 64 MiB are read; if it is sound, make its pictures smaller or split it",
    "entities.docx": "damaged Word file (XMLSyntaxError: Maximum entity amplification factor exceeded",
    "truncated.docx": "it is a damaged zip archive or Word file (File is not a zip file), expected a PDF",
    "100 MiB.html": "it has 33 MiB of HTML, and at most 32 MiB are read; split it",
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """One run over everything: a sound file before and after each hostile one."""
    folder, files = tmp_path_factory.mktemp("hostile"), []
    for number, (name, make) in enumerate(HOSTILE.items()):
        (folder / name).write_bytes(SMALLER.get(name, make)())
        (folder / f"good {number}.pdf").write_bytes(pdf_of([f"The forest of {number} before {name}."]))
        files += [Source(f"good {number}", folder / f"good {number}.pdf", "en"), Source(name, folder / name, "en")]
    found = list(read_files(files, workers=2, limits=LIMITS))
    assert [reading.edition_id for reading in found] == [source.edition_id for source in files]
    return {reading.edition_id: reading for reading in found}


def test_every_sound_file_of_the_run_comes_out_whole(readings):
    texts = [(readings[f"good {number}"].problem, readings[f"good {number}"].content.pages[0].text) for number in range(len(HOSTILE))]
    assert texts == [("", f"The forest of {number} before {name}.") for number, name in enumerate(HOSTILE)]


@pytest.mark.parametrize("name", READ)
def test_of_a_hostile_file_is_read_what_can_be_read(readings, name):
    content, (texts, causes) = readings[name].content, READ[name]
    assert readings[name].problem == "" and [page.text for page in content.pages] == texts
    assert [page.cause for page in content.pages if page.health != "good"] == causes


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_has_a_reason_of_its_own(readings, name):
    assert readings[name].content is None and readings[name].problem.startswith(REFUSED[name])


def test_every_hostile_file_is_expected_to_come_to_something():
    assert {*READ, *REFUSED} | {"elements 200,000 deep.html", "entities.html"} == set(HOSTILE)


def test_deep_and_swelling_html_is_read_in_bounds(readings):
    for name in ("elements 200,000 deep.html", "entities.html"):
        (page,) = readings[name].content.pages
        assert SAID in page.text and len(page.text) < 2000


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_encryption_without_a_password_hides_nothing(tmp_path, algorithm):
    (tmp_path / "x.pdf").write_bytes(encrypted("", algorithm))
    (reading,) = read_files([Source("x", tmp_path / "x.pdf", "en")], workers=1)
    assert (reading.content.title, reading.content.pages[0].text) == ("Woods", SAID)
