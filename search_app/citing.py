"""Citations of publications and passages, to be saved, and the same in the head of their pages for whatever reads pages.

Of what Zotero reads in a page, the Highwire tags are chosen: Google Scholar reads them too, they know languages, abstracts and files, and
they make a report of a report. COinS knows none of these, and where both are there Zotero asks which to take.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, request, send_file, url_for
from flask_babel import gettext

from ingest.records import Edition, Page, Publication, primary
from search_app import languages
from search_app.answers import PAGE_DIGITS, abstract_in, page_address, title_in
from search_app.quoted import edition_at, quotation, stands_on
from search_app.references import FORMATS, Reference, family_and_given
from search_app.search import searcher

blueprint = Blueprint("citing", __name__)


@blueprint.get('/publications/<publication_id>.<any("ris", "bib", "csl.json"):form>')
def publication(publication_id: str, form: str) -> Response:
    """Give the citation of a publication, in the edition that is asked for, else in the one that suits the reader."""
    found = searcher().library.publication(publication_id)
    if found is None:
        abort(404, gettext("There is no publication %(name)s in this library; it may have been removed.", name=repr(publication_id)))
    edition = _edition_asked(found)
    if edition is None:
        name = repr(request.args["edition"][:80])
        abort(404, gettext("The publication %(name)s has no edition %(edition)s.", name=repr(publication_id), edition=name))
    return _saved(reference_to(found, edition), form)


@blueprint.get('/pages/<digest>/<int(max=999999):number>.<any("ris", "bib", "csl.json"):form>')
def passage(digest: str, number: int, form: str) -> Response:
    """Give the citation of a page, with the quotation that stands on it."""
    library = searcher().library
    edition = edition_at(digest)
    page = library.page(edition.edition_id, number) if edition else None
    found = library.publication(edition.publication_id) if edition else None
    if edition is None or page is None or found is None:
        abort(404, gettext("There is no such page in this library; the file it was in may have been replaced or removed."))
    words = quotation()
    if words and not stands_on(page.edition_id, number, words):
        abort(404, gettext("The page does not hold this quotation; its words may have been read otherwise since. Cite the page without it."))
    return _saved(reference_to(found, edition, page, words), form)


def _edition_suited(found: Publication, readers: list[str]) -> Edition:
    """The first edition in the first of the reader's languages that has one, else the first of all."""
    wanted = (one for tag in readers for one in found.editions if primary(one.language) == primary(tag))
    return next(wanted, found.editions[0])


def reference_to(found: Publication, edition: Edition, page: Page | None = None, quotation: str = "") -> Reference:
    """What is cited: the edition with the title it bears, and where it stands."""
    title, language = title_in(found, [edition.language])
    translated, into = title_in(found, languages.of_reader())
    abstract = abstract_in(found, [edition.language])
    return Reference(
        edition.edition_id, found.kind, edition.part, title, translated if primary(into) != primary(language) else "", edition.language,
        found.authors, found.publisher, found.year, found.isbn, found.doi,
        abstract[0] if abstract and primary(abstract[1]) == primary(edition.language) else "",
        permanent_address(edition, page.number, quotation) if page else publication_address(found),
        (page.label or str(page.number)) if page else "", quotation,
    )  # fmt: skip


def publication_address(found: Publication) -> str:
    """Where a publication stands for good, with the host under which it was asked for."""
    return url_for("publication.page", publication_id=found.publication_id, _external=True)


def permanent_address(edition: Edition, number: int, quotation: str = "") -> str:
    """Where a page stands for good, whatever is indexed anew: it is named by its file, and a quotation by its words."""
    outlined = f"?quote={quote(quotation, safe='')}" if quotation else ""
    return f"{request.host_url.rstrip('/')}{page_address(edition, number)}{outlined}"


