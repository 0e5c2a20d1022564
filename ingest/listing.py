"""Read a publisher's own listing: blocks of text that end in "Available in: English, Spanish", in whatever language the site is.

The rules, each of which leaves a remark where it decides something:

* Short lines without a full stop are titles, longer ones are text.
* A single title line above text is its title. Of several in a row none is known to be, so each becomes an entry without editions.
* An opening paragraph belongs to the listing itself where a title follows it, or where it ends by pointing to what is below.
* An entry has two paragraphs of text, not counting short notes. Where there are more and no title, and a later one says "this study" or the like in its
  first sentence, an entry begins there, and what stands above becomes one without editions. Otherwise all of it stays, and is flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import regex

from ingest.imported import Records, Remark, Said, SaidEdition
from ingest.labels import folded, language_of
from ingest.records import UNDETERMINED, Part

TITLE = 150  # characters; longer lines are text
NOTE = 100  # characters; shorter paragraphs are notes such as "Please find the summaries here."
PARAGRAPHS = 2  # of text, that an entry has

_PHRASES = (  # before the languages
    "(?:also )?available (?:in|languages)", "disponibles? en", "idiomas disponibles", "langues disponibles", "(?:auch )?(?:verfügbar|erhältlich) (?:in|auf)",
    "verfügbare sprachen", "disponíve(?:l|is) em", "idiomas disponíveis", "disponibil[ei] in", "beschikbaar in", "доступ(?:но|ен|на|ны) на(?: языках)?",
    "доступные языки", "(?:متوفرة?|متاحة?) (?:باللغات|باللغة|بـ?)", "اللغات المتاحة", "(?:موجود|قابل دسترس|در دسترس) به زبان(?:[\u200c ]?های?)?", "زبان[\u200c ]?های موجود",
    "(?:इन भाषाओं में )?उपलब्ध(?: भाषाएँ)?", "उपलब्ध है", "মেলে যে ভাষায়", "উপলব্ধ ভাষা", "មានជា(?:ភាសា)?", "มี(?:ให้อ่าน)?ใน(?:ภาษา)?", "ມີໃນ(?:ພາສາ)?",
    "có (?:sẵn )?bằng(?: tiếng| các ngôn ngữ)?", "tersedia dalam(?: bahasa)?", "inapatikana kwa", "dostępn[aey] w", "提供(?:语言|語言)", "(?:可用|可選|可选)(?:语言|語言)",
    "(?:语言|語言)版本", "対応言語", "이용 가능한 언어",
)  # fmt: skip
_NOUNS = (
    "languages?",
    "idiomas?",
    "langues?",
    "sprachen?",
    "языки?",
    "اللغات",
    "زبان[\u200c ]?ها",
    "भाषाएँ",
    "ភាសា",
    "ภาษา",
    "ngôn ngữ",
    "语言",
    "語言",
    "言語",
    "언어",
)
AVAILABLE = regex.compile(
    rf"(?i)\s*(?:(?P<phrase>{'|'.join(_PHRASES)})(?P<colon>\s*[:：])?|(?:{'|'.join(_NOUNS)})(?P<colon>\s*[:：]))\s*(?P<labels>.*)"
)
BELOW = regex.compile(
    r"(?i)\b(?:below|abajo|a continuación|ci-dessous|unten|abaixo|a seguir|ниже|أدناه|در زیر|नीचे|bên dưới|di bawah)\b\W*$|(?:ខាងក្រោម|ด้านล่าง|ຂ້າງລຸ່ມ|下面|以下|아래)\W*\w{0,8}\W*$"
)
ITSELF = regex.compile(
    r"(?i)\b(?:this|the present) (?:\w+ ){0,2}?(?:study|report|paper|document|publication|guide|analysis|brief|research)\b"
    r"|\b(?:este|esta|o presente|el presente) (?:estudi?o|informe|relatório|documento|publica\w+|guí?a|análisis|análise)\b"
    r"|\b(?:cette étude|ce rapport|ce document|cette publication|ce guide|cette analyse)\b|\bdiese[rs]? (?:studie|bericht|papier|dokument|publikation|leitfaden|analyse)\b"
    r"|\b(?:это исследование|этот (?:доклад|документ)|данн\w+ (?:исследовани\w|доклад\w?))|(?:هذه الدراسة|هذا التقرير|هذه الوثيقة|این (?:پژوهش|مطالعه|گزارش|سند))"
    r"|(?:यह (?:अध्ययन|रिपोर्ट|दस्तावेज़))|(?:ការសិក្សានេះ|របាយការណ៍នេះ)|(?:การศึกษานี้|รายงานฉบับนี้|รายงานนี้|เอกสารนี้)|(?:nghiên cứu này|báo cáo này)|(?:本研究|本报告|本報告|本文件)"
)
STOP = regex.compile(r"[.。｡।॥။።۔。។៕…]['\"’”»)\]]*$")
SENTENCE = regex.compile(r"^.*?[.。।။።۔។](?=\s|$)", regex.DOTALL)
SEPARATOR = regex.compile(r"\s*[,;/|·•،؛、，；]\s*(?![^()（）]*[)）])")
AND = regex.compile(r"\s+(?:and|y|e|et|und|и|و|और|និង|และ|và|dan|na|en|&)\s+|\s+و(?=\p{Arabic})|[和与與]")
OF_PART = regex.compile(r"(?P<label>.+?)\s*[(（](?P<part>[^()（）]+)[)）]\s*")
PARTS: dict[str, Part] = {
    **dict.fromkeys(("executive summary", "summary", "resumen ejecutivo", "resumen", "resume executif", "resume", "sumario executivo", "resumo", "zusammenfassung"), "executive summary"),
    **dict.fromkeys(("annex", "annexe", "anexo", "anhang"), "annex"),
}  # fmt: skip


class Paragraph(NamedTuple):
    line: int
    text: str

    @property
    def is_title(self) -> bool:
        return len(self.text) <= TITLE and not STOP.search(self.text)


class Group(NamedTuple):
    """Title lines, and the text that follows them."""

    titles: list[Paragraph]
    texts: list[Paragraph]


def is_listing(text: str) -> bool:
    """Whether a line of the text names languages as a listing does."""
    return any(labels_in(line) is not None for line in text.split("\n"))


def read_listing(text: str) -> Records:
    """Read every entry, in order; those without editions of their own too."""
    remarks: list[Remark] = []
    said: list[Said] = []
    above: list[Paragraph] = []
    first = True
    for line, labels in _lines(text):
        if labels is None:
            above.append(line)
            continue
        if first and _is_blurb(above):
            remarks.append(Remark("blurb", {"text": above.pop(0).text}))
        said += _entries(above, line.line, labels)
        above, first = [], False
    return Records((*said, *(_loose(group) for group in _flat(above))), (), tuple(remarks))


def labels_in(line: str) -> str | None:
    """What stands after "Available in:"; None where the line says no such thing. Without a colon it must name languages and nothing else."""
    found = AVAILABLE.fullmatch(line)
    if not found:
        return None
    if found["colon"] or (found["labels"] and all(language_of(label).tag != UNDETERMINED for label, _ in labels_of(found["labels"]))):
        return str(found["labels"])
    return None


def labels_of(said: str) -> list[tuple[str, Part]]:
    """The labels of a list of languages, each with the part of the publication that it says."""
    labels = [label for label in SEPARATOR.split(said.strip().rstrip(".。")) if label.strip()]
    return [_parted(one) for label in labels for one in _joined(label.strip())]


def _joined(label: str) -> list[str]:
    """The two labels of "English and Spanish"; what a language's own name joins stays whole."""
    label = AND.sub("", f" {label}", count=1).strip() if AND.match(f" {label}") else label  # the last one of a list
    parts = [part.strip() for part in AND.split(label)]
    known = [language_of(_parted(part)[0]).tag != UNDETERMINED for part in parts if part]
    return parts if len(known) == len(parts) > 1 and all(known) and language_of(_parted(label)[0]).tag == UNDETERMINED else [label]


