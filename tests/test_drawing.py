"""Pages as pictures, drawn where they can do no harm."""

from __future__ import annotations

import io

import numpy as np
import pytest
from conftest import pdf_of
from hostile import HOSTILE, assembled, image_bomb, stream
from PIL import Image

from ingest.drawing import LONGEST, MOST_PIXELS, WIDTHS, Drawer, UndrawablePageError, draw, outcome
from ingest.limits import MIB, Limits
from ingest.pdfium import PdfiumDocument

SMALL = Limits(memory=480 * MIB, page_seconds=5, wall_seconds=30)
SQUARE = "0 0 1 rg 100 200 50 60 re f"  # a blue square; its lower left corner at (100, 200)


def pixels(webp: bytes):
    return np.asarray(Image.open(io.BytesIO(webp)).convert("RGB")).astype(int)


def page_with(entries: str, content: str = SQUARE) -> bytes:
    return assembled({4: f"<< /Type /Page /Parent 2 0 R {entries} /Contents 5 0 R >>", 5: stream(content)})


@pytest.fixture(scope="module")
def drawer():
    made = Drawer(1, SMALL)
    yield made
    made.close()


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draw in this process, which is not to be limited."""
    monkeypatch.setattr("ingest.drawing.allow", lambda _: None)

    def of(content: bytes, number: int = 1, width: int = 900):
        (tmp_path / "file.pdf").write_bytes(content)
        return draw(tmp_path / "file.pdf", number, width)

    return of


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_is_drawn_in_the_width_that_is_asked_for(drawn, width):
    drawing = drawn(pdf_of(["The forest grows."] * 40), width=width)
    height, wide, _ = pixels(drawing.webp).shape
    assert (wide, height, drawing.width, drawing.height) == (width, pytest.approx(width * 842 / 595, abs=2), 595, 842)
    assert len(drawing.webp) < 100_000 and pixels(drawing.webp).min() < 100


@pytest.mark.parametrize(
    ("entries", "size", "place"),
    [
        ("/MediaBox [0 0 600 800]", (600, 800), (100, 200, 150, 260)),
        ("/MediaBox [0 0 600 800] /CropBox [50 70 550 770]", (500, 700), (50, 130, 100, 190)),
        ("/MediaBox [-20 -30 580 770]", (600, 800), (120, 230, 170, 290)),
        ("/MediaBox [0 0 600 800] /Rotate 90", (800, 600), (200, 450, 260, 500)),
        ("/MediaBox [0 0 600 800] /Rotate 180", (600, 800), (450, 540, 500, 600)),
        ("/MediaBox [0 0 600 800] /CropBox [50 70 550 770] /Rotate 270", (700, 500), (510, 50, 570, 100)),
    ],
)
def test_pages_are_drawn_as_shown_turned_and_cropped_and_in_the_points_of_word_boxes(drawn, entries, size, place):
    drawing = drawn(page_with(entries))
    assert (drawing.width, drawing.height) == size
    shown = pixels(drawing.webp)
    rows, columns = np.nonzero((shown[:, :, 2] > 200) & (shown[:, :, 0] < 60))
    scale = shown.shape[1] / drawing.width
    found = columns.min() / scale, drawing.height - (rows.max() + 1) / scale, (columns.max() + 1) / scale, drawing.height - rows.min() / scale
    assert found == pytest.approx(place, abs=1)


def test_what_is_drawn_agrees_with_the_boxes_that_are_read(drawn, tmp_path):
    """Where words are boxed is ink, and elsewhere is none, however the page is turned and cropped."""
    text = "BT /F1 20 Tf 120 300 Td (Forest) Tj ET"
    for entries in ("", "/Rotate 90", "/CropBox [50 70 550 770] /Rotate 180", "/CropBox [90 250 500 700] /Rotate 270"):
        page = f"/MediaBox [0 0 600 800] {entries} /Resources << /Font << /F1 3 0 R >> >>"
        drawing = drawn(page_with(page, text))
        boxes = PdfiumDocument(tmp_path / "file.pdf").sheet(1).boxes
        shown = pixels(drawing.webp)
        rows, columns = np.nonzero(shown.min(axis=2) < 128)
        scale = shown.shape[1] / drawing.width
        ink = columns.min() / scale, drawing.height - rows.max() / scale, columns.max() / scale, drawing.height - rows.min() / scale
        boxed = boxes[boxes[:, 2] > boxes[:, 0]]
        left, bottom, right, top = *boxed[:, :2].min(axis=0), *boxed[:, 2:].max(axis=0)
        assert left - 1 <= ink[0] and bottom - 1 <= ink[1] and ink[2] <= right + 1 and ink[3] <= top + 1, entries
        assert (right - left) * (top - bottom) < 3 * (ink[2] - ink[0]) * (ink[3] - ink[1]), entries


def test_a_page_of_letters_in_colour_keeps_its_colours(drawn):
    assert pixels(drawn(page_with("/MediaBox [0 0 600 800]")).webp)[-330, 180].tolist() == [0, 0, 255]


def test_a_very_long_page_is_drawn_smaller(drawn):
    drawing = drawn(page_with("/MediaBox [0 0 60 14000]", ""))
    height, width, _ = pixels(drawing.webp).shape
    assert height * width <= 1.01 * MOST_PIXELS and height <= LONGEST


@pytest.mark.parametrize(("number", "reason"), [(0, "has 1 pages"), (2, "has 1 pages")])
def test_a_page_that_is_not_there_is_not_drawn(drawn, number, reason):
    with pytest.raises(UndrawablePageError, match=reason):
        drawn(pdf_of(["One."]), number)


@pytest.mark.parametrize("content", [b"", b"<html><body>no PDF</body></html>", pdf_of(["x"])[:300]])
def test_what_is_no_sound_pdf_is_not_drawn(drawn, content):
    with pytest.raises(UndrawablePageError):
        drawn(content)


@pytest.mark.parametrize("name", ["form that draws itself.pdf", "book with one hostile page.pdf"])
def test_a_hostile_page_ends_its_process_and_the_next_page_is_drawn(drawer, tmp_path, name):
    (tmp_path / name).write_bytes(HOSTILE[name]())
    with pytest.raises(UndrawablePageError, match="too much time or memory"):
        outcome(drawer.start(tmp_path / name, 3 if "book" in name else 1, 600))
    (tmp_path / "sound.pdf").write_bytes(pdf_of(["The forest grows."]))
    assert outcome(drawer.start(tmp_path / "sound.pdf", 1, 600)).width == 595


@pytest.mark.parametrize("name", ["JPXDecode", "JBIG2Decode"])
def test_a_picture_that_claims_to_be_vast_harms_nobody(drawer, tmp_path, name):
    (tmp_path / "vast.pdf").write_bytes(image_bomb(name))
    assert outcome(drawer.start(tmp_path / "vast.pdf", 1, 600)).webp


def test_who_waits_no_longer_is_told_that_it_is_not_ready(drawer, tmp_path):
    (tmp_path / "slow.pdf").write_bytes(HOSTILE["form that draws itself.pdf"]())
    future = drawer.start(tmp_path / "slow.pdf", 1, 600)
    with pytest.raises(TimeoutError):
        outcome(future, 0.01)
    with pytest.raises(UndrawablePageError):
        outcome(future)
