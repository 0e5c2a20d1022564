"""What is in deploy/ fits the program: its commands, its settings, its files. Neither systemd nor containers are run."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from search_app.cli import main

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
OTHERS = {
    "ISOGLOSS_STORE",
    "ISOGLOSS_WORKERS",
    "ISOGLOSS_COMPUTE",
    "PGPASSWORD",
    "PGPASSFILE",
    "XDG_CACHE_HOME",
    "HF_HUB_OFFLINE",
}  # read where they are needed
ANALYZE = shutil.which("systemd-analyze")
yaml = pytest.importorskip("yaml")


def known_settings() -> set[str]:
    """Every environment variable of a command's options."""
    return {str(option.envvar) for command in main.commands.values() for option in command.params if option.envvar} | OTHERS


def parsed(words: list[str]) -> click.Context:
    """What the command line makes of these words; raises UsageError for what it does not know."""
    return main.commands[words[0]].make_context(words[0], words[1:])


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=True)
    found.optionxform = str  # systemd tells capitals from small letters
    found.read(path)
    return found


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def test_there_is_a_unit_for_those_who_ask_and_one_for_the_jobs():
    started = {path.name: shlex.split(unit(path)["Service"]["ExecStart"]) for path in UNITS}
    assert {name: words[1] for name, words in started.items()} == {"isogloss-web.service": "serve", "isogloss-work.service": "work"}
    for program, *words in started.values():
        assert program.endswith("/bin/isogloss") and parsed(words)


def test_the_web_unit_leaves_the_jobs_to_the_other():
    assert parsed(["serve", "--no-work"]).params["work"] is False and "--no-work" in unit(DEPLOY / "isogloss-web.service")["Service"]["ExecStart"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_closed_to_all_but_what_the_program_needs(path):
    service = unit(path)["Service"]
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectKernelModules", "RestrictSUIDSGID", "LockPersonality"):
        assert service[name] == "yes", name
    assert service["ProtectSystem"] == "strict" and service["CapabilityBoundingSet"] == "" and service["MemoryMax"]
    assert set(service["RestrictNamespaces"].split()) == {"user", "net"}  # what ingest/isolation.py asks for
    assert "MemoryDenyWriteExecute" not in service  # the encoder makes code for the processor at hand


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
@pytest.mark.skipif(not ANALYZE, reason="there is no systemd-analyze")
def test_systemd_understands_a_unit_and_calls_it_safe(path, tmp_path):
    here = path.read_text().replace("/opt/isogloss/.venv/bin/isogloss", sys.executable).replace("/etc/isogloss.env", str(DEPLOY / "isogloss.env"))
    copy = tmp_path / path.name
    copy.write_text(here)
    found = subprocess.run([ANALYZE, "verify", "--recursive-errors=no", copy], capture_output=True, text=True)
    assert (found.returncode, [line for line in found.stderr.splitlines() if copy.name in line]) == (0, [])
    judged = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--threshold=40", copy], capture_output=True, text=True, env=os.environ | {"SYSTEMD_PAGER": ""}
    )
    assert judged.returncode == 0, judged.stdout[-2000:] + judged.stderr


def test_every_setting_of_the_environment_file_is_known():
    lines = [line.lstrip("#") for line in (DEPLOY / "isogloss.env").read_text().splitlines() if re.match(r"#?[A-Z_]+=", line)]
    names = {line.split("=")[0] for line in lines}
    assert len(names) == len(lines) >= 8 and names <= known_settings()


def test_the_services_are_those_that_a_site_needs_and_a_replica_only_on_demand(compose):
    assert set(compose["services"]) == {"web", "work", "store", "replica"}
    assert [name for name, service in compose["services"].items() if "profiles" in service] == ["replica"]


def test_services_name_only_what_is_there(compose):
    for name, service in compose["services"].items():
        assert set(service["networks"]) <= set(compose["networks"]) and set(service.get("depends_on", ())) <= set(compose["services"]), name
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(compose["volumes"]), name
        assert {used["source"] for used in service.get("configs", ())} <= set(compose["configs"]), name


def test_programs_and_settings_in_containers_are_known(compose):
    for name in ("web", "work"):
        service = compose["services"][name]
        assert parsed(service["command"]) and set(service["environment"]) <= known_settings(), name
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_only_the_site_is_published_and_on_this_machine_alone(compose):
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]} and compose["networks"]["inside"] == {"internal": True}
    assert all(service["networks"] == ["inside"] for name, service in compose["services"].items() if name != "web")


def test_whether_the_site_is_healthy_is_asked_of_its_readiness(compose):
    assert "/ready" in compose["services"]["web"]["healthcheck"]["test"][-1]


def test_no_password_stands_in_any_file_and_no_log_of_the_server_holds_what_is_asked(compose):
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert set(re.findall(r"PASSWORD: (.*)", text)) == {"${POSTGRES_PASSWORD:?}"}
    for name in ("store", "replica"):
        assert "log_parameter_max_length=0" in " ".join(compose["services"][name]["command"])


def test_the_image_copies_what_is_there_and_starts_what_is_known():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert copied and all((ROOT / word).exists() for word in copied)
    assert set(re.findall(r"\b([A-Z_]+)=", next(line for line in lines if line.startswith("ENV")))) <= known_settings()
    assert parsed(["serve"]) and 'ENTRYPOINT ["isogloss"]' in lines and 'CMD ["serve"]' in lines and "USER isogloss" in lines
