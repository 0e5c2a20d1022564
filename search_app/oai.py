"""Answer harvesters: OAI-PMH 2.0 with unqualified Dublin Core, https://www.openarchives.org/OAI/openarchivesprotocol.html.

Written with lxml: of the libraries that serve it, oai-repo leaves the verb out of the request that is echoed, does not compare the dates
that are asked for, and brings an HTTP client; pyoai is no longer kept.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from lxml import etree
from lxml.builder import ElementMaker

from ingest.records import UNDETERMINED, Publication

OAI = "http://www.openarchives.org/OAI/2.0/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
OAI_DC = OAI + "oai_dc/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # characters that XML 1.0 does not know
PREFIX = "oai_dc"
AT_ONCE = 100  # records in one answer
DAY, SECOND = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"
LISTING = ({"metadataPrefix"}, {"from", "until", "set"})
ARGUMENTS: Mapping[str, tuple[set[str], set[str]]] = {  # of each verb: those it must have, those it may have
    "Identify": (set(), set()),
    "ListMetadataFormats": (set(), {"identifier"}),
    "ListSets": (set(), set()),
    "GetRecord": ({"identifier", "metadataPrefix"}, set()),
    "ListIdentifiers": LISTING,
    "ListRecords": LISTING,
}
RESUMED = {"ListIdentifiers", "ListRecords", "ListSets"}

_make = ElementMaker(namespace=OAI, nsmap={None: OAI, "xsi": XSI})
_dc = ElementMaker(namespace=DUBLIN_CORE, nsmap={"dc": DUBLIN_CORE})
_Arguments = Mapping[str, str]


class ProtocolError(Exception):
    """What the harvester did wrong, by a code of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Record(NamedTuple):
    publication: Publication
    changed: str  # ISO 8601, UTC, to the second


@dataclass(frozen=True, slots=True)
class Site:
    """What only the application knows."""

    base_url: str  # where harvesters ask
    host: str  # part of every identifier
    address: Callable[[Publication], str]  # of its page
    media_types: Callable[[Publication], Iterable[str]]  # of its files
    language_name: Callable[[str], str]


