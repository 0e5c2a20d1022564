"""Files that mean harm, or are broken, made of bytes. Shared by the tests and by bench/hostile.py."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping

import pypdf
from conftest import pdf_of

Objects = Mapping[int, str | bytes]

SAID = "The forest is old."
SHOWN = f"BT /F1 11 Tf 72 700 Td ({SAID}) Tj ET"
FORM = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
PAGE = (
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> /XObject << /X 7 0 R /Y 8 0 R >> >> >>"
)
SOUND: Objects = {
    1: "<< /Type /Catalog /Pages 2 0 R >>",
    2: "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
    3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    4: PAGE.format(5),
}


def assembled(objects: Objects) -> bytes:
    """A PDF of these objects, by number, over a sound one with a page that says SAID."""
    out, offsets, objects = bytearray(b"%PDF-1.7\n"), {}, {**SOUND, 5: stream(SHOWN), **objects}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + (body if isinstance(body, bytes) else body.encode("latin-1")) + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    out += b"".join(b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00000 f \n" for number in range(1, size))
    return bytes(out) + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def stream(content: str | bytes, entries: str = "") -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return b"<< /Length %d %s >>\nstream\n" % (len(content), entries.encode()) + content + b"\nendstream"


def pages(*contents: bytes) -> Objects:
    """Objects for a PDF with these content streams, a page each; object numbers from 100."""
    numbered = list(enumerate(contents))
    tree = f"<< /Type /Pages /Kids [{' '.join(f'{100 + 2 * at} 0 R' for at, _ in numbered)}] /Count {len(contents)} >>"
    sheets = {100 + 2 * at: PAGE.format(101 + 2 * at) for at, _ in numbered}
    return {2: tree, **sheets, **{101 + 2 * at: content for at, content in numbered}}


def form_that_draws_itself() -> bytes:
    return assembled({5: stream(SHOWN + " /X Do"), 7: stream("/X Do /X Do", FORM + "/Resources << /XObject << /X 7 0 R >> >>")})


def forms_that_draw_the_next_twice(depth: int = 40) -> bytes:
    links = {7 + at: stream("/X Do /X Do", FORM + f"/Resources << /XObject << /X {8 + at} 0 R >> >>") for at in range(depth)}
    return assembled({5: stream(SHOWN + " /X Do"), **links, 7 + depth: stream(SHOWN, FORM + "/Resources << /Font << /F1 3 0 R >> >>")})


def blown_up(size: int, unit: bytes = b" ") -> bytes:
    """Flate data that unpacks to so many bytes."""
    packer, block = zlib.compressobj(1), unit * (2**20 // len(unit))
    return b"".join(packer.compress(block) for _ in range(size // 2**20)) + packer.flush()


def flate_bomb(size: int = 3 * 2**30) -> bytes:
    return assembled({5: stream(blown_up(size), "/Filter /FlateDecode")})


def nested_flate_bomb(size: int = 3 * 2**30) -> bytes:
    return assembled({5: stream(zlib.compress(blown_up(size)), "/Filter [/FlateDecode /FlateDecode]")})


def state_bomb(size: int = 400 * 2**20) -> bytes:
    """A content stream that saves the graphics state again and again."""
    return assembled({5: stream(blown_up(size, b"q "), "/Filter /FlateDecode")})


def cyclic_page_tree() -> bytes:
    return assembled({2: "<< /Type /Pages /Kids [4 0 R 2 0 R 7 0 R] /Count 3 >>", 7: "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 9 >>"})


def many_pages(count: int = 100_000) -> bytes:
    kids = " ".join(f"{number} 0 R" for number in range(9, 9 + count))
    return assembled({2: f"<< /Type /Pages /Kids [{kids}] /Count {count} >>"} | {number: PAGE.format(5) for number in range(9, 9 + count)})


def lying_count(count: int) -> bytes:
    return assembled({2: f"<< /Type /Pages /Kids [4 0 R] /Count {count} >>"})


def encrypted(password: str, algorithm: str = "AES-256") -> bytes:
    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_of([SAID], title="Woods"))), io.BytesIO()
    writer.encrypt(password, "owner", algorithm=algorithm)
    writer.write(out)
    return out.getvalue()


def startxref_into_nowhere() -> bytes:
    return assembled({}).rsplit(b"startxref", 1)[0] + b"startxref\n99999999\n%%EOF"


def nested_arrays(depth: int = 100_000) -> bytes:
    return assembled({4: PAGE.format(5).replace("/Type", "/Odd " + "[" * depth + "]" * depth + " /Type", 1)})


def nested_dictionaries(depth: int = 100_000) -> bytes:
    return assembled({4: PAGE.format(5).replace("/Type", "/Odd " + "<< /A " * depth + "1" + " >>" * depth + " /Type", 1)})


def image_bomb(filters: str) -> bytes:
    """An image that says it is 100,000 by 100,000 pixels."""
    image = stream(
        b"\0" * 100, f"/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /{filters}"
    )
    return assembled({5: stream(SHOWN + " 90 0 0 90 0 0 cm /X Do"), 7: image})


def book_with_a_hostile_page() -> bytes:
    """Five pages, of which the third draws a form that draws itself."""
    sheets = [stream(SHOWN.replace("old", f"old {number}") + (" /X Do" if number == 3 else "")) for number in range(1, 6)]
    return assembled({**pages(*sheets), 7: stream("/X Do /X Do", FORM + "/Resources << /XObject << /X 7 0 R >> >>")})


def book_of_hostile_pages() -> bytes:
    return assembled({**pages(*[stream(SHOWN + " /X Do")] * 9), 7: stream("/X Do /X Do", FORM + "/Resources << /XObject << /X 7 0 R >> >>")})


def word_file(body: str, **parts: bytes | str) -> bytes:
    """A Word file whose document.xml has this body; further parts by path, with "__" for "/"."""
    namespaces = " ".join(f'xmlns:{name}="{address}"' for name, address in WORD_NAMES.items())
    document = body if body.startswith("<?xml") else f"<w:document {namespaces}><w:body>{body}</w:body></w:document>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", WORD_TYPES)
        archive.writestr("_rels/.rels", WORD_RELATIONS.format(f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'))
        for name, content in {"word/document.xml": document, **{name.replace("__", "/"): content for name, content in parts.items()}}.items():
            archive.writestr(name, content if isinstance(content, bytes) else content.format(**WORD_NAMES) if name.endswith(".rels") else content)
    return out.getvalue()


def word_bomb(size: int = 3 * 2**30) -> bytes:
    """A Word file with a picture that unpacks to so many bytes."""
    out = io.BytesIO(word_file(f"<w:p><w:r><w:t>{SAID}</w:t></w:r></w:p>"))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/image1.png", "w", force_zip64=True) as picture:
        for _ in range(size // 2**20):
            picture.write(b"\0" * 2**20)
    return out.getvalue()


def word_entities() -> bytes:
    """A Word file whose entities, each ten times the one before, would fill any memory."""
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 11))
    text = f'<w:document xmlns:w="{WORD_NAMES["w"]}"><w:body><w:p><w:r><w:t>&e10;</w:t></w:r></w:p></w:body></w:document>'
    return word_file(f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "ha">{levels}]>{text}')


def html_entities() -> bytes:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 11))
    return f'<!DOCTYPE html [<!ENTITY e0 "ha">{levels}]><html><body><p>{SAID} &e10;</p></body></html>'.encode()


def nested_html(depth: int = 200_000) -> bytes:
    return b"<!DOCTYPE html><p>" + SAID.encode() + b"</p>" + b"<div>" * depth + b"deep" + b"</div>" * depth


def vast_html(size: int = 100 * 2**20) -> bytes:
    return b"<!DOCTYPE html><p>" + SAID.encode() + b"</p>" + b"<p>word</p>" * (size // 11)


OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD_NAMES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "v": "urn:schemas-microsoft-com:vml",
}
WORD_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
WORD_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'

HOSTILE: dict[str, Callable[[], bytes]] = {
    "form that draws itself.pdf": form_that_draws_itself,
    "forms that draw the next twice.pdf": forms_that_draw_the_next_twice,
    "flate bomb of 3 GiB.pdf": flate_bomb,
    "flate bomb in a flate bomb.pdf": nested_flate_bomb,
    "400 MiB of saved graphics states.pdf": state_bomb,
    "book with one hostile page.pdf": book_with_a_hostile_page,
    "book of nine hostile pages.pdf": book_of_hostile_pages,
    "cyclic page tree.pdf": cyclic_page_tree,
    "100,000 pages.pdf": many_pages,
    "Count of 500,000, one page.pdf": lambda: lying_count(500_000),
    "Count of 2,000,000,000, one page.pdf": lambda: lying_count(2_000_000_000),
    "Count of -5, one page.pdf": lambda: lying_count(-5),
    "encrypted, empty password.pdf": lambda: encrypted(""),
    "encrypted, password.pdf": lambda: encrypted("secret"),
    "truncated.pdf": lambda: pdf_of([SAID])[:400],
    "no PDF.pdf": lambda: "Приложение".encode(),
    "zero bytes.pdf": lambda: b"",
    "garbage before the header.pdf": lambda: b"\x00garbage\n" * 90 + assembled({}),
    "startxref into nowhere.pdf": startxref_into_nowhere,
    "no content stream.pdf": lambda: assembled({4: PAGE.format(99)}),
    "arrays 100,000 deep.pdf": nested_arrays,
    "dictionaries 100,000 deep.pdf": nested_dictionaries,
    "JPX image of 10,000 megapixels.pdf": lambda: image_bomb("JPXDecode"),
    "JBIG2 image of 10,000 megapixels.pdf": lambda: image_bomb("JBIG2Decode"),
    "MediaBox of 10,000,000,000 points.pdf": lambda: assembled({4: PAGE.format(5).replace("595 842", "10000000000 10000000000")}),
    "zip bomb of 3 GiB.docx": word_bomb,
    "entities.docx": word_entities,
    "truncated.docx": lambda: word_file(f"<w:p><w:r><w:t>{SAID}</w:t></w:r></w:p>")[:300],
    "elements 200,000 deep.html": nested_html,
    "entities.html": html_entities,
    "100 MiB.html": vast_html,
}
