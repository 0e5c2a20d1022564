"""The file in a library's folder that says that its rows are in an engine: whose they are, and where they were when they were made."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.durable import replacing
from index.store import NOTE, UnusableLibraryError


@dataclass(frozen=True, slots=True)
class Note:
    """What ties a folder to one library in one database, so that no other one, and no empty one, is taken for it."""

    folder: Path
    where: str  # the engine's address, without a password

    def exists(self) -> bool:
        return (self.folder / NOTE).exists()

    def begin(self) -> str:
        """Say that a library is being made; return the token that it is to have."""
        token = self._said().get("library") or secrets.token_hex(16)
        self._write({"library": token, "at": self.where, "made": False})
        return str(token)

    def end(self, token: str) -> None:
        """Say that it has been made."""
        self._write({"library": token, "at": self.where, "made": True})

    def require(self, found: str) -> None:
        """Raise UnusableLibraryError unless the library in the database, "" for none, is that of the folder, or can still become it."""
        said = self._said()
        if found == said.get("library", "") or (not found and not said.get("made")):
            return
        if not said:
            raise UnusableLibraryError(
                f"{self.where} holds a library already, and {self.folder} is not its folder. Name that with --library, or another database that is empty."
            )
        held = "another library" if found else "no library"
        raise UnusableLibraryError(
            f"Expected the library of {self.folder} in {self.where}, found {held}; it was made in {said.get('at')}. Set ISOGLOSS_STORE to where it is now."
        )

    def _said(self) -> dict[str, Any]:
        if not self.exists():
            return {}
        try:
            return dict(json.loads((self.folder / NOTE).read_text("utf-8")))
        except ValueError as error:
            raise UnusableLibraryError(f"{self.folder / NOTE} cannot be read: {error}. Put it back from a backup of the folder.") from error

    def _write(self, said: dict[str, Any]) -> None:
        with replacing(self.folder / NOTE) as written:
            written.write_text(json.dumps(said, indent=1), "utf-8")
