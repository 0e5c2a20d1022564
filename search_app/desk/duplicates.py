"""What of new files is in the library already: the very file, by its digest, or nearly the same text, by its sketch; never another language's edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.library import Library
from index.sketches import Sketches
from index.uploads import Upload
from ingest.language import same_language
from ingest.records import UNDETERMINED, Edition
from ingest.sketch import nearest, shared


@dataclass(frozen=True, slots=True)
class Remark:
    """That a new file is, or nearly is, an edition of the library, or another new file; one of the two is None."""

    share: float  # of the text; in [0, 1]
    very: bool  # it is the very file, byte by byte
    edition: Edition | None = None
    upload: Upload | None = None


def remarks(library: Library, shown: Sequence[Upload], new: Sequence[Upload]) -> dict[str, list[Remark]]:
    """What is to be said of the uploads that are shown, by upload_id; `new` are all there are. At most one remark on editions, one on new files."""
    editions = {digest: state.edition for state in library.edition_states() for digest in (state.edition.digest, state.file) if digest}
    uploads: dict[str, list[Upload]] = {}
    for upload in new:
        if upload.digest:
            uploads.setdefault(upload.digest, []).append(upload)
    digests, sketches = Sketches(library).all()
    places = {digest: place for place, digest in enumerate(digests)}
    found: dict[str, list[Remark]] = {}
    for upload in shown:
        own = str(upload.digest)
        twin = next((other for other in uploads.get(own, []) if other.upload_id != upload.upload_id), None)
        said = [Remark(1.0, True, edition=editions[own])] if own in editions else []
        said += [Remark(1.0, True, upload=twin)] if twin else []
        if not said and own in places:
            order = [(digests[place], shared(alike)) for place, alike in nearest(sketches[places[own]], sketches) if digests[place] != own]
            said = _nearest(upload, order, editions, uploads)
        found[upload.upload_id] = said
    return found


def _nearest(
    upload: Upload, order: Sequence[tuple[str, float]], editions: Mapping[str, Edition], uploads: Mapping[str, Sequence[Upload]]
) -> list[Remark]:
    """A remark on the nearest edition, and one on the nearest new file, of files in the order of their nearness."""
    language = str(upload.findings.get("language", UNDETERMINED))
    edition = next(
        ((editions[digest], share) for digest, share in order if digest in editions and _one_language(editions[digest].language, language)), None
    )
    other = next(((uploads[digest][0], share) for digest, share in order if digest in uploads), None)
    return [*([Remark(edition[1], False, edition=edition[0])] if edition else []), *([Remark(other[1], False, upload=other[0])] if other else [])]


def _one_language(one: str, other: str) -> bool:
    return UNDETERMINED in (one, other) or same_language(one, other)
