"""Tell whether an answer is still the one a client has, without making it again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version

from flask import Response, request

from index.generations import current_name
from index.library import Library

VERSION = version("isogloss")


def tag_of(library: Library, variant: Sequence[str] = ()) -> str:
    """A weak ETag of all that is answered from this state of the library at one address; `variant` is what besides the address decides, such as languages.

    Read it before the answer is made: should the library change meanwhile, the client only asks once more. The address is not part of it,
    since tags are compared for one address only, so that nothing of a question is in it.
    """
    state = (VERSION, library.revision(), library.meta("generation"), current_name(library), *variant)
    return hashlib.sha256("\n".join(map(str, state)).encode()).hexdigest()[:32]


def is_known(tag: str) -> bool:
    """Whether the client says that it has the answer with this tag."""
    return request.if_none_match.contains_weak(tag)


def tagged(response: Response, tag: str) -> Response:
    """Say which state the answer is of, and that it depends on the languages that were asked for."""
    response.set_etag(tag, weak=True)
    response.vary.update(("Accept-Language", "Cookie"))
    return response
