"""Turn the lines of a page into its text: running headers left out, footnotes last, broken lines and words rejoined by the habits of the script."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import regex

from ingest.typeset import UNPLACED, Typeset

EDGE = 0.12  # share of the page's height, at its top and its foot, where running headers, footers and page numbers stand
MARGIN = 0.2  # the same for the outermost line, where margins are wide
FEW_LINES = 1  # on a page; one alone is its text
CHAPTER = 8  # pages, within which a chapter's header stands three times
BEGINNING = 16  # characters of a header; what follows may be a section's, which changes sooner than the chapter's
COUNTED = 0.25  # share of the pages whose outermost line begins or ends with a number that counts up; fewer are chance
NEW_PARAGRAPH = 1.15  # times the usual distance between lines
SHORT = 0.85  # share of the column's width; a line that ends a sentence before it ends its paragraph
SMALL = 0.85  # of the type around it: a footnote's number in the running text
NOTE_NUMBER = regex.compile(r"\d{1,2}")
SAME_SIZE = 0.1  # relative difference of type size within one paragraph
BREAKS = (
    "\u2010\u00ad\u0002\ufffe\u007f"  # hyphens that the typesetter put in; PDFium turns "-" at a line's end into the 3rd or 4th; the last is TeX's
)
SENTENCE_END = frozenset(".!?…:;。！？؟۔।॥።။។៕")
BULLET = regex.compile(r"[•●▪‣◦]|[–—·*]\s|\(?\d{1,2}[.)]\s|\(?[a-z]\)\s")
LEADERS = regex.compile(r"(?:\. ?){5,}\w{1,6}$")  # an entry of a table of contents
LONE_MARKS = regex.compile(r"([•●▪‣◦–—·*\s]|\d{1,2}[.)](?!\d))+")  # bullets and list numbers that stand apart from their items
PAGE_NUMBER = regex.compile(r"\W*(\d{1,4}|[ivxlc]{1,6})\W*")
NOTE_START = regex.compile(r"[\d⁰¹²³⁴-⁹]{1,3}(?!\d)[.)]?\s*\p{L}|[*†‡§]")
NOTE = 0.93  # of the size of the body's type; footnotes are smaller
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC", "FULLWIDTH")  # first words of Unicode names
SPACED_PHRASES = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{P}* $")  # they put a space between phrases, which may end a line
COMPATIBLE = regex.compile(
    "[\u2f00-\u2fd5\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufb4f\ufb50-\ufdff\ufe70-\ufefc\U0001d400-\U0001d7ff]+"
)  # radicals, ligatures, forms
THAI_FORMS = "\u0e10\u0e34\u0e35\u0e36\u0e37\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e0d\u0e31\u0e4d\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e38\u0e39\u0e3a"  # what Thai fonts of Windows have from U+F700 on: the same signs, drawn lower or further left
THAI_FORM = regex.compile("[\uf700-\uf71a]")
LATIN_LOOKALIKES, CYRILLIC_LOOKALIKES = (
    "aceijopxyABCEHIJKMOPTX",
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0445\u0443\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0422\u0425",
)  # typists and fonts take one for the other
IN_TWO_ALPHABETS = regex.compile(r"(?=\p{Latn}*+\p{Cyrl}+\p{Latn}|\p{Latn}+\p{Cyrl})[\p{Latn}\p{Cyrl}]+")
GREEK_LOOKALIKES = {"\u00b5": "μ", "\u2206": "Δ"}  # signs of mathematics, as which fonts take the letters
GREEK_LOOKALIKE = regex.compile("[\u00b5\u2206](?=\\p{Greek})|(?<=\\p{Greek})[\u00b5\u2206]")
BREATHING = regex.compile("([\u1fbf\u1ffe\u1fcd-\u1fcf\u1fdd-\u1fdf])([ΑΕΗΙΟΥΩΡ])")  # which stands beside a capital, and is written behind it
SERBIAN_FORMS = {"\uf6c4": "г", "\uf6c5": "б", "\uf6c6": "д", "\uf6c7": "п", "\uf6c8": "т"}  # by the Adobe Glyph List
SERBIAN_FORM = regex.compile("[\uf6c4-\uf6c8]")
COMPOSED = regex.compile("\\P{M}\\p{M}+|[\u1100-\u11ff]+|[\u2126\u212a\u212b\uf900-\ufaff]")  # what Unicode's normal form C may change
NUMBER_OUTSIDE = regex.compile(r"^\W*(\d{1,4})(?=\s|$)|(?<=\s)(\d{1,4})\W*$")  # the first or the last word of a line
PARAGRAPH = regex.compile(r"[^\n]+")
DIGITS = regex.compile(r"\d+")
INK = regex.compile(r"[^\s\x00-\x1f\x7f\u00ad\ufffe\ufeff]")
LETTER = regex.compile(r"[\p{L}\p{M}]")
EDITS = (  # what the letters of a page go through, in this order
    (regex.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32"), r"\1\u0e33"),  # Thai sara am, drawn in two parts
    (regex.compile("\u0ecd([\u0ec8-\u0ecb]?)\u0eb2"), r"\1\u0eb3"),  # the same in Lao
    (regex.compile(r" +(?=[[\u0610-\u109f\u1780-\u17ff]&&\p{M}])(?<=\p{L}\p{M}* +)", regex.V1), ""),  # a mark comes back to its letter
    (regex.compile(r"(?: ?\.){5,} ?"), " … "),  # from an entry of a table of contents to its page
    (regex.compile("[\u0002\u00ad\ufffe\u007f](?=\n|$)"), "\u2010"),  # the word goes on on the next page
    (regex.compile("[\u0002\u00ad\ufffe]"), ""),  # what is left of them stood within a line
    (regex.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\ufeff"), ""),
    (regex.compile(r"[^\S\n]{2,}|[^\S\n ]"), " "),
    (regex.compile(r" \n ?|\n "), "\n"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of type. Coordinates are PDF points from the lower left corner."""

    text: Typeset
    left: float
    right: float
    baseline: float
    size: float  # type size
    noted: bool = False  # whether a footnote's number stood before it


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a page's text, by where it begins and how large its type is."""

    start: int
    end: int
    size: float
    footnote: bool = False


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page and its paragraphs; `edge` are the lines that were left out at the top and the foot of it."""

    text: Typeset
    paragraphs: tuple[Paragraph, ...]
    edge: tuple[str, ...] = ()


def page_texts(pages: Sequence[tuple[Sequence[Line], float]]) -> list[PageText]:
    """Return the text of each page, given its lines in the order of its content and its height.

    Paragraphs are separated by a newline, footnotes come last. A line at the edge of the page that recurs on other pages (numbers apart),
    a page number, and bullets that were set apart from their items are left out.
    """
    body = body_size((line.size, len(line.text)) for lines, _ in pages for line in lines)
    running = _running(pages, body)
    return [_page_text(lines, height, running, body) for lines, height in pages]


def body_size(sizes: Iterable[tuple[float, int]]) -> float:
    """The size of most of the type, given sizes with how many characters are of each; 0 when there are none."""
    counts: Counter[float] = Counter()
    for size, length in sizes:
        counts[round(size, 1)] += length
    return counts.most_common(1)[0][0] if counts else 0.0


def unspaced(char: str) -> bool:
    """Whether a character belongs to a script that puts no space between words."""
    return unicodedata.name(char, "").startswith(UNSPACED)


def breaks_off(text: str) -> bool:
    """Whether the last word goes on in the next line, or on the next page."""
    return text[-1] in BREAKS and LETTER.match(text[-2:-1]) is not None


def _running(pages: Sequence[tuple[Sequence[Line], float]], body: float) -> set[str]:
    """The lines at the edge that recur, or how they begin: through the whole document, through one chapter, or with the number of the page."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    outermost: defaultdict[str, list[int]] = defaultdict(list)
    counted: defaultdict[int, dict[int, str]] = defaultdict(dict)  # of each distance between printed and real number, the pages and their lines
    for number, (lines, height) in enumerate(pages):
        for key in {_key(line) for line in lines if _at_edge(line, height)}:
            places[key].append(number)
        ends = {_key(line): line.text.text for line in _outermost(lines, height, body)}
        for beginning in {key[:BEGINNING] for key in ends}:
            outermost[beginning].append(number)
        for key, text in ends.items():
            for found in NUMBER_OUTSIDE.finditer(text):
                counted[int(found[1] or found[2]) - number][number] = key
    recurring = {key for key, numbers in places.items() if len(numbers) >= max(2, 0.4 * len(pages))}
    recurring |= {
        key for key, numbers in outermost.items() if any(third - first <= CHAPTER for first, third in zip(numbers, numbers[2:], strict=False))
    }
    numbered = max(counted.values(), key=len, default={})
    return recurring | (set(numbered.values()) if len(numbered) >= max(3, COUNTED * len(pages)) else set())


