from __future__ import annotations

import gc
import json
import re
import shlex
import shutil
import socket

import click
import pytest
from click.testing import CliRunner
from conftest import CORPUS, LexiconEncoder
from filelock import FileLock

from index.encoder import DEFAULT
from index.jobs import Jobs
from index.library import Library
from search_app import cli, cli_ingesting, cli_measuring, cli_serving, cli_working
from search_app.factory import create_app

WALD = ["Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit in diesem Wald."]
AGUA = ["El agua del río está limpia y los niños del pueblo la beben todos los días de la semana."]
CORPUS_LINES = [
    {"_id": "p1", "title": "", "text": "ป่าอยู่ริมแม่น้ำ", "language": "th"}, {"_id": "p2", "title": "", "text": "الغابة غابة قديمة", "language": "ar"},
    {"_id": "p3", "title": "", "text": "Das Wasser ist klar", "language": "de"}, {"_id": "p4", "title": "", "text": "Die Schule", "language": "de"},
]  # fmt: skip
QUERY_LINES = [
    {"_id": "q1", "text": "ป่า", "language": "th"}, {"_id": "q2", "text": "ماء", "language": "ar"}, {"_id": "q3", "text": "unjudged", "language": "en"},
]  # fmt: skip
QRELS = "query-id\tcorpus-id\tscore\nq1\tp1\t1\nq1\tp2\t1\nq2\tp3\t1\n"
FIGURES = ["nDCG@10", "AP", "RR@10", "R@10", "R@20", "own_language@10"]


def _lexicon(name):
    """Open an encoder by name as the real ones are opened: nothing and DEFAULT mean the one that comes with the installation."""
    return LexiconEncoder("lexicon" if name in ("", DEFAULT) else name)


@pytest.fixture
def isogloss(tmp_path, monkeypatch):
    """Run a command in an empty folder, with an encoder that needs no model."""
    for module in (cli, cli_ingesting, cli_measuring, cli_serving):
        monkeypatch.setattr(module, "open_encoder", lambda name, *_: _lexicon(name))
    for module in (cli_serving, cli_working):
        monkeypatch.setattr(module, "encoders_of", lambda *_, **__: _lexicon)
    monkeypatch.delenv("ISOGLOSS_LIBRARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(cli.main, [str(one) for one in arguments], **options)


@pytest.fixture
def filled(isogloss, publish):
    publish("woods", {"de": WALD, "es": AGUA, "km": None}, year=2020, countries=["KH"])
    assert isogloss("ingest", "corpus", "--workers", "1").exit_code == 0
    return isogloss


@pytest.fixture
def collection(tmp_path):
    folder = tmp_path / "collection"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(line) for line in CORPUS_LINES), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in QUERY_LINES), "utf-8")
    (folder / "qrels" / "test.tsv").write_text(QRELS)
    return folder


@pytest.mark.parametrize("name", cli.main.commands)
def test_every_command_has_a_help_with_an_example_that_can_be_typed(isogloss, name):
    result = isogloss(name, "--help")
    example = re.search(rf"Example: isogloss {name}(.*)", cli.main.commands[name].epilog)[1].split("&&")[0]
    assert result.exit_code == 0 and f"Example: isogloss {name}" in result.output and cli.main.commands[name].help
    command = cli.main.commands[name]
    options, arguments, _ = command.make_parser(click.Context(command)).parse_args(shlex.split(example))
    assert options or arguments


@pytest.mark.parametrize("arguments", [["search", "x", "-k", "0"], ["search"], ["ingest", "nowhere"], ["ingest", "."], ["nonsense"], ["search", "x", "--colour"],
                                       ["ingest", ".", "--workers", "0"], ["ingest", ".", "--workers", "ສອງ"],
                                       ["evaluate", "nowhere"]])  # fmt: skip
def test_wrong_use_ends_with_2_and_a_reason(isogloss, arguments, tmp_path):
    result = isogloss(*arguments)
    assert (result.exit_code, result.stdout) == (2, "") and "Error: " in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["search", "ป่า"], ["status"], ["verify"], ["work"], ["quality"]])
