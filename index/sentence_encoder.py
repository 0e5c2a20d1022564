"""Open the encoders that are used: any sentence-transformers model, prepared once in the cache, and from then on run without torch."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from index import bundled, room
from index.encoder import DEFAULT, Encoder, UnusableEncoderError
from index.made_once import files_in, is_whole, made_once
from index.network import Precision, chosen_precision, weights_for
from index.prepared_encoder import Description, open_prepared
from index.related import shipped_means

if TYPE_CHECKING:
    from index.pytorch_encoder import SentenceEncoder

log = logging.getLogger(__name__)

HUB_NAME = "intfloat/multilingual-e5-small"  # the default encoder's name where it does not come with the installation
VERSION = 1  # grows when the preparation changes
UNFIT = "unfit.txt"  # why an encoder cannot be prepared, in the folder where it would be

Opener = Callable[[], "SentenceEncoder"]


def open_encoder(name: str = "", cache: Path | None = None, fetch: bool = True, threads: int = 0) -> Encoder:
    """Open the encoder called `name`: a sentence-transformers model by folder or hub name; "" and DEFAULT mean the default one.

    It is prepared in `cache` on first use. With `fetch` False a hub name stands for what lies in the hub's cache on this machine, and nothing is asked
    of the hub. `threads` is how many compute, 0 as many as the processor is made for. Raises UnusableEncoderError, and OSError for want of room.
    """
    cache, precision = cache or platformdirs.user_cache_path("isogloss"), chosen_precision()
    key, opener = _default(cache) if name in ("", DEFAULT) else _named(name, fetch)
    folder = cache / f"{key}-{weights_for(precision)}-{VERSION}"
    if is_whole(folder) and not _shows_what_is_known(folder):
        shutil.rmtree(folder)
    try:
        made_once(folder, lambda making: _prepare(opener, making, precision))
    except OSError as error:
        if room.is_for_want_of_room(error):
            raise
        raise UnusableEncoderError(f"Cannot prepare the encoder in {cache}: {error}. Let this user write there, or set XDG_CACHE_HOME.") from error
    if (folder / UNFIT).exists():
        log.warning("The encoder %s runs on PyTorch, which is slower: %s.", name or DEFAULT, (folder / UNFIT).read_text("utf-8"))
        return opener()
    return open_prepared(folder, precision, threads)


def is_prepared(cache: Path) -> bool:
    """Whether the default encoder lies in the cache, ready to be opened."""
    return any(is_whole(folder) for folder in cache.glob(f"{bundled.UNPACKED}-*-{VERSION}"))


def _default(cache: Path) -> tuple[str, Opener]:
    packed = bundled.packed_weights()
    if packed is None:
        log.warning("The package %s is not installed here; using %s from the model hub or its local cache.", bundled.PACKAGE, HUB_NAME)
        return _named(HUB_NAME, True)

    def opened() -> SentenceEncoder:
        from index import pytorch_encoder

        return pytorch_encoder.encoder_of(pytorch_encoder.default_model(packed, cache), f"{bundled.UNPACKED} {bundled.SHA256}")

    return bundled.UNPACKED, opened


def _named(name: str, fetch: bool) -> tuple[str, Opener]:
    def opened() -> SentenceEncoder:
        from index import pytorch_encoder

        return pytorch_encoder.encoder_of(pytorch_encoder.named_model(name, fetch))

    place = _place_of(name)
    if place is None:
        opened()  # which fetches it, or says why it cannot be had
        place = _place_of(name)
    return _key_of(name, place), opened


def _place_of(name: str) -> Path | None:
    """The folder of a model, in the hub's cache for a hub name; None where there is none yet."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if Path(name).is_dir():
        return Path(name)
    try:
        found = try_to_load_from_cache(name if "/" in name else f"sentence-transformers/{name}", "modules.json")
    except HFValidationError:  # a folder that is not there
        return None
    return Path(found).parent if isinstance(found, str) else None


def _key_of(name: str, place: Path | None) -> str:
    """Tells a model from others, and from what it was before its files changed, without reading them."""
    files = [(path.relative_to(place).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files_in(place)] if place else []
    return f"{Path(name).name}-{hashlib.sha256(json.dumps([name, files]).encode()).hexdigest()[:16]}"


def _shows_what_is_known(folder: Path) -> bool:
    """Whether a prepared encoder shows the layers whose means ship with this installation."""
    if (folder / UNFIT).exists():
        return True
    known = Description.read(folder)
    means = shipped_means(known.fingerprint)
    return known.layers == (means.layers if means else ())


def _prepare(opener: Opener, folder: Path, precision: Precision) -> None:
    from index.preparation import UnfitEncoderError, prepare

    encoder = opener()
    log.info("Preparing the encoder in %s (once).", folder)
    try:
        prepare(encoder, folder, precision)
    except UnfitEncoderError as error:
        for path in files_in(folder):
            path.unlink()
        (folder / UNFIT).write_text(str(error), "utf-8")
