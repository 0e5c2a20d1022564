"""Render the sources of the sample library to PDF: python corpus/render.py [PUBLICATION ...].

Needs the extra "corpus" (WeasyPrint with its Pango, Typst) and the fonts named in style.css (Debian: fonts-noto-core, fonts-noto-cjk). The
PDFs are committed, so only somebody who changes a source runs this. A publication's `source/<language>.md` becomes `<language>.pdf` beside
its catalogue entry. WeasyPrint lays out most languages; the scripts whose text cannot be read back from its PDFs are laid out by Typst.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from html import escape
from pathlib import Path

import pypdf
import pypdfium2
import typst
from markdown_it import MarkdownIt
from pypdf.constants import PageLabelStyle
from weasyprint import CSS, HTML

HERE = Path(__file__).parent
RIGHT_TO_LEFT = {"ar", "fa"}
SCANS = {"east-africa-coast/fr"}  # images of pages, without any text: what a photocopier leaves
UNMAPPED = {"river-corridor/vi"}  # fonts that do not say which character a glyph is: the text layer is rubbish
BY_TYPST = {
    "bn": "Noto Serif Bengali",
    "hi": "Noto Serif Devanagari",
    "km": "Noto Serif Khmer",
    "lo": "Noto Serif Lao",
    "my": "Noto Serif Myanmar",
    "th": "Noto Serif Thai",
}
SCAN_DPI = 110
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def main(names: list[str]) -> None:
    for source in sorted(HERE.glob("*/source/*.md")):
        publication = source.parent.parent
        if names and publication.name not in names:
            continue
        target = publication / f"{source.stem}.pdf"
        pdf = render_by_typst(source) if source.stem in BY_TYPST else render(source)
        target.write_bytes(finish(pdf, f"{publication.name}/{source.stem}"))
        print(f"{target.relative_to(HERE)}  {target.stat().st_size // 1024} kB")


def render(source: Path) -> bytes:
    """Lay one source out: a title page, then the body under a running header."""
    front, body = read_source(source)
    language = source.stem
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    html = f"""<html lang="{language}" dir="{direction}"><head><title>{escape(front["title"])}</title>
<meta name="author" content="{escape(front["publisher"])}"></head><body>
<section class="cover"><p class="kind">{escape(front["kind"])}</p><h1>{escape(front["title"])}</h1>
<p class="subtitle">{escape(front["subtitle"])}</p><p class="publisher">{escape(front["publisher"])}</p>
<p class="date">{escape(front["date"])}</p><p class="note">{escape(front["note"])}</p></section>
<p class="running">{escape(front["running"])}</p><p class="foot">{escape(front["publisher"])}</p>
<main>{body_html(body)}</main></body></html>"""
    return bytes(HTML(string=html).write_pdf(stylesheets=[CSS(HERE / "style.css")]))


def read_source(source: Path) -> tuple[dict[str, str], str]:
    """Split a source into its front matter, one `key: value` a line, and its Markdown."""
    _, front, body = source.read_text("utf-8").split("---\n", 2)
    pairs = (line.split(":", 1) for line in front.strip().splitlines())
    return {key.strip(): value.strip() for key, value in pairs}, body


def body_html(body: str) -> str:
    body = re.sub(r"\[\[note:\s*(.*?)\]\]", r'<span class="footnote">\1</span>', body)
    body = re.sub(r"^::: columns *$", '<div class="columns">\n', body, flags=re.M)
    body = re.sub(r"^::: *$", "\n</div>\n", body, flags=re.M)
    return str(MARKDOWN.render(body))


def render_by_typst(source: Path) -> bytes:
    """Lay one source out as `render` does, with Typst, which writes the characters of every glyph cluster into the PDF."""
    front, body = read_source(source)
    say = {key: typst_inline(value) for key, value in front.items()}
    text = f"""#set document(title: [{say["title"]}], author: ("{front["publisher"]}",), date: none)
