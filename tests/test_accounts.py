from __future__ import annotations

import threading
import unicodedata

import pytest
from argon2 import PasswordHasher
from conftest import written

from index import accounts, attempts
from index.accounts import IDLE, LASTS, NOTED, Accounts, BusyError, WrongAccountError, normal_name, secret
from index.attempts import FROM_ONE_PLACE, UPON_ONE_ACCOUNT, TooManyAttemptsError
from index.library import Library

PASSWORD = "กขค three blue horses"
HERE = "192.0.2.7"


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test sets: clock[0]."""
    now = [1_800_000_000]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.fixture
def those(library) -> Accounts:
    made = Accounts(library)
    made.put("ana", PASSWORD)
    return made


def test_passwords_are_kept_as_argon2id_with_64_mebibytes_and_never_as_they_are(library, monkeypatch):
    monkeypatch.undo()
    Accounts(library).put("ana", PASSWORD)
    (kept,) = [row["hash"] for row in library.rows("SELECT hash FROM accounts")]
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and PASSWORD not in kept
    assert PASSWORD.encode() not in written(library) and kept.encode() in written(library)
    assert Accounts(library).is_right("ana", PASSWORD, HERE) and not Accounts(library).is_right("ana", PASSWORD.upper(), HERE)


def test_a_hash_made_with_other_parameters_is_made_anew_at_the_next_sign_in(library, those, monkeypatch):
    before = library.rows("SELECT hash FROM accounts")[0]["hash"]
    assert those.is_right("ana", PASSWORD, HERE) and library.rows("SELECT hash FROM accounts")[0]["hash"] == before
    monkeypatch.setattr(accounts, "HASHER", PasswordHasher(time_cost=2, memory_cost=64))
    assert those.is_right("ana", PASSWORD, HERE) and "t=2" in library.rows("SELECT hash FROM accounts")[0]["hash"]
    assert those.is_right("ana", PASSWORD, HERE)


@pytest.mark.parametrize(
    ("kept", "typed"),
    [("José", "JOSE\u0301"), ("Ｍａｒｉａ", " maria "), ("Ольга", "ОЛЬГА"), ("نرگس‌خاتون", "نرگس‌خاتون"), ("พระไพศาล", "พระไพศาล"), ("李  明", "李 明"), ("Straße", "STRASSE"),
     ("Ἀθηνᾶ", unicodedata.normalize("NFD", "Ἀθηνᾶ"))],
)  # fmt: skip
def test_a_name_is_the_same_however_it_is_typed(library, kept, typed):
    Accounts(library).put(kept, PASSWORD)
    assert Accounts(library).is_right(typed, PASSWORD, HERE) and Accounts(library).has(typed)
    assert [account.name for account in Accounts(library).accounts()] == [normal_name(kept)]


@pytest.mark.parametrize("password", ["пароль из слов", "ﾊﾟｽﾜｰﾄﾞは長いほど良い", "كلمة سر طويلة جدا", "ខ្មែរ ខ្មែរ ខ្មែរ", "e\u0301" * 12])
def test_a_password_is_the_same_however_its_letters_are_composed(those, password):
    those.put("ana", password)
    assert all(those.is_right("ana", unicodedata.normalize(form, password), HERE) for form in ("NFC", "NFD", "NFKC", "NFKD"))


@pytest.mark.parametrize("password", ["", "11 letters.", "e\u0301" * 11, "x" * 1025, "水" * 342])
def test_a_password_too_short_or_too_long_is_refused(those, password):
    with pytest.raises(WrongAccountError, match="at least 12 characters and at most 1024 bytes"):
        those.put("ana", password)
    assert not those.is_right("ana", password, HERE) and those.is_right("ana", PASSWORD, HERE)


def test_what_comes_after_the_longest_password_is_not_passed_over(those):
    those.put("ana", "x" * 1024)
    assert those.is_right("ana", "x" * 1024, HERE) and not those.is_right("ana", "x" * 1025, HERE)


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "a\nb", "\u202eana", "x" * 65, "ana\x00"])
def test_a_name_that_cannot_be_seen_or_is_too_long_is_refused(library, name):
    with pytest.raises(WrongAccountError, match="expected a name"):
        Accounts(library).put(name, PASSWORD)
    assert Accounts(library).accounts() == []


def test_a_session_ends_when_it_is_idle_and_at_the_latest_after_a_week(those, clock):
    token = those.open_session("ana")
    clock[0] += IDLE - 1
    assert those.signed_in(token) == "ana"  # and now it is used
    clock[0] += IDLE
    assert those.signed_in(token) is None
    token, begun = those.open_session("ana"), clock[0]
    while clock[0] + IDLE - 1 < begun + LASTS:
        clock[0] += IDLE - 1
        assert those.signed_in(token) == "ana"
    clock[0] = begun + LASTS
    assert those.signed_in(token) is None


def test_use_is_noted_once_in_some_minutes_and_what_is_over_is_deleted_then(library, those, clock, monkeypatch):
    lost, token = those.open_session("ana"), those.open_session("ana")
    with pytest.raises(TooManyAttemptsError):
        for _ in range(11):
            those.is_right("nobody", "wrong", HERE)
    clock[0] += NOTED - 1
    with monkeypatch.context() as patched:
        patched.setattr(Library, "transaction", lambda *_, **__: pytest.fail("something is written"))
        assert those.signed_in(token) == "ana"
    for _ in range(3):  # the other one is not used meanwhile
        clock[0] += IDLE // 2
        assert those.signed_in(token) == "ana"
    assert len(library.rows("SELECT 1 FROM sessions")) == 1 and {row["address"] for row in library.rows("SELECT * FROM failed_attempts")} == {""}
    assert those.signed_in(lost) is None
    clock[0] += IDLE - 1
    assert those.signed_in(token) == "ana" and library.rows("SELECT 1 FROM failed_attempts") == []


def test_signing_out_another_password_and_removal_end_sessions(library, those):
    tokens = [those.open_session("ANA") for _ in range(3)]
    those.sign_out(tokens[0])
    assert [those.signed_in(token) for token in tokens] == [None, "ana", "ana"]
    those.put("ana", "another long password")
    assert [those.signed_in(token) for token in tokens] == [None] * 3
    token = those.open_session("ana")
    those.remove("Ana")
    assert those.signed_in(token) is None and library.rows("SELECT 1 FROM sessions") == []


def test_the_library_knows_no_token_only_its_digest(library, those):
    token = those.open_session("ana")
    assert token.encode() not in written(library)
    assert library.rows("SELECT token FROM sessions")[0]["token"] != token


def fail(those, times, name="ana", address=HERE, browser=""):
    return [those.is_right(name, "a wrong password", address, browser) for _ in range(times)]


@pytest.mark.parametrize("name", ["ana", "nobody", "ไม่มีใคร"])
def test_one_place_may_fail_ten_times_in_a_quarter_of_an_hour_whatever_the_name(library, those, clock, name):
    assert fail(those, FROM_ONE_PLACE.failures, name) == [False] * 10
    clock[0] += 60
    with pytest.raises(TooManyAttemptsError, match="try again in 840 seconds") as raised:
        Accounts(Library.open(library.folder)).is_right("ana", PASSWORD, HERE)  # after a restart, too, and with the right password
    assert raised.value.seconds == 840
    assert those.is_right("ana", PASSWORD, "192.0.2.8")
    clock[0] += 840
    assert those.is_right("ana", PASSWORD, HERE)


def test_all_of_an_ipv6_network_is_one_place(those):
    for number in range(FROM_ONE_PLACE.failures):
        those.is_right("ana", "wrong", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyAttemptsError):
        those.is_right("ana", PASSWORD, "2001:db8:1:2:ffff::1")
    assert those.is_right("ana", PASSWORD, "2001:db8:1:3::1")


def test_many_machines_together_may_fail_a_hundred_times_a_day_and_keep_no_known_browser_out(those, clock):
    for number in range(UPON_ONE_ACCOUNT.failures):
        those.is_right("ana", "wrong", f"198.51.100.{number}")
    with pytest.raises(TooManyAttemptsError) as raised:
        those.is_right("ana", PASSWORD, HERE)
    assert raised.value.seconds == UPON_ONE_ACCOUNT.seconds
    assert those.is_right("ana", PASSWORD, "198.51.100.1", browser="one that has signed in before")
    assert fail(those, 10, browser="stolen") == [False] * 10
    with pytest.raises(TooManyAttemptsError):
        those.is_right("ana", PASSWORD, HERE, browser="stolen")
    those.put("ana", PASSWORD)  # as whoever has the command line can
    assert those.is_right("ana", PASSWORD, HERE)


def test_success_is_no_failure(those):
    assert all(those.is_right("ana", PASSWORD, HERE) for _ in range(2 * FROM_ONE_PLACE.failures))


def test_attempts_at_the_same_time_cannot_pass_the_limit_together(library, those, monkeypatch):
    monkeypatch.setattr(accounts, "_hashing", threading.BoundedSemaphore(30))
    came = []

    def attempt():
        try:
            came.append(Accounts(library).is_right("ana", "wrong", HERE))
        except TooManyAttemptsError:
            came.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, came)) == ["False"] * 10 + ["refused"] * 20


def test_only_so_many_passwords_are_hashed_at_once(those, monkeypatch):
    monkeypatch.setattr(accounts, "_hashing", threading.BoundedSemaphore(1))
    with accounts._hashing, pytest.raises(BusyError):
        those.is_right("ana", PASSWORD, HERE)
    assert those.is_right("ana", PASSWORD, HERE)


def test_no_name_and_no_address_that_was_tried_can_be_read_in_the_library(library, those):
    those.is_right("a password typed as a name", "x", HERE)
    assert b"a password typed" not in written(library) and HERE.encode() not in written(library)


def test_a_name_that_nobody_has_costs_as_much_hashing(those, monkeypatch):
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hashed, password):
            verified.append(hashed.split("$")[1:4])
            return super().verify(hashed, password)

    monkeypatch.setattr(accounts, "HASHER", Counting(time_cost=1, memory_cost=64))
    those.is_right("ana", "wrong", HERE)
    those.is_right("nobody", "wrong", HERE)
    assert len(verified) == 2 and verified[0] == verified[1]


@pytest.mark.embedded_only("a setting of SQLite's stands for the full disk")
def test_a_full_disk_ends_no_session(library, those, clock, caplog):
    token = those.open_session("ana")
    clock[0] += NOTED
    library._connection().execute("PRAGMA query_only = ON")
    assert those.signed_in(token) == "ana" and "could not be noted" in caplog.text


def test_the_secret_is_made_once_and_for_its_owner_only(library):
    assert secret(library.folder) == secret(library.folder) and len(secret(library.folder)) == 32
    assert (library.folder / "secret").stat().st_mode & 0o777 == 0o600


def test_an_account_is_listed_with_its_open_sessions(those, clock):
    those.put("บุญมี", PASSWORD)
    those.open_session("ana"), those.open_session("ana")
    clock[0] += IDLE
    those.open_session("ana")
    assert [(account.name, account.sessions) for account in those.accounts()] == [("ana", 1), ("บุญมี", 0)]


def test_the_limits_say_what_they_are_for():
    assert attempts.UPON_ONE_ACCOUNT.failures * 365 == 36_500 and attempts.__doc__ and "36,500" in attempts.__doc__
