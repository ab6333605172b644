"""A download is right or absent, in bounded time, whatever a server does."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import requests  # noqa: F401  # which takes as long as the patience of these tests where the machine is busy
from mirror import Answer, Mirror, endless, instead, packing, resetting, slow, stalling, status, unused_address, without_ranges
from tiny import NAMES, Tiny, bomb, install

from handlens.data import cache, catalog, mirrors, sources
from handlens.data.entry import Original
from handlens.data.mirrors import from_mirrors
from handlens.errors import DataMissing

IMAGES = f"/tiny/{NAMES[0]}.gz"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    """With time running ten times as fast."""
    monkeypatch.setattr(mirrors, "_CONNECT_S", 0.3)
    monkeypatch.setattr(mirrors, "_SILENT_S", 0.5)
    monkeypatch.setattr(mirrors, "_PATIENCE_S", 1.0)
    return install(monkeypatch, tmp_path)


def use(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setenv("HANDLENS_MIRRORS", " ".join(addresses))


def download(said: list[str] | None = None) -> None:
    """Fill the cache from the mirrors and from nowhere else; every byte of what is then there has been verified."""
    with cache.filling("tiny", lambda *_: None) as filling:
        from_mirrors(filling, lambda sentence, done=None: said.append(sentence) if said is not None and done is None else None)
        filling.publish()
    assert cache.check("tiny")


def failure() -> str:
    """What is said when the mirrors fail; nothing is then in the cache."""
    with pytest.raises(DataMissing) as caught:
        download()
    with pytest.raises(DataMissing):
        cache.check("tiny")
    return caught.value.what


def times(mirror: Mirror, path: str = IMAGES) -> int:
    return [asked for asked, _ in mirror.requests].count(path)


def test_a_good_mirror_is_asked_once_for_each_file_and_each_step_is_said_before(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address + "/")
        download(said)
        assert mirror.requests == [(f"/tiny/{name}.gz", 0) for name in NAMES]
        size = f"{len(tiny.packed[NAMES[0] + '.gz']) / 1000:.0f} kB"
        assert said[0] == f"Downloading {NAMES[0]}.gz ({size}) from {mirror.address}{IMAGES}"
        assert len(said) == 4


def test_progress_is_told_in_growing_shares(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float | None]] = []
    with Mirror(tiny.on_mirror) as mirror, cache.filling("tiny", lambda *_: None) as filling:
        use(monkeypatch, mirror.address)
        mirror.answers = [slow(10, 0.06)]
        from_mirrors(filling, lambda sentence, done=None: told.append((sentence, done)))
    shares = [done for sentence, done in told if done is not None and NAMES[0] in sentence]
    assert 3 <= len(shares) <= 10
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


WRONG: dict[str, tuple[Answer, str]] = {
    "empty": (instead(b""), "an empty file of 0 bytes"),
    "html": (instead(b"<!DOCTYPE html><title>Welcome to the school's network</title>"), "a web page"),
    "truncated": (lambda request: instead(request.body[:-1])(request), "a gzip file"),
    "longer": (lambda request: instead(request.body + b"\0")(request), "of more than"),
    "flipped": (lambda request: instead(request.body[:500] + bytes([request.body[500] ^ 1]) + request.body[501:])(request), "a gzip file"),
    "wrong magic": (instead(gzip.compress(b"\0\0\x0d\x03" + bytes(100))), "a gzip file"),
    "not packed": (instead(b"\0\0\x08\x01\0\0\0\x01\x07"), "begins with the bytes 00 00 08 01"),
    "another file": (lambda request: instead(request.server.mirror.bodies[f"tiny/{NAMES[1]}.gz"])(request), "a gzip file"),
    "bomb": (instead(bomb()), "a gzip file"),
    "endless": (endless, "of more than"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_body_is_fetched_once_more_and_then_named_with_both_checksums(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    answer, words = WRONG[kind]
    with Mirror(tiny.on_mirror, usual=answer) as mirror:
        use(monkeypatch, mirror.address)
        what = failure()
        assert times(mirror) == len(mirror.requests) == 2
        assert f"{mirror.address}{IMAGES}" in what
        assert tiny.entry.train_images.gz_sha256 in what
        assert words in what
        assert what.count("SHA-256") == 2


@pytest.mark.parametrize("kind", WRONG)
def test_one_wrong_body_and_then_a_right_one_is_enough(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        mirror.answers = [WRONG[kind][0]]
        download()
        assert times(mirror) == 2


@pytest.mark.parametrize("kind", WRONG)
def test_memory_stays_within_64_mb_of_the_file(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with Mirror(tiny.on_mirror, usual=WRONG[kind][0]) as mirror:
        use(monkeypatch, mirror.address)
        failure()  # what is imported on the way is not counted
        tracemalloc.start()
        failure()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize("code", [301, 403, 404, 416, 429, 500, 503])
def test_a_mirror_that_refuses_is_named_and_the_next_one_is_used_from_then_on(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    said: list[str] = []
    with Mirror(tiny.on_mirror, usual=status(code)) as bad, Mirror(tiny.on_mirror) as good:
        use(monkeypatch, bad.address, good.address)
        download(said)
        assert len(bad.requests) == 1
        assert len(good.requests) == 4
        assert any(f"answered {code}" in sentence for sentence in said)


def test_every_mirror_that_failed_stands_in_the_message(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = unused_address()
    with Mirror(tiny.on_mirror, usual=status(503)) as refusing, Mirror({}) as empty, Mirror(tiny.on_mirror, usual=instead(b"x")) as wrong:
        use(monkeypatch, nobody, refusing.address, empty.address, wrong.address)
        what = failure()
        assert f"{nobody}{IMAGES}: no connection." in what
        assert f"{refusing.address}{IMAGES}: it answered 503 Service Unavailable." in what
        assert f"{empty.address}{IMAGES}: it answered 404 Not Found." in what
        assert f"{wrong.address}{IMAGES} must give" in what


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("fault", [stalling, resetting])
def test_a_download_that_breaks_off_goes_on_where_it_was(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Answer], tenth: int
) -> None:
    body = tiny.on_mirror[IMAGES[1:]]
    end = len(body) * tenth // 10
    with Mirror(tiny.on_mirror) as mirror, Mirror(tiny.on_mirror) as other:
        use(monkeypatch, mirror.address, other.address)
        mirror.answers = [fault(end)]
        download()
        again = next(start for path, start in (mirror if tenth else other).requests[1 if tenth else 0 :] if path == IMAGES)
        assert again == end


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("fault", [stalling, resetting])
def test_a_mirror_without_ranges_that_always_breaks_off_is_given_up(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Answer], tenth: int
) -> None:
    end = len(tiny.on_mirror[IMAGES[1:]]) * tenth // 10
    with Mirror(tiny.on_mirror, usual=fault(end, ranges=False)) as mirror:
        use(monkeypatch, mirror.address)
        start = time.monotonic()
        what = failure()
        assert time.monotonic() - start < 2.5
        assert "was silent for" in what or "broke off" in what or "no connection" in what
        assert times(mirror) <= 2


def test_an_endless_row_of_breaks_is_followed_for_as_long_as_each_brings_more(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    body = tiny.on_mirror[IMAGES[1:]]
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        mirror.answers = [resetting(len(body) * number // 8) for number in range(1, 8)]
        download()
        assert times(mirror) == 8


def test_a_server_that_knows_no_ranges_sends_all_again(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror, usual=without_ranges) as mirror:
        use(monkeypatch, mirror.address)
        mirror.answers = [resetting(70000)]
        download()
        assert mirror.requests[:2] == [(IMAGES, 0), (IMAGES, 70000)]


def test_a_partial_download_is_kept_for_the_next_attempt_and_a_wrong_one_is_dropped(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = cache.root() / "tiny" / "partial" / f"{NAMES[0]}.gz"
    with Mirror(tiny.on_mirror, usual=resetting(70000, ranges=False)) as mirror:
        use(monkeypatch, mirror.address)
        failure()
    came = partial.read_bytes()
    assert tiny.packed[partial.name].startswith(came)
    assert came
    partial.write_bytes(b"X" + came[1:])
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        download()
        assert mirror.requests[:2] == [(IMAGES, len(came)), (IMAGES, 0)]
    assert not partial.parent.exists()


def test_a_partial_download_that_was_all_wrong_does_not_stay(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = cache.root() / "tiny" / "partial" / f"{NAMES[0]}.gz"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"wrong")
    with Mirror(tiny.on_mirror, usual=instead(b"wrong, too")) as mirror:
        use(monkeypatch, mirror.address)
        failure()
    assert not partial.exists()


def test_a_server_that_packs_whatever_it_may_is_not_allowed_to(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror, usual=packing) as mirror:
        use(monkeypatch, mirror.address)
        download()


@pytest.mark.parametrize("left", [b"", b"too long " * 100_000])
def test_a_partial_download_of_an_impossible_length_does_no_harm(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, left: bytes) -> None:
    partial = cache.root() / "tiny" / "partial" / f"{NAMES[0]}.gz"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(left)
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        download()
        assert mirror.requests[0] == (IMAGES, 0)


def test_a_whole_but_wrong_partial_download_is_fetched_from_the_beginning(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = cache.root() / "tiny" / "partial" / f"{NAMES[0]}.gz"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(len(tiny.packed[partial.name])))
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        download()
        assert mirror.requests[0] == (IMAGES, 0)


@pytest.mark.parametrize("left, asked", [(b"the whole of it", [15]), (b"the hole of it", [14, 0]), (b"more than the whole of it", [25, 0])])
def test_what_is_left_of_a_file_of_unknown_length_may_be_all_of_it_or_too_much(left: bytes, asked: list[int], tmp_path: Path) -> None:
    content = b"the whole of it"
    path = tmp_path / "file"
    path.write_bytes(left)
    original = Original("file", md5=hashlib.md5(content).hexdigest())
    with Mirror({"file": content}) as mirror:
        mirrors.download(original, path, [f"{mirror.address}/"], lambda *_: None, mirrors.Patience())
        assert mirror.requests == [("/file", start) for start in asked]
    assert path.read_bytes() == content


def test_all_silent_mirrors_together_cost_no_more_than_the_patience(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Mirror(tiny.on_mirror, usual=stalling(0)) as first,
        Mirror(tiny.on_mirror, usual=stalling(0)) as second,
        Mirror(tiny.on_mirror) as third,
    ):
        use(monkeypatch, first.address, second.address, third.address)
        start = time.monotonic()
        what = failure()
        assert time.monotonic() - start < 1.5
        assert "was silent for" in what
        assert third.address not in what
        assert not third.requests


def test_a_name_that_is_looked_up_for_ever_costs_no_more_than_the_patience(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """A classroom without internet: the name server does not answer, and no time-out of ours reaches the system's look-up."""
    awake = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        awake.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    use(monkeypatch, "https://one.invalid", "https://two.invalid", "https://three.invalid")
    start = time.monotonic()
    what = failure()
    assert time.monotonic() - start < 1.5
    assert "https://one.invalid/tiny/train-images-idx3-ubyte.gz was silent" in what
    awake.set()


