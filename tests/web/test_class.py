"""A class: thirty learners and its board, a lab that is killed and goes on, hostile learners, and both pages in a real browser."""

from __future__ import annotations

import contextlib
import csv
import errno
import http.client
import io
import json
import os
import random
import re
import signal
import stat
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.faults import Disk, Fault
from playwright.sync_api import Browser, expect
from terminal import Terminal
from web import payloads
from web.looks import check_looks, check_panels
from web.service import Reply, Service, opened, running
from web.test_guard import BAD, METHODS, address

from handlens.course import joined
from handlens.course.plan import EXERCISES
from handlens.course.verdict import Result
from handlens.errors import DataDamaged, FailedError, FileError
from handlens.web import classroom
from handlens.web.app import ROUTES
from handlens.web.board import Board
from handlens.web.classroom import MOST_LEARNERS, MOST_NEWCOMERS, MOST_PAGES, MOST_SENDINGS, MOST_WRONG_CODES, Classroom
from handlens.web.guard import Refused
from handlens.web.keys import LEARNER, OWNER, VIEWER
from handlens.web.projector import overview, own_view, table

NETWORK = "127.0.0.2"  # this machine, as learners see it
MISTAKES = {
    "scaling": ["The pixels still go from 0 to 255."],
    "training-loop": ["The optimizer never takes a step.", "The gradients of all steps are added up."],
    "mlp-forward": ["Without ReLU between them, three layers are only one."],
}


@pytest.fixture(scope="module")
def class_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A lab with a class."""
    with running(tmp_path_factory.mktemp("class"), "--class", "--lan", NETWORK, "--port", "8960") as service:
        yield service


def events_file(service: Service) -> Path:
    return service.folder / "state" / "handlens" / "class" / "events.jsonl"


def code_of(service: Service) -> str:
    """The newest code: a class that was ended has another."""
    return str(service.ask("GET", "/api/class").json["code"])


def host_of(service: Service) -> str:
    return f"{NETWORK}:{service.port}"


def asked(service: Service, method: str, path: str, key: str | None = None, body: Any = b"") -> Reply:
    """A request of a learner's browser."""
    own = host_of(service)
    cookie = key and f"{service.keys.name}={key}; {service.keys.learner_name}={key}"
    return service.ask(method, path, body, service.headers(host=own, origin=f"http://{own}", cookie=cookie), at=NETWORK)


def let_in(service: Service, name: str = "") -> str:
    """The key of a learner who has joined by a browser."""
    answer = asked(service, "GET", f"/join/{code_of(service)}")
    assert (answer.status, answer.headers["location"]) == (303, "/learner")
    key = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert asked(service, "POST", "/api/learner/name", key, {"name": name}).status == 200
    return key


@contextlib.contextmanager
def following(service: Service, key: str) -> Iterator[http.client.HTTPResponse]:
    """The stream of a learner's page, of which nothing is read yet."""
    connection = http.client.HTTPConnection(NETWORK, service.port, timeout=10)  # less than from one sign of life to the next
    connection.request("GET", "/api/learner/live", headers={"authorization": f"Bearer {key}"})
    with contextlib.closing(connection), connection.getresponse() as answer:
        yield answer


def told(**event: Any) -> dict[str, Any]:
    return {"events": [{"id": os.urandom(8).hex(), **event}]}


def rows(service: Service) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(service.ask("GET", "/api/class/export").body.decode("utf-8-sig"))))


def shown(service: Service) -> dict[str, Any]:
    """What the board shows now, from its file, as another lab would read it."""
    return overview(Classroom(events_file(service).parent, b"")._board)


def wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let learners' programs wait for a board on a busy machine."""
    monkeypatch.setattr(joined, "DEADLINE_S", 30.0)
    monkeypatch.setattr(joined._ask, "__kwdefaults__", {"timeout_s": 30.0})


# Thirty learners, and a server that is killed


