"""What a search can be narrowed down to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from ingest.records import Edition, Publication, primary


@dataclass(frozen=True, slots=True)
class Filters:
    """What a publication must be to be found: any of the values of each field; an empty field admits all."""

    languages: tuple[str, ...] = ()  # BCP 47; "de" admits "de-AT" too
    years: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    publications: tuple[str, ...] | frozenset[str] = ()  # their ids; a set where there are many

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def admits(filters: Filters, edition: Edition, publication: Publication) -> bool:
    """Whether this edition of this publication is among what the filters ask for; `Shelf.admitted` tells it of all at once."""

    def any_of(wanted: Collection[str], there: Collection[str]) -> bool:
        return not wanted or not frozenset(wanted).isdisjoint(there)

    return (
        any_of(filters.languages, (edition.language, primary(edition.language)))
        and any_of(filters.years, (str(publication.year),) if publication.year else ())
        and any_of(filters.kinds, (publication.kind,))
        and any_of(filters.topics, publication.topics)
        and any_of(filters.countries, publication.countries)
        and any_of(filters.publications, (publication.publication_id,))
    )