def test_a_slow_download_is_not_cut(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        mirror.answers = [slow(12, 0.25)]  # three times as long as the patience, and each pause half of what counts as silence
        start = time.monotonic()
        download()
        assert time.monotonic() - start > 2.5


def test_a_byte_now_and_then_does_not_hold_anybody_up(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror, usual=slow(100_000, 0.1)) as mirror:
        use(monkeypatch, mirror.address)
        start = time.monotonic()
        failure()
        assert time.monotonic() - start < 2


def test_patience_runs_down_with_time_and_up_with_what_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patience = mirrors.Patience()
    assert patience.left_s == 10
    now = 4.0
    assert patience.left_s == 6
    patience.arrived(20_000)
    assert patience.left_s == 8
    patience.arrived(10**9)
    assert patience.left_s == 10
    now = 100.0
    assert patience.left_s == 0


@pytest.mark.parametrize(
    "address, words",
    [
        ("http://", "the request is not possible"),
        ("nonsense", "the request is not possible"),
        ("file:///etc", "the request is not possible"),
        ("http://name.invalid", "its name is not known here"),
        ("http://[::1", "the request is not possible"),
        (f"http://{'a' * 70}.invalid", "the request is not possible"),
    ],
)
def test_an_address_that_is_none_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, address: str, words: str) -> None:
    use(monkeypatch, address)
    assert words in failure()


