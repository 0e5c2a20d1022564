"""The accounts of analysts and their sessions. Readers need none. The only module that imports argon2."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from index.attempts import Attempts
from index.durable import replacing
from index.library import Library
from index.schema import NOW
from ingest.records import IsoglossError

SHORTEST = 12  # characters of a password; of what kind is nobody's business but its owner's
LONGEST = 1024  # bytes of a password, so that nobody can have much hashed
LONGEST_NAME = 64  # characters
JOINERS = "\u200c\u200d"  # that show nothing and belong to the spelling of Persian and Indic names
IDLE = 12 * 3600  # seconds without a request after which a session ends
LASTS = 7 * 24 * 3600  # seconds after which a session ends, whatever happens
NOTED = 5 * 60  # seconds between two notes that a session is used, so that not every request writes
HASHER = PasswordHasher()  # argon2id with the parameters that its makers recommend (RFC 9106, low memory): 64 MiB each time
AT_ONCE = 2  # passwords that are hashed at the same time by one process; readers have the other threads

_hashing = threading.BoundedSemaphore(AT_ONCE)


class WrongAccountError(IsoglossError):
    """An account or a password is not what it must be."""


class BusyError(IsoglossError):
    """So many sign in at once that one more must wait a moment."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is listed. Times are ISO 8601 in UTC."""

    name: str
    created: str
    sessions: int  # that are open


class Accounts:
    """Who may change a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._attempts = Attempts(library, secret(library.folder))

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        counted = "SELECT count(*) FROM sessions WHERE account = name AND created > ? AND used > ?"
        now = int(time.time())
        return [
            Account(*row) for row in self._library.rows(f"SELECT name, created, ({counted}) FROM accounts ORDER BY name", (now - LASTS, now - IDLE))
        ]

    def has(self, name: str) -> bool:
        return bool(self._library.rows("SELECT 1 FROM accounts WHERE name = ?", (normal_name(name),)))

    def put(self, name: str, password: str) -> str:
        """Add an account, or give it another password, which ends its sessions; return its name as it is kept. Raises WrongAccountError."""
        name = normal_name(name)
        if not 0 < len(name) <= LONGEST_NAME or not all(sign.isprintable() or sign in JOINERS for sign in name):
            raise WrongAccountError(f"expected a name of 1 to {LONGEST_NAME} characters that can be seen, got {name[:LONGEST_NAME]!r}")
        plain = _normal_password(password)
        if len(plain) < SHORTEST or len(_bytes(plain)) > LONGEST:
            raise WrongAccountError(f"expected a password of at least {SHORTEST} characters and at most {LONGEST} bytes")
        hashed = HASHER.hash(_bytes(plain))
        with self._library.transaction(contents=False) as run:
            run(f"INSERT INTO accounts VALUES (?1, ?2, {NOW}) ON CONFLICT (name) DO UPDATE SET hash = ?2", (name, hashed))
            run("DELETE FROM sessions WHERE account = ?", (name,))
            self._attempts.forgive(name)
        return name

    def remove(self, name: str) -> None:
        """Remove an account with its sessions; what it did stays in the log."""
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM accounts WHERE name = ?", (normal_name(name),))

    def is_right(self, name: str, password: str, address: str, browser: str = "") -> bool:
        """Whether this is the account's password; that there is no such account takes as long to say. See `Attempts.begin`.

        Raises TooManyAttemptsError, which is said of names that nobody has as well, and BusyError.
        """
        name = normal_name(name)
        if not _hashing.acquire(blocking=False):
            raise BusyError("others are signing in; try again in a moment")
        try:
            attempt = self._attempts.begin(name, address, browser)
            right = self._matches(name, _bytes(_normal_password(password)))
        finally:
            _hashing.release()
        if right:
            self._attempts.succeeded(attempt)
        return right

    def open_session(self, name: str) -> str:
        """Open a session for an account; return its token, of which the library keeps a digest only."""
        token, now = secrets.token_urlsafe(32), int(time.time())
        with self._library.transaction(contents=False) as run:
            self.forget_old()
            run("INSERT INTO sessions VALUES (?,?,?,?)", (_digest(token), normal_name(name), now, now))
        return token

    def signed_in(self, token: str) -> str | None:
        """The account whose session this is; None when there is no such session, or its time is over. Notes that it is used."""
        now = int(time.time())
        rows = self._library.rows(
            "SELECT account, used FROM sessions WHERE token = ? AND created > ? AND used > ?", (_digest(token), now - LASTS, now - IDLE)
        )
        if not rows:
            return None
        if rows[0]["used"] <= now - NOTED:
            self._note_use(token, now)
        return str(rows[0]["account"])

    def sign_out(self, token: str) -> None:
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM sessions WHERE token = ?", (_digest(token),))

    def forget_old(self) -> None:
        """Delete the sessions whose time is over, and the attempts that count no longer."""
        now = int(time.time())
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM sessions WHERE created <= ? OR used <= ?", (now - LASTS, now - IDLE))
            self._attempts.forget_old()

    def _note_use(self, token: str, now: int) -> None:
        try:
            with self._library.transaction(contents=False) as run:
                run("UPDATE sessions SET used = ? WHERE token = ?", (now, _digest(token)))
                self.forget_old()
        except IsoglossError as error:  # on a full disk the desk must still open
            logging.getLogger(__name__).warning("it could not be noted that a session is used: %s", error)

    def _matches(self, name: str, password: bytes) -> bool:
        """Compare with the account's hash, or with nobody's; bring a hash that was made with other parameters up to date."""
        rows = self._library.rows("SELECT hash FROM accounts WHERE name = ?", (name,))
        nobodys = nobodys_hash()
        hashed = str(rows[0]["hash"]) if rows else nobodys
        try:
            HASHER.verify(hashed, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        if HASHER.check_needs_rehash(hashed):
            with self._library.transaction(contents=False) as run:
                run("UPDATE accounts SET hash = ? WHERE name = ? AND hash = ?", (HASHER.hash(password), name, hashed))
        return len(password) <= LONGEST


def normal_name(name: str) -> str:
    """A name as it is kept: however it was typed, wide, small or capital letters, composed or not, it is the same (RFC 8265, but Unicode's own folding)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(part for part in folded.split(" ") if part)


def secret(folder: Path) -> bytes:
    """The key with which cookies are signed, made when it is first needed; only the owner of the library may read it."""
    path = folder / "secret"
    with FileLock(folder / ".making"):
        if not path.exists():
            with replacing(path, mode=0o600) as written:
                written.touch(mode=0o600)
                written.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


@cache
def nobodys_hash() -> str:
    """What is compared with the password of an account that nobody has."""
    return HASHER.hash(secrets.token_hex())


def _normal_password(password: str) -> str:
    """Keyboards write the same letters in several ways; NFKC makes them one."""
    return unicodedata.normalize("NFKC", password)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
