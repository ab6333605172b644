import contextlib
import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nursery import slowed

from handlens import files
from handlens.errors import FileError, RunBusy, UsageError
from handlens.files import locks, writing


def test_write_atomic_writes_bytes_text_and_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    assert files.write_atomic(path, b"\0\xff") == path
    assert path.read_bytes() == b"\0\xff"
    files.write_atomic(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    files.write_atomic(path, (bytes([number]) * 3 for number in range(3)))
    assert path.read_bytes() == b"\0\0\0\1\1\1\2\2\2"
    assert os.listdir(path.parent) == ["file"]


def test_half_letters_are_written_as_question_marks(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "file", "a\ud800b")
    assert (tmp_path / "file").read_bytes() == b"a?b"


def test_a_file_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    files.write_atomic(tmp_path / "link", "new")
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "link").read_text() == "new"


def test_what_others_may_read_is_what_the_users_mask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.write_atomic(tmp_path / "file", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_an_error_among_the_pieces_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "file", "old")

    def pieces() -> object:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(tmp_path / "file", pieces())  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_threads_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    path, wrong = tmp_path / "file", []

    def write(letter: bytes) -> None:
        for _ in range(20):
            files.write_atomic(path, letter * 10_000)
            content = path.read_bytes()
            if content != content[:1] * 10_000:
                wrong.append(content)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert os.listdir(tmp_path) == ["file"]


def test_a_disk_that_knows_no_fsync_of_folders_is_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_atomic(tmp_path / "a" / "file", "new")
    assert (tmp_path / "a" / "file").read_text() == "new"


def test_a_folder_is_made_with_its_parents_and_claimed_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert files.claim_folder(folder)
    assert not files.claim_folder(folder)
    assert files.make_folder(folder) == folder
    assert files.make_folder(str(folder / "c")).is_dir()


def test_of_many_threads_that_claim_a_folder_exactly_one_gets_it(tmp_path: Path) -> None:
    won: list[bool] = []
    start = threading.Barrier(16)

    def claim() -> None:
        start.wait()
        won.append(files.claim_folder(tmp_path / "a" / "b" / "one"))

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 15 + [True]


@pytest.mark.parametrize(
    "deed",
    [
        lambda path: files.write_atomic(path / "x", ""),
        files.make_folder,
        lambda path: files.make_folder(path / "x"),
        lambda path: files.claim_folder(path / "x"),
        lambda path: files.move(path / "x", path / "y"),
        lambda path: files.read_bytes(path / "x"),
        lambda path: files.lock(path / "x").__enter__(),
    ],
)
def test_a_file_where_a_folder_is_needed_is_said(deed: object, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError) as told:
        deed(tmp_path / "file")  # type: ignore[operator]
    assert told.value.what
    assert (tmp_path / "file").read_text() == ""


def test_a_move_lasts_and_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    with pytest.raises(FileError, match="'b' is there already"):
        files.move(tmp_path / "a", tmp_path / "b")
    files.move(tmp_path / "a", tmp_path / "new" / "a")
    assert (tmp_path / "new" / "a").read_text() == "a"
    with pytest.raises(FileError, match="No such file"):
        files.move(tmp_path / "a", tmp_path / "c")


def test_remove_takes_files_folders_links_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "file").write_text("")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for name in ("folder", "link", "none"):
        files.remove(tmp_path / name)
    assert os.listdir(tmp_path) == ["kept"]
    assert os.listdir(tmp_path / "kept") == ["file"]


def test_what_cannot_be_removed_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        files.remove(Path("/proc/version"))


def test_sweep_takes_our_own_temporary_files_only(tmp_path: Path) -> None:
    for name in (".file.123.tmp", ".a.b.99999.tmp", "file.tmp", ".file.tmp", ".file.12x.tmp", ".hidden"):
        (tmp_path / name).write_text("")
    files.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(["file.tmp", ".file.tmp", ".file.12x.tmp", ".hidden"])
    files.sweep(tmp_path / "none")


def test_what_a_killed_write_leaves_is_swept(tmp_path: Path) -> None:
    code = "import os, sys\nfrom handlens import files\nos.replace = lambda *_: os._exit(9)\nfiles.write_atomic(sys.argv[1], 'x')"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "file")], check=False).returncode == 9
    assert len(os.listdir(tmp_path)) == 1
    files.sweep(tmp_path)
    assert os.listdir(tmp_path) == []


