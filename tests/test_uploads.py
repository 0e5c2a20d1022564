"""Files that are sent: what is acknowledged is on disk, names are never paths, limits hold, and a process may be killed at any moment."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import pdf_of
from filling import fill, publication

from index import uploads as module
from index.changes import Changes
from index.durable import checksum
from index.jobs import Jobs
from index.library import Library
from index.uploads import MIB, UploadError, UploadLimits, Uploads
from ingest.records import Edition, Publication

PDF = pdf_of(["The forest grows."])
NAMES = ["../../etc/passwd", "<b>ก.pdf", "تقرير\u202efdp.exe", "line\nbreak\x00.pdf", "/", "", "ខ្មែរ.pdf", "報告書.pdf", "😀" * 400]


class Killed(BaseException):
    """The process ends here."""


def sound(_: Path) -> str:
    return ""


@pytest.fixture
def box(library: Library) -> Uploads:
    return Uploads(library, UploadLimits(size=MIB, count=5, unfinished=2 * MIB, room=0))


def sent(box: Uploads, content: bytes = PDF, name: str = "a.pdf", check=sound) -> str:
    upload = box.create("ana", name, len(content))
    box.append(upload.upload_id, 0, [content])
    box.finish(upload.upload_id, check)
    return upload.upload_id


def test_a_file_comes_in_pieces_and_is_then_in_the_library_under_its_digest(library, box):
    upload = box.create("ana", "a.pdf", len(PDF), "likeness")
    assert box.append(upload.upload_id, 0, [PDF[:10], PDF[10:100]]) == 100 == box.offset(upload)
    assert stat.S_IMODE((library.folder / "uploads" / upload.upload_id).stat().st_mode) == 0o600
    box.finish(upload.upload_id, sound)
    assert box.upload(upload.upload_id).state == "receiving"
    assert box.append(upload.upload_id, 100, [PDF[100:]]) == len(PDF)
    box.finish(upload.upload_id, sound)
    done = box.upload(upload.upload_id)
    assert (done.state, done.digest, done.likeness) == ("complete", hashlib.sha256(PDF).hexdigest(), "likeness")
    assert library.file(done.digest).read_bytes() == PDF and list((library.folder / "uploads").iterdir()) == []
    (job,) = Jobs(library).jobs()
    assert (job.kind, job.by, [document.name for document in Jobs(library).documents(job.job_id)]) == ("examination", "ana", [upload.upload_id])


def test_files_that_come_before_the_examination_begins_share_a_job(library, box):
    names = [sent(box, PDF + b"%" * place) for place in range(3)]
    (job,) = Jobs(library).jobs()
    assert [document.name for document in Jobs(library).documents(job.job_id)] == names and job.total == 3
    Jobs(library).take()
    sent(box, PDF + b"later")
    assert [job.total for job in Jobs(library).jobs()] == [1, 3]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_file_is_called_it_lies_under_its_digest_and_nowhere_else(library, box, name):
    before = set(library.folder.parent.rglob("*"))
    upload_id = sent(box, name=name)
    assert box.upload(upload_id).name in (name[:1000], name[:1000].replace("\0", "\N{REPLACEMENT CHARACTER}"))  # PostgreSQL keeps no U+0000
    digest = hashlib.sha256(PDF).hexdigest()
    files = {path for path in set(library.folder.parent.rglob("*")) - before if path.is_file() and "sqlite" not in path.name}
    assert files == {library.folder / "files" / digest[:2] / f"{digest}.pdf"}


def test_half_a_character_in_a_name_is_stored_as_a_question_mark(box):
    assert box.upload(box.create("ana", "a\ud800.pdf", 5).upload_id).name == "a?.pdf"


def test_what_has_come_stays_when_the_line_breaks(box):
    def broken():
        yield PDF[:50]
        raise ConnectionError

    upload = box.create("ana", "a.pdf", len(PDF))
    with pytest.raises(ConnectionError):
        box.append(upload.upload_id, 0, broken())
    assert box.offset(upload) == 50
    assert box.append(upload.upload_id, 50, [PDF[50:]]) == len(PDF)


def test_every_byte_is_synced_before_an_offset_is_acknowledged(box, monkeypatch):
    synced = {}
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.__setitem__(os.fstat(file).st_ino, os.fstat(file).st_size), sync(file)))
    upload = box.create("ana", "a.pdf", len(PDF))
    offset = box.append(upload.upload_id, 0, [PDF[:70]])
    path = box._path(upload)
    assert synced[path.stat().st_ino] == offset == 70


def refused(found: str):
    return pytest.raises(UploadError, check=lambda error: error.found == found)


def test_a_wrong_offset_changes_nothing(box):
    upload = box.create("ana", "a.pdf", len(PDF))
    box.append(upload.upload_id, 0, [PDF[:50]])
    for offset in (0, 49, 51, len(PDF)):
        with refused("offset"):
            box.append(upload.upload_id, offset, [b"x"])
    assert box.offset(upload) == 50


def test_no_more_comes_in_than_was_announced(box):
    upload = box.create("ana", "a.pdf", 10)
    with refused("too large"):
        box.append(upload.upload_id, 0, [b"12345", b"678901"])
    assert box.offset(upload) == 5


def test_two_requests_never_write_to_one_upload_at_once(box, library):
    upload = box.create("ana", "a.pdf", len(PDF))

    def pieces():
        yield PDF[:50]
        with refused("busy"):
            Uploads(library, box.limits).append(upload.upload_id, 50, [PDF[50:]])
        yield PDF[50:60]

    assert box.append(upload.upload_id, 0, pieces()) == 60


def test_limits_on_size_count_and_bytes_in_all_are_kept(box):
    with refused("empty"):
        box.create("ana", "a.pdf", 0)
    with refused("too large"):
        box.create("ana", "a.pdf", MIB + 1)
    box.create("ana", "a.pdf", MIB)
    box.create("bo", "b.pdf", MIB)
    with refused("too many"):
        box.create("cy", "c.pdf", 1)
    few = Uploads(box._library, UploadLimits(count=1, room=0))
    with refused("too many"):
        few.create("ana", "d.pdf", 1)
    assert few.create("cy", "d.pdf", 1).by == "cy"


def test_a_full_disk_is_said_before_and_while_a_file_comes_and_what_came_is_kept(box, monkeypatch):
    upload = box.create("ana", "a.pdf", len(PDF))
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with refused("no room"):
        box.create("ana", "b.pdf", 11)
    monkeypatch.undo()
    write = os.write

    def full(file: int, piece: memoryview) -> int:
        if os.fstat(file).st_size >= 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, piece[:20])

    monkeypatch.setattr(os, "write", full)
    with refused("no room"):
        box.append(upload.upload_id, 0, [PDF])
    monkeypatch.undo()
    assert box.offset(upload) == 40 and box.append(upload.upload_id, 40, [PDF[40:]]) == len(PDF)


def test_a_file_that_fails_the_check_is_refused_with_the_reason_and_its_bytes_go(library, box):
    upload_id = sent(box, check=lambda _: "it is no PDF")
    assert (box.upload(upload_id).state, box.upload(upload_id).reason) == ("refused", "it is no PDF")
    assert list((library.folder / "uploads").iterdir()) == [] and not Jobs(library).jobs()


STEPS = [
    "index.uploads.checksum",
    "index.uploads.Uploads._set",
    "index.library.Library.take_file",
    "index.uploads.Jobs.gather",
    "pathlib.Path.replace",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_is_killed_while_a_file_is_taken_in_loses_nothing(library, box, monkeypatch, step, after):
    upload = box.create("ana", "a.pdf", len(PDF))
    box.append(upload.upload_id, 0, [PDF])
    with pytest.MonkeyPatch.context() as patched:
        home, _, name = step.rpartition(".")
        target = pytest.importorskip(home) if home == "index.uploads" else None
        real = getattr(target, name) if target else getattr(_resolved(home), name)

        def killed(*args, **kwargs):
            if after:
                real(*args, **kwargs)
            raise Killed

        patched.setattr(step, killed)
        with pytest.raises(Killed):
            box.finish(upload.upload_id, sound)
    anew = Uploads(Library.open(library.folder))
    for _ in range(2):
        anew.settle(sound)
    done = anew.upload(upload.upload_id)
    assert done.state == "complete" and checksum(library.file(done.digest)) == done.digest
    assert len(Jobs(library).jobs()) == 1 and list((library.folder / "uploads").iterdir()) == []


def _resolved(name: str) -> object:
    home, _, kind = name.rpartition(".")
    return getattr(__import__(home, fromlist=[kind]), kind)


def test_what_is_left_in_the_folder_and_belongs_to_nothing_goes(library, box):
    upload = box.create("ana", "a.pdf", len(PDF))
    box.append(upload.upload_id, 0, [PDF[:10]])
    (library.folder / "uploads" / "stray").write_bytes(b"x")
    box.settle(sound)
    assert [path.name for path in (library.folder / "uploads").iterdir()] == [upload.upload_id]


def test_an_upload_with_which_nobody_goes_on_is_forgotten_in_time(library, box):
    kept, old = (box.create("ana", "a.pdf", len(PDF)) for _ in range(2))
    for upload in (kept, old):
        box.append(upload.upload_id, 0, [PDF[:10]])
    os.utime(library.folder / "uploads" / old.upload_id, (0, 0))
    box.settle(sound)
    assert [upload.upload_id for upload in box.uploads()] == [kept.upload_id]
    assert box.expires(kept).timestamp() == pytest.approx(box._path(kept).stat().st_mtime + 7 * 86400)


def test_the_same_bytes_sent_twice_are_kept_once_until_both_are_discarded(library, box):
    one, other = sent(box), sent(box, name="b.pdf")
    digest = box.upload(one).digest
    assert digest == box.upload(other).digest
    box.discard([one], "ana")
    assert library.file(digest).is_file() and box.upload(one) is None
    box.discard([other], "ana")
    assert not library.file(digest).exists() and [change.what for change in Changes(library).changes()] == ["discarded"] * 2


def test_a_discarded_file_stays_where_an_edition_has_it_or_a_change_could_bring_it_back(library, encoder, box):
    digest = box.upload(sent(box)).digest
    entry = Publication("woods", {"th": "ป่า"}, {}, None, "", (), (), "", (Edition("woods.th", "woods", "th", "", "whole", digest),))
    Changes(library).put("ana", "added", None, entry)
    box.discard([upload.upload_id for upload in box.uploads()], "ana")
    assert library.file(digest).is_file()
    Changes(library).remove("ana", entry)
    box.discard([sent(box)], "ana")
    assert library.file(digest).is_file()


def test_a_process_that_is_killed_while_it_discards_is_finished_by_the_next(library, box):
    upload_id = sent(box)
    digest = box.upload(upload_id).digest
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(Killed))
        box.discard([upload_id], "ana")
    assert box.upload(upload_id) is None
    box.settle(sound)
    assert not library.file(digest).exists()


def test_a_file_that_is_damaged_in_the_library_is_healed_by_the_same_file_sent_again(library, box):
    digest = box.upload(sent(box)).digest
    library.file(digest).write_bytes(b"rotten")
    sent(box, name="again.pdf")
    assert checksum(library.file(digest)) == digest


def test_what_was_discarded_while_it_was_examined_does_not_come_back(library, box):
    upload_id = sent(box)
    box.discard([upload_id], "ana")
    box.put_findings(upload_id, {"language": "th"})
    assert box.uploads() == []


def test_readers_see_no_change_of_the_library_while_files_come(library, encoder, box):
    fill(library, encoder, publication("woods", ["en"]), {"en": ["forest"]})
    before = library.revision()
    box.discard([sent(box)], "ana")
    assert library.revision() == before