def _parted(label: str) -> tuple[str, Part]:
    found = OF_PART.fullmatch(label)
    part = PARTS.get(folded(found["part"])) if found else None
    return (found["label"], part) if found and part else (label, "whole")


def _lines(text: str) -> list[tuple[Paragraph, str | None]]:
    """Every line that is not empty, and the labels where it is one of "Available in"; such a line goes on after a comma, or where it names none."""
    found: list[tuple[Paragraph, str | None]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        line = " ".join(line.split())
        if not line:
            continue
        last = found[-1][1] if found else None
        if last is not None and (not last or last[-1] in ",،、，;") and labels_in(line) is None:
            found[-1] = (found[-1][0], f"{last} {line}")
        else:
            found.append((Paragraph(number, line), labels_in(line)))
    return found


def _is_blurb(above: Sequence[Paragraph]) -> bool:
    if len(above) < 2 or above[0].is_title:
        return False
    return above[1].is_title or bool(BELOW.search(above[0].text))


def _entries(above: Sequence[Paragraph], line: int, labels: str) -> list[Said]:
    """The entry that ends here, after those above it that have no languages of their own."""
    groups = _groups(above)
    own = groups.pop() if groups else Group([], [])
    remarks: list[Remark] = []
    titles = own.titles
    if len(titles) > 1:
        keep = titles[-1:] if not own.texts else []
        loose = titles[: len(titles) - len(keep)]
        groups += [Group([title], []) for title in loose]
        remarks.append(Remark("several titles", {"number": str(len(loose))}))
        titles = keep
    texts = own.texts
    if len([one for one in texts if len(one.text) > NOTE]) > PARAGRAPHS:
        start = _beginning(texts) if not titles else 0
        if start:
            groups.append(Group([], texts[:start]))
            remarks.append(Remark("apart", {"text": texts[start].text[:80]}))
        else:
            remarks.append(Remark("long", {"number": str(len(texts))}))
        texts = texts[start:]
    editions = tuple(SaidEdition(label, label, part) for label, part in labels_of(labels))
    start_line = min((one.line for one in (*titles, *texts)), default=line)
    entry = Said(start_line, "", _pair(titles), _pair(texts), editions, not editions, remarks=tuple(remarks))
    return [*(_loose(one) for group in groups for one in _apart(group)), entry]


def _beginning(texts: Sequence[Paragraph]) -> int:
    """From which paragraph on the text is of another publication; 0 where nothing says so."""
    first = [match.group() if (match := SENTENCE.match(one.text)) else one.text for one in texts]
    return max((place for place in range(2, len(texts)) if ITSELF.search(first[place])), default=0)


def _groups(above: Sequence[Paragraph]) -> list[Group]:
    groups: list[Group] = []
    for one in above:
        if not groups or (one.is_title and groups[-1].texts):
            groups.append(Group([], []))
        (groups[-1].titles if one.is_title else groups[-1].texts).append(one)
    return groups


def _apart(group: Group) -> list[Group]:
    """Titles in a row are entries each; only a single one has the text below it."""
    if len(group.titles) < 2:
        return [group]
    return [*(Group([title], []) for title in group.titles), *([Group([], group.texts)] if group.texts else [])]


def _flat(above: Sequence[Paragraph]) -> list[Group]:
    return [one for group in _groups(above) for one in _apart(group)]


def _loose(group: Group) -> Said:
    return Said(min(one.line for one in (*group.titles, *group.texts)), "", _pair(group.titles), _pair(group.texts), loose=True)


def _pair(paragraphs: Sequence[Paragraph]) -> tuple[tuple[str, str], ...]:
    return (("", "\n".join(one.text for one in paragraphs)),) if paragraphs else ()
