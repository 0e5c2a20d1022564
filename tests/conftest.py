"""What the tests share: an encoder that needs no model, small PDFs made of bytes, and the sample library read once by the real encoder."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from index import accounts, language_priors, passage_encoding
from index.encoder import Encoder, Tokens, Vectors
from index.library import Library
from index.related import unit
from index.residual_codes import CENTROIDS, ResidualCodes
from index.word_codes import Codebook
from ingest import recognition
from ingest.ocr import RecognitionError, Tesseract

pytest_plugins = ["engine.plugin"]
CORPUS = Path(__file__).parent.parent / "corpus"
CONCEPTS = [
    {"forest", "wald", "bosque", "ป่า", "غابة"},
    {"water", "wasser", "agua", "น้ำ", "ماء"},
    {"school", "schule", "escuela", "โรงเรียน", "مدرسة"},
    {"bus", "autobus", "autobús", "รถบัส", "حافلة"},
]


class LexiconEncoder:
    """An encoder that counts concepts, so tests can say which hit must win. Its last dimension stands for everything else."""

    def __init__(self, fingerprint: str = "lexicon") -> None:
        self.fingerprint = fingerprint
        self.dimension = len(CONCEPTS) + 1
        self.encoded: list[str] = []  # every passage that was encoded, so that tests can say what was not done twice

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return self.encode_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]

    def _vector(self, text: str) -> Vectors:
        counts = [sum(text.lower().count(word) for word in concept) for concept in CONCEPTS]
        vector = np.asarray([*counts, 0.1], np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


class LexiconTokenEncoder(LexiconEncoder):
    """A LexiconEncoder that shows its tokens: words, or in Thai and Chinese concepts and single letters; every layer is the same."""

    width = len(CONCEPTS) + 100  # the last hundred tell other tokens apart
    _thai = "|".join(word for concept in CONCEPTS for word in sorted(concept) if re.match("[ก-๛]", word))

    def encode_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        return [self._tokens(text, vector, len(layers)) for text, vector in zip(texts, self.encode_passages(texts), strict=True)]

    def encode_query_tokens(self, texts: Sequence[str], layers: Sequence[int]) -> list[Tokens]:
        return [self._tokens(text, vector, len(layers)) for text, vector in zip(texts, self.encode_queries(texts), strict=True)]

    def _tokens(self, text: str, vector: Vectors, layers: int) -> Tokens:
        spans = [match.span() for match in re.finditer(rf" ?(?:{self._thai}|[ก-๛一-龥]|[^\W\d_ก-๛一-龥]+|\S)", text)]
        layer = np.zeros((len(spans), self.width), np.float32)
        for row, (start, end) in enumerate(spans):
            known = [place for place, concept in enumerate(CONCEPTS) if any(word in text[start:end].lower() for word in concept)]
            layer[row, known or len(CONCEPTS) + crc32(text[start:end].encode()) % 100] = 1
        return Tokens(vector, np.asarray(spans, np.int64).reshape(-1, 2), (layer,) * layers)


class ContextEncoder(LexiconTokenEncoder):
    """A LexiconTokenEncoder whose vectors are the means of its tokens, so that what it sees can be kept in codes."""

    def __init__(self, fingerprint: str = "lexicon") -> None:
        super().__init__(fingerprint)
        self.dimension = self.width

    def _vector(self, text: str) -> Vectors:
        (layer,) = self._tokens(text, np.zeros(self.width, np.float32), 1).layers
        return unit(np.asarray(layer.sum(axis=0) + 1e-3, np.float32))

    @classmethod
    def codebook(cls) -> Codebook:
        """A codebook with a centroid for each of its tokens."""
        stages = np.zeros((2, CENTROIDS, cls.width), np.float32)
        stages[0, : cls.width] = np.eye(cls.width)
        turn = np.linalg.qr(np.random.default_rng(0).normal(size=(cls.width, cls.width)))[0].astype(np.float32)
        return Codebook((1,), np.zeros(cls.width, np.float32), np.eye(cls.width, dtype=np.float32), ResidualCodes(stages), turn, 0.4)


@pytest.fixture
def context_encoder(monkeypatch: pytest.MonkeyPatch) -> ContextEncoder:
    """An encoder for which a codebook ships."""
    codebook = ContextEncoder.codebook()
    monkeypatch.setattr(passage_encoding, "shipped_codebook", lambda fingerprint: codebook if fingerprint == "lexicon" else None)
    return ContextEncoder()


@pytest.fixture(scope="session", autouse=True)
def no_recognition() -> Iterator[None]:
    """What is read in a test's own process is not recognised, wherever tesseract is installed, unless a test is about that."""

    def find_none() -> Tesseract:
        raise RecognitionError("no tesseract in tests")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recognition, "find_tesseract", find_none)
        yield


