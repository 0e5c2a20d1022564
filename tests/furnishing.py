"""A library with something in every table, in many scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from conftest import LexiconEncoder
from filling import fill, publication

from index import generations
from index.accounts import Accounts
from index.library import Library
from ingest.catalogue import sha256

TEXTS = {
    "ar": "تعيش الطيور في غابة قرب ماء عذب.",
    "fa": "آب و جنگل؛ می‌خواهم بدانم.",
    "he": "היער והמים שייכים לכולם.",
    "hi": "जंगल और पानी सबके हैं।",
    "bn": "বন ও জল সবার।",
    "ta": "காடும் நீரும் அனைவருக்கும்.",
    "th": "ป่าและน้ำเป็นของทุกคน",
    "lo": "ປ່າ ແລະ ນ້ຳ ເປັນຂອງທຸກຄົນ",
    "km": "ព្រៃ និង ទឹក ជារបស់ទាំងអស់គ្នា",
    "my": "သစ်တောနှင့် ရေသည် အားလုံးအတွက် ဖြစ်သည်",
    "am": "ደንና ውሃ የሁሉም ናቸው።",
    "ja": "森と水はみんなのもの。𠮷野家",
    "zh": "森林和水属于每个人。",
    "ko": "숲과 물은 모두의 것이다.",
    "en": "The forest and the water belong to all. 🐦‍🔥 \\N 'quoted' \"twice\" \t tab",
}
ROWS = (
    "INSERT INTO decisions VALUES ('d1', 1, 'recognise', 'ana', '2026-01-01T00:00:00Z')",
    "INSERT INTO loose_entries (entry, flags, source, \"by\", at) VALUES ('{}', '[]', 'ข้อมูล.csv', 'ana', '2026-01-01T00:00:00Z')",
    "INSERT INTO questions (text, \"by\", at) VALUES ('¿Dónde está el bosque?', 'ana', '2026-01-01T00:00:00Z')",
    "INSERT INTO questions (text, \"by\", at) VALUES ('森はどこ', 'ana', '2026-01-01T00:00:00Z')",
    "DELETE FROM questions WHERE question_id = 2",
    "INSERT INTO failed_attempts (at, account, address) VALUES (4000000000, 'a', 'b')",
    "INSERT INTO failed_attempts (at, account, address) VALUES (4000000000, 'a', 'b')",
    "INSERT INTO jobs (kind, state, \"by\", arguments, created) VALUES ('reading', 'done', 'ana', '{}', '2026-01-01T00:00:00Z')",
    "INSERT INTO documents (job_id, name, position, state) VALUES (1, 'woods.th', 0, 'read')",
    "INSERT INTO changes (at, \"by\", what, publication_id, before, after, about) VALUES ('2026-01-01T00:00:00Z', 'ana', 'note', '', '', '', 'อ่าน')",
    "INSERT INTO changes (at, \"by\", what, publication_id, before, after, about) VALUES ('2026-01-02T00:00:00Z', 'ana', 'undone', '', '', '', '')",
    "UPDATE changes SET undone = 2 WHERE change_id = 1",
    "INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state) VALUES ('z', 'ana', 'א.pdf', 3, '', '2026-01-01T00:00:00Z', 'known')",
    "INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state) VALUES ('b', 'ana', 'ب.pdf', 3, '', '2026-01-01T00:00:00Z', 'known')",
)


def add(library: Library, name: str, texts: Mapping[str, Sequence[str]], digest: str = "") -> None:
    """Add a publication; all its editions are of the original with this digest, or of one that is there."""
    digest = digest or next(state.file for state in library.edition_states() if state.file)
    work = publication(name, [*texts])
    fill(library, LexiconEncoder(), replace(work, editions=tuple(replace(edition, digest=digest) for edition in work.editions)), texts)


def furnish(library: Library, folder: Path) -> Library:
    """Fill a library that is empty; originals are written to `folder` first."""
    for number, name in enumerate(("woods", "sea", "school")):
        path = folder / f"{name}.pdf"
        path.write_bytes(f"%PDF-1.4 {name}".encode())
        digest = sha256(path)
        library.keep_file(path, digest)
        add(library, name, {language: [f"{text} {number}", "school bus"] for language, text in TEXTS.items()}, digest)
    library.remove_publication("sea")
    Accounts(library).put("ana", "a long enough password")
    Accounts(library).open_session("ana")
    with library.transaction() as run:
        for statement in ROWS:
            run(statement)
        run("INSERT INTO sketches VALUES ('d1', ?)", (bytes(range(256)),))
        run("INSERT INTO encoders (fingerprint, name) VALUES ('next', 'some/other')")
    keys, vectors = library.vectors()
    codes = {key: (b"", bytes([key, 0, 255]))[key % 2] for key in keys.tolist() if key % 3}  # some, some of nothing, and none
    library.put_vectors(LexiconEncoder().fingerprint, dict(zip(keys.tolist(), vectors, strict=True)), codes)
    generations.build(library)
    return library
