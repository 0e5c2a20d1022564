"""The accounts of analysts and their sessions. Readers need none. The only module that imports argon2."""

from __future__ import annotations

import hashlib
import secrets
import time
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from index.durable import replacing
from index.library import Library
from index.schema import NOW
from ingest.records import IsoglossError

SHORTEST = 12  # characters of a password
IDLE = 12 * 3600  # seconds without a request after which a session ends
LONGEST = 7 * 24 * 3600  # seconds after which a session ends, whatever happens
HASHER = PasswordHasher()  # argon2id with the parameters that its makers recommend (RFC 9106, low memory)


class WrongAccountError(IsoglossError):
    """An account or a password is not what it must be."""


class Accounts:
    """Who may change a library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def names(self) -> list[str]:
        return [row["name"] for row in self._library.rows("SELECT name FROM accounts ORDER BY name")]

    def put(self, name: str, password: str) -> None:
        """Add an account, or give it another password, which ends its sessions. Raises WrongAccountError."""
        if not name.strip() or len(password) < SHORTEST:
            raise WrongAccountError(f"expected a name and a password of at least {SHORTEST} characters")
        hashed = HASHER.hash(password)
        with self._library.transaction(contents=False) as run:
            run(f"INSERT INTO accounts VALUES (?1, ?2, {NOW}) ON CONFLICT DO UPDATE SET hash = ?2", (name, hashed))
            run("DELETE FROM sessions WHERE account = ?", (name,))

    def remove(self, name: str) -> None:
        """Remove an account with its sessions; what it did stays in the log."""
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM accounts WHERE name = ?", (name,))

    def sign_in(self, name: str, password: str) -> str | None:
        """Return the token of a new session; None when name or password are wrong, which takes as long."""
        rows = self._library.rows("SELECT hash FROM accounts WHERE name = ?", (name,))
        hashed = rows[0]["hash"] if rows else HASHER.hash(secrets.token_hex())
        try:
            HASHER.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return None
        token, now = secrets.token_urlsafe(32), int(time.time())
        with self._library.transaction(contents=False) as run:
            run("INSERT INTO sessions VALUES (?,?,?,?)", (_digest(token), name, now, now))
        return token

    def signed_in(self, token: str) -> str | None:
        """The account whose session this is; None when there is no such session, or its time is over."""
        now = int(time.time())
        rows = self._library.rows(
            "SELECT account FROM sessions WHERE token = ? AND created > ? AND used > ?", (_digest(token), now - LONGEST, now - IDLE)
        )
        return str(rows[0]["account"]) if rows else None

    def sign_out(self, token: str) -> None:
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM sessions WHERE token = ?", (_digest(token),))


def secret(folder: Path) -> bytes:
    """The key with which cookies are signed, made when it is first needed; only the owner of the library may read it."""
    path = folder / "secret"
    if not path.exists():
        with replacing(path, mode=0o600) as written:
            written.touch(mode=0o600)
            written.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