@pytest.fixture(autouse=True)
def no_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ingest with a LexiconEncoder learns nothing from the Declaration, unless a test is about that."""
    monkeypatch.setattr(language_priors, "wanted", lambda *_: False)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing a password costs next to nothing, unless a test is about what it costs."""
    monkeypatch.setattr(accounts, "HASHER", PasswordHasher(time_cost=1, memory_cost=64))
    accounts.nobodys_hash.cache_clear()


@pytest.fixture
def encoder() -> LexiconEncoder:
    return LexiconEncoder()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.create(tmp_path / "library")


def written(library: Library) -> bytes:
    """All rows of a library as they are kept: the bytes of SQLite's files, or what the engine gives of every table."""
    files = list(library.folder.glob("library.sqlite*"))
    if files:
        return b"".join(file.read_bytes() for file in files)
    tables = library.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'")
    return "\n".join(str(tuple(row)) for (table,) in tables for row in library.rows(f"SELECT * FROM {table}")).encode()


def pdf_of(*pages: Sequence[str], title: str = "") -> bytes:
    """A PDF with the given lines of Latin-1 text on each page, written out by hand."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    kids = []
    for lines in pages:
        shown = " T* ".join(f"({line.replace(chr(92), chr(92) * 2).replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 72 740 Td {shown} ET"
        objects.append(f"<< /Length {len(stream.encode('latin-1'))} >>\nstream\n{stream}\nendstream")
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append(f"<< /Title ({title}) >>")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """Serve the `app` of a test module on this machine; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


Publish = Callable[..., Path]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Write a publication folder: publish("woods", {"en": ["The forest grows."]}, year=2020) -> its path below tmp_path / "corpus"."""

    def write(name: str, editions: dict[str, Sequence[str] | None], **entry: object) -> Path:
        folder = tmp_path / "corpus" / name
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{key} = {_toml(value)}" for key, value in entry.items()]
        lines += ["[title]", *(f"{language} = {_toml(f'{name} in {language}')}" for language in editions)]
        for language, text in editions.items():
            lines += ["[[editions]]", f"language = {_toml(language)}"]
            if text is not None:
                lines.append(f"file = {_toml(f'{language}.pdf')}")
                (folder / f"{language}.pdf").write_bytes(pdf_of(text))
        (folder / "publication.toml").write_text("\n".join(lines), "utf-8")
        return folder

    return write


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The default encoder, from the same cache that `make run` fills."""
    from index.sentence_encoder import open_encoder

    return open_encoder()


@pytest.fixture(scope="session")
def sample_library(real_encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The sample library, ingested once for all tests; nobody changes it."""
    from search_app.ingesting import ingest

    library = Library.create(tmp_path_factory.mktemp("sample"))
    ingest(CORPUS, library, real_encoder)
    return library


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    """A client of the `app` of a test module that is signed in as "ana"; tokens against forged forms are not asked of it."""
    from index.accounts import Accounts

    app.config["WTF_CSRF_ENABLED"] = False
    Accounts(app.extensions["searcher"].library).put("ana", "a long enough password")
    client = app.test_client()
    assert client.post("/desk/sign-in", data={"name": "ana", "password": "a long enough password"}).status_code == 303
    return client
