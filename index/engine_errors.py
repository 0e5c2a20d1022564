"""What PostgreSQL says when something is wrong, in words of ours."""

from __future__ import annotations

from psycopg import Error, errors

from index.room import FullDiskError
from index.store import PATIENCE, BusyLibraryError, DamagedLibraryError, ReadOnlyLibraryError, StoreUnreachableError, UnusableLibraryError

GENERATION = '"generation_'  # begins, in what is said, the name of a table of index/engine_index.py


def explained(error: Error, where: str, lost: bool) -> Exception:
    """The error to raise for what was said of the database at `where`; with `lost` the connection to it has ended. The same one where ours is no better."""
    match error:
        case errors.LockNotAvailable():
            return BusyLibraryError(
                f"Another process is writing to {where}, and has not ended for {PATIENCE:.0f} seconds; large changes take minutes. Try again."
            )
        case errors.ReadOnlySqlTransaction():
            return ReadOnlyLibraryError(f"{where} cannot be written ({error}); it can be searched only. Name the primary, too, in ISOGLOSS_STORE.")
        case errors.DiskFull() | errors.OutOfMemory() | errors.ConfigurationLimitExceeded():
            return FullDiskError(
                f"There is no room at {where} ({error}). What was stored before is whole, this was not stored. Make room, then do the same again."
            )
        case errors.DataCorrupted() | errors.IndexCorrupted() | errors.IoError():
            return DamagedLibraryError(f"{where} cannot be read or written: {error}. Look after its disk; then run: isogloss verify")
        case errors.SerializationFailure() | errors.QueryCanceled():
            return StoreUnreachableError(
                f"{where} gave up before it had answered ({error}). Ask again; where a replica often does, set hot_standby_feedback = on there."
            )
        case errors.UndefinedTable() if GENERATION in str(error):
            return StoreUnreachableError(f"{where} has put another index in the place of the one that was asked ({error}). Ask again.")
        case errors.UndefinedTable():
            return DamagedLibraryError(f"The library in {where} has lost a table ({error}). Restore it from a backup.")
        case errors.InsufficientPrivilege():
            return UnusableLibraryError(
                f"{where}: {error}. This user must own the database (ALTER DATABASE ... OWNER TO ...), and its extensions be there (CREATE EXTENSION vector)"
            )
    if lost:
        return StoreUnreachableError(f"The connection to {where} was lost: {error}. What it was in the middle of was not stored.")
    return error