def _outermost(lines: Sequence[Line], height: float, body: float) -> list[Line]:
    """The highest and the lowest line, if they stand at the edge, or near it in type that is no larger than the text."""
    ends = [pick(lines, key=lambda line: line.baseline) for pick in (max, min)] if lines else []
    wide = MARGIN if len(lines) > FEW_LINES else EDGE
    return [line for line in ends if _at_edge(line, height) or (line.size <= NEW_PARAGRAPH * body and _at_edge(line, height, wide))]


def _key(line: Line) -> str:
    return DIGITS.sub("#", line.text.text)


def _at_edge(line: Line, height: float, share: float = EDGE) -> bool:
    return not share * height < line.baseline < (1 - share) * height


def _page_text(lines: Sequence[Line], height: float, running: set[str], body: float) -> PageText:
    edge, rest = [], []
    ends = _outermost(lines, height, body)
    for line in lines:
        if (_at_edge(line, height) and _is_furniture(line, running)) or (line in ends and _recurs(line, running)):
            edge.append(line.text.text)
        elif INK.search(line.text.text) and not LONE_MARKS.fullmatch(line.text.text):
            rest.append(line)
    body_lines, notes = _apart(rest, body)
    return _paragraphs([*body_lines, *notes], len(body_lines), tuple(edge))


