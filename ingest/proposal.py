"""Propose a catalogue entry from what a publication says of itself on its first pages and in its metadata."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import regex

from ingest.identifiers import DOI, valid_isbn
from ingest.records import Heading, Page, Proposal

FIRST_PAGES = 5
LAST_PAGES = 2  # the imprint often stands at the end
MAX_TITLE = 150  # characters
NOT_A_TITLE = regex.compile(
    r"^(untitled|microsoft \w+ - |word document$|powerpoint presentation$|.*\.(docx?|html?|indd|pdf|dvi|qxd|pptx?)$)", regex.IGNORECASE
)
ISBN = regex.compile(r"(?:ISBN(?:[- ‐]1[03])?:?\s*)((?:97[89][- –‐]?)?[0-9](?:[- –‐]?[0-9]){8}[- –‐]?[0-9Xx])")
YEAR = regex.compile(r"(?<!\d)(?:19[5-9]\d|20[0-4]\d)(?!\d)")
BUDDHIST = regex.compile(r"(?<![\d,.])25[4-9]\d(?!\d)")  # Thai and Lao years, 543 ahead
PERSIAN = regex.compile(r"(?<![\d,.])1(?:3[3-9]|4[0-2])\d(?!\d)")  # years of the solar calendar, 621 behind for nine months of twelve
METADATA_YEAR = regex.compile(r"(?<!\d)((?:19|20)\d\d)")
LATEST = 2049
BUDDHIST_LETTERS = regex.compile(r"[\p{Thai}\p{Lao}]")
PERSIAN_LETTERS = regex.compile("[پچژگ]")
DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)
TITLE_PAGES = 2
BYLINE = regex.compile(  # a line of its own that begins so
    r"(?:(?:(?:written |edited |prepared )?by|(?:écrit |rédigé )?par|por|von|di|oleh|автор(?:ы|и)?|авторы?:|โดย|ដោយ|ໂດຍ|bởi)\s+|"
    r"(?:authors?|auteure?s?|autor(?:es|as?|in|innen|en)?|autori|penulis|pengarang|waandishi|mwandishi|tác giả|автор(?:ы|и)?|ผู้เขียน|ຜູ້ຂຽນ|"
    r"អ្នកនិពន្ធ|စာရေးသူ|著者|執筆|作者|저자|지은이|المؤلف(?:ون|ان)?|تأليف|إعداد|نویسندگان|نویسنده|מאת|लेखक|লেখক|ደራሲ)\s*[:：]\s*)(.{3,200})",
    regex.IGNORECASE,
)
NAME = regex.compile(r"[\p{Lu}\p{Lo}][\p{L}\p{M}.'’\u200c-]*(?: (?:de|da|dos|del|van|von|der|bin|al|y|e|[\p{Lu}\p{Lo}][\p{L}\p{M}.'’\u200c-]*)){0,5}")
NO_AUTHORS = frozenset({"user", "admin", "administrator", "owner", "unknown", "author", "microsoft office user", "python-docx"})  # of programs
AUTHORS = regex.compile(r"\s*[;,،、]\s*| and | & ")
ABSTRACT = frozenset({
    "abstract", "summary", "executive summary", "résumé", "resumen", "resumo", "zusammenfassung", "kurzfassung", "riassunto", "sommario",
    "аннотация", "резюме", "анотація", "ملخص", "الملخص", "چکیده", "תקציר", "सारांश", "সারসংক্ষেপ", "摘要", "要約", "要旨", "초록", "요약",
    "บทคัดย่อ", "ບົດຄັດຫຍໍ້", "សង្ខេប", "အကျဉ်းချုပ်", "tóm tắt", "abstrak", "ringkasan", "muhtasari", "ማጠቃለያ",
})  # fmt: skip


def propose(pages: Sequence[Page], found: Sequence[Heading], metadata: Mapping[str, str]) -> Proposal:
    """Return what the publication seems to be; what it does not say is "" or empty.

    `metadata` is what the file says of itself: Title, Author, CreationDate, and Published where it names the year of the publication.
    """
    texts = [page.text for page in pages]
    start = "\n".join(texts[:FIRST_PAGES])
    imprint = "\n".join([start, *texts[max(FIRST_PAGES, len(texts) - LAST_PAGES) :]])
    return Proposal(
        title=likely_title(" ".join(metadata.get("Title", "").split()), texts, found),
        authors=_byline(texts[:TITLE_PAGES]) or _names(metadata.get("Author", "")),
        year=_year(start, metadata.get("CreationDate", ""), metadata.get("Published", "")),
        isbn=next((number for match in ISBN.finditer(imprint) if (number := valid_isbn(match[1]))), ""),
        doi=next((match.group().lower() for match in DOI.finditer(imprint)), ""),
        abstract=_abstract(pages[:FIRST_PAGES], found),
    )


def likely_title(said: str, texts: Sequence[str], found: Sequence[Heading] = ()) -> str:
    """The title that the file gives, unless its program has made that up.

    Else the first heading of the highest level on the first two pages, else their first line of some length; `texts` are those of the pages.
    """
    if said and not NOT_A_TITLE.search(said):
        return said[:MAX_TITLE]
    early = [heading for heading in found if heading.page <= 2]
    if early:
        return min(early, key=lambda heading: heading.level).text[:MAX_TITLE]
    lines = (line for text in texts[:2] for line in text.splitlines()[:3] if len(line) > 8)
    return next(lines, "")[:MAX_TITLE]


def _byline(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in the first line that says it names the authors."""
    for line in "\n".join(texts).splitlines():
        said = BYLINE.fullmatch(line.strip())
        names = _names(said[1]) if said else ()
        if names and all(NAME.fullmatch(name) for name in names):
            return names
    return ()


def _names(said: str) -> tuple[str, ...]:
    return tuple(name for name in AUTHORS.split(" ".join(said.split())) if name and name.casefold() not in NO_AUTHORS)


def _year(text: str, created: str, published: str) -> int | None:
    """The year that the file gives for the publication; else the first on the first pages that is not later than the file.

    Years in the digits and, for Thai, Lao and Persian, the calendar of the text. When a file was made says nothing about a scan.
    """
    said, file = METADATA_YEAR.search(published), METADATA_YEAR.search(created)
    if said:
        return int(said[1])
    latest = int(file[1]) if file else LATEST
    digits = DIGIT.sub(lambda found: str(unicodedata.decimal(found.group())), text)
    years = [(match.start(), int(match.group())) for match in YEAR.finditer(digits)]
    if BUDDHIST_LETTERS.search(text):
        years += [(match.start(), int(match.group()) - 543) for match in BUDDHIST.finditer(digits)]
    if not years and PERSIAN_LETTERS.search(text):
        years += [(match.start(), int(match.group()) + 621) for match in PERSIAN.finditer(digits)]
    return next((year for _, year in sorted(years) if year <= latest), None)


def _abstract(pages: Sequence[Page], found: Sequence[Heading]) -> str:
    """The text under a heading that says it is one, without footnotes."""
    for heading in found:
        if heading.page <= len(pages) and heading.text.strip(" :.").casefold() in ABSTRACT:
            page = pages[heading.page - 1]
            ends = [other.start for other in found if other.page == heading.page and other.start > heading.start]
            end = min([*ends, page.footnotes if page.footnotes >= 0 else len(page.text)])
            return page.text[heading.end : end].strip()
    return ""
