"""Attempts to sign in that failed: how many there may be, from where and upon what, kept in the library so that a restart or a second web process forgets none.

Ten in a quarter of an hour from one place stop whoever guesses from one machine. A hundred in a day upon one account, from all places together,
stop whoever has many machines: that is 36,500 guesses in a year, against passwords of at least twelve characters. So that a stranger who uses
them up cannot keep the account's owner out, a browser that has signed in to the account before counts for itself: it is the place, and the
account, of its attempts. Names and addresses are kept as keyed digests, since people type passwords where names belong, and addresses for as
long only as they count.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from typing import Any, NamedTuple

from index.library import Library
from ingest.records import IsoglossError


class Limit(NamedTuple):
    """So many failures within so many seconds."""

    failures: int
    seconds: int


FROM_ONE_PLACE = Limit(10, 15 * 60)
UPON_ONE_ACCOUNT = Limit(100, 24 * 3600)


class TooManyAttemptsError(IsoglossError):
    """No further attempt is allowed for `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"too many attempts to sign in have failed; try again in {seconds} seconds, or set another password with: isogloss account password"
        )
        self.seconds = seconds


class Attempts:
    """The failed attempts of the last day."""

    def __init__(self, library: Library, key: bytes) -> None:
        self._library, self._key = library, key

    def begin(self, account: str, address: str, browser: str = "") -> int:
        """Count an attempt as failed before it is made, so that many at once cannot pass; return its number. Raises TooManyAttemptsError.

        `browser` names one that is known to have signed in to this account before; "" is any other.
        """
        upon = self._digest(f"browser {browser}" if browser else f"account {account}")
        place = self._digest(f"browser {browser}" if browser else f"address {_network(address)}")
        with self._library.transaction(contents=False) as run:
            self.forget_old()
            wait = max(_wait(run, "address", place, FROM_ONE_PLACE), _wait(run, "account", upon, UPON_ONE_ACCOUNT))
            if wait <= 0:
                return int(run("INSERT INTO failed_attempts VALUES (?,?,?) RETURNING rowid", (_now(), upon, place)).fetchone()[0])
        raise TooManyAttemptsError(wait)

    def succeeded(self, number: int) -> None:
        """The attempt did not fail after all."""
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM failed_attempts WHERE rowid = ?", (number,))

    def forgive(self, account: str) -> None:
        """Forget the attempts upon an account."""
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM failed_attempts WHERE account = ?", (self._digest(f"account {account}"),))

    def forget_old(self) -> None:
        """Delete what counts no longer: places first, then the attempts."""
        with self._library.transaction(contents=False) as run:
            run("DELETE FROM failed_attempts WHERE at <= ?", (_now() - UPON_ONE_ACCOUNT.seconds,))
            run("UPDATE failed_attempts SET address = '' WHERE at <= ? AND address != ''", (_now() - FROM_ONE_PLACE.seconds,))

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16, key=self._key).hexdigest()


def _wait(run: Any, column: str, value: str, limit: Limit) -> int:
    """In how many seconds the limit allows another attempt; 0 or less for now."""
    rows = run(f"SELECT at FROM failed_attempts WHERE {column} = ? ORDER BY at DESC LIMIT 1 OFFSET ?", (value, limit.failures - 1)).fetchall()
    return rows[0]["at"] + limit.seconds - _now() if rows else 0


def _network(address: str) -> str:
    """The address, or of IPv6 the network of 2^64 addresses that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and not found.ipv4_mapped:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _now() -> int:
    return int(time.time())
