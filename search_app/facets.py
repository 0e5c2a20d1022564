"""What a search can be narrowed down by: the parameters, the filters they make, and how many publications each value leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import langcodes

from index.filters import Filters
from index.shelf import Shelf
from search_app import languages

FACETS = {"language": "languages", "year": "years", "kind": "kinds", "topic": "topics", "country": "countries"}  # parameter: field of Filters
MOST_CHOSEN = 50  # values of one facet; every one is compared with every edition, and on the page each has an address that names the others


def chosen_from(values_of: Callable[[str], Sequence[str]]) -> dict[str, list[str]]:
    """The values that an address gives each facet, each once; empty ones, and those past MOST_CHOSEN, are passed over."""
    return {facet: list(dict.fromkeys(filter(None, values_of(facet))))[:MOST_CHOSEN] for facet in FACETS}


def filters_from(values: Mapping[str, Sequence[str]]) -> Filters:
    """Make filters of the parameters."""
    return Filters(**{field: tuple(_normal(name, value) for value in values.get(name, ()) if value) for name, field in FACETS.items()})


def facets_of(shelf: Shelf, filters: Filters, chosen: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, int]]]:
    """For each facet its values, years newest first, each with the number of publications that the other facets admit and that have it.

    Search by meaning ranks all that is admitted, so this is how many there are to be ranked, whatever is asked. What is chosen stays listed.
    """
    counted = shelf.counts(filters)
    counts = {
        facet: sorted((dict.fromkeys(chosen.get(facet, ()), 0) | counted[field]).items(), reverse=facet == "year") for facet, field in FACETS.items()
    }
    counts["language"].sort(key=lambda one: languages.name(one[0]).casefold())
    return counts


def _normal(name: str, value: str) -> str:
    """Write a language as the catalogue does ("PT-br" is "pt-BR"), a country in capitals."""
    if name == "language" and langcodes.tag_is_valid(value):
        return langcodes.standardize_tag(value)
    return value.upper() if name == "country" else value
