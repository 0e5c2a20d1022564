"""Read the text of an HTML file; nothing that it refers to is fetched, no script of it is run. The only module that imports
webencodings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import charset_normalizer
import webencodings
from lxml import etree

from ingest.flow import Flow, declared, tidied
from ingest.limits import MIB
from ingest.proposal import propose
from ingest.records import Content, UnreadableFileError

HTML_BYTES = 32 * MIB  # of one file; the longest books are a tenth of it, and the tree in memory is ten times as large
GUESSED_FROM = 64 * 1024  # bytes of text that declares no encoding; more makes no guess better
GUESSES = {  # what pages without a declaration are written in, by Python's name; with more to choose from, the detector is wrong more often
    **{f"cp{number}": f"windows-{number}" for number in (874, *range(1250, 1259))},
    "koi8_r": "koi8-r", "big5": "big5", "gb18030": "gb18030", "euc_jp": "euc-jp", "cp932": "shift_jis", "cp949": "euc-kr",
}  # fmt: skip
DECLARED = re.compile(rb"""<(?:meta[^>]*?charset|\?xml[^>]*?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
LEFT_OUT = frozenset({
    "head", "script", "style", "noscript", "template", "nav", "button", "select", "option", "textarea", "input", "svg", "iframe", "object", "embed",
    "canvas", "audio", "video", "map", "dialog", "rt", "rp",
})  # fmt: skip
AROUND_THE_TEXT = frozenset({"header", "footer", "aside"})  # of the site, unless they stand in the article itself
ROLES_LEFT_OUT = frozenset({"navigation", "banner", "contentinfo", "search", "menu", "menubar", "toolbar", "dialog", "doc-noteref"})
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "tfoot", "thead", "ul",
})  # fmt: skip
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")  # the highest first
LISTS = frozenset({"ul", "ol", "dl", "menu", "table"})
MENU = (3, 0.9, 60)  # a list is a menu if it has so many links, which hold such a share of its letters, and so few letters each
TITLES = ("citation_title", "dcterms.title", "dc.title", "og:title")  # names of <meta>, the most exact first
SAID = {
    "Author": ("citation_author", "dcterms.creator", "dc.creator", "author"),
    "Published": ("citation_publication_date", "citation_date", "dcterms.issued", "dc.date", "dcterms.date", "article:published_time", "date"),
}


def read_html(path: Path, edition_id: str) -> Content:
    """Read an HTML file as one page: headings and paragraphs, lists, tables row by row; without navigation. Raises UnreadableFileError."""
    size = path.stat().st_size
    if size > HTML_BYTES:
        raise UnreadableFileError(f"it has {size // MIB:,} MiB of HTML, and at most {HTML_BYTES // MIB} MiB are read; split it")
    text = decoded(path.read_bytes()).replace("\0", "")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.LxmlError as error:
        raise UnreadableFileError(f"damaged HTML ({error}); open it in a browser and save it as PDF") from error
    if root is None:
        raise UnreadableFileError("no text in it, expected HTML; open it in a browser and save it as PDF")
    flow, said = _poured(_article(root)), _said(root)
    pages, found = flow.pages(edition_id), flow.headings()
    metadata = {"Title": _title(root, said)} | {key: next(filter(None, (said.get(name, "") for name in names)), "") for key, names in SAID.items()}
    return Content(metadata["Title"], pages, declared(root.get("lang") or root.get("xml:lang")), found, propose(pages, found, metadata))


def decoded(content: bytes) -> str:
    """The text of a web page: by its byte order mark, else as it declares, else as UTF-8, else as a detector guesses.

    Names of encodings mean what browsers mean by them (WHATWG Encoding): "iso-8859-1" is windows-1252, "tis-620" windows-874.
    """
    found = DECLARED.search(content[:4096])
    said = webencodings.lookup(found[1].decode("ascii", "replace")) if found else None
    if said and not said.name.startswith("utf-16"):  # a page whose declaration can be read as ASCII is not in UTF-16
        return _decode(content, said)
    try:
        return _decode(content, webencodings.UTF8, errors="strict")
    except UnicodeDecodeError:
        return _decode(content, _guessed(content))


def _decode(content: bytes, encoding: webencodings.Encoding, errors: str = "replace") -> str:
    text: str = webencodings.decode(content, encoding, errors=errors)[0]  # heeds a byte order mark first
    return text


