"""A site of processes of its own, for tests: `isogloss serve`, or gunicorn, with a LexiconEncoder."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

HERE = Path(__file__).parent
ISOGLOSS = [sys.executable, str(HERE / "lexicon_isogloss.py")]
PASSWORD = "a long enough password"


class Site:
    """What a browser sees of it. Every request is a connection of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, figures: int, log: Path) -> None:
        self.process, self.port, self.figures, self.log = process, port, figures, log
        self.cookies: dict[str, str] = {}

    def ask(self, address: str, method: str = "GET", body: bytes | None = None, form: dict[str, str] | None = None, port: int = 0, **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            body, said["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        if address.startswith("/desk") and self.cookies:
            said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, quote(address, safe="/?&=%+:"), body, said)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        answer.text = (gzip.decompress(content) if answer.headers["Content-Encoding"] == "gzip" else content).decode()
        answer.by = int(answer.headers.get("X-Process", 0))
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= [line.split(";")[0].split("=", 1)]
        return answer

    def json(self, address: str, **headers: str):
        return json.loads(self.ask(address, **headers).text)

    def token(self, address: str = "/desk/sign-in") -> str:
        return re.search(r'name="csrf_token" value="([^"]+)"', self.ask(address).text)[1]

    def sign_in(self, password: str = PASSWORD):
        return self.ask("/desk/sign-in", "POST", form={"name": "ana", "password": password, "csrf_token": self.token()})

    def told(self) -> dict[str, float]:
        """The figures."""
        lines = self.ask("/metrics", port=self.figures).text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def processes(self) -> set[int]:
        """Those that serve."""
        return {int(number) for number in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()}

    @contextmanager
    def only(self, process: int) -> Iterator[None]:
        """Let this process alone answer; the others rest."""
        others = self.processes() - {process}
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    def of_each(self, asked: Callable[[], object], processes: Collection[int] = ()) -> list[object]:
        """What is asked of each process in turn."""
        found = []
        for process in sorted(processes or self.processes()):
            with self.only(process):
                found.append(asked())
        return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_until(so: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def site(folder: Path, command: list[str], processes: int = 1, **environment: str) -> Iterator[Site]:
    """Start a command that serves the library in `folder`/library; where it says PORT and FIGURES it is told where to listen."""
    port, figures = free_port(), free_port()
    plain = [part.replace("PORT", str(port)).replace("FIGURES", str(figures)) for part in command]
    known = {name: value for name, value in os.environ.items() if not name.startswith(("ISOGLOSS_", "PROMETHEUS_"))}
    known |= {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]), "ISOGLOSS_LIBRARY": str(folder / "library"), "OMP_NUM_THREADS": "1"}
    told = {name: value.replace("FIGURES", str(figures)) for name, value in environment.items()}
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(plain, stdout=file, stderr=file, cwd=folder, env=known | told)
    found = Site(process, port, figures, log)
    try:
        wait_until(lambda: process.poll() is not None or _ready(found, processes))
        assert process.poll() is None, log.read_text("utf-8")
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _ready(found: Site, processes: int) -> bool:
    try:
        return found.ask("/ready").status == 200 and (
            processes == 1 or all(answer.status == 200 for answer in found.of_each(lambda: found.ask("/ready")))
        )
    except (OSError, http.client.HTTPException):
        return False
