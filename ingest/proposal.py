"""Propose a catalogue entry from what a publication says of itself on its first pages and in its metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import regex

from ingest.identifiers import DOI, valid_isbn
from ingest.layout import PageText
from ingest.records import Heading, Proposal

FIRST_PAGES = 5
LAST_PAGES = 2  # the imprint often stands at the end
MAX_TITLE = 150  # characters
NOT_A_TITLE = regex.compile(
    r"^(untitled|microsoft \w+ - |word document$|powerpoint presentation$|.*\.(docx?|html?|indd|pdf|dvi|qxd|pptx?)$)", regex.IGNORECASE
)
ISBN = regex.compile(r"(?:ISBN(?:[- ‐]1[03])?:?\s*)((?:97[89][- –‐]?)?[0-9](?:[- –‐]?[0-9]){8}[- –‐]?[0-9Xx])")
YEAR = regex.compile(r"(?<!\d)(?:19[5-9]\d|20[0-4]\d)(?!\d)")
BUDDHIST = regex.compile(r"(?<![\d,.])25[4-9]\d(?!\d)")  # Thai and Lao years, 543 ahead
METADATA_YEAR = regex.compile(r"D?:?((?:19|20)\d\d)")
THAI = regex.compile(r"\p{Thai}")
AUTHORS = regex.compile(r"\s*[;,،、]\s*| and | & ")
ABSTRACT = frozenset({
    "abstract", "summary", "executive summary", "résumé", "resumen", "resumo", "zusammenfassung", "kurzfassung", "riassunto", "sommario",
    "аннотация", "резюме", "анотація", "ملخص", "الملخص", "چکیده", "תקציר", "सारांश", "সারসংক্ষেপ", "摘要", "要約", "要旨", "초록", "요약",
    "บทคัดย่อ", "ບົດຄັດຫຍໍ້", "សង្ខេប", "အကျဉ်းချုပ်", "tóm tắt", "abstrak", "ringkasan", "muhtasari", "ማጠቃለያ",
})  # fmt: skip


def propose(pages: Sequence[PageText], found: Sequence[Heading], metadata: Mapping[str, str]) -> Proposal:
    """Return what the publication seems to be; what it does not say is "" or empty. `metadata` is the file's own (Title, Author, CreationDate)."""
    texts = [page.text.text for page in pages]
    start = "\n".join(texts[:FIRST_PAGES])
    imprint = "\n".join([start, *texts[max(FIRST_PAGES, len(texts) - LAST_PAGES) :]])
    return Proposal(
        title=likely_title(" ".join(metadata.get("Title", "").split()), texts, found),
        authors=tuple(filter(None, AUTHORS.split(" ".join(metadata.get("Author", "").split())))),
        year=_year(start, metadata.get("CreationDate", "")),
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


def _year(text: str, created: str) -> int | None:
    """The first year on the first pages that is not later than the file; else the year of the file."""
    file = METADATA_YEAR.match(created)
    latest = int(file[1]) if file else 2049
    years = [int(match.group()) for match in YEAR.finditer(text)]
    if THAI.search(text):
        years += [int(match.group()) - 543 for match in BUDDHIST.finditer(text)]
    return next((year for year in years if year <= latest), int(file[1]) if file else None)


def _abstract(pages: Sequence[PageText], found: Sequence[Heading]) -> str:
    """The text under a heading that says it is one."""
    for heading in found:
        if heading.page <= len(pages) and heading.text.strip(" :.").casefold() in ABSTRACT:
            page = pages[heading.page - 1]
            end = min((other.start for other in found if other.page == heading.page and other.start > heading.start), default=len(page.text))
            parts = (part for part in page.paragraphs if heading.end <= part.start < end and not part.footnote)
            return "\n".join(page.text.text[part.start : part.end] for part in parts)
    return ""