class Repository:
    """The publications of a library as a harvester sees them. Keeps no state: a resumption token says by itself where to go on."""

    def __init__(self, site: Site, records: Iterable[Record]) -> None:
        self._site = site
        self._records = {
            self._identifier(one.publication.publication_id): one for one in sorted(records, key=lambda one: one.publication.publication_id)
        }

    def answer(self, asked: Sequence[tuple[str, str]]) -> bytes:
        """The answer to the arguments of a request, in XML; what the harvester did wrong is part of it."""
        root = _make("OAI-PMH", {f"{{{XSI}}}schemaLocation": f"{OAI} {OAI}OAI-PMH.xsd"})
        root.append(_make("responseDate", datetime.now(UTC).strftime(SECOND)))
        echo = _make("request", self._site.base_url)
        root.append(echo)
        try:
            arguments = _checked(asked)
            answer = self._answer(arguments)
        except ProtocolError as error:
            if error.code not in ("badVerb", "badArgument"):
                echo.attrib.update({name: _legal(value) for name, value in asked})
            root.append(_make("error", _legal(str(error)), code=error.code))
        else:
            echo.attrib.update(arguments)
            root.append(answer)
        return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))

    def _answer(self, arguments: _Arguments) -> etree._Element:
        match arguments["verb"]:
            case "Identify":
                return self._identify()
            case "ListMetadataFormats":
                return self._formats(arguments)
            case "ListSets":
                return self._sets(arguments)
            case "GetRecord":
                return _make("GetRecord", self._record(*self._wanted(arguments)))
            case verb:
                return self._listed(verb, arguments)

    def _identify(self) -> etree._Element:
        return _make(
            "Identify",
            _make("repositoryName", "Isogloss"),
            _make("baseURL", self._site.base_url),
            _make("protocolVersion", "2.0"),
            _make(
                "adminEmail", f"postmaster@{self._site.host if '.' in self._site.host else self._site.host + '.localdomain'}"
            ),  # the schema wants a dot
            _make("earliestDatestamp", min((one.changed for one in self._records.values()), default="2000-01-01T00:00:00Z")),
            _make("deletedRecord", "no"),
            _make("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        )

    def _formats(self, arguments: _Arguments) -> etree._Element:
        if "identifier" in arguments:
            self._known(arguments["identifier"])
        described = (_make("metadataPrefix", PREFIX), _make("schema", f"{OAI}oai_dc.xsd"), _make("metadataNamespace", OAI_DC))
        return _make("ListMetadataFormats", _make("metadataFormat", *described))

    def _sets(self, arguments: _Arguments) -> etree._Element:
        if "resumptionToken" in arguments:
            raise ProtocolError("badResumptionToken", "The list of sets is given whole; it has no tokens.")
        tags = sorted({tag for one in self._records.values() for tag in _languages(one.publication)})
        if not tags:
            raise ProtocolError("noSetHierarchy", "There are no publications yet, so there are no sets, which are their languages.")
        return _make("ListSets", *(_make("set", _make("setSpec", tag), _make("setName", self._site.language_name(tag))) for tag in tags))

    def _listed(self, verb: str, arguments: _Arguments) -> etree._Element:
        asked = _resumed(arguments["resumptionToken"]) if "resumptionToken" in arguments else dict(arguments)
        _require_format(asked["metadataPrefix"])
        earliest, latest = _period(asked.get("from", ""), asked.get("until", ""))
        found = [
            (identifier, one)
            for identifier, one in self._records.items()
            if earliest <= one.changed <= latest and asked.get("set", "") in ("", *_languages(one.publication))
        ]
        after = asked.get("after", "")
        left = [(identifier, one) for identifier, one in found if one.publication.publication_id > after]
        if not left:
            raise ProtocolError("noRecordsMatch", "No publication matches, or none is left.")
        parts = [self._header(*one) if verb == "ListIdentifiers" else self._record(*one) for one in left[:AT_ONCE]]
        listed = _make(verb, *parts)
        if after or len(left) > AT_ONCE:
            onward = asked | {"after": left[AT_ONCE - 1][1].publication.publication_id} if len(left) > AT_ONCE else {}
            listed.append(_make("resumptionToken", _token(onward), completeListSize=str(len(found)), cursor=str(len(found) - len(left))))
        return listed

    def _identifier(self, publication_id: str) -> str:
        return f"oai:{self._site.host}:{quote(publication_id, safe='')}"

    def _known(self, identifier: str) -> Record:
        if identifier not in self._records:
            raise ProtocolError("idDoesNotExist", f"There is no {identifier!r}; identifiers here are as {self._identifier('ID')!r}.")
        return self._records[identifier]

    def _wanted(self, arguments: _Arguments) -> tuple[str, Record]:
        found = self._known(arguments["identifier"])
        _require_format(arguments["metadataPrefix"])
        return arguments["identifier"], found

    def _header(self, identifier: str, one: Record) -> etree._Element:
        sets = (_make("setSpec", tag) for tag in _languages(one.publication))
        return _make("header", _make("identifier", identifier), _make("datestamp", one.changed), *sets)

    def _record(self, identifier: str, one: Record) -> etree._Element:
        return _make("record", self._header(identifier, one), _make("metadata", self._dublin_core(one.publication)))

    def _dublin_core(self, work: Publication) -> etree._Element:
        """The publication in the fifteen elements of Dublin Core; titles and abstracts say their language."""
        addresses = [self._site.address(work), f"https://doi.org/{work.doi}" if work.doi else "", f"urn:isbn:{work.isbn}" if work.isbn else ""]
        values: list[tuple[str, Iterable[str]]] = [
            ("creator", work.authors), ("subject", work.topics), ("publisher", [work.publisher]), ("date", [str(work.year or "")]),
            ("type", ["Text", work.kind]), ("format", self._site.media_types(work)), ("identifier", addresses), ("source", [work.source]),
            ("language", [tag for tag in _languages(work) if tag != UNDETERMINED]), ("coverage", work.countries),
        ]  # fmt: skip
        texts = [("title", work.titles), ("description", work.abstracts)]
        described = [_dc(name, _legal(text), {XML_LANG: language}) for name, said in texts for language, text in said.items()]
        described += [_dc(name, _legal(value)) for name, those in values for value in those if value]
        maker = ElementMaker(namespace=OAI_DC, nsmap={"oai_dc": OAI_DC, "dc": DUBLIN_CORE, "xsi": XSI})
        return maker("dc", {f"{{{XSI}}}schemaLocation": f"{OAI_DC} {OAI}oai_dc.xsd"}, *described)


def _checked(asked: Sequence[tuple[str, str]]) -> _Arguments:
    """The arguments of a request, each once and none that its verb does not take."""
    arguments = dict(asked)
    verb = arguments.get("verb", "")
    if verb not in ARGUMENTS or [name for name, _ in asked].count("verb") > 1:
        raise ProtocolError("badVerb", f"Expected one verb of {', '.join(ARGUMENTS)}; got {verb!r}.")
    if len(arguments) < len(asked):
        raise ProtocolError("badArgument", "An argument was given twice.")
    if any(FORBIDDEN.search(value) for value in arguments.values()):
        raise ProtocolError("badArgument", "An argument holds characters that XML does not know.")
    given, (needed, allowed) = arguments.keys() - {"verb"}, ARGUMENTS[verb]
    if given == {"resumptionToken"} and verb in RESUMED:
        return arguments
    if not needed <= given or not given <= needed | allowed:
        raise ProtocolError(
            "badArgument", f"{verb} needs {sorted(needed) or 'nothing'} and may have {sorted(allowed) or 'nothing'} beside it; got {sorted(given)}."
        )
    return arguments


def _require_format(prefix: str) -> None:
    if prefix != PREFIX:
        raise ProtocolError("cannotDisseminateFormat", f"Expected the metadataPrefix {PREFIX!r}; got {prefix!r}.")


def _period(earliest: str, latest: str) -> tuple[str, str]:
    """From when to when, both to the second; a day is meant whole."""
    if earliest and latest and len(earliest) != len(latest):
        raise ProtocolError("badArgument", '"from" and "until" must both be days or both be to the second.')
    for said in filter(None, (earliest, latest)):
        try:
            datetime.strptime(said, DAY if len(said) == 10 else SECOND)
        except ValueError:
            raise ProtocolError("badArgument", f"Expected a date such as 2024-02-29 or 2024-02-29T12:00:00Z; got {said!r}.") from None
    if earliest and latest and earliest > latest:
        raise ProtocolError("badArgument", '"from" must not be later than "until".')
    return (earliest or "0") + "T00:00:00Z" * (len(earliest) == 10), (latest or "9") + "T23:59:59Z" * (len(latest) == 10)


def _token(asked: Mapping[str, str]) -> str:
    """Where to go on: what was asked for, and the last publication that was given; "" where nothing is left."""
    kept = {name: value for name, value in asked.items() if name != "verb"}
    return urlsafe_b64encode(urlencode(kept).encode()).decode() if kept else ""


def _resumed(token: str) -> dict[str, str]:
    try:
        asked = dict(parse_qsl(urlsafe_b64decode(token.encode("ascii")).decode(), strict_parsing=True))
        _period(asked.get("from", ""), asked.get("until", ""))
    except (ValueError, ProtocolError):
        asked = {}
    if not {"metadataPrefix", "after"} <= asked.keys() <= {"metadataPrefix", "after", "from", "until", "set"}:
        raise ProtocolError("badResumptionToken", "This token was not given out here; begin anew without one.")
    return asked


def _languages(publication: Publication) -> list[str]:
    return list(dict.fromkeys(edition.language for edition in publication.editions))


def _legal(text: str) -> str:
    return FORBIDDEN.sub("", text)