def _is_furniture(line: Line, running: set[str]) -> bool:
    return _recurs(line, running) or PAGE_NUMBER.fullmatch(line.text.text) is not None


def _recurs(line: Line, running: set[str]) -> bool:
    key = _key(line)
    return key in running or key[:BEGINNING] in running


def _apart(lines: Sequence[Line], body: float) -> tuple[list[Line], list[Line]]:
    """Put apart the text and its footnotes: from a line with a note's number on, in smaller type, with nothing of the body's size below it."""
    large = [line for line in lines if line.size >= NOTE * body]
    text: list[Line] = []
    notes: list[Line] = []
    for line in lines:
        below = (other for other in large if other.baseline < line.baseline and other.left < line.right and line.left < other.right)
        is_note = line.size < NOTE * body and (notes or line.noted or NOTE_START.match(line.text.text)) and next(below, None) is None
        (notes if is_note else text).append(line)
    return (text, notes) if text else (notes, [])


def _paragraphs(lines: Sequence[Line], in_body: int, edge: tuple[str, ...]) -> PageText:
    usual = _usual_distance(lines)
    width = max((line.right - line.left for line in lines), default=0)
    texts: list[tuple[Typeset, float]] = []
    before, body_texts = None, 0
    for place, line in enumerate(lines):
        if before is not None and line.size < SMALL * before.size and NOTE_NUMBER.fullmatch(line.text.text):
            continue
        if before is None or place == in_body or _starts_paragraph(before, line, usual, width):
            texts.append((line.text, line.size))
        else:
            texts[-1] = (_joined(texts[-1][0], line.text), texts[-1][1])
        before = line
        body_texts = len(texts) if place < in_body else body_texts
    return _assembled(texts, body_texts, edge)