def test_without_a_library_the_message_says_what_to_run(isogloss, arguments, tmp_path):
    result = isogloss(*arguments)
    assert (result.exit_code, result.stderr) == (2, "Error: No library in library; run: isogloss ingest FOLDER-OF-PUBLICATIONS --library library\n")
    assert list(tmp_path.iterdir()) == []


def test_ingest_says_what_became_of_every_edition_and_ends_with_0(isogloss, publish):
    publish("woods", {"de": WALD, "km": None})
    first, second = isogloss("ingest", "corpus"), isogloss("ingest", "corpus")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert re.search(r"woods\.de\W+read", first.stdout) and re.search(r"woods\.km\W+no file", first.stdout)
    assert "2 editions: 1 read, 1 no file. This time: 1 read, 0 unchanged, 0 removed. 0 faults in the catalogue." in first.stdout
    assert "This time: 0 read, 1 unchanged, 0 removed." in second.stdout


def test_ingest_ends_with_1_when_something_failed_or_is_described_wrongly(isogloss, publish, monkeypatch):
    monkeypatch.setenv("PATH", "")  # where there is tesseract, the scan is read
    folder = publish("woods", {"de": WALD, "th": WALD})
    shutil.copy(CORPUS / "east-africa-coast" / "fr.pdf", folder / "th.pdf")
    publish("rivers", {"es": AGUA}, year="[/] soon")
    result = isogloss("ingest", "corpus")
    assert (
        result.exit_code == 1
        and "2 editions: 1 read, 1 failed. This time: 1 read, 1 failed, 0 unchanged, 0 removed. 1 fault in the catalogue." in result.stdout
    )
    assert "no readable text on any of its 4 pages" in " ".join(result.stdout.split()) and "found '[/] soon'" in result.stdout


def test_a_file_in_another_format_is_no_fault_of_the_catalogue(isogloss, publish, tmp_path):
    publish("woods", {"de": WALD})
    (tmp_path / "corpus" / "ข่าว.txt").write_text("ป่า")
    result = isogloss("ingest", "corpus")
    assert result.exit_code == 1 and "1 edition: 1 read. This time: 1 read, 0 unchanged, 0 removed. 0 faults in the catalogue." in result.stdout
    assert "1 file in a format that is not read." in result.stdout and "ข่าว.txt: expected a PDF" in result.stdout


def test_a_folder_is_described_and_then_ingested(isogloss, tmp_path):
    folder = tmp_path / "corpus" / "woods"
    folder.mkdir(parents=True)
    (folder / "de.html").write_text("<title>Der Wald</title><p>Der Wald liegt am Fluss, und die Menschen leben seit sehr langer Zeit darin.", "utf-8")
    assert 'de = "Der Wald"' in isogloss("describe", folder).stdout and not (folder / "publication.toml").exists()
    written, again = isogloss("describe", folder, "--write"), isogloss("describe", folder, "--write")
    assert (written.exit_code, again.exit_code) == (0, 2) and "look at it before it is ingested" in written.stdout and "is described" in again.stderr
    assert "1 edition: 1 read" in isogloss("ingest", "corpus").stdout


def test_an_interruption_ends_with_130_and_says_that_nothing_is_lost(isogloss, publish, monkeypatch):
    publish("woods", {"de": WALD})

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_ingesting, "open_encoder", interrupt)
    result = isogloss("ingest", "corpus")
    assert result.exit_code == 130 and "the same command goes on from there" in result.stderr


def test_another_encoder_is_refused_with_the_way_out(filled):
    result = filled("search", "forest", "--encoder", "another")
    assert result.exit_code == 2 and "was made by another encoder" in result.stderr and "--encoder" in result.stderr


@pytest.mark.parametrize("query", ["غابة", "ป่า", "forest"])
def test_search_prints_the_answer_where_it_stands_and_in_which_languages_it_is(filled, query):
    result = filled("search", query)
    assert result.exit_code == 0
    assert result.stdout == f" 1. woods in de  [de, page 1; woods.de]\n    {WALD[0]}\n    in: de, es, km\n\n"