class Crowd:
    """Learners whose checks come out at random, with the real client; and what the board must come to."""

    def __init__(self, folder: Path, host: str, code: str, count: int) -> None:
        self.places = [folder / str(number) for number in range(count)]
        self.tries: Counter[tuple[int, str]] = Counter()
        self.last: dict[tuple[int, str], Result] = {}
        self.numbers: dict[int, int] = {}
        for who, place in enumerate(self.places):
            self.numbers[who] = joined.join(place, host, code, f"learner {who}").number

    def work(self, who: int, checks: int) -> None:
        """Check, and send after each check, whether somebody answers or not."""
        chance = random.Random(who)
        for _ in range(checks):
            task = chance.choice([*MISTAKES])
            passed = chance.random() < 0.3
            result = Result(task, passed, *(("", "") if passed else (f"cause_{task}", MISTAKES[task][0])))
            joined.note_result(self.places[who], result)
            self.tries[who, task] += 1
            if not (self.last.get((who, task)) and self.last[who, task].passed):
                self.last[who, task] = result
            joined.send(self.places[who])

    def work_all(self, checks: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        threads = [threading.Thread(target=self.work, args=[who, checks]) for who in range(len(self.places))]
        for thread in threads:
            thread.start()
        meanwhile()
        for thread in threads:
            thread.join()


def kill_amid(service: Service) -> None:
    """Kill a lab that has taken a few results and is about to take others."""
    late = time.monotonic() + 60
    while events_file(service).read_text().count('"check"') < 5 and time.monotonic() < late:
        time.sleep(0.01)
    service.process.send_signal(signal.SIGKILL)


def test_thirty_learners_are_on_the_board_and_nothing_is_lost_or_doubled_when_the_lab_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--class", "--lan", NETWORK, "--port", "8970")
    with running(tmp_path, *options) as first:
        code = code_of(first)
        crowd = Crowd(tmp_path / "crowd", host_of(first), code, 30)
        crowd.work_all(3, meanwhile=lambda: kill_amid(first))
        first.process.wait(30)
        taken = events_file(first).read_text().count('"check"')
    assert taken > 0, "the lab was killed too early to matter"
    assert sum(len(joined.waiting(place)) for place in crowd.places) > 0, "the lab was killed too late to matter"
    with running(tmp_path, *options) as second:
        assert code_of(second) == code
        crowd.work_all(2)
        wait_longer(monkeypatch)
        for place in crowd.places:
            assert joined.send(place) == ""
        found = {(int(row["number"]), row["which"]): row for row in rows(second)}
        board = shown(second)
    assert len(found) == len(crowd.tries)
    for (who, task), tries in crowd.tries.items():
        row, last = found[crowd.numbers[who], task], crowd.last[who, task]
        assert int(row["tries"]) == tries, "a result was lost, or counted twice"
        assert (row["state"], row["mistake"]) == ("passed" if last.passed else "working", last.cause)
    groups: dict[str, set[int]] = defaultdict(set)
    for (who, task), last in crowd.last.items():
        if not last.passed:
            groups[task].add(crowd.numbers[who])
    assert {group["task"]: {one["number"] for one in group["who"]} for group in board["mistakes"]} == groups
    for group in board["mistakes"]:
        waits = [one["since"] for one in group["who"]]
        assert waits == sorted(waits)
        assert group["since"] == waits[0]
    for task in board["tasks"]:
        results = [last.passed for (_, name), last in crowd.last.items() if name == task["name"]]
        assert (task["passed"], task["working"]) == (results.count(True), results.count(False))


# What the board makes of what it is told


def board_of(*events: dict[str, Any]) -> Board:
    board = Board()
    for number, event in enumerate(events):
        board.apply({"id": str(number), "at": float(number), **event})
    return board


def named(learner: str) -> dict[str, Any]:
    return {"what": "named", "learner": learner, "name": learner}


def failed(learner: str, task: str, cause: str, at: float) -> dict[str, Any]:
    return {"what": "check", "learner": learner, "task": task, "passed": False, "cause": cause, "sentence": cause, "at": at}


def passed(learner: str, task: str, at: float) -> dict[str, Any]:
    return {**failed(learner, task, "", at), "passed": True}


def test_the_same_mistake_stands_together_and_who_waits_longest_comes_first() -> None:
    people = [named(one) for one in "abcd"]
    board = board_of(
        *people,
        failed("a", "cnn", "x", 50),
        failed("b", "cnn", "x", 40),
        failed("b", "cnn", "x", 60),  # the same mistake again: the wait goes on
        failed("c", "cnn", "y", 45),
        failed("d", "cnn", "y", 20),
        failed("d", "cnn", "x", 70),  # another mistake: a new wait
        failed("d", "wider", "z", 30),
        passed("d", "wider", 80),
    )
    found = [(group["cause"], group["since"], [one["number"] for one in group["who"]]) for group in overview(board)["mistakes"]]
    assert found == [("x", 40, [2, 1, 4]), ("y", 45, [3])]


def test_a_raised_hand_waits_from_its_first_word_until_a_check_passes_or_it_is_settled() -> None:
    hand = {"what": "stuck", "learner": "a", "text": "where?"}
    before = (named("a"), failed("a", "cnn", "x", 5), {**hand, "at": 6.0}, {**hand, "text": "still", "at": 9.0})
    [row] = overview(board_of(*before))["help"]
    assert (row["since"], row["task"], row["text"]) == (6.0, "cnn", "still")
    assert overview(board_of(*before))["tasks"][0]["needs help"] == 1
    for after in (passed("a", "wider", 10), {"what": "done", "learner": "a"}, {"what": "helped", "learner": "a"}):
        assert overview(board_of(*before, after))["help"] == []
    assert len(overview(board_of(*before, failed("a", "cnn", "y", 11)))["help"]) == 1


def test_what_is_passed_stays_passed_and_the_next_try_counts() -> None:
    board = board_of(named("a"), passed("a", "cnn", 3), failed("a", "cnn", "x", 4))
    [standing] = board.learners["a"].tasks.values()
    assert (standing.passed, standing.since, standing.tries) == (True, 3, 2)


def test_answers_are_counted_once_for_each_learner_and_the_right_one_is_told_when_shown() -> None:
    answers = [{"what": "answer", "learner": one, "question": "parameter", "letter": letter} for one, letter in ("aa", "ba", "bb", "cb")]
    board = board_of(*(named(one) for one in "abc"), {"what": "asked", "question": "parameter"}, *answers)
    question = overview(board)["question"]
    assert {one["letter"]: one["count"] for one in question["options"]} == {"a": 1, "b": 2, "c": 0}
    assert "right" not in question
    assert "right" not in own_view(board, "a")["question"]
    board.apply({"what": "shown"})
    assert overview(board)["question"]["right"] == "b"
    assert own_view(board, "a")["question"]["yours"].startswith("Gradients are computed")


def test_a_question_asked_again_begins_without_votes_and_the_export_has_both() -> None:
    def says(learner: str, letter: str) -> dict[str, Any]:
        return {"what": "answer", "learner": learner, "question": "parameter", "letter": letter}

    def counts(board: Board) -> list[int]:
        return [one["count"] for one in overview(board)["question"]["options"]]

    again = {"what": "asked", "question": "parameter"}
    board = board_of(named("a"), named("b"), says("b", "c"), again, says("a", "a"))
    assert counts(board) == [1, 0, 1], "what was answered in a notebook before counts, the first time"
    board.apply(again)
    assert (counts(board), own_view(board, "a")["question"]["answer"]) == ([0, 0, 0], "")
    board.apply({**says("a", "b"), "id": "9", "at": 9.0})
    assert counts(board) == [0, 1, 0]
    answers = [(row["number"], row["tries"], row["state"]) for row in csv.DictReader(io.StringIO(table(board)))]
    assert answers == [("1", "1", "a"), ("1", "2", "b"), ("2", "1", "c")]


def test_when_the_answer_is_told_no_more_are_taken_until_it_is_asked_again() -> None:
    board = board_of(named("a"), {"what": "asked", "question": "parameter"}, {"what": "shown"})
    late = {"what": "answer", "id": "new", "question": "parameter", "letter": "b"}
    assert not board.is_news(board.learners["a"], late)
    assert board.is_news(board.learners["a"], {**late, "question": "logits"})
    board.apply({"what": "asked", "question": ""})
    assert not board.is_news(board.learners["a"], late), "taken away, and still told"
    board.apply({"what": "asked", "question": "parameter"})
    assert board.is_news(board.learners["a"], late)
    assert "right" not in overview(board)["question"]


def test_words_that_no_check_says_stand_apart_from_those_for_all() -> None:
    own = "The pixels still go from 0 to 255."
    board = board_of(
        *(named(one) for one in "abcde"),
        {**failed("a", "scaling", "not_scaled", 1), "sentence": "Look at me!"},
        {**failed("b", "scaling", "not_scaled", 2), "sentence": own},
        {**failed("c", "cnn", "made_up", 3), "sentence": "Look at me!"},
        {**failed("d", "cnn", "missing_name", 4), "sentence": "There is no Look at me in your file."},
        {**failed("e", "wider", "missing_name", 5), "sentence": "There is no make_net in your file."},
    )
    found = {(group["task"], group["cause"]): (group["sentence"], group["words"]) for group in overview(board)["mistakes"]}
    assert found == {
        ("scaling", "not_scaled"): (own, ""),
        ("cnn", "made_up"): ("", "Look at me!"),
        ("cnn", "missing_name"): ("There is no … in your file.", ""),
        ("wider", "missing_name"): ("There is no make_net in your file.", ""),
    }


def test_a_cell_that_a_spreadsheet_would_calculate_is_text() -> None:
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a,b\n=1"):
        [row] = csv.DictReader(io.StringIO(table(board_of({**named("a"), "name": name}))))
        assert row["name"] == (name if name.startswith("a") else f"'{name}")


def test_a_file_of_a_class_with_something_else_in_it_is_told_with_its_line(tmp_path: Path) -> None:
    room = Classroom(tmp_path, b"s")
    with room._path.open("a") as file:
        file.write('{"what": "check", "learner": "nobody", "id": "1"}\n')
    with pytest.raises(DataDamaged, match="Line 2 of the class"):
        Classroom(tmp_path, b"s")


# Who may come in


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES])
def test_a_learner_sees_their_own_routes_and_without_a_key_none(route: Any, class_: Service, learner: str) -> None:
    path, method, policy = address(route), route.method, route.policy
    if not policy.roles:
        return
    body = b"{}" if method != "GET" else b""
    assert asked(class_, method, path, body=body).status == 401
    for role in (OWNER, VIEWER):
        assert asked(class_, method, path, class_.keys.cookie(role), body).status == 401, "not from the network"
    if path == "/api/learner/live":
        with following(class_, learner) as stream:
            status = stream.status
    else:
        status = asked(class_, method, path, learner, body).status
    assert status == 403 if LEARNER not in policy.roles else status in (200, 400)
    cookie = f"{class_.keys.learner_name}={learner}"
    assert class_.ask(method, path, body, class_.headers(cookie=cookie)).status == 401, "not on this machine"
    assert class_.ask(method, path, body, class_.headers(cookie=None, authorization=f"Bearer {learner}")).status == 401


