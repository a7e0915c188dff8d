"""Labels: read from a column, given by likeness, and asked of real HTTP servers."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core import skills
from ila_core.errors import IlaError, UsageError
from ila_core.paths import ASSETS
from ila_core.skills import EndpointSettings, Skill, endpoint, estimate, parse_answer
from ila_core.space.encode import load_encoder

KEY = "sk-very-secret-7431"


@pytest.fixture(autouse=True)
def no_keys_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ILA_LABELS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


# --- counting and columns ---------------------------------------------------------------------


def test_skills_are_counted_by_hand():
    labels = [("sql", "SQL ", "joins"), ("a",), (), None]
    assert skills.count_skills(labels).tolist() == [2, 1, 1, 1]
    assert skills.count_skills(labels).dtype == np.float32
    failed = skills.count_skills(labels, unlabelled=np.nan)
    assert failed[:3].tolist() == [2, 1, 1] and np.isnan(failed[3])


@given(st.lists(st.none() | st.lists(st.text(max_size=4), max_size=6).map(tuple), max_size=8))
def test_s_is_at_least_one_and_counts_distinct_names(labels):
    counts = skills.count_skills(labels)
    assert counts.shape == (len(labels),) and (counts >= 1).all()
    for names, count in zip(labels, counts, strict=True):
        tidy = {" ".join(name.split()).casefold() for name in names or ()} - {""}
        assert count == max(1, len(tidy))


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (["sql", "joins"], ("sql", "joins")),
        (np.array(["sql", "joins"], dtype=object), ("sql", "joins")),
        ("sql, joins;SQL", ("sql", "joins")),
        ('["c, c++", "rust"]', ("c, c++", "rust")),
        ("[draft], sql", ("[draft]", "sql")),
        ([{"tag": "sql", "explanation": "..."}, {"name": "joins"}], ("sql", "joins")),
        ('[{"tag": "sql"}, {"why": 1}]', ("sql",)),
        (7, ("7",)),
        ([], ()),
        ("", None),
        (" , ;", None),
        (float("nan"), None),
        (np.float32("nan"), None),
        (None, None),
    ],
)
def test_a_column_value_becomes_labels(value, labels):
    assert skills.from_column([value]) == [labels]


def test_an_object_in_a_labels_column_is_refused_with_its_row():
    for value in ({"sql": 1}, [{"sql": 1}]):
        with pytest.raises(UsageError, match="row 1 hold an object without a name"):
            skills.from_column(["sql", value])


def test_a_record_text_always_shows_some_of_the_response():
    text = skills.record_text("i" * 9000, "r" * 9000, chars=400)
    assert len(text) == 400 and text.count("i") == 300 and text.count("r") == 98


# --- taxonomy ---------------------------------------------------------------------------------


class LetterEncoder:
    """Counts the letters a to d: likeness that can be worked out by hand."""

    def encode(self, texts):
        return np.array([[text.count(c) for c in "abcd"] for text in texts], dtype=np.float32)


LETTERS = [Skill(name, None, name * 9) for name in "abcd"]


def pairs_of(texts):
    """Records of which the response is empty."""
    return [(text, "") for text in texts]


def label(texts, *, known=LETTERS, **options):
    return skills.taxonomy(
        lambda: pairs_of(texts), len(texts), LetterEncoder(), skills=known, **options
    )


def test_labels_are_those_above_the_threshold_best_first():
    assert label(["aaabb", "aabb", "cd", "d"], threshold=0.2) == [
        ("a", "b"),
        ("a", "b"),
        ("c", "d"),
        ("d",),
    ]


def test_the_most_similar_skill_is_given_however_unlike_it_is():
    assert label(["aaab"], threshold=0.999) == [("a",)]


def test_a_text_without_anything_known_gets_no_labels():
    assert label(["", "a"], threshold=0.5) == [None, ("a",)]


def test_no_text_no_labels():
    assert label([], threshold=0.5) == []


def test_at_most_eight_labels_are_given():
    many = [Skill(f"{k}", None, "ab"[k % 2] * (k + 1)) for k in range(20)]
    assert len(label(["aab"], known=many, threshold=-1.0)[0] or ()) == 8


def test_the_start_of_the_response_counts():
    assert skills.taxonomy(
        lambda: [("a", "bbbbbb")], 1, LetterEncoder(), skills=LETTERS, threshold=0.9
    ) == [("b",)]


def test_labels_do_not_depend_on_how_records_are_batched():
    texts = ["".join("abcd"[int(d)] for d in np.base_repr(k, 4)) for k in range(2500)]
    told = []
    whole = label(texts, threshold=0.3, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2500, 2500) and len(told) == 3
    assert whole == label(texts[:700], threshold=0.3) + label(texts[700:], threshold=0.3)


def test_calibration_finds_the_threshold_that_separates():
    pairs = ["ab", "bc", "cd", "ac", "a", "b", "c", "d"]
    texts = [p[0] * 5 + p[1:] * 4 for p in pairs] * 4
    labels = [tuple(p) for p in pairs] * 4
    found = skills.calibrate(pairs_of(texts), labels, encoder=LetterEncoder(), skills=LETTERS)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)
    assert found.count_correlation == pytest.approx(1)
    assert found.n == 32 and found.unknown == 0 and found.first_right == 1
    assert label(texts, threshold=found.threshold) == labels


def test_a_label_that_the_taxonomy_lacks_counts_as_missed():
    found = skills.calibrate(
        pairs_of("abcd" * 3),
        [("a", "z"), ("b", "z"), ("c", "z"), ("d", "z")] * 3,
        encoder=LetterEncoder(),
        skills=LETTERS,
    )
    assert (found.precision, found.recall, found.unknown) == (1, 0.5, 0.5)


def test_calibration_judges_each_half_with_the_threshold_of_the_other():
    """The obvious way: label everything with every threshold and count."""
    rng = np.random.default_rng(5)
    many = [Skill(f"s{k}", None, "".join(rng.choice(list("abcd"), 6))) for k in range(16)]
    texts = ["".join(rng.choice(list("abcd"), 7)) for _ in range(60)]
    # Half of the records have labels after one rule and half after another, so that halves differ.
    truth = [label([t], known=many, threshold=rng.choice([0.1, 0.9]))[0] for t in texts]
    given_at = {t / 50: label(texts, known=many, threshold=t / 50) for t in range(46)}

    def totals(threshold, rows):
        given_labels = [given_at[threshold][row] for row in rows]
        hits = sum(len({*g} & {*truth[row]}) for g, row in zip(given_labels, rows, strict=True))
        return np.array([hits, sum(map(len, given_labels)), sum(len(truth[r]) for r in rows)])

    def best(rows):
        f1 = {t: 2 * h / (g + n) for t in given_at for h, g, n in [totals(t, rows)]}
        return max(f1, key=f1.get)

    for seed in range(5):
        order = np.random.default_rng(seed).permutation(60)
        one, two = order[:30], order[30:]
        hits, made, real = totals(best(two), one) + totals(best(one), two)
        found = skills.calibrate(
            pairs_of(texts), truth, encoder=LetterEncoder(), skills=many, seed=seed
        )
        assert found.threshold == best(range(60))
        assert found.precision == pytest.approx(hits / made)
        assert found.recall == pytest.approx(hits / real)


def test_calibration_says_how_many_records_it_needs():
    with pytest.raises(IlaError, match="1 labelled records are too few"):
        skills.calibrate(pairs_of("a"), [("a",)], encoder=LetterEncoder(), skills=LETTERS)


def test_the_shipped_skills_form_a_tree_of_distinct_names():
    shipped = skills.load_skills()
    by_name = {skill.name: skill for skill in shipped}
    assert len(by_name) == len(shipped) >= 120
    for skill in shipped:
        assert skill.name == skill.name.lower().strip() and skill.description.endswith(".")
        seen = {skill.name}
        while skill.parent:
            skill = by_name[skill.parent]
            assert skill.name not in seen
            seen.add(skill.name)


def test_a_broken_list_of_skills_is_named(tmp_path):
    (tmp_path / "skills.json").write_text('{"skills": [{"name": "sql"}]}')
    with pytest.raises(IlaError, match=r"skills\.json cannot be read"):
        skills.load_skills(tmp_path / "skills.json")


def test_the_shipped_encoder_and_skills_know_plain_cases():
    records = [
        ("Write a SQL query that joins the tables orders and customers.", "SELECT * FROM orders"),
        ("Differentiate the function x^2 and find its integral.", "The derivative is 2x."),
        ("Which planets have a moon, and how far are they from the sun?", "Mars has two."),
    ]
    labels = skills.taxonomy(lambda: records, 3, load_encoder("static"))
    for given_labels, expected in zip(labels, ["sql", "calculus", "astronomy"], strict=True):
        assert given_labels is not None and expected in given_labels[:2]


def test_the_shipped_threshold_is_the_best_point_of_its_curve():
    shipped = json.loads((ASSETS / "skills_calibration.json").read_text("utf-8"))
    f1 = {t: 2 * p * r / (p + r) for t, p, r in shipped["curve"]}
    assert skills.shipped_threshold() == shipped["threshold"]
    assert f1[shipped["threshold"]] == pytest.approx(max(f1.values()), abs=1e-3)


def test_the_identity_of_the_taxonomy_follows_its_files(monkeypatch, tmp_path):
    before = skills.taxonomy_identity()
    assert before == skills.taxonomy_identity()
    shutil.copytree(ASSETS, tmp_path / "assets", ignore=lambda *_: ["pictures"])
    monkeypatch.setattr("ila_core.skills.taxonomy.ASSETS", tmp_path / "assets")
    assert skills.taxonomy_identity() == before
    (tmp_path / "assets" / "skills_calibration.json").write_text('{"threshold": 0.123}')
    assert skills.taxonomy_identity() != before
    (tmp_path / "assets" / "skills_calibration.json").unlink()
    with pytest.raises(IlaError, match=r"python assets/make_skills\.py"):
        skills.taxonomy_identity()


# --- reading answers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('["sql", "joins"]', ("sql", "joins")),
        ('{"skills": ["SQL", "sql", " joins "]}', ("sql", "joins")),
        ('{"why": ["a"], "skills": ["sql"]}', ("sql",)),
        ('{"topics": ["sql"]}', ("sql",)),
        ('[{"name": "sql"}, {"tag": "joins", "explanation": "..."}]', ("sql", "joins")),
        ('```json\n["sql"]\n```', ("sql",)),
        ('Here you are [1]: ["sql", "joins"] Anything else? [y/n]', ("sql", "joins")),
        ('<think>["wrong"] or what</think>{"skills": ["sql"]}', ("sql",)),
        ('{"skills": []}', ()),
        ('["sql", "' + "x" * 80 + '"]', ("sql",)),
        ("sql, joins", None),
        ('["sql", "joi', None),
        ("[1, 2]", None),
        ("null", None),
        ("", None),
        ("[" * 30_000, None),
    ],
)
def test_answers_are_read_tolerantly(answer, labels):
    assert parse_answer(answer) == labels


def test_an_answer_is_capped():
    assert parse_answer(json.dumps([f"s{k}" for k in range(20)]), max_labels=3) == (
        "s0",
        "s1",
        "s2",
    )


@given(st.text(alphabet='[]{}",:ab \\1', max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_answer_breaks_the_reader(text):
    labels = parse_answer(text)
    assert labels is None or all(isinstance(name, str) and name for name in labels)


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h:8000", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1/", "http://h:8000/v1/chat/completions"),
        ("https://h/api", "https://h/api/v1/chat/completions"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai/chat/completions"),
        ("https://h/x/chat/completions", "https://h/x/chat/completions"),
    ],
)
def test_the_address_is_found_with_or_without_its_version(url, address):
    assert EndpointSettings(url, "m").address == address


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://h", "http://", "http://h:99999"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="is no address"):
        EndpointSettings(url, "m")


@pytest.mark.parametrize("url", [f"http://me:{KEY}@h/v1", f"http://h/v1?key={KEY}"])
def test_a_key_in_the_address_is_refused_and_not_repeated(url):
    with pytest.raises(UsageError, match="ILA_LABELS_API_KEY") as refused:
        EndpointSettings(url, "m")
    assert KEY not in str(refused.value)
    with pytest.raises(UsageError, match="no address") as refused:
        EndpointSettings(url.replace("http", "gopher"), "m")
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("option", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}])
def test_values_that_cannot_be_meant_are_refused(option):
    (name,) = option
    with pytest.raises(UsageError, match=f"{name} is {option[name]}"):
        EndpointSettings("http://h", "m", **option)


def test_a_model_must_be_named():
    with pytest.raises(UsageError, match="--labels-model"):
        EndpointSettings("http://h", " ")


# --- a server that behaves as a test says -----------------------------------------------------


@dataclass
class Reply:
    """What the server answers; content None sends ``body`` as it is, status 0 hangs up."""

    content: str | None = '["sql", "joins"]'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    body: bytes = b""

    def bytes(self) -> bytes:
        if self.content is None:
            return self.body
        usage = {"prompt_tokens": 100, "completion_tokens": 7}
        message = {"role": "assistant", "content": self.content}
        return json.dumps({"choices": [{"message": message}], "usage": usage}).encode()


@dataclass
class Server:
    """A real HTTP server; ``behave`` gets the number of the request and its JSON body."""

    behave: Callable[[int, dict], Reply] = lambda number, body: Reply()
    requests: list[dict] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.now = 0
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def texts(self) -> list[str]:
        """The records asked for, in order of arrival."""
        return [r["messages"][-1]["content"].split("\n")[1] for r in self.requests]

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/chat/completions"
                with server.lock:
                    number = len(server.requests)
                    server.requests.append(body)
                    server.times.append(time.monotonic())
                    server.keys.add(self.headers["Authorization"])
                    server.now += 1
                    server.most_at_once = max(server.most_at_once, server.now)
                reply = server.behave(number, body)
                time.sleep(reply.delay)
                with server.lock:
                    server.now -= 1
                if reply.status == 0:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                payload = reply.bytes()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def ask(server: Server, texts, work: Path | None = None, **options):
    options = {"pause": 0.01, "timeout": 20.0, **options}
    asked = EndpointSettings(server.url, "tiny", **options)
    return endpoint(lambda: iter(pairs_of(texts)), len(texts), asked, work=work)


def test_labels_come_back_in_row_order_whatever_order_they_arrive_in(server):
    def behave(number, body):
        name = body["messages"][-1]["content"].split("\n")[1]
        return Reply(json.dumps({"skills": [name, "sql"]}), delay=0.05 * (number % 3))

    server.behave = behave
    told = []
    texts = [f"record {k}" for k in range(30)]
    result = endpoint(
        lambda: pairs_of(texts),
        30,
        EndpointSettings(server.url, "tiny", concurrency=4),
        progress=lambda done, total: told.append((done, total)),
    )
    assert result.labels == [(f"record {k}", "sql") for k in range(30)]
    assert result.skills.tolist() == [2.0] * 30
    assert result.report.requests == 30 and result.report.retries == 0
    assert (result.report.tokens_in, result.report.tokens_out) == (3000, 210)
    assert result.report.mode == "json_schema" and result.report.failures == {}
    assert 1 < server.most_at_once <= 4
    assert told[-1] == (30, 30) and told == sorted(told)


def test_nothing_to_ask(server):
    result = ask(server, [])
    assert result.labels == [] and result.report.requests == 0


def test_equal_records_are_asked_once(server):
    result = ask(server, ["a", "b", "a", "a"])
    assert result.report.requests == 2 and result.report.reused == 2
    assert result.labels == [("sql", "joins")] * 4


def test_a_record_is_sent_up_to_its_limit_even_with_broken_characters(server):
    ask(server, ["x" * 90, "\ud800 half a character"], max_chars=40)
    assert sorted(server.texts) == ["? half a character", "x" * 30]


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_passing_failures_are_tried_again(server, status):
    server.behave = lambda number, body: Reply(status=status if number < 3 else 200)
    result = ask(server, ["a"])
    assert result.labels == [("sql", "joins")]
    assert (result.report.requests, result.report.retries) == (4, 3)


def test_a_connection_that_breaks_is_tried_again(server):
    server.behave = lambda number, body: Reply(status=0 if number % 2 == 0 else 200)
    result = ask(server, ["a", "b", "c"], concurrency=1)
    assert result.labels == [("sql", "joins")] * 3 and result.report.retries == 3


def test_a_slow_answer_is_given_up_and_tried_again(server):
    server.behave = lambda number, body: Reply(delay=30 if number == 0 else 0)
    result = ask(server, ["a"], timeout=1.5)
    assert result.labels == [("sql", "joins")] and result.report.retries == 1


@pytest.mark.parametrize(
    "rubbish",
    [Reply("I like SQL."), Reply(None, body=b"<html>"), Reply(None, body=b'{"choices": []}')],
)
def test_rubbish_is_asked_again_with_some_chance(server, rubbish):
    server.behave = lambda number, body: rubbish if number < 2 else Reply()
    result = ask(server, ["a"])
    assert result.labels == [("sql", "joins")] and result.report.retries == 2
    assert [body["temperature"] for body in server.requests] == [0.0, 0.5, 0.5]


def test_a_record_that_keeps_failing_is_left_without_labels_and_counted(server):
    def behave(number, body):
        bad = "bad" in body["messages"][-1]["content"]
        return Reply("no idea") if bad else Reply()

    server.behave = behave
    result = ask(server, ["a", "bad", "b", "bad"], retries=1)
    assert result.labels == [("sql", "joins"), None, ("sql", "joins"), None]
    assert np.isnan(result.skills).tolist() == [False, True, False, True]
    assert result.report.failures == {"answer holds no list of skills": 2}


def test_failures_here_and_there_do_not_stop_the_run(server):
    server.behave = lambda number, body: Reply("no idea" if number % 2 else "[]")
    result = ask(server, [f"{k}" for k in range(50)], concurrency=1, retries=0)
    assert result.report.failures == {"answer holds no list of skills": 25}


def test_retry_after_silences_everybody_and_costs_no_retry(server):
    def behave(number, body):
        return Reply(status=429, headers={"Retry-After": "1"}) if number < 1 else Reply()

    server.behave = behave
    result = ask(server, ["a", "b", "c"], concurrency=1, retries=0)
    assert result.labels == [("sql", "joins")] * 3
    assert server.times[1] - server.times[0] >= 0.99


def test_retry_after_may_be_a_date(server):
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.behave = lambda number, body: Reply(
        status=503 if number == 0 else 200, headers={"Retry-After": past}
    )
    assert ask(server, ["a"], retries=0).report.retries == 1


def test_a_pause_of_hours_is_left_to_the_user(server):
    server.behave = lambda number, body: Reply(status=429, headers={"Retry-After": "7200"})
    with pytest.raises(IlaError, match="pause of 7200 seconds"):
        ask(server, ["a"])


@pytest.mark.parametrize(
    ("accepts", "mode"),
    [
        (lambda body: body.get("response_format", {}).get("type") != "json_schema", "json_object"),
        (lambda body: "response_format" not in body, "plain"),
        (lambda body: "max_tokens" not in body, "bare"),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_output_constraint_is_dropped_once_for_the_run(server, accepts, mode, status):
    server.behave = lambda number, body: Reply(status=200 if accepts(body) else status)
    result = ask(server, ["a", "b", "c"], concurrency=1)
    assert result.labels == [("sql", "joins")] * 3
    assert result.report.mode == mode and result.report.retries == 0
    modes = ["json_schema", "json_object", "plain", "bare"]
    assert result.report.requests == 3 + modes.index(mode)


def test_a_record_that_is_too_long_does_not_cost_the_others_their_constraint(server):
    def behave(number, body):
        return Reply(status=400 if "long" in body["messages"][-1]["content"] else 200)

    server.behave = behave
    result = ask(server, ["long", "a"], concurrency=1)
    assert result.labels == [None, ("sql", "joins")]
    assert result.report.failures == {"HTTP 400": 1} and result.report.mode == "json_schema"


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_what_cannot_get_better_stops_at_once(server, status):
    server.behave = lambda number, body: Reply(status=status)
    with pytest.raises(IlaError, match=str(status)):
        ask(server, [f"{k}" for k in range(50)], concurrency=2)
    assert len(server.requests) <= 4


def test_an_account_without_credit_stops_at_once(server):
    body = b'{"error": {"code": "insufficient_quota"}}'
    server.behave = lambda number, _: Reply(None, status=429, body=body)
    with pytest.raises(IlaError, match="no credit left"):
        ask(server, ["a"])


def test_a_model_that_is_not_there_is_named(server):
    body = b'{"error": "model not found"}'
    server.behave = lambda number, _: Reply(None, status=404, body=body)
    with pytest.raises(IlaError, match=r"'tiny'.*model not found.*--labels-model"):
        ask(server, ["a"])


def test_a_server_that_is_not_there_is_said_in_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = EndpointSettings(f"http://127.0.0.1:{free.getsockname()[1]}", "m", pause=0.01)
        with pytest.raises(IlaError, match=r"Not one record got labels .* no connection"):
            endpoint(lambda: [("a", ""), ("b", "")], 2, gone)


def quiet(server) -> int:
    """Wait until requests that were given up have been counted too; return their number."""
    seen = -1
    while seen != len(server.requests):
        seen = len(server.requests)
        time.sleep(0.5)
    return seen


def test_a_server_that_dies_midway_stops_the_run_and_the_next_goes_on(server, tmp_path):
    server.behave = lambda number, body: Reply(status=200 if number < 20 else 0)
    texts = [f"{k}" for k in range(200)]
    with pytest.raises(IlaError, match=r"16 records in a row .* the same command goes on"):
        ask(server, texts, tmp_path, retries=1, concurrency=4)
    before = quiet(server)
    server.behave = lambda number, body: Reply()
    result = ask(server, texts, tmp_path)
    assert result.labels == [("sql", "joins")] * 200
    assert len(server.requests) - before == result.report.requests == 180
    assert result.report.reused == 20


# --- the journal ------------------------------------------------------------------------------


def test_a_finished_run_asks_nothing_again(server, tmp_path):
    first = ask(server, ["a", "b"], tmp_path)
    second = ask(server, ["b", "a"], tmp_path)
    assert second.labels == first.labels and second.report.requests == 0


@pytest.mark.parametrize("change", [{"model": "other"}, {"max_labels": 3}])
def test_another_question_is_another_answer(server, tmp_path, change):
    ask(server, ["a"], tmp_path)
    options = {"model": "tiny", **change}
    result = endpoint(
        lambda: [("a", "")], 1, EndpointSettings(server.url, **options), work=tmp_path
    )
    assert result.report.requests == 1


def test_torn_and_foreign_lines_are_asked_again(server, tmp_path):
    ask(server, ["a", "b"], tmp_path)
    journal = tmp_path / "labels.jsonl"
    good, torn = journal.read_bytes().splitlines()
    odd = json.dumps({**json.loads(torn), "labels": "abc"}).encode()
    rubbish = b'[]\n{"key": 1}\n' + odd + b"\n\xff\n"
    journal.write_bytes(good + b"\n" + rubbish + torn[:-9])
    result = ask(server, ["a", "b"], tmp_path)
    assert result.labels == [("sql", "joins")] * 2 and result.report.requests == 1
    assert ask(server, ["a", "b"], tmp_path).report.requests == 0


def test_failures_are_not_kept_but_tried_anew(server, tmp_path):
    server.behave = lambda number, body: Reply("?" if "bad" in str(body) else "[]")
    assert ask(server, ["a", "bad"], tmp_path, retries=0).labels == [(), None]
    server.behave = lambda number, body: Reply()
    assert ask(server, ["a", "bad"], tmp_path).labels == [(), ("sql", "joins")]


def test_a_killed_run_loses_no_finished_answer(server, tmp_path):
    server.behave = lambda number, body: Reply(delay=0.02)
    code = (
        "import sys; from pathlib import Path\n"
        "from ila_core.skills import EndpointSettings, endpoint\n"
        "pairs = [(f'record {k}', '') for k in range(2000)]\n"
        "asked = EndpointSettings(sys.argv[1], 'tiny', concurrency=2)\n"
        "endpoint(lambda: pairs, 2000, asked, work=Path(sys.argv[2]))\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code, server.url, str(tmp_path)])
    try:
        wait_until(lambda: len(server.requests) >= 20, run)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    finished = len((tmp_path / "labels.jsonl").read_bytes().splitlines())
    assert finished >= 18
    server.behave = lambda number, body: Reply()
    first = [f"record {k}" for k in range(finished + 10)]
    result = ask(server, first, tmp_path)
    assert None not in result.labels
    assert result.report.requests <= 12


def wait_until(true: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert process.poll() is None, "the process ended early"
        assert time.monotonic() < deadline, "waited for two minutes"
        time.sleep(0.02)


def test_the_estimate_counts_what_would_be_asked(server, tmp_path):
    texts = [f"record {k} " + "word " * 100 for k in range(5)] * 2
    asked = EndpointSettings(server.url, "tiny")
    before = estimate(lambda: pairs_of(texts), asked, work=tmp_path)
    assert server.requests == [] and before.requests == 5
    sent = 5 * (len(texts[0]) / 4)
    assert sent < before.input_tokens < sent + 5 * 200 and before.output_tokens > 0
    endpoint(lambda: pairs_of(texts[:2]), 2, asked, work=tmp_path)
    assert estimate(lambda: pairs_of(texts), asked, work=tmp_path).requests == 3


# --- the key ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ILA_LABELS_API_KEY", "OPENAI_API_KEY"])
def test_the_key_is_sent_and_left_nowhere_else(server, tmp_path, monkeypatch, caplog, name):
    monkeypatch.setenv(name, f" {KEY}\n")
    caplog.set_level(logging.DEBUG)
    result = ask(server, ["a"], tmp_path)
    assert server.keys == {f"Bearer {KEY}"}
    left = [repr(result), caplog.text, (tmp_path / "labels.jsonl").read_text()]
    assert caplog.text and not any(KEY in text for text in left)


def test_our_own_variable_comes_first(server, monkeypatch):
    monkeypatch.setenv("ILA_LABELS_API_KEY", "ours")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    ask(server, ["a"])
    assert server.keys == {"Bearer ours"}


def test_without_a_key_none_is_sent(server):
    ask(server, ["a"])
    assert server.keys == {None}


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_error(
    server, monkeypatch, status
):
    monkeypatch.setenv("ILA_LABELS_API_KEY", KEY)
    server.behave = lambda number, body: Reply(None, status=status, body=f"bad {KEY}".encode())
    with pytest.raises(IlaError) as failure:
        ask(server, ["a"], retries=0)
    assert KEY not in str(failure.value) and str(status) in str(failure.value)


def test_a_key_that_no_header_can_carry_is_refused_unseen(server, monkeypatch):
    monkeypatch.setenv("ILA_LABELS_API_KEY", f"{KEY}\nX: é")
    with pytest.raises(UsageError, match="ILA_LABELS_API_KEY holds") as refused:
        ask(server, ["a"])
    assert KEY not in str(refused.value) and server.requests == []


# --- where it runs ----------------------------------------------------------------------------


def test_it_runs_inside_a_running_event_loop_as_in_a_notebook(server):
    async def cell():
        return ask(server, ["a"])

    assert asyncio.run(cell()).labels == [("sql", "joins")]


def test_an_interruption_ends_the_run_and_keeps_what_is_there(server, tmp_path):
    class Stop(Exception):
        pass

    def progress(done, total):
        if len(server.requests) > 5:
            raise Stop

    texts = [f"{k}" for k in range(500)]
    with pytest.raises(Stop):
        endpoint(
            lambda: pairs_of(texts),
            500,
            EndpointSettings(server.url, "tiny"),
            work=tmp_path,
            progress=progress,
        )
    assert (tmp_path / "labels.jsonl").read_bytes().count(b"\n") >= 1
    assert len(server.requests) < 100


SERVING = all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "openai"))


@pytest.mark.slow
@pytest.mark.skipif(not SERVING, reason="transformers serve needs fastapi, uvicorn and openai")
def test_a_language_model_behind_transformers_serve_labels_records(tmp_path):
    model = make_reciting_model(tmp_path / "model", ['{"skills":', ' ["algebra",', ' "proofs"]}'])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)]
    log = (tmp_path / "serve.log").open("wb")
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", port, "--device", "cpu"],
        stdout=log,
        stderr=log,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_up(url), process)
        result = endpoint(
            lambda: [("Solve x + 1 = 3.", "x = 2"), ("Show that 2 is prime.", "")],
            2,
            EndpointSettings(url, str(model), concurrency=2),
        )
        with pytest.raises(IlaError, match=r"Not one record got labels .*400"):
            endpoint(lambda: [("a", "")], 1, EndpointSettings(url, "no-such-model", pause=0))
    finally:
        process.kill()
        process.wait()
        log.close()
    assert result.labels == [("algebra", "proofs")] * 2
    assert result.report.tokens_in > 200 and result.report.tokens_out >= 6


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def make_reciting_model(folder: Path, words: list[str]) -> Path:
    """A causal model set by hand so that every token is followed by the next of ``words``.

    Its one block adds nothing to the residual stream, so the logits see the last token alone; the
    chat template ends with a token that starts the recital.
    """
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = {letter: k for k, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    core = Tokenizer(models.BPE(letters, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_tokens([AddedToken(word, normalized=False) for word in words])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<go>", eos_token="<end>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}\n{% endfor %}<go>"
    size = len(tokenizer)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size,
            hidden_size=size + size % 2,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            max_position_embeddings=4096,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    chain = tokenizer.convert_tokens_to_ids(["<go>", *words, "<end>"])
    with torch.no_grad():
        block = model.model.layers[0]
        block.self_attn.o_proj.weight.zero_()
        block.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size, model.config.hidden_size))
        model.lm_head.weight.zero_()
        for here, following in pairwise(chain):
            model.lm_head.weight[following, here] = 1
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
