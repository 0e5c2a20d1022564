"""Read the text of a Word file (.docx). The only module that imports docx (python-docx), and, with ingest/html.py, lxml.

python-docx opens the package; its text is walked here, because `Paragraph.text` leaves out what was inserted with tracked changes, content
controls, text boxes and notes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import docx
from docx.document import Document
from docx.oxml.parser import parse_xml
from lxml import etree

from ingest.flow import Flow, declared, tidied
from ingest.limits import Watch
from ingest.proposal import propose
from ingest.records import Content, UnreadableFileError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LEFT_OUT = frozenset(
    {f"{W}del", f"{W}moveFrom", f"{W}rPr", f"{W}sdtPr", f"{W}tblPr", f"{W}trPr", f"{W}tcPr",
     "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}  # Fallback says again what stands in Choice
)  # fmt: skip
TEXT = frozenset({f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
SIGNS = {f"{W}tab": " ", f"{W}noBreakHyphen": "\u2011", f"{W}ptab": " "}
HEADING = re.compile(r"(?:heading ([1-9])|title)")  # the names of Word's own styles, in small letters
OUTLINE_LEVELS = frozenset("012345678")  # 9 is the text
NO_LEVELS: Mapping[str, int] = MappingProxyType({})
REMEDY = "open it in Word or LibreOffice and save it again as .docx or PDF"


def read_word(path: Path, edition_id: str, watch: Watch | None = None) -> Content:
    """Read a Word file: headings and paragraphs, lists, tables row by row, notes after the text of their page; without what was deleted.

    A Word file has no pages until it is laid out: pages are those that Word noted when it saved the file, else those between explicit page
    breaks. Raises UnreadableFileError.
    """
    watch = watch or Watch()
    try:
        with zipfile.ZipFile(path) as archive:
            watch.limits.unpacking_allowed(sum(member.file_size for member in archive.infolist()))
        document = docx.Document(str(path))
        body = document.element.body
        notes = _notes(document)
    except (UnreadableFileError, MemoryError):
        raise
    except Exception as error:  # python-docx raises whatever it stumbles over
        raise UnreadableFileError(f"damaged Word file ({type(error).__name__}: {error}); {REMEDY}") from error
    if body.getroottree().docinfo.doctype:
        raise UnreadableFileError(f"its XML declares a document type, as no Word file does; {REMEDY}")
    flow = Flow()
    _pour(body, flow, notes, _levels(document))
    pages = flow.pages(edition_id)
    watch.limits.pages_allowed(len(pages))
    said, found = document.core_properties, flow.headings()
    title = tidied(said.title or "")
    dates = [str(date.year) for date in (said.created, said.modified) if date]
    metadata = {"Title": title, "Author": said.author or "", "CreationDate": max(dates, default="")}
    return Content(title, pages, declared(said.language), found, propose(pages, found, metadata))


def _levels(document: Document) -> Mapping[str, int]:
    """The levels of the headings, from 1, by the id of their paragraphs' style: its name is English in every language of Word.

    A style says by its outline level that it is one, or is derived from a style that does; the title of the document is of level 1.
    """
    levels: dict[str, int] = {}
    for style in document.styles.element.iter(f"{W}style"):
        name = style.find(f"{W}name")
        said = HEADING.fullmatch(name.get(f"{W}val", "").lower()) if name is not None else None
        outline = style.find(f"{W}pPr/{W}outlineLvl")
        if said:
            levels[style.get(f"{W}styleId", "")] = int(said[1] or 1)
        elif outline is not None and outline.get(f"{W}val", "9") in OUTLINE_LEVELS:
            levels[style.get(f"{W}styleId", "")] = int(outline.get(f"{W}val")) + 1
    for style in document.styles.element.iter(f"{W}style"):
        based = style.find(f"{W}basedOn")
        if based is not None and based.get(f"{W}val") in levels and style.find(f"{W}pPr/{W}outlineLvl") is None:
            levels.setdefault(style.get(f"{W}styleId", ""), levels[based.get(f"{W}val")])
    return levels


def _notes(document: Document) -> Mapping[tuple[str, str], str]:
    """The footnotes and endnotes, by their kind and number."""
    notes = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1].removesuffix("s")
        if kind in {"footnote", "endnote"} and not relation.is_external:
            for note in parse_xml(relation.target_part.blob).iter(f"{W}{kind}"):
                flow = Flow()
                _pour(note, flow, {})
                notes[kind, note.get(f"{W}id", "")] = flow.pages("")[0].text.replace("\n", " ")
    return notes


def _pour(root: etree._Element, flow: Flow, notes: Mapping[tuple[str, str], str], levels: Mapping[str, int] = NO_LEVELS) -> None:
    """Give the text of an element to `flow`, piece by piece; `levels` are those of its headings by the id of the style."""
    noted = next(root.iter(f"{W}lastRenderedPageBreak"), None) is not None
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if element.tag in LEFT_OUT or _is_hidden(element):
                walk.skip_subtree()
            else:
                _start(element, flow, noted, notes)
        elif element.tag == f"{W}p":
            _end_paragraph(element, flow, levels)
            if not noted and element.find(f"{W}pPr/{W}sectPr") is not None and _turns_page(element):
                flow.end_page()
        elif element.tag == f"{W}tc":
            flow.end_cell()
        elif element.tag == f"{W}tr":
            flow.end_row()


def _end_paragraph(paragraph: etree._Element, flow: Flow, levels: Mapping[str, int]) -> None:
    style, outline = paragraph.find(f"{W}pPr/{W}pStyle"), paragraph.find(f"{W}pPr/{W}outlineLvl")
    level = levels.get(style.get(f"{W}val", ""), 0) if style is not None else 0
    if outline is not None:
        own = outline.get(f"{W}val", "")
        level = int(own) + 1 if own in OUTLINE_LEVELS else 0
    if level:
        flow.end_heading(level)
    else:
        flow.end_paragraph()


def _start(element: etree._Element, flow: Flow, noted: bool, notes: Mapping[tuple[str, str], str]) -> None:
    tag = element.tag
    if tag in TEXT:
        flow.text(element.text or "")
    elif tag in SIGNS:
        flow.text(SIGNS[tag])
    elif tag == f"{W}tr":
        flow.start_row()
    elif tag == f"{W}tc":
        flow.start_cell()
    elif tag == f"{W}txbxContent":
        flow.end_paragraph()
    elif tag == f"{W}lastRenderedPageBreak" or (not noted and _breaks_page(element)):
        flow.end_page()
    elif tag in {f"{W}br", f"{W}cr"} and element.get(f"{W}type") != "page":
        flow.break_line()
    elif tag in {f"{W}footnoteReference", f"{W}endnoteReference"}:
        flow.note(notes.get((tag.removeprefix(W).removesuffix("Reference"), element.get(f"{W}id", "")), ""))


def _breaks_page(element: etree._Element) -> bool:
    if element.tag == f"{W}pageBreakBefore":
        return _is_on(element)
    return bool(element.tag == f"{W}br" and element.get(f"{W}type") == "page")


def _turns_page(paragraph: etree._Element) -> bool:
    kind = paragraph.find(f"{W}pPr/{W}sectPr/{W}type")
    return kind is None or kind.get(f"{W}val") != "continuous"


def _is_hidden(element: etree._Element) -> bool:
    vanish = element.find(f"{W}rPr/{W}vanish") if element.tag == f"{W}r" else None
    return vanish is not None and _is_on(vanish)


def _is_on(element: etree._Element) -> bool:
    return str(element.get(f"{W}val", "true")) not in {"0", "false", "off"}