def _assembled(texts: Sequence[tuple[Typeset, float]], in_body: int, edge: tuple[str, ...]) -> PageText:
    inked = [(text, size, place < in_body) for place, (text, size) in enumerate(texts) if INK.search(text.text)]
    page = normalised(Typeset("\n".join(text.text for text, *_ in inked), [glyph for text, *_ in inked for glyph in (*text.glyphs, UNPLACED)][:-1]))
    paragraphs = tuple(
        Paragraph(*found.span(), size, footnote=not body) for found, (_, size, body) in zip(PARAGRAPH.finditer(page.text), inked, strict=True)
    )
    return PageText(page, paragraphs, edge)


def _usual_distance(lines: Sequence[Line]) -> float:
    """The median distance between lines, in type sizes."""
    pairs = pairwise(lines)
    distances = [(up.baseline - down.baseline) / down.size for up, down in pairs if down.size and 0 < up.baseline - down.baseline < 4 * down.size]
    return median(distances) if distances else 1.5


def _starts_paragraph(before: Line, line: Line, usual: float, width: float) -> bool:
    text, said = line.text.text, before.text.text.rstrip()
    if abs(line.size - before.size) > SAME_SIZE * max(line.size, before.size) or BULLET.match(text) or line.noted:
        return True
    if breaks_off(said):
        return False
    if LEADERS.search(said):
        return True
    ended = said[-1] in SENTENCE_END
    distance = before.baseline - line.baseline
    if distance < -line.size:  # the next column
        return ended
    if distance > NEW_PARAGRAPH * usual * line.size:
        return True
    column = max(line.right - line.left, before.right - before.left, width / 2.2)
    return ended and before.right - before.left < SHORT * column


def _joined(text: Typeset, more: Typeset) -> Typeset:
    if text.text.endswith(" ") and SPACED_PHRASES.search(text.text):
        return text + more
    said = text.strip()
    if breaks_off(said.text):
        return said.between(0, len(said) - 1) + more
    if said.text[-1] in "-，。、；：）」』" or (unspaced(said.text[-1]) and unspaced(more.text[0])):
        return said + more
    return said + " " + more


def normalised(text: Typeset) -> Typeset:
    """Write the letters as people write them: no forms and ligatures of typesetting, marks composed, single spaces."""
    text = text.sub(THAI_FORM, lambda found: THAI_FORMS[ord(found.group()) - 0xF700])
    text = text.sub(SERBIAN_FORM, lambda found: SERBIAN_FORMS[found.group()])
    text = text.sub(GREEK_LOOKALIKE, lambda found: GREEK_LOOKALIKES[found.group()])
    text = text.sub(BREATHING, lambda found: found[2] + unicodedata.normalize("NFKD", found[1]).strip())
    text = text.sub(IN_TWO_ALPHABETS, lambda found: _in_one_alphabet(found.group()))
    text = text.sub(COMPATIBLE, lambda found: unicodedata.normalize("NFKC", found.group()))
    for pattern, written in EDITS:
        text = text.sub(pattern, written)
    if not unicodedata.is_normalized("NFC", text.text):
        text = text.sub(COMPOSED, lambda found: unicodedata.normalize("NFC", found.group()))
    return text.strip()


def _in_one_alphabet(word: str) -> str:
    """Write the letters of the rarer alphabet with those of the other, if they all look alike."""
    cyrillic = sum("\u0400" <= char <= "\u052f" for char in word)
    wrong, right = (LATIN_LOOKALIKES, CYRILLIC_LOOKALIKES) if 2 * cyrillic >= len(word) else (CYRILLIC_LOOKALIKES, LATIN_LOOKALIKES)
    written = word.translate(str.maketrans(wrong, right))
    return written if len({"\u0400" <= char <= "\u052f" for char in written}) == 1 else word
