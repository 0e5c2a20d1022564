"""Fill a library for the tests of index/, without PDFs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.contents import EditionState
from index.encoder import Encoder
from index.library import Library
from ingest.records import Edition, Page, Passage, Publication, edition_id

DIGEST = "0" * 64


def publication(name: str, languages: Sequence[str], **described: object) -> Publication:
    editions = tuple(Edition(edition_id(name, language), name, language, language, "whole", None) for language in languages)
    plain = Publication(name, {language: f"{name} ({language})" for language in languages}, {}, 2020, "study", (), (), "", editions)
    return replace(plain, **described)  # type: ignore[arg-type]


def passage_of(edition: Edition, ordinal: int, text: str, page: int) -> Passage:
    return Passage(edition.edition_id, ordinal, page, 0, page, len(text), edition.language, text, ((0, len(text)),))


def fill(library: Library, encoder: Encoder, work: Publication, texts: Mapping[str, Sequence[str]]) -> None:
    """Store a publication; text i of a language becomes the one passage of page i + 1 of its edition."""
    library.set_meta("encoder", encoder.fingerprint)
    titles = [
        passage_of(edition, place, work.titles[edition.language], 0) for place, edition in enumerate(work.editions) if edition.language in work.titles
    ]
    work = replace(work, editions=tuple(replace(edition, digest=edition.digest or DIGEST) for edition in work.editions))
    library.put_publication(work, "folder", titles, encoder.encode_passages([title.text for title in titles]))
    for edition in work.editions:
        pages = [Page(edition.edition_id, number, str(number), text, "good") for number, text in enumerate(texts.get(edition.language, []), start=1)]
        passages = [passage_of(edition, place, page.text, page.number) for place, page in enumerate(pages)]
        state = EditionState(edition, "read", "", 1, "folder")
        library.put_reading(state, pages, passages, encoder.encode_passages([passage.text for passage in passages]))