@pytest.mark.parametrize("narrowed", [{}, {"language": "es"}, {"language": "de", "year": "2020"}, {"country": "KH"}, {"topic": "none"}])
def test_search_as_json_is_what_the_api_answers(filled, tmp_path, narrowed):
    options = [part for name, value in narrowed.items() for part in (f"--{name}", value)]
    api = create_app(Library.open(tmp_path / "library"), LexiconEncoder()).test_client()
    told = json.loads(filled("search", "ماء", "-k", "3", "--json", *options).stdout)
    answered = api.get("/api/v1/search", query_string={"q": "ماء", "k": 3, **narrowed}).json
    assert told == {name: answered[name] for name in told} and set(answered) - set(told) == {"offset", "k", "next", "previous"}
    assert json.loads(filled("search", "ماء", "-k", "3", "--json", "--exhaustive", *options).stdout) == told
    assert [hit["publication_id"] for hit in told["hits"]] == ([] if "topic" in narrowed else ["woods"])


def test_nothing_found_is_no_trouble(filled):
    result = filled("search", "forest", "--year", "1999")
    assert (result.exit_code, result.stdout) == (0, "")


def test_status_counts_what_there_is_and_names_the_trouble(filled, publish):
    folder = publish("woods", {"de": WALD, "es": AGUA, "km": None})
    (folder / "es.pdf").write_bytes(b"")
    filled("ingest", "corpus")
    told = json.loads(filled("status", "--json").stdout)
    trouble = [{"edition_id": "woods.es", "state": "failed", "reason": told["trouble"][0]["reason"]}]
    assert trouble[0]["reason"].startswith("it is empty (0 bytes), expected a PDF")
    assert told == {"library": "library", "publications": 1, "editions": 3, "pages": 1, "passages": 4, "languages": 3, "encoder": "lexicon",
                    "generation": told["generation"], "trouble": trouble}  # fmt: skip
    assert "editions      3\n" in filled("status").stdout and "failed        woods.es: it is empty (0 bytes)" in filled("status").stdout


def test_the_library_may_be_named_in_the_environment(filled, tmp_path):
    (tmp_path / "library").rename(tmp_path / "ไลบรารี")
    assert json.loads(filled("status", "--json", env={"ISOGLOSS_LIBRARY": "ไลบรารี"}).stdout)["publications"] == 1


def test_verify_tells_a_sound_library_from_one_with_a_changed_original(filled, tmp_path):
    sound = filled("verify")
    next((tmp_path / "library" / "files").glob("*/*.pdf")).write_bytes(b"%PDF-1.7 changed")
    spoilt = filled("verify")
    assert (sound.exit_code, sound.stdout, spoilt.exit_code) == (0, "The library is sound.\n", 1)
    assert "content has changed" in spoilt.stdout and spoilt.stdout.endswith("1 faults\n")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # waitress leaves its socket open
def test_serve_says_when_the_port_is_taken(filled):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = filled("serve", "--port", taken.getsockname()[1])
    code, message = result.exit_code, result.stderr
    del result
    gc.collect()
    assert code == 2 and "Choose another with --port." in message


@pytest.mark.parametrize(
    ("options", "reason"), [(["--address", "https://library.example"], "--behind-proxy"), (["--address", "library.example"], "expected an address")]
)
def test_serve_refuses_an_address_that_it_cannot_have(filled, options, reason):
    result = filled("serve", *options)
    assert result.exit_code == 2 and reason in result.stderr


def test_serve_makes_a_library_where_there_is_none_and_says_so(isogloss, tmp_path, monkeypatch):
    monkeypatch.setattr("waitress.create_server", lambda *_, **__: (_ for _ in ()).throw(OSError("no server in tests")))
    result = isogloss("serve", "--library", "ថ្មី")
    assert result.stderr.startswith("There was no library in ថ្មី; an empty one has been made.\n")
    assert Library.open(tmp_path / "ថ្មី").counts()["publications"] == 0