@pytest.fixture(scope="module")
def learner(class_: Service) -> str:
    return let_in(class_, "tester")


@pytest.mark.parametrize("form", ["{own}; {name}=set-by-another-port", "{name}=; {own}", '{own}; {name}="'])
def test_a_second_cookie_of_the_same_name_does_not_put_a_learner_out(class_: Service, learner: str, form: str) -> None:
    name = class_.keys.learner_name
    cookie = form.replace("{own}", f"{name}={learner}").replace("{name}", name)
    own = host_of(class_)
    headers = class_.headers(host=own, origin=f"http://{own}", cookie=cookie)
    assert class_.ask("GET", "/api/learner", headers=headers, at=NETWORK).status == 200


def test_what_a_learner_is_shown_is_their_own() -> None:
    board = board_of(named("a"), named("b"), failed("b", "cnn", "x", 3), {"what": "stuck", "learner": "b", "text": "secret"})
    text = json.dumps(own_view(board, "a"))
    assert "cnn" not in text
    assert "secret" not in text


def test_a_learners_program_brings_its_key_and_needs_the_labs_origin(class_: Service, learner: str) -> None:
    own = host_of(class_)
    headers = {"host": own, "origin": f"http://{own}", "authorization": f"Bearer {learner}", "content-type": "application/json"}
    assert class_.ask("POST", "/api/learner/events", told(what="done"), headers, NETWORK).json == {"taken": 1}
    for origin in (f"http://127.0.0.1:{class_.port}", "http://evil.test", "null"):
        assert class_.ask("POST", "/api/learner/events", told(what="done"), {**headers, "origin": origin}, NETWORK).status == 403
    for method in set(METHODS) - {"POST"}:
        assert class_.ask(method, "/api/learner/events", b"", headers, NETWORK).status == 405


