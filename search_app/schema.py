"""What the API gives: the one source of its answers and of their description. With parameters and openapi, all of search_app that imports pydantic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ingest.records import Health, Part

Span = Annotated[int, Field(ge=0, description="Characters (Unicode code points) from the beginning of the text.")]
Link = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class Answer(BaseModel):
    """A part of an answer."""


class Paged(Answer):
    offset: Annotated[int, Field(description="How many were passed over.")]
    k: Annotated[int, Field(description="How many were asked for.")]
    next: Annotated[Link | None, Field(description="Where the next ones are; null on the last page.")] = None
    previous: Annotated[Link | None, Field(description="Where the ones before are; null on the first page.")] = None


class Mark(Answer):
    start: Span
    end: Span
    why: Annotated[
        Literal["meaning", "words", "related"],
        Field(description="The sentence that answers; a word of the question; a word in that sentence that means what a word of the question means."),
    ]


class Counterpart(Answer):
    """The passage of another edition that says the same, in a language the reader reads."""

    edition_id: str
    language: str
    page: Annotated[int, Field(ge=1, description="Where the marked sentence begins.")]
    page_label: Annotated[str | None, Field(description="What is printed as the number of the page, which is what people cite.")] = None
    page_address: Annotated[Link | None, Field(description="The permanent address of that page, for people.")] = None
    text: Annotated[str, Field(description="The whole passage.")]
    marks: list[Mark]
    confidence: Literal["certain", "likely"]


class EditionLink(Answer):
    edition_id: str
    language: Annotated[str, Field(description='BCP 47; "und" where it could not be told.')]
    label: Annotated[str, Field(description="The language as the publisher wrote it.")]
    part: Part
    file: Annotated[Link | None, Field(description="The original; null where there is no file.")]


class Hit(Answer):
    """One publication that was found, with the passage that answers best."""

    rank: Annotated[int, Field(ge=1)]
    score: Annotated[float, Field(description="Higher is better; it orders the hits of one answer and is no probability.")]
    close: Annotated[bool, Field(description="Whether this may answer, or is only the nearest there is.")]
    publication_id: str
    title: str
    title_language: Annotated[str | None, Field(description="BCP 47.")] = None
    edition_id: str
    language: str
    page_label: Annotated[str | None, Field(description="What is printed as the number of the page, which is what people cite.")] = None
    page_address: Annotated[Link | None, Field(description="The permanent address of the page, for people.")] = None
    counterpart: Annotated[
        Counterpart | None, Field(description="The same passage in an edition the reader reads; null where there is none that is sure enough.")
    ] = None
    page: Annotated[int | None, Field(description="Where the marked sentence begins; null where only the catalogue entry was found.")]
    text: Annotated[str, Field(description="The whole passage; it may begin on the page before.")]
    marks: list[Mark]
    editions: list[EditionLink]


class SearchAnswer(Paged):
    query: str
    close: Annotated[bool, Field(description="Whether any of these hits may answer.")]
    hits: list[Hit]


class Standing(Answer):
    """A passage, and where it stands."""

    edition_id: str
    language: str
    page: Annotated[int, Field(ge=1, description="Where it begins, or where its marked sentence does.")]
    page_label: Annotated[str | None, Field(description="What is printed as the number of the page, which is what people cite.")] = None
    page_address: Annotated[Link | None, Field(description="The permanent address of that page, for people.")]
    text: str


class InsideHit(Standing):
    close: Annotated[bool, Field(description="Whether this may answer, or is only the nearest there is.")]
    marks: list[Mark]


class InsideAnswer(Answer):
    query: str
    publication_id: str
    hits: Annotated[list[InsideHit], Field(description="From the pages of all its editions, best first.")]


class AlikePair(Answer):
    here: Standing
    there: Standing


class RelatedPublication(Answer):
    publication_id: str
    title: str
    title_language: str
    pairs: Annotated[list[AlikePair], Field(description="The passages that make the two alike: of the publication asked about, of this one.")]


class RelatedPublications(Answer):
    publication_id: str
    related: Annotated[list[RelatedPublication], Field(description="Most alike first; those that are no more alike than any two are left out.")]


class Described(Answer):
    publication_id: str
    title: Annotated[str, Field(description="In the first of the reader's languages that has one, else in English, else in any.")]
    title_language: str
    year: int | None
    kind: str
    topics: list[str]
    countries: list[str]
    languages: Annotated[list[str], Field(description="Of its editions, in the order of the catalogue.")]
    added: Annotated[str, Field(description="When it came into the library.", json_schema_extra={"format": "date-time"})]
    changed: Annotated[str, Field(description="When its entry or the text of an edition changed last.", json_schema_extra={"format": "date-time"})]
    address: Annotated[Link, Field(description="Its page, for people.")]


class Publications(Paged):
    total: Annotated[int, Field(description="How many fit, on all pages together.")]
    publications: list[Described]


class Edition(EditionLink):
    digest: Annotated[str | None, Field(description="SHA-256 of the file; its first 16 digits stand in permanent addresses.")]
    state: Literal["waiting", "read", "partly read", "failed", "no file"]
    reason: Annotated[str, Field(description="Why it could not be read, or not in whole.")]
    page_count: Annotated[int, Field(description="Pages that were read.")]


class Publication(Described):
    titles: Annotated[dict[str, str], Field(description="By language.")]
    abstracts: Annotated[dict[str, str], Field(description="By language.")]
    authors: Annotated[list[str], Field(description="In the order of the title page.")]
    publisher: str
    isbn: Annotated[str, Field(description='Thirteen digits, or "".')]
    doi: Annotated[str, Field(description='Without an address before it, or "".')]
    source: Annotated[str, Field(description='Where the publisher offers it, or "".')]
    editions: list[Edition]


class Box(Answer):
    """Where a word stands on a page: in PDF points as displayed, from the lower left corner."""

    start: Span
    end: Span
    left: float
    bottom: float
    right: float
    top: float


class Page(Answer):
    number: Annotated[int, Field(ge=1, description="From 1, as a PDF viewer counts.")]
    label: Annotated[str, Field(description='As printed on the page: "iv", "A-3".')]
    text: Annotated[str, Field(description="Without running headers and page numbers; footnotes at the end.")]
    health: Health
    cause: Annotated[str, Field(description='Why the health is not "good", or what was done to make it so.')]
    footnotes: Annotated[int | None, Field(description="Where in the text the footnotes begin; null when there are none.")]
    confidence: Annotated[float, Field(ge=0, le=1, description="Below 1 only where the text was recognised.")]
    address: Annotated[Link | None, Field(description="The permanent address of the page, for people; null where there is no file.")]
    boxes: Annotated[list[Box] | None, Field(description="The boxes of its words, in the order of the text; null unless they were asked for.")] = None


class Pages(Paged):
    edition_id: str
    language: str
    total: Annotated[int, Field(description="How many pages the edition has.")]
    pages: list[Page]


class Passage(Answer):
    first_page: int
    start: Annotated[int, Field(ge=0, description="Where it begins in the text of its first page.")]
    last_page: int
    end: Annotated[int, Field(ge=0, description="Where it ends in the text of its last page.")]
    language: str
    headings: Annotated[list[str], Field(description="Under which it stands, the highest first.")]
    text: str


class Quotation(Answer):
    """Where the quoted words stand."""

    start: Annotated[int, Field(ge=0, description="In the text of the page.")]
    end: Annotated[int, Field(ge=0, description="In the text of the page `last_page`.")]
    last_page: int
    text: Annotated[str, Field(description="As printed.")]


class Passages(Answer):
    publication_id: str
    edition_id: str
    language: str
    digest: str
    page: Page
    quotation: Annotated[Quotation | None, Field(description="Null where nothing was quoted.")]
    passages: Annotated[
        list[Passage], Field(description="Those that stand on this page, or begin or end on it; with a quotation, those that hold it.")
    ]


class Value(Answer):
    value: str
    name: Annotated[str, Field(description="For people: a language in itself, a country in the language of the interface.")]
    publications: Annotated[int, Field(description="How many have it.")]


class Facets(Answer):
    language: list[Value]
    year: list[Value]
    kind: list[Value]
    topic: list[Value]
    country: list[Value]


class Amount(Answer):
    topic: Annotated[str, Field(description='"" stands for publications without a topic.')]
    language: Annotated[str, Field(description="BCP 47, without script and region.")]
    publications: Annotated[int, Field(description="Of which there is a file.")]
    title_only: Annotated[int, Field(description="Publications of which there are only title and abstract.")]
    passages: int


class Gaps(Answer):
    topics: Annotated[list[str], Field(description="Most publications first.")]
    languages: Annotated[list[str], Field(description="Most publications first, then those asked for in which there is nothing.")]
    amounts: Annotated[list[Amount], Field(description="What there is; of a topic and a language that are not together here there is nothing.")]


class Counts(Answer):
    publications: int
    editions: int
    languages: Annotated[int, Field(description="Of editions.")]
    pages: int
    passages: int


class Status(Answer):
    version: Annotated[str, Field(description="Of Isogloss.")]
    revision: Annotated[int, Field(description="Of the library; it grows with every change.")]
    generation: Annotated[str, Field(description="Of the index in use.")]
    encoder: Annotated[str, Field(description="Fingerprint of the encoder that made the library.")]
    counts: Counts
    editions: Annotated[dict[str, int], Field(description="How many editions wait to be read, were read, partly read, failed, or have no file.")]


class Fault(Answer):
    """A parameter that cannot be meant."""

    parameter: str
    detail: Annotated[str, Field(description="What was expected, and what was found.")]


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    type: Annotated[
        str,
        Field(
            description="An address that names the kind of problem; about:blank where the status says it all.",
            json_schema_extra={"format": "uri-reference"},
        ),
    ]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="What was found, what was expected, what to do.")]
    faults: Annotated[list[Fault] | None, Field(description="For faulty parameters, each of them.")] = None