def cited(found: Publication, edition: Edition | None = None, number: int | None = None, quotation: str = "") -> dict[str, Any]:
    """What the templates citing_head and citing_page show of a publication, or of a page of one of its editions."""
    edition = edition or _edition_asked(found) or found.editions[0]
    page = searcher().library.page(edition.edition_id, number) if number else None
    quotation = quotation if page and stands_on(page.edition_id, page.number, quotation) else ""
    reference = reference_to(found, edition, page, quotation)
    if page:
        links = {
            form: url_for("citing.passage", digest=(edition.digest or "")[:PAGE_DIGITS], number=number, form=form, quote=quotation or None)
            for form in FORMATS
        }
    else:
        links = {form: url_for("citing.publication", publication_id=found.publication_id, form=form, edition=edition.edition_id) for form in FORMATS}
    return {
        "address": reference.url,
        "canonical": permanent_address(edition, page.number) if page else reference.url,
        "exports": [(form, FORMATS[form][0], address) for form, address in links.items()],
        "tags": _tags(found, edition, reference),
        "linked_data": _linked_data(found, edition, reference),
        "files": [(one.language, url_for("publication.file", edition_id=one.edition_id)) for one in found.editions if one.digest],
    }


def _edition_asked(found: Publication) -> Edition | None:
    """The edition that the address names, or that suits the reader where it names none; None where it names another publication's."""
    named = request.args.get("edition", "")
    return next((one for one in found.editions if one.edition_id == named), None) if named else _edition_suited(found, languages.of_reader())


def _saved(reference: Reference, form: str) -> Response:
    media_type, written = FORMATS[form]
    return send_file(
        BytesIO(written(reference).encode()), f"{media_type}; charset=utf-8", as_attachment=True, download_name=f"{reference.key}.{form}"
    )


def _tags(found: Publication, edition: Edition, reference: Reference) -> list[tuple[str, str]]:
    """Highwire tags, as Zotero and Google Scholar read them; an institution makes it a report, an ISBN a book."""
    library = searcher().library
    is_pdf = edition.digest and library.file(edition.digest).suffix == ".pdf"
    tags = [
        ("title", reference.title),
        *(("author", ", ".join(family_and_given(author) or (author,))) for author in reference.authors),
        ("publication_date", str(reference.year or "")),
        ("publisher" if reference.isbn else "technical_report_institution", reference.publisher),
        ("language", reference.language),
        ("isbn", reference.isbn),
        ("doi", reference.doi),
        ("firstpage", reference.page),
        ("keywords", "; ".join(found.topics)),
        ("abstract", reference.abstract),
        ("public_url", reference.url),
        ("pdf_url", url_for("publication.file", edition_id=edition.edition_id, _external=True) if is_pdf else ""),
    ]
    return [(f"citation_{name}", value) for name, value in tags if value]


def _linked_data(found: Publication, edition: Edition, reference: Reference) -> dict[str, Any]:
    """The publication in the words of schema.org: one work, of which every edition is a translation; none is called the original."""
    work, kind = publication_address(found), {"book": "Book", "report": "Report"}.get(reference.types[0], "CreativeWork")
    editions = [
        {
            "@type": kind, "@id": f"{work}#{one.edition_id}", "name": title_in(found, [one.language])[0], "inLanguage": one.language,
            "translationOfWork": {"@id": work},
        } | ({"url": url_for("publication.file", edition_id=one.edition_id, _external=True)} if one.digest else {})
        for one in found.editions
    ]  # fmt: skip
    about = {
        "@context": "https://schema.org", "@type": kind, "@id": work, "url": work,
        "name": [{"@value": title, "@language": language} for language, title in found.titles.items()] or reference.title,
        "inLanguage": list(dict.fromkeys(one.language for one in found.editions)),
        "author": [_author(name, found.publisher) for name in found.authors],
        "publisher": {"@type": "Organization", "name": found.publisher} if found.publisher else None,
        "datePublished": str(found.year or ""), "genre": found.kind, "keywords": list(found.topics), "isbn": found.isbn,
        "sameAs": f"https://doi.org/{found.doi}" if found.doi else "",
        "workTranslation": editions if len(editions) > 1 else None,
    }  # fmt: skip
    page = {
        "@context": "https://schema.org", "@type": "WebPage", "@id": reference.url, "pagination": reference.page, "inLanguage": edition.language,
        "isPartOf": {"@id": f"{work}#{edition.edition_id}" if len(editions) > 1 else work}, "mainEntity": about,
    }  # fmt: skip
    return {name: value for name, value in (page | {"mainEntity": _filled(about)} if reference.page else about).items() if value}


def _author(name: str, publisher: str) -> dict[str, str] | str:
    parts = family_and_given(name)
    if parts:
        return {"@type": "Person", "name": name, "familyName": parts[0], "givenName": parts[1]}
    return {"@type": "Organization", "name": name} if name == publisher else name


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value and name != "@context"}