def test_keys_of_others_and_of_other_classes_are_worth_nothing(tmp_path: Path) -> None:
    room, other = Classroom(tmp_path / "a", b"s"), Classroom(tmp_path / "b", b"s")
    key = room.admit(room.code, "here")
    assert room.learner_of(key)
    assert not other.learner_of(key)
    assert not Classroom(tmp_path / "a", b"another secret").learner_of(key)
    name, _, proof = key.partition(".")
    for forged in ("", ".", name, f"{name}.", f"{name}.{'0' * 64}", f"AAAAAAAA.{proof}", f"{key}.", "é.é"):
        assert not room.learner_of(forged)
    room.end()
    assert not room.learner_of(key)
    assert room.code != other.code


def test_who_was_sent_away_is_out_and_a_personal_code_is_the_same_learner(tmp_path: Path) -> None:
    room = Classroom(tmp_path, b"s")
    key = room.admit(room.code, "here")
    who = room.learner_of(key)
    room.name(key, "Xenia", "here")
    assert room.admit(f"{room.code}-{who}".lower(), "here") == key
    assert room.admit(f"{room.code}-AAAAAAAA", "here") == ""
    room.tell("removed", learner=who)
    assert not room.learner_of(key)
    assert room.admit(f"{room.code}-{who}", "here") == ""


def test_what_is_still_coming_when_a_class_ends_or_its_learner_is_sent_away_is_not_taken(tmp_path: Path) -> None:
    room = Classroom(tmp_path, b"s")
    before, away = room.admit(room.code, "here"), room.admit(room.code, "here")
    room.name(away, "Ada", "here")
    room.tell("removed", learner=room.learner_of(away))
    with pytest.raises(Refused, match="not in this class any more"):
        room.name(away, "Ada", "here")
    room.end()
    with pytest.raises(Refused, match="not in this class any more"):
        room.name(before, "Ada", "here")
    with pytest.raises(Refused, match="not in this class any more"):
        room.take(before, [])
    assert "Ada" not in (tmp_path / "events.jsonl").read_text()


def test_an_old_link_that_a_whole_class_opens_locks_nobody_out(tmp_path: Path) -> None:
    room = Classroom(tmp_path, b"s")
    for _ in range(MOST_WRONG_CODES + 1):
        assert room.admit("WRONG2", "here") == ""
    assert room.admit(room.code, "here")


def test_wrong_codes_are_limited_for_who_guesses_and_nobody_else(tmp_path: Path) -> None:
    room = Classroom(tmp_path, b"s")
    for number in range(MOST_WRONG_CODES):
        assert room.admit(f"W{number:05}", "there") == ""
    with pytest.raises(Refused, match="Too many wrong codes"):
        room.admit(room.code, "there")
    assert room.admit(room.code, "here")


def test_learners_and_what_they_send_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Classroom(tmp_path, b"s")
    for number in range(MOST_NEWCOMERS):
        room.name(room.key_of(str(number)), "", "one address")
    with pytest.raises(Refused, match="too much"):
        room.name(room.key_of("one more"), "", "one address")
    for number in range(MOST_NEWCOMERS, MOST_LEARNERS):
        room.name(room.key_of(str(number)), "", "another")
    with pytest.raises(Refused, match="full"):
        room.name(room.key_of("one more"), "", "here")
    for _ in range(MOST_SENDINGS - 1):
        room.take(room.key_of("0"), [])
    with pytest.raises(Refused, match="too much"):
        room.take(room.key_of("0"), [])
    room.take(room.key_of("1"), [])
    with pytest.raises(Refused, match="does not know you"):
        room.take(room.key_of("nobody"), [])


def joined_room(folder: Path) -> tuple[Classroom, str]:
    """A class that one learner has joined, and their key."""
    room = Classroom(folder, b"s")
    key = room.admit(room.code, "here")
    room.name(key, "Ada", "here")
    return room, key


def test_a_learner_cannot_fill_the_class_and_its_instructor_can_act_when_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "MOST_TOLD", 2)
    room, key = joined_room(tmp_path)
    room.take(key, [{"what": "done", "id": str(number), "at": 1.0} for number in range(3)])
    with pytest.raises(Refused, match="sent too much to this class"):
        room.take(key, [{"what": "done", "id": "3", "at": 1.0}])
    monkeypatch.setattr(room._journal, "most", 1)
    with pytest.raises(Refused, match="file is full"):
        room.name(key, "Eve", "here")
    room.tell("removed", learner=room.learner_of(key))
    assert room.learner_of(key) == ""