#set text(font: ("Noto Serif", "{BY_TYPST[source.stem]}"), lang: "{source.stem}", size: 10.2pt)
#set page(width: 176mm, height: 250mm, margin: (x: 20mm, top: 24mm, bottom: 22mm), fill: rgb("f4f1ea"))
#v(16mm) #text(9pt, rgb("7a4b1e"))[{say["kind"]}] #v(4mm) #text(25pt, weight: "bold")[{say["title"]}] #v(2mm) #text(13pt)[{say["subtitle"]}]
#v(40mm) *{say["publisher"]}* \\ {say["date"]} #v(18mm) #text(8pt, gray)[{say["note"]}]
#set page(fill: none, header: text(8.5pt, gray)[{say["running"]}],
  footer: context text(8.5pt, gray)[{say["publisher"]} #h(1fr) #counter(page).display()])
#counter(page).update(1)
#set par(justify: true, leading: .85em, spacing: 1.5em)
#show heading.where(level: 2): set text(14.5pt)
#show heading: set block(above: 2em, below: 1.1em)
#set super(typographic: false)
#show table: set text(8.8pt)
#set table(stroke: (x, y) => (bottom: .4pt + gray), inset: 6pt)
{typst_body(body)}"""
    with tempfile.NamedTemporaryFile("w", suffix=".typ", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return bytes(typst.compile(file.name))


def typst_body(body: str) -> str:
    blocks = []
    for number, stretch in enumerate(re.split(r"^:::.*$", body, flags=re.M)):  # every second one stands in columns
        parts = [typst_block(block) for block in re.split(r"\n\s*\n|\n(?=#)|(?<=\n)(?=#)", stretch.strip()) if block.strip()]
        half = (len(parts) + 1) // 2
        left, right = "\n\n".join(parts[:half]), "\n\n".join(parts[half:])
        blocks += [f"#grid(columns: (1fr, 1fr), gutter: 8mm)[{left}][{right}]"] if number % 2 else parts
    return "\n\n".join(blocks)


def typst_block(block: str) -> str:
    lines = block.strip().splitlines()
    if lines[0].startswith("|"):
        rows = [[typst_inline(cell.strip()) for cell in line.strip("| ").split("|")] for line in lines if not re.fullmatch(r"[|:\- ]+", line)]
        return f"#table(columns: {len(rows[0])}, " + ", ".join(f"[{cell}]" for row in rows for cell in row) + ")"
    made = []
    for line in lines:
        mark, rest = re.match(r"(#+ |- |\d+\. |)(.*)", line, flags=re.S).groups()
        made.append({"#": "=" * (len(mark) - 1) + " ", "-": "- ", "": ""}.get(mark[:1], "+ ") + typst_inline(rest))
    return "\n".join(made)


def typst_inline(text: str) -> str:
    text = re.sub(r"([\\\\#$@<>_~`\"])", r"\\\1", text)
    text = re.sub(r"\[\[note:\s*(.*?)\]\]", r"#footnote[\1]", text)
    return re.sub(r"(?<!\*)\*(?!\*)(.+?)\*", r"#emph[\1]", text)


def finish(pdf: bytes, name: str) -> bytes:
    """Number the pages as printed (cover "i", body from 1) and spoil the editions that are meant to be spoilt."""
    if name in SCANS:
        pdf = photocopy(pdf)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    writer.set_page_label(0, 0, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(1, len(writer.pages) - 1, style=PageLabelStyle.DECIMAL)
    if name in UNMAPPED:
        unmap_fonts(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def photocopy(pdf: bytes) -> bytes:
    pages = [page.render(scale=SCAN_DPI / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(pdf)]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=SCAN_DPI, quality=60)
    return out.getvalue()


def unmap_fonts(writer: pypdf.PdfWriter) -> None:
    for number, thing in enumerate(writer._objects):
        if isinstance(thing, pypdf.generic.DictionaryObject) and "/ToUnicode" in thing:
            del writer._objects[number]["/ToUnicode"]


if __name__ == "__main__":
    main(sys.argv[1:])
