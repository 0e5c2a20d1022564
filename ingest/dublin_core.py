"""Read Dublin Core in XML: the answers of an OAI-PMH repository to ListRecords or GetRecord, or records as they are. No entities, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import regex
from lxml import etree

from ingest.encodings import UnreadableImportError
from ingest.identifiers import DOI, valid_isbn
from ingest.imported import Problem, Records, Remark, Said, SaidEdition

DUBLIN_CORE = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
OAI = "http://www.openarchives.org/OAI/2.0/"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
NAMES = {"alternative": "", "abstract": "description", "issued": "date", "created": "date", "spatial": "coverage"}  # of terms, as elements
TAKEN = frozenset(
    ["title", "description", "creator", "subject", "publisher", "date", "type", "format", "identifier", "source", "language", "coverage"]
)
KINDS_OF_EVERYTHING = {
    "text",
    "collection",
    "dataset",
    "image",
    "sound",
    "software",
    "movingimage",
    "stillimage",
    "interactiveresource",
}  # DCMI types


def is_dublin_core(text: str) -> bool:
    return text.lstrip().startswith("<") and any(namespace in text for namespace in (*DUBLIN_CORE, OAI))


def read_dublin_core(data: bytes) -> Records:
    """Read every record. Where the XML is not well-formed, that is a problem with its line, and the records that can be told are read.

    Raises UnreadableImportError when there is nothing to read, or when the file declares entities.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True, remove_pis=True)
    root = etree.fromstring(data, parser)
    if root is None:
        raise UnreadableImportError("Expected XML, found none; was the file cut off?")
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableImportError(
            "Expected XML without a document type, found one; entities are not read here. Remove the line that begins with <!DOCTYPE"
        )
    problems = [Problem(fault.line, Remark("broken", {"reason": fault.message})) for fault in list(parser.error_log)[:20]]
    problems += [Problem(one.sourceline or 1, Remark("refused", {"reason": _text(one)})) for one in root.iter(f"{{{OAI}}}error")]
    said, others = [], set()
    for record in _records(root):
        if record.find(f"{{{OAI}}}header[@status='deleted']") is not None:
            problems.append(Problem(record.sourceline or 1, Remark("deleted", {"found": _key(record)})))
            continue
        elements = list(_elements(record))
        if not elements:
            problems.append(Problem(record.sourceline or 1, Remark("no entry", {"found": _key(record), "reason": "no Dublin Core"})))
            continue
        others |= {name for name, _ in elements} - TAKEN
        said.append(_said(record, elements))
    remarks = [Remark("fields", {"names": ", ".join(sorted(filter(None, others)))})] if any(others) else []
    remarks += [Remark("more", {}) for token in root.iter(f"{{{OAI}}}resumptionToken") if _text(token)]
    return Records(tuple(said), tuple(problems), tuple(remarks))


def _records(root: etree._Element) -> list[etree._Element]:
    """The records of the protocol, else every element that holds Dublin Core."""
    harvested = list(root.iter(f"{{{OAI}}}record"))
    return harvested or [one for one in root.iter("*") if any(_name(child) is not None for child in one)]


def _elements(record: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    return ((name, one) for one in record.iter("*") if (name := _name(one)) is not None and _text(one))


def _name(element: etree._Element) -> str | None:
    """The name of a Dublin Core element, terms under the name of the element they refine; None for anything else."""
    space, _, name = str(element.tag)[1:].partition("}")
    return NAMES.get(name, name) if space in DUBLIN_CORE else None


def _said(record: etree._Element, elements: Sequence[tuple[str, etree._Element]]) -> Said:
    def all_of(name: str) -> tuple[str, ...]:
        return tuple(_text(one) for there, one in elements if there == name)

    def in_languages(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((one.get(LANGUAGE) or "", _text(one)) for there, one in elements if there == name)

    identifiers = (*all_of("source"), *all_of("identifier"))
    addresses = [one for one in identifiers if regex.match("https?://", one) and "doi.org/" not in one]
    doi = next((one for one in identifiers if DOI.search(one) and regex.search(r"(?i)doi|^10\.", one)), "")
    isbns = [regex.sub(r"(?i)^(?:urn:)?isbn[:\s]*", "", one) for one in identifiers]
    kinds = [one for one in all_of("type") if one.casefold().replace(" ", "") not in KINDS_OF_EVERYTHING]
    remarks = (Remark("addresses", {"kept": addresses[0], "others": " ".join(addresses[1:])}),) if len(addresses) > 1 else ()
    return Said(
        record.sourceline or 1, _key(record), in_languages("title"), in_languages("description"),
        tuple(SaidEdition(tag, tag) for tag in all_of("language")),
        values={
            "year": next(iter(all_of("date")), ""), "kind": kinds[0] if kinds else "", "source": addresses[0] if addresses else "",
            "publisher": next(iter(all_of("publisher")), ""), "isbn": next(filter(valid_isbn, isbns), ""), "doi": doi,
        },
        lists={"authors": all_of("creator"), "topics": all_of("subject"), "countries": all_of("coverage")}, remarks=remarks,
    )  # fmt: skip


def _key(record: etree._Element) -> str:
    """What the repository calls the record: of "oai:host:name" the name, which is all that tells it from others there."""
    found = record.findtext(f"{{{OAI}}}header/{{{OAI}}}identifier", "").strip()
    return unquote(found.split(":", 2)[2]) if found.startswith("oai:") and found.count(":") >= 2 else found


def _text(element: etree._Element) -> str:
    return " ".join("".join(element.itertext()).split())