def test_an_end_for_which_the_disk_has_no_room_leaves_the_class_as_it_was(tmp_path: Path) -> None:
    room, key = joined_room(tmp_path)
    with Disk(tmp_path, Fault(2, errno.ENOSPC, lasting=True)) as disk, pytest.raises(FileError):
        room.end()
    assert disk.struck
    room.name(key, "Grace", "here")
    assert [one.name for one in Classroom(tmp_path, b"s").look(lambda board: board.learners).values()] == ["Grace"]
    room.end()
    assert b"Ada" not in (tmp_path / "events.jsonl").read_bytes()
    assert stat.S_IMODE((tmp_path / "events.jsonl").stat().st_mode) == 0o600


def test_an_answer_is_not_changed_when_the_right_one_is_told(tmp_path: Path) -> None:
    room, key = joined_room(tmp_path)

    def answers(identity: str, letter: str) -> dict[str, str]:
        room.take(key, [{"what": "answer", "id": identity, "question": "parameter", "letter": letter}])
        return room.look(lambda board: board.learners[room.learner_of(key)].answers)

    room.tell("asked", question="parameter")
    answers("1", "a")
    assert answers("2", "c") == {"parameter": "c"}
    room.tell("shown")
    assert answers("3", "b") == {"parameter": "c"}


def test_what_is_sent_twice_counts_once_also_after_a_restart(tmp_path: Path) -> None:
    room, key = joined_room(tmp_path)
    check = {"what": "check", "id": "1", "task": "cnn", "passed": False, "cause": "x", "sentence": "x", "at": 1.0}
    for again in (room, room, Classroom(tmp_path, b"s")):
        again.take(key, [check])
        [learner] = again.look(lambda board: board.learners).values()
        assert learner.tasks["cnn"].tries == 1


def test_a_result_that_has_waited_says_since_when(class_: Service, tmp_path: Path) -> None:
    joined.join(tmp_path, host_of(class_), code_of(class_), "Late")
    joined.note_result(tmp_path, Result("wider", False, "late", "Late."))
    [path] = joined.waiting(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "at": time.time() - 3600}))
    assert joined.send(tmp_path) == ""
    [group] = [group for group in shown(class_)["mistakes"] if group["cause"] == "late"]
    assert 3590 < time.time() - group["since"] < 3700