def test_a_mistake_of_our_own_is_not_blamed_on_the_network(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.get", lambda *_, **__: 1 // 0)
    use(monkeypatch, "http://name.invalid")
    with pytest.raises(ZeroDivisionError):
        download()


def test_a_server_that_takes_the_connection_and_says_nothing_is_left_in_time(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Mirror(tiny.on_mirror) as good:
        use(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}", good.address)
        start = time.monotonic()
        download()
        assert time.monotonic() - start < 1.5


def test_a_certificate_that_cannot_be_verified_is_said_with_honest_advice(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        import requests

        def refuse(*_: object, **__: object) -> None:
            raise requests.exceptions.SSLError("certificate verify failed: self-signed certificate in certificate chain")

        monkeypatch.setattr(requests, "get", refuse)
        use(monkeypatch, mirror.address)
        what = failure()
    assert "certificate" in what
    assert "REQUESTS_CA_BUNDLE" in what
    assert "verify=False" not in what


def test_a_plain_http_server_behind_an_https_address_is_a_certificate_problem_or_no_connection(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address.replace("http:", "https:"))
        assert failure()


def test_a_proxy_that_does_not_answer_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", unused_address())
    monkeypatch.setenv("no_proxy", "")
    use(monkeypatch, "http://name.invalid")
    assert "the proxy does not let it through" in failure()


def test_no_mirror_at_all_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    assert failure() == "No mirror is known."


def test_without_the_variable_the_catalogues_mirrors_are_used_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDLENS_MIRRORS", raising=False)
    asked: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("HANDLENS_DATA", "somewhere-else")
    with pytest.raises(DataMissing), cache.filling("mnist", lambda *_: None) as filling:
        from_mirrors(filling, lambda *_: None)
    assert list(dict.fromkeys(asked)) == [address.split("/")[2] for address in catalog.DATASETS["mnist"].mirrors]


def test_one_file_from_a_folder_the_others_from_a_mirror(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.write(Path("files"))
    (folder / NAMES[3]).unlink()
    with Mirror(tiny.on_mirror) as mirror:
        use(monkeypatch, mirror.address)
        sources.fetch("tiny", folder=folder, say=lambda *_: None)
        assert mirror.requests == [(f"/tiny/{NAMES[3]}.gz", 0)]
    assert cache.check("tiny")


def test_mirrors_that_fail_altogether_end_in_the_message_that_helps(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror, usual=instead(b"<html>")) as mirror:
        use(monkeypatch, mirror.address)
        with pytest.raises(DataMissing) as caught:
            sources.fetch("tiny", say=lambda *_: None)
        assert mirror.address in caught.value.hint
    assert tiny.entry.train_images.gz_sha256 in caught.value.hint
