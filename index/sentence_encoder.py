"""Open the encoders that are used: any sentence-transformers model, prepared once in the cache, and from then on run without torch."""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final, Literal

import platformdirs

from index import bundled, room
from index.encoder import DEFAULT, Encoder, UnusableEncoderError
from index.made_once import files_in, is_whole, made_once
from index.network import Precision, best_precision, weights_for
from index.prepared_encoder import Description, open_prepared
from index.related import shipped_means

log = logging.getLogger(__name__)

HUB_NAME = "intfloat/multilingual-e5-small"  # the default encoder's name where it does not come with the installation
VERSION = 1  # grows when the preparation changes
COMPUTE = "ISOGLOSS_COMPUTE"  # environment variable: a precision, instead of what the processor is best at, or TORCH
TORCH: Final = "torch"  # the model as it is, on PyTorch, which knows GPUs
UNFIT = "unfit.txt"  # why an encoder cannot be prepared, in the folder where it would be


def open_encoder(name: str = "", cache: Path | None = None, fetch: bool = True, threads: int = 0) -> Encoder:
    """Open the encoder called `name`: a sentence-transformers model by folder or hub name; "" and DEFAULT mean the default one.

    It is prepared in `cache` on first use. With `fetch` False a hub name stands for what lies in the hub's cache on this machine, and nothing is asked
    of the hub. `threads` is how many compute, 0 as many as the processor is made for. Raises UnusableEncoderError, and OSError for want of room.
    """
    cache, precision = cache or platformdirs.user_cache_path("isogloss"), _asked_precision()
    name = "" if name == DEFAULT else name
    if not name and bundled.packed_weights() is None:
        log.warning("The package %s is not installed here; using %s from the model hub or its local cache.", bundled.PACKAGE, HUB_NAME)
        name = HUB_NAME
    if precision == TORCH:
        return _original(name, cache, fetch)
    folder = cache / f"{_key_of(name, cache, fetch)}-{weights_for(precision)}-{VERSION}"
    try:
        made_once(folder, lambda making: _prepare(name, cache, fetch, making, precision), _shows_what_is_known)
    except OSError as error:
        if room.is_for_want_of_room(error):
            raise
        raise UnusableEncoderError(f"Cannot prepare the encoder in {cache}: {error}. Let this user write there, or set XDG_CACHE_HOME.") from error
    if (folder / UNFIT).exists():
        log.warning("The encoder %s runs on PyTorch, which is slower: %s.", name or DEFAULT, (folder / UNFIT).read_text("utf-8"))
        return _original(name, cache, fetch)
    return open_prepared(folder, precision, threads)


def is_prepared(cache: Path) -> bool:
    """Whether the default encoder lies in the cache, ready to be opened."""
    return any(is_whole(folder) for folder in cache.glob(f"{bundled.UNPACKED}-*-{VERSION}"))


def _asked_precision() -> Precision | Literal["torch"]:
    match os.environ.get(COMPUTE, ""):
        case "":
            return best_precision()
        case "int8" | "bf16" | "f32" | "torch" as asked:
            return asked
        case other:
            raise UnusableEncoderError(f"{COMPUTE} must be int8, bf16, f32 or {TORCH}, got {other!r}. Without it the processor decides.")


def _original(name: str, cache: Path, fetch: bool) -> Encoder:
    from index.pytorch_encoder import open_original

    return open_original(name, cache, fetch)


def _key_of(name: str, cache: Path, fetch: bool) -> str:
    """Tells a model from others, and from what it was before its files changed, without reading them."""
    if not name:
        return bundled.UNPACKED
    place = _place_of(name)
    if place is None:
        _original(name, cache, fetch)  # which fetches it, or says why it cannot be had
        place = _place_of(name)
    files = [(path.relative_to(place).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files_in(place)] if place else []
    return f"{Path(name).name}-{hashlib.sha256(json.dumps([name, files]).encode()).hexdigest()[:16]}"


def _place_of(name: str) -> Path | None:
    """The folder of a model, in the hub's cache for a hub name; None where there is none yet."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if Path(name).is_dir():
        return Path(name)
    whole = name if "/" in name else f"sentence-transformers/{name}"
    try:
        found = [try_to_load_from_cache(whole, file) for file in ("modules.json", "config.json")]
    except HFValidationError:  # a folder that is not there
        return None
    return next((Path(path).parent for path in found if isinstance(path, str)), None)


def _shows_what_is_known(folder: Path) -> bool:
    """Whether a prepared encoder shows the layers whose means ship with this installation."""
    if (folder / UNFIT).exists():
        return True
    known = Description.read(folder)
    means = shipped_means(known.fingerprint)
    return known.layers == (means.layers if means else ())


def _prepare(name: str, cache: Path, fetch: bool, folder: Path, precision: Precision) -> None:
    """Prepare in a process of its own, since it needs two gigabytes of memory."""
    log.info("Preparing an encoder (once).")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        made = child.submit(_prepare_here, name, cache, fetch, folder, precision)
        try:
            made.result()
        except BrokenProcessPool as error:
            raise UnusableEncoderError(
                "The process that prepares the encoder ended before it was done, as it does where there are no two gigabytes of memory free. "
                "Free some, or prepare it on another machine of this kind and copy the cache folder."
            ) from error


def _prepare_here(name: str, cache: Path, fetch: bool, folder: Path, precision: Precision) -> None:
    from index.preparation import UnfitEncoderError, prepare
    from index.pytorch_encoder import open_original

    try:
        prepare(open_original(name, cache, fetch), folder, precision)
    except UnfitEncoderError as error:
        for path in files_in(folder):
            path.unlink()
        (folder / UNFIT).write_text(str(error), "utf-8")