def test_what_the_board_does_not_take_spoils_nothing_else(class_: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_longer(monkeypatch)
    joined.join(tmp_path, host_of(class_), code_of(class_), "Bad and good")
    for number in range(9):
        joined.note_result(tmp_path, Result("no such exercise" if number in (0, 5) else "cnn", False, "spoiled", "x"))
    assert joined.send(tmp_path).startswith("The board of the class: The lab does not understand this request")
    assert joined.waiting(tmp_path) == []
    [tries] = [row["tries"] for row in rows(class_) if row["mistake"] == "spoiled"]
    assert tries == "7"
    for _ in range(45):
        joined.note(tmp_path, "stuck", text="\N{GRINNING FACE}" * 199 + "\udcff")
    assert joined.send(tmp_path) == ""
    assert joined.waiting(tmp_path) == []


def test_what_waits_for_another_class_is_dropped_on_joining_one_and_kept_on_joining_again(class_: Service, tmp_path: Path) -> None:
    host, code = host_of(class_), code_of(class_)
    joined.join(tmp_path, host, code, "Ada")
    joined.note(tmp_path, "done")
    assert joined.join(tmp_path, host, code).number
    assert len(joined.waiting(tmp_path)) == 1
    joined._write(tmp_path, joined.Seat(host, "AAAAAAAA.0", 3))  # of another class
    joined.join(tmp_path, host, code)
    assert joined.waiting(tmp_path) == []


def test_of_the_pages_of_one_learner_the_oldest_is_let_go_and_everybody_is_still_let_in(class_: Service) -> None:
    with contextlib.ExitStack() as open_pages:
        key = let_in(class_, "many")
        pages = []
        for _ in range(MOST_PAGES + 1):
            pages.append(open_pages.enter_context(following(class_, key)))
            assert pages[-1].readline() == b"event: class\r\n"
        assert b"event: over" not in pages[0].read(), "let go, and not sent away"
        class_.ask("POST", "/api/class", {"do": "ask", "question": "parameter"})
        for page in pages[1:]:
            assert any(b'"parameter"' in line for line in page)
    class_.ask("POST", "/api/class", {"do": "ask"})


def test_a_link_with_a_learners_own_code_makes_nobody_that_learner(class_: Service) -> None:
    key = let_in(class_, "Eve")
    own = f"{code_of(class_)}-{key.partition('.')[0]}"
    answer = asked(class_, "GET", f"/join/{own}")
    assert (answer.status, "set-cookie" in answer.headers) == (401, False)
    assert asked(class_, "POST", "/api/learner/seat", body={"code": own}).json == {"key": key}


HOSTILE: list[dict[str, Any]] = [
    {"what": "check", "task": "nothing"},
    {"what": "check", "task": "cnn", "sentence": "x" * 301},
    {"what": "check", "task": "cnn", "cause": "x" * 65},
    {"what": "check", "task": "cnn", "learner": "AAAAAAAA"},
    {"what": "check", "task": "cnn", "at": 1e9},
    {"what": "stuck", "text": "x" * 201},
    {"what": "stuck", "id": "../../etc/passwd"},
    {"what": "stuck", "id": "a" * 65},
    {"what": "stuck", "ago_s": -1},
    {"what": "answer", "question": "parameter", "letter": "z"},
    {"what": "answer", "question": "nothing", "letter": "a"},
    {"what": "removed"},
    {"what": "named", "name": "x"},
]


@pytest.mark.parametrize("event", HOSTILE, ids=str)
def test_what_is_no_event_of_a_learner_is_refused_and_leaves_no_trace(event: dict[str, Any], class_: Service, learner: str) -> None:
    before = events_file(class_).read_bytes()
    answer = asked(class_, "POST", "/api/learner/events", learner, told(**event))
    assert answer.status == 400
    assert events_file(class_).read_bytes() == before


def test_bad_bodies_of_learners_are_refused_in_words(class_: Service) -> None:
    for path in ("/api/learner/events", "/api/learner/name"):
        key = let_in(class_)
        for body in BAD:
            answer = asked(class_, "POST", path, key, body)
            assert answer.status in (400, 413), body
            assert answer.json["error"].endswith(".")
        assert asked(class_, "POST", path, key, b" " * (64 * 1024 + 1)).status == 413
    assert asked(class_, "POST", "/api/learner/events", let_in(class_), {"events": told(what="done")["events"] * 51}).status == 400
    assert asked(class_, "POST", "/api/learner/name", let_in(class_), {"name": "x" * 41}).status == 400


def test_a_wrong_code_is_told_in_words_also_to_a_program(class_: Service, tmp_path: Path) -> None:
    for code in ("WRONG2", "..%2f..", "%00", "x" * 500, f"{code_of(class_)}x"):
        assert asked(class_, "GET", f"/join/{code}").status in (401, 404)
    with pytest.raises(FailedError, match="not the code of this class"):
        joined.join(tmp_path, host_of(class_), "WRONG2")
    assert class_.ask("GET", f"/join/{code_of(class_)}").status == 404, "a class is joined from the network"


def test_without_class_there_is_none(lab: Service) -> None:
    answer = lab.ask("GET", "/api/class")
    assert (answer.status, answer.json["what to do"]) == (400, "Begin one: handlens lab --class")
    assert lab.ask("GET", "/join/ABCDEF").status == 404


def test_the_file_of_a_class_is_readable_for_its_owner_only(class_: Service) -> None:
    code_of(class_)
    assert stat.S_IMODE(events_file(class_).stat().st_mode) == 0o600


# The pages


def test_who_clicks_a_link_on_another_page_is_let_in_and_stays_who_they_are(browser: Browser, class_: Service) -> None:
    link = f"http://{host_of(class_)}/join/{code_of(class_)}"
    with browser.new_context() as phone:
        page = phone.new_page()
        page.route("http://evil.test/*", lambda route: route.fulfill(body=f'<a href="{link}">the class</a>', content_type="text/html"))
        page.goto("http://evil.test/mail")
        page.get_by_role("link").click()
        page.get_by_label("Your name").fill("Ada")
        page.keyboard.press("Enter")
        expect(page.locator("#who")).to_contain_text("Ada")
        page.goto("http://evil.test/mail")
        page.get_by_role("link").click()
        expect(page.locator("#who")).to_contain_text("Ada")


def test_who_joins_late_is_asked_what_the_class_is_asked_already(browser: Browser, class_: Service) -> None:
    class_.ask("POST", "/api/class", {"do": "ask", "question": "parameter"})
    with browser.new_context() as phone:
        late = phone.new_page()
        late.goto(f"http://{host_of(class_)}/join/{code_of(class_)}")
        late.get_by_label("Your name").fill("Late")
        late.keyboard.press("Enter")
        expect(late.locator(".choices button")).to_have_count(3)
    class_.ask("POST", "/api/class", {"do": "ask"})


def test_board_and_learners_page_are_used_as_in_class(browser: Browser, class_: Service, tmp_path: Path) -> None:
    class_.ask("POST", "/api/class", {"do": "end"})
    with opened(browser, class_) as computer, browser.new_context(viewport={"width": 320, "height": 700}) as phone:
        board = computer.new_page()
        board.goto("/class")
        expect(board.locator("#count")).to_contain_text("Nobody has joined yet")
        expect(board.locator("img.qr")).to_be_visible()
        hand = phone.new_page()
        hand.goto(board.locator("a.address").inner_text())
        assert hand.url == f"http://{host_of(class_)}/learner"
        hand.get_by_label("Your name").fill("<b>Xenia</b>")
        hand.keyboard.press("Enter")
        expect(hand.locator("#who")).to_contain_text("number 1, <b>Xenia</b>")
        expect(hand.locator("main")).to_contain_text("Nothing is asked just now")
        assert not re.search("false|null|undefined", hand.locator("main").inner_text())
        command = hand.locator("pre").inner_text()
        found = re.search(r"join (\S+) --code (\S+)", command)
        assert found
        assert joined.join(tmp_path, found[1], found[2]).number == 1, "the terminal and the browser are the same learner"
        joined.note_result(tmp_path, Result("scaling", False, "not_scaled", "The pixels still go from 0 to 255."))
        assert joined.send(tmp_path) == ""
        expect(board.locator("[data-cause=not_scaled]")).to_contain_text("The pixels still go from 0 to 255.")
        expect(hand.locator(".own-checks")).to_contain_text("○ scaling")
        hand.get_by_label("What is it about?").fill("where do I <i>divide</i>?")
        hand.get_by_role("button", name="I need help").click()
        expect(board.locator(".waiting li")).to_contain_text("#1")
        expect(board.locator(".waiting li")).to_contain_text("scaling")
        assert "Xenia" not in board.locator("main").inner_text(), "names are hidden on the projector"
        board.keyboard.press("n")
        expect(board.locator(".waiting li")).to_contain_text("<b>Xenia</b>")
        expect(board.locator(".waiting li")).to_contain_text("where do I <i>divide</i>?")
        board.keyboard.press("n")
        expect(board.locator("main")).not_to_contain_text("Xenia")
        board.locator("#which").select_option("parameter")
        board.get_by_role("button", name="Ask the class").click()
        hand.get_by_role("button", name="b) The slope").click()
        expect(board.locator("[data-letter=b] .count")).to_have_text("1")
        board.get_by_role("button", name="Ask again").click()
        expect(board.locator("[data-letter=b] .count")).to_have_text("0")
        expect(hand.locator("[data-letter=b]")).to_have_attribute("aria-pressed", "false")
        hand.get_by_role("button", name="b) The slope").click()
        expect(board.locator("[data-letter=b] .count")).to_have_text("1")
        board.get_by_role("button", name="Show the answer").click()
        expect(hand.locator("main")).to_contain_text("A plain tensor is no parameter of the module")
        joined.note_result(tmp_path, Result("scaling", True))
        assert joined.send(tmp_path) == ""
        expect(board.locator(".waiting li")).to_have_count(0)
        expect(board.locator("[data-task=scaling] .passed")).to_contain_text("1")
        board.get_by_role("button", name="End the class").click()
        board.get_by_role("button", name="End and delete").click()
        expect(board.locator("#count")).to_contain_text("Nobody has joined yet")
        expect(hand.locator("#who")).to_contain_text("not in this class any more")
        assert b"Xenia" not in events_file(class_).read_bytes(), "names are deleted at the end"


def test_a_learners_own_words_are_on_the_projector_with_the_names_only(browser: Browser, class_: Service) -> None:
    check = {"what": "check", "task": "cnn", "cause": "made_up", "sentence": "Look at <i>me</i>!"}
    assert asked(class_, "POST", "/api/learner/events", let_in(class_, "Eve"), told(**check)).status == 200
    with opened(browser, class_) as computer:
        board = computer.new_page()
        board.goto("/class")
        expect(board.locator("[data-cause=made_up]")).to_contain_text("another mistake")
        assert "Look at" not in board.locator("main").inner_text()
        board.keyboard.press("n")
        expect(board.locator("[data-cause=made_up]")).to_contain_text("Look at <i>me</i>!")
        board.keyboard.press("n")
        expect(board.locator("main")).not_to_contain_text("Look at")
    class_.ask("POST", "/api/class", {"do": "end"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_pages_break_no_rule_of_accessibility_and_fit_a_phone(browser: Browser, class_: Service, theme: Any) -> None:
    key = let_in(class_, "Grace")
    sentence = {"task": "scaling", "cause": "not_scaled", "sentence": "The pixels still go from 0 to 255."}
    for event in (
        {"what": "check", **sentence},
        {"what": "stuck", "text": "where?"},
        {"what": "answer", "question": "parameter", "letter": "b"},
    ):
        assert asked(class_, "POST", "/api/learner/events", key, told(**event)).status == 200
    class_.ask("POST", "/api/class", {"do": "ask", "question": "parameter"})
    with opened(browser, class_, color_scheme=theme) as computer, browser.new_context(color_scheme=theme) as phone:
        phone.add_cookies([{"name": class_.keys.learner_name, "value": key, "url": f"http://{host_of(class_)}"}])
        board, hand = computer.new_page(), phone.new_page()
        board.goto("/class")
        hand.goto(f"http://{host_of(class_)}/learner")
        expect(board.locator("[data-cause]")).to_have_count(1)
        expect(hand.locator(".choices button")).to_have_count(3)
        board.locator(".join summary").click()
        board.keyboard.press("n")
        check_panels(board)
        for page in (board, hand):
            check_looks(page)
        board.get_by_role("button", name="End the class").click()
        expect(board.locator("dialog")).to_be_visible()
        check_looks(board)
    class_.ask("POST", "/api/class", {"do": "end"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_before_one_joins_when_a_class_is_over_and_with_a_wrong_code_a_learner_reads_what_to_do(
    browser: Browser, class_: Service, theme: Any
) -> None:
    with browser.new_context(color_scheme=theme) as phone:
        hand = phone.new_page()
        hand.goto(f"http://{host_of(class_)}/join/{code_of(class_)}")
        expect(hand.locator("#who")).to_contain_text("Your instructor sees your name")
        check_looks(hand)
        hand.get_by_label("Your name").fill("Late")
        hand.keyboard.press("Enter")
        expect(hand.locator("#who")).to_contain_text("You are number")
        check_looks(hand)
        class_.ask("POST", "/api/class", {"do": "end"})
        expect(hand.locator("#who")).to_contain_text("not in this class any more")
        check_looks(hand)
        hand.goto(f"http://{host_of(class_)}/join/WRONG1")
        expect(hand.locator("h1")).to_be_visible()
        check_looks(hand)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_board_of_a_class_that_nobody_has_joined_can_be_read(browser: Browser, class_: Service, theme: Any) -> None:
    class_.ask("POST", "/api/class", {"do": "end"})
    with opened(browser, class_, color_scheme=theme) as computer:
        board = computer.new_page()
        board.goto("/class")
        expect(board.locator("#count")).to_contain_text("Nobody has joined yet")
        check_looks(board)


def test_what_learners_write_is_only_text_on_both_pages(browser: Browser, class_: Service) -> None:
    texts = [text for text in payloads.html() if len(text) <= 200]
    for number in range(0, len(texts), 3):
        key = let_in(class_, "".join(letter for letter in texts[number][:40]))
        one, two = texts[(number + 1) % len(texts)], texts[(number + 2) % len(texts)]
        check = {"what": "check", "task": EXERCISES[number % 16].name, "cause": one[:64], "sentence": two}
        assert asked(class_, "POST", "/api/learner/events", key, told(**check)).status == 200
        assert asked(class_, "POST", "/api/learner/events", key, told(what="stuck", text=one)).status == 200
    with opened(browser, class_) as computer, browser.new_context() as phone:
        phone.add_cookies([{"name": class_.keys.learner_name, "value": key, "url": f"http://{host_of(class_)}"}])
        board, hand = computer.new_page(), phone.new_page()
        for page, path in ((board, "/class"), (hand, f"http://{host_of(class_)}/learner")):
            page.add_init_script("window.bad = 0; document.addEventListener('securitypolicyviolation', () => window.bad++);")
            page.goto(path)
        expect(hand.locator(".own-checks li")).to_have_count(1)
        expect(board.locator(".waiting li").nth(len(texts) // 3 - 1)).to_be_visible()
        board.keyboard.press("n")
        expect(board.locator(".people li").nth(len(texts) // 3 - 1)).to_be_visible()
        for page in (board, hand):
            page.wait_for_timeout(200)
            assert page.evaluate("[window.hit, window.bad]") == [None, 0]
    class_.ask("POST", "/api/class", {"do": "end"})


# The verbs


def test_a_learner_at_the_terminal_joins_is_stuck_answers_and_is_asked_nothing_twice(
    class_: Service, tmp_path: Path, terminal: Terminal
) -> None:
    class_.ask("POST", "/api/class", {"do": "end"})
    terminal("course", "start")
    terminal("course", "join", f"http://{host_of(class_)}/join/{code_of(class_)}", "--name", "Emmy")
    terminal("course", "stuck", "what", "is", "a", "logit?")
    [row] = shown(class_)["help"]
    assert (row["name"], row["text"]) == ("Emmy", "what is a logit?")
    terminal("course", "stuck", "--done")
    assert shown(class_)["help"] == []
    terminal("course", "answer", code=4)
    class_.ask("POST", "/api/class", {"do": "ask", "question": "parameter"})
    assert "You write self.slope" in terminal("course", "answer")
    terminal("course", "answer", "B")
    terminal("course", "answer", "q", code=2)
    class_.ask("POST", "/api/class", {"do": "show"})
    terminal("course", "answer", "a", code=2)
    assert terminal.err.startswith("Error: The answer is told already: b.")
    assert [one["count"] for one in shown(class_)["question"]["options"]] == [0, 1, 0]
    terminal("course", "join", host_of(class_), "--code", code_of(class_))
    assert [one["name"] for one in shown(class_)["learners"]] == ["Emmy"], "joined twice, and still one"
    class_.ask("POST", "/api/class", {"do": "end"})
    terminal("course", "stuck")
    assert terminal.err.startswith("The board of the class: The class does not know this browser.")


def test_a_class_is_exported_and_ended_by_verbs(
    class_: Service, tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal("course", "class", "export", "class.csv", code=4)
    monkeypatch.setenv("XDG_STATE_HOME", str(class_.folder / "state"))
    let_in(class_, "Sophie")
    terminal("course", "class", "export", "class.csv")
    assert "Sophie" in (tmp_path / "class.csv").read_text()
    assert stat.S_IMODE((tmp_path / "class.csv").stat().st_mode) == 0o600
    terminal("course", "class", "end", code=5)
    assert "close that lab" in terminal.err
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    room, _ = joined_room(tmp_path / "other" / "handlens" / "class")
    with room._path.open("a") as file:
        file.write("something else\n")
    terminal("course", "class", "export", "class.csv", code=3)
    assert "handlens course class end" in terminal.err
    assert terminal("course", "class", "end") == "The class has ended. Its names and results are deleted.\n"
    assert terminal("course", "class", "end") == "There was no class.\n"
    assert not [path for path in (tmp_path / "other").rglob("*") if path.is_file() and "Ada" in path.read_text()]


def test_a_drawing_phone_and_a_learner_do_not_get_in_each_others_way(class_: Service) -> None:
    link = class_.ask("POST", "/api/phone", {}).json["address"]
    cookie = asked(class_, "GET", link.partition(str(class_.port))[2]).headers["set-cookie"]
    both = f"{cookie.partition(';')[0]}; {class_.keys.learner_name}={let_in(class_, 'draws too')}"
    own = host_of(class_)
    for path, given in (("/phone", 200), ("/learner", 200), ("/api/lab", 403)):
        assert class_.ask("GET", path, headers=class_.headers(host=own, origin=f"http://{own}", cookie=both), at=NETWORK).status == given
    assert asked(class_, "GET", "/learner", cookie.partition("=")[2].partition(";")[0]).status == 403