def test_entries_come_by_name_and_are_none_where_there_is_no_folder(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).write_text("")
    assert [entry.name for entry in files.entries(tmp_path)] == ["a", "b", "c"]
    assert files.entries(tmp_path / "none") == []
    assert files.entries(tmp_path / "a") == []


@pytest.mark.parametrize("name", ["a", "0", "mlp-brave-otter", "a.b_c-d", "x" * 64])
def test_a_name_leads_to_a_child(name: str, tmp_path: Path) -> None:
    assert files.child(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a..b", "../a", "/a", "a/b", "a\\b", "A", "-a", ".a", "a b", "a\n", "a\0", "ä", "x" * 65, "a:b", "%2e", "~", "𝟎"],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        files.child(tmp_path, name)
    assert str(told.value).replace("\n", "").isprintable()


def test_a_link_to_elsewhere_and_one_to_itself_are_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    (tmp_path / "root" / "loop").symlink_to("loop")
    (tmp_path / "root" / "inside").symlink_to(tmp_path / "root" / "there")
    for name in ("out", "loop"):
        with pytest.raises(UsageError, match="leads out of its folder"):
            files.child(tmp_path / "root", name)
    assert files.child(tmp_path / "root", "inside").name == "inside"


def test_read_bytes_reads_regular_files_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert files.read_bytes(tmp_path / "file") == b"12345"
    assert files.read_bytes(tmp_path / "file", 5) == b"12345"
    with pytest.raises(FileError, match="more bytes than can be right; at most 4"):
        files.read_bytes(tmp_path / "file", 4)
    (tmp_path / "link").symlink_to("file")
    assert files.read_bytes(tmp_path / "link", 100) == b"12345"


@pytest.mark.parametrize("limit", [None, 10])
def test_what_is_no_regular_file_is_refused_at_once(limit: int | None, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    start = time.monotonic()
    for path, said in (
        (tmp_path / "fifo", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path, "a folder"),
        (tmp_path / "none", "not there"),
        (tmp_path / "loop", "'loop' is not there"),
        (tmp_path / ("x" * 300), "too long|not there"),
        (tmp_path / "a\0b", "null byte|not there"),
    ):
        with pytest.raises(FileError, match=said):
            files.read_bytes(path, limit)
    assert time.monotonic() - start < slowed(1)


def test_a_file_that_becomes_a_fifo_while_we_look_does_not_stop_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(Path, "is_file", lambda self: True)

    def too_late(*_: object) -> None:
        raise TimeoutError("It waits for somebody who writes into the FIFO.")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        assert files.read_bytes(tmp_path / "fifo", 10) == b""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_sha256_of_bytes_and_of_a_file(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    (tmp_path / "file").write_bytes(content)
    assert files.sha256(content) == files.sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
    with pytest.raises(FileError):
        files.sha256(tmp_path)


def test_a_lock_says_who_holds_it_and_leaves_no_holder(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "lock"
    with files.lock(lock):
        with pytest.raises(RunBusy, match=f"process {os.getpid()}, since 20"), files.lock(lock):
            pass
        assert files.is_locked(lock)
    assert os.listdir(lock.parent) == ["lock"]
    assert not files.is_locked(lock)
    with files.lock(lock):
        (tmp_path / "folder" / "lock.holder").unlink()
        with pytest.raises(RunBusy, match="a process that has just begun"), files.lock(lock):
            pass


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    lock, ended = tmp_path / "lock", []

    def hold() -> None:
        with files.lock(lock):
            time.sleep(0.3)
            ended.append(time.monotonic())

    holder = threading.Thread(target=hold)
    holder.start()
    while not files.is_locked(lock):
        time.sleep(0.001)
    with files.lock(lock, wait_s=-1):
        assert time.monotonic() >= ended[0]
    holder.join()


def test_a_lock_is_let_go_of_when_the_body_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), files.lock(tmp_path / "lock"):
        raise KeyboardInterrupt
    assert not files.is_locked(tmp_path / "lock")
    with files.lock(tmp_path / "lock"):
        pass


def test_without_fcntl_looking_at_a_lock_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    lock = tmp_path / "lock"
    assert not files.is_locked(lock)
    with files.lock(lock):
        assert files.is_locked(lock)
    assert not files.is_locked(lock)


def test_without_fcntl_many_who_only_look_do_not_take_each_other_for_a_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, seen = tmp_path / "lock", set[bool]()
    with files.lock(lock):  # filelock is imported while there is fcntl, which it has in Windows' locks' stead
        monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(locks, "_GLANCE_S", 5)

    def look() -> None:
        seen.update(files.is_locked(lock) for _ in range(100))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {False}


@pytest.mark.parametrize("windows, refusals, written", [(True, 2, True), (True, 99, False), (False, 1, False)])
def test_a_target_that_somebody_reads_is_replaced_when_they_are_done_on_windows_only(
    windows: bool, refusals: int, written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("old")
    real, left = os.replace, [PermissionError(errno.EACCES, "Access is denied")] * refusals

    def replace(source: Path, target: Path) -> None:
        if left:
            raise left.pop()
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(writing, "WINDOWS", windows)
    monkeypatch.setattr(writing, "_PAUSES_S", (0.0,) * 3)
    with contextlib.nullcontext() if written else pytest.raises(FileError, match="No permission"):
        files.write_atomic(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == ("new" if written else "old")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO, errno.ENAMETOOLONG])
def test_each_refusal_of_the_system_has_words(number: int, tmp_path: Path) -> None:
    told = files.explain(OSError(number, os.strerror(number)), tmp_path / "none" / "file")
    assert "Errno" not in str(told)
    assert "file" in told.where
    assert ("bytes" in told.hint) == (number in (errno.ENOSPC, errno.EDQUOT))


def test_a_refusal_without_words_of_ours_has_the_systems(tmp_path: Path) -> None:
    assert "Too many open files" in files.explain(OSError(errno.EMFILE, "Too many open files"), tmp_path).what
    assert "embedded null" in files.explain(ValueError("embedded null byte"), tmp_path).what


def test_free_bytes_of_a_place_that_is_not_there_yet(tmp_path: Path) -> None:
    assert files.free_bytes(tmp_path / "a" / "b") > 0
    assert files.free_bytes(Path("a\0b")) >= 0


@pytest.mark.parametrize(
    "text, shown",
    [("plain", "plain"), ("a\nb", "a�b"), ("\x1b[2J", "�[2J"), ("\ud800", "�"), ("größe", "größe"), ("x" * 200, "x" * 119 + "…"), ("", "")],
)
def test_printable(text: str, shown: str) -> None:
    assert files.printable(text) == shown


AS_NOBODY = """
import os, sys
import filelock
from handlens import files
from handlens.errors import FileError
from handlens.runs import scan
from pathlib import Path
folder = Path(sys.argv[1])
os.setgid(65534)  # now, because what Python is made of may be root's own
os.setuid(65534)
deeds = [
    lambda: files.write_atomic(folder / "new", ""),
    lambda: files.make_folder(folder / "new"),
    lambda: files.make_folder(folder / "closed" / "new"),
    lambda: files.claim_folder(folder / "new"),
    lambda: files.read_bytes(folder / "closed" / "file"),
    lambda: files.read_bytes(folder / "secret"),
    lambda: files.sha256(folder / "secret"),
    lambda: files.entries(folder / "closed"),
    lambda: files.is_folder(folder / "closed" / "x"),
    lambda: files.is_file(folder / "closed" / "x"),
    lambda: files.move(folder / "secret", folder / "new"),
    lambda: files.remove(folder / "secret"),
    lambda: files.lock(folder / "lock").__enter__(),
    lambda: scan(folder / "closed"),
]
for number, deed in enumerate(deeds):
    try:
        deed()
    except FileError as error:
        assert "No permission" in error.what, (number, error.what)
    else:
        raise SystemExit(f"deed {number} was allowed")
assert not files.is_locked(folder / "secret")
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="Only root can become nobody.")
def test_what_one_may_not_do_is_said_in_words() -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed").mkdir(mode=0o700)
        (folder / "closed" / "file").write_text("")
        (folder / "secret").write_text("")
        (folder / "secret").chmod(0o600)
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