def test_work_does_what_there_is_to_do_and_ends(filled, monkeypatch, tmp_path):
    monkeypatch.setattr(cli_working, "_end_politely", lambda tied: None)
    monkeypatch.setattr(cli_working.os, "nice", lambda by: by)
    monkeypatch.setattr(cli_working.os, "environ", {})
    monkeypatch.setattr("search_app.worker.LINGER", 0)
    Jobs(Library.open(tmp_path / "library")).add("reading", "ana", ["woods.de"])
    assert filled("work", "--until-idle").exit_code == 0 and Jobs(Library.open(tmp_path / "library")).job(1).state == "done"
    with FileLock(tmp_path / "library" / ".working"):
        second = filled("work", "--until-idle")
    assert (second.exit_code, second.stderr) == (0, "Another process does the jobs of library already.\n")


def test_evaluate_prints_every_figure_and_keeps_nothing_on_disk_if_temporary(isogloss, collection, tmp_path):
    result = isogloss("evaluate", "collection", "--temporary", "--json")
    figures = json.loads(result.stdout)
    assert (result.exit_code, sorted(path.name for path in tmp_path.iterdir())) == (0, ["collection"])
    assert list(figures) == ["passages", "queries", *FIGURES, "by_language"]
    assert {language: list(row) for language, row in figures["by_language"].items()} == {"ar": ["queries", *FIGURES], "th": ["queries", *FIGURES]}
    assert (figures["passages"], figures["queries"], figures["R@10"], figures["R@20"]) == (4, 2, 1.0, 1.0)
    assert all(0 <= figures[name] <= 1 for name in FIGURES)


def test_evaluate_keeps_the_index_in_the_library_folder_otherwise_and_prints_a_table(isogloss, collection, tmp_path):
    result, again = (isogloss("evaluate", "collection", "--library", "here") for _ in range(2))
    assert (result.exit_code, result.stdout) == (0, again.stdout) and "4 passages" in result.stdout and "nDCG@10" in result.stdout
    (kept,) = (tmp_path / "here" / "evaluations").glob("collection-*")
    assert Library.open(kept).counts()["passages"] == 4


def test_evaluate_tells_recall_language_by_language_when_asked(isogloss, collection):
    told = json.loads(isogloss("evaluate", "collection", "--temporary", "--pairs", "--json").stdout)
    one = {"R@20": 1.0, "queries": 1}
    assert told["by_pair"] == {"ar": {"de": one}, "th": {"ar": one, "th": one}}
    shown = isogloss("evaluate", "collection", "--temporary", "--pairs").stdout
    assert "R@20: rows ask, columns are found\n            ar    de    th\nar              1.00\nth        1.00        1.00\n" in shown


def test_quality_keeps_its_figures_in_the_library_and_writes_a_report(filled, tmp_path):
    result = filled("quality", "--json", "--write", "quality.md")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["all"]["questions"], told["all"]["recall"]) == (0, 10, None)  # 3 titles and 2 passages, 2 languages each
    assert told == json.loads((tmp_path / "library" / "quality.json").read_text("utf-8"))
    assert "| español (es) | too few to say | 4 |" in (tmp_path / "quality.md").read_text("utf-8")
    (tmp_path / "quality.md").unlink()
    shown = filled("quality").stdout
    assert shown.endswith(
        "Questions behind each figure\n            de    es    km\nde                 2     2\nes           2           2\nkm           1     1\n"
    )
    assert not (tmp_path / "quality.md").exists()


def test_quality_ends_with_2_where_nothing_is_in_two_languages(isogloss, publish, tmp_path):
    publish("woods", {"de": WALD})
    isogloss("ingest", "corpus")
    result = isogloss("quality")
    assert (result.exit_code, result.stdout) == (2, "") and "can be searched in two languages" in result.stderr
    assert not (tmp_path / "library" / "quality.json").exists()


def test_quality_refuses_a_report_in_a_folder_that_is_not_there_before_it_measures(filled, tmp_path):
    result = filled("quality", "--write", "nowhere/quality.md")
    assert result.exit_code == 2 and "nowhere does not exist" in " ".join(result.stderr.split())
    assert not (tmp_path / "library" / "quality.json").exists()


def test_evaluate_says_what_is_wrong_with_a_collection(isogloss, collection):
    (collection / "qrels" / "test.tsv").write_text(QRELS + "q1\tp1\n")
    result = isogloss("evaluate", "collection", "--temporary")
    assert result.exit_code == 2 and "test.tsv:5: expected query, passage and a whole number" in result.stderr
