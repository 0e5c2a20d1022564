"""What the API takes: the parameters of each kind of request, their checks and their description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_origin

import langcodes
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from search_app.answers import MAX_HITS, MAX_QUERY, MAX_QUOTATION
from search_app.facets import FACETS, MOST_CHOSEN
from search_app.languages import MOST_READ
from search_app.schema import Fault

MAX_OFFSET = 10_000


def _whole_number(said: Any) -> Any:
    if isinstance(said, str) and not re.fullmatch("[0-9]{1,9}", said):
        raise ValueError("expected a whole number, in at most nine digits from 0 to 9")
    return said


def _tag(said: str) -> str:
    if not langcodes.tag_is_valid(said):
        raise ValueError('expected a language tag of BCP 47, such as "km" or "pt-BR"')
    return langcodes.standardize_tag(said)


def _one_line(said: str) -> str:
    if not (line := " ".join(said.split())):
        raise ValueError("expected words")
    return line


WHOLE = BeforeValidator(_whole_number)
Language = Annotated[str, AfterValidator(_tag)]
Text = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{16,64}$", description="The first 16 to 64 hexadecimal digits of the SHA-256 of an edition's file.")]


class Asked(BaseModel):
    """The parameters of one kind of request; there are no others."""

    model_config = ConfigDict(extra="forbid")


A = TypeVar("A", bound=Asked)


class Readers(Asked):
    readers: Annotated[
        list[Language],
        Field(
            default=[],
            max_length=MOST_READ,
            description="Languages the reader reads, best first; without it, those of Accept-Language. They decide which title and edition are shown.",
        ),
    ]


class Paging(Asked):
    offset: Annotated[int, Field(default=0, ge=0, le=MAX_OFFSET, description="How many to pass over."), WHOLE]
    k: Annotated[int, Field(default=10, ge=1, le=MAX_HITS, description="How many to give."), WHOLE]


class OfPublications(Asked):
    year: Annotated[
        list[Annotated[int, Field(ge=1000, le=9999), WHOLE]], Field(default=[], max_length=MOST_CHOSEN, description="Year of publication.")
    ]
    kind: Annotated[list[Text], Field(default=[], max_length=MOST_CHOSEN, description="Kind of publication, as `facets` lists them.")]
    country: Annotated[
        list[Annotated[str, Field(pattern="^[A-Za-z]{2}$")]], Field(default=[], max_length=MOST_CHOSEN, description="Country, ISO 3166-1 alpha-2.")
    ]

    def filters(self) -> dict[str, Sequence[str]]:
        """The values of each filter, as `facets.filters_from` takes them."""
        return {name: [str(value) for value in getattr(self, name)] for name in FACETS if name in type(self).model_fields}


class Narrowed(OfPublications):
    language: Annotated[
        list[Language],
        Field(default=[], max_length=MOST_CHOSEN, description='Language of an edition; "pt" admits "pt-BR" too. Several values: any of them.'),
    ]
    topic: Annotated[list[Text], Field(default=[], max_length=MOST_CHOSEN, description="Topic, as `facets` lists them.")]


class Question(Asked):
    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_QUERY,
            description='The question, in any language. "Words in quotation marks" must stand in the text, -words must not.',
        ),
        AfterValidator(_one_line),
    ]
    exact: Annotated[bool, Field(default=False, description="Only what holds every word of the question.")]


class SearchAsked(Question, Readers, Paging, Narrowed):
    exhaustive: Annotated[
        bool, Field(default=False, description="Compare with every passage: in a large library nothing is missed, and it takes far longer.")
    ]


class PublicationsAsked(Readers, Paging, Narrowed):
    pass


class PublicationAsked(Readers):
    publication_id: Annotated[str, Field(description="As `search` and `publications` give it.")]


class InsideAsked(Question, PublicationAsked):
    k: Annotated[int, Field(default=10, ge=1, le=MAX_HITS, description="How many to give."), WHOLE]


class PagesAsked(Paging):
    edition_id: Annotated[str, Field(description="As `search` and `publication` give it.")]
    boxes: Annotated[bool, Field(default=False, description="Whether to give the places of the words on the page.")]


class PassagesAsked(Asked):
    digest: Digest
    page: Annotated[int, Field(ge=1, description="Number of the page, from 1, as a PDF viewer counts."), WHOLE]
    quote: Annotated[str, Field(default="", max_length=MAX_QUOTATION, description="Words that begin on this page; white space does not count.")]


class GapsAsked(OfPublications):
    languages: Annotated[
        list[Language], Field(default=[], max_length=MOST_CHOSEN, description="Languages to be in the answer although there may be nothing in them.")
    ]


class NothingAsked(Asked):
    pass


def read(form: type[A], values: Mapping[str, Sequence[str]]) -> A | list[Fault]:
    """Read the parameters of a request, each with all the values it was given; return the faults where there are any."""
    many = {name for name, field in form.model_fields.items() if get_origin(field.annotation) is list}
    faults = [
        Fault(parameter=name, detail=f"Expected once, found {len(said)} times.")
        for name, said in values.items()
        if name in form.model_fields.keys() - many and len(said) > 1
    ]
    try:
        asked = form.model_validate({name: list(said) if name in many else said[0] for name, said in values.items()})
    except ValidationError as error:
        return faults + [_fault(form, fault) for fault in error.errors()]
    return faults or asked


def _fault(form: type[Asked], fault: Any) -> Fault:
    name, found = str(fault["loc"][0]), str(fault["input"])
    if fault["type"] == "extra_forbidden":
        return Fault(parameter=name, detail=f"Expected one of {', '.join(form.model_fields) or 'no parameters'}; found {name!r}.")
    expected = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        return Fault(parameter=name, detail="Expected this parameter, found none.")
    return Fault(parameter=name, detail=f"{expected[:1].upper()}{expected[1:]}; found {found if len(found) <= 40 else found[:40] + '…'!r}.")