def _guessed(content: bytes) -> webencodings.Encoding:
    letters = re.sub(rb"<[^>]*>", b" ", content)[:GUESSED_FROM]  # markup is ASCII and would say nothing
    best = charset_normalizer.from_bytes(letters, cp_isolation=list(GUESSES)).best()
    return webencodings.lookup(GUESSES[best.encoding] if best else "windows-1252")


def _article(root: etree._Element) -> etree._Element:
    """The element that holds the publication: <main>, else the only <article>, else the whole body."""
    mains = [element for element in root.iter("*") if element.tag == "main" or element.get("role") == "main"]
    articles = list(root.iter("article"))
    for one in (mains, articles):
        if len(one) == 1 and _poured(one[0]).pages("")[0].text:
            return one[0]
    body = root.find("body")
    return root if body is None else body


def _said(root: etree._Element) -> Mapping[str, str]:
    """What the page says of itself, by name in small letters; several authors in one, with semicolons between."""
    said: dict[str, str] = {}
    for meta in root.iter("meta"):
        name, content = (meta.get("name") or meta.get("property") or "").lower(), tidied(meta.get("content") or "")
        said[name] = f"{said[name]}; {content}" if name in SAID["Author"] and said.get(name) else content
    return said


def _title(root: etree._Element, said: Mapping[str, str]) -> str:
    headings = [tidied("".join(heading.itertext())) for heading in _article(root).iter("h1")]
    candidates = [*(said.get(name, "") for name in TITLES), headings[0] if len(headings) == 1 else "", tidied(root.findtext(".//title") or "")]
    return next(filter(None, candidates), "")


def _poured(article: etree._Element) -> Flow:
    """The text of an element. By iteration, since hostile files nest deeper than Python's stack."""
    flow = Flow()
    walk = etree.iterwalk(article, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            if element is not article and _is_left_out(element, article):
                walk.skip_subtree()
                continue
            _start(tag, flow)
            flow.text(_own_text(element))
        else:
            if element is article or not _is_left_out(element, article):
                _end(tag, flow)
            if element is not article:
                flow.text(element.tail or "")
    return flow


def _start(tag: str, flow: Flow) -> None:
    if tag == "tr":
        flow.start_row()
    elif tag in {"td", "th"}:
        flow.start_cell()
    elif tag == "br":
        flow.break_line()
    elif tag in BLOCKS:
        flow.end_paragraph()


def _end(tag: str, flow: Flow) -> None:
    if tag == "tr":
        flow.end_row()
    elif tag in {"td", "th"}:
        flow.end_cell()
    elif tag in HEADINGS:
        flow.end_heading(HEADINGS.index(tag) + 1)
    elif tag in BLOCKS:
        flow.end_paragraph()


def _own_text(element: etree._Element) -> str:
    text = element.text or ""
    return text.replace("\n", "\f") if element.tag == "pre" else text


def _is_left_out(element: etree._Element, article: etree._Element) -> bool:
    tag, role = element.tag, element.get("role") or ""
    if tag in LEFT_OUT or role in ROLES_LEFT_OUT or _is_hidden(element):
        return True
    if tag in AROUND_THE_TEXT and not role.startswith("doc-"):
        return bool(tag == "aside") or (article.tag in {"body", "html"} and not any(True for _ in element.iterancestors("article", "section")))
    return (tag in LISTS and _is_menu(element)) or (tag == "sup" and _is_note_mark(element))


def _is_hidden(element: etree._Element) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.get("hidden") is not None or element.get("aria-hidden") == "true" or "display:none" in style


def _is_menu(element: etree._Element) -> bool:
    links = [len(tidied("".join(link.itertext()))) for link in element.iter("a")]
    least, share, short = MENU
    return len(links) >= least and sum(links) <= short * len(links) and sum(links) >= share * len(tidied("".join(element.itertext())))


def _is_note_mark(element: etree._Element) -> bool:
    """Whether a raised number leads to a note, and so is no part of the text."""
    links = [*element.iter("a"), *element.iterancestors("a")]
    return any((link.get("href") or "").startswith("#") for link in links) and re.fullmatch(r"\W*\w{1,3}\W*", "".join(element.itertext())) is not None
