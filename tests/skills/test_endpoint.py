"""Labels asked of real HTTP servers: answers, failures, the journal, the key."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from labels_server import Reply, Server

from ila_core.errors import IlaError, UsageError
from ila_core.skills.endpoint import endpoint, estimate
from ila_core.skills.settings import EndpointSettings, key_for

KEY = "sk-very-secret-7431"


@pytest.fixture(autouse=True)
def no_keys_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ILA_LABELS_API_KEY", "ILA_LABELS_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def pairs_of(texts):
    """Records of which the response is empty."""
    return [(text, "") for text in texts]


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
        "from ila_core.skills.endpoint import endpoint\n"
        "from ila_core.skills.settings import EndpointSettings\n"
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


def test_the_key_is_sent_and_left_nowhere_else(server, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("ILA_LABELS_API_KEY", f" {KEY}\n")
    caplog.set_level(logging.DEBUG)
    result = ask(server, ["a"], tmp_path)
    assert server.keys == {f"Bearer {KEY}"}
    left = [repr(result), caplog.text, (tmp_path / "labels.jsonl").read_text()]
    assert caplog.text and not any(KEY in text for text in left)


def test_a_key_goes_only_to_the_host_that_stands_beside_it(server, monkeypatch):
    monkeypatch.setenv("ILA_LABELS_API_KEY", KEY)
    monkeypatch.setenv("ILA_LABELS_URL", f"{server.url}/other/v1")
    ask(server, ["a"])
    assert server.keys == {f"Bearer {KEY}"}
    server.keys.clear()
    other = server.url.replace("127.0.0.1", "localhost")
    for elsewhere in (other, "http://127.0.0.1:9", server.url.replace("http:", "https:")):
        monkeypatch.setenv("ILA_LABELS_URL", elsewhere)
        ask(server, ["b"])
    assert server.keys == {None}


def test_a_server_that_wants_a_key_set_for_another_is_told_of_it(server, monkeypatch):
    monkeypatch.setenv("ILA_LABELS_API_KEY", KEY)
    monkeypatch.setenv("ILA_LABELS_URL", "https://labels.example/v1")
    server.behave = lambda number, body: Reply(status=401)
    with pytest.raises(IlaError, match=r"is for https://labels\.example/v1, which ILA_LABELS_URL"):
        ask(server, ["a"])
    assert server.keys == {None}


def test_the_key_of_openai_goes_to_openai_alone(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ask(server, ["a"])
    assert server.keys == {None}
    for url in ("https://api.openai.com", "https://API.openai.com:443/v1/chat/completions"):
        assert key_for(url).secret == KEY
    strangers = (
        "http://api.openai.com", "https://api.openai.com:8443", "https://openai.com",
        "https://api.openai.com.example", "https://xapi.openai.com",
    )  # fmt: skip
    assert {key_for(url).secret for url in strangers} == {""}
    monkeypatch.setenv("ILA_LABELS_API_KEY", "ours")
    assert key_for("https://api.openai.com").secret == "ours"


def test_a_key_shows_in_no_repr_and_a_redirection_is_not_followed(server, monkeypatch):
    monkeypatch.setenv("ILA_LABELS_API_KEY", KEY)
    assert KEY not in repr(key_for(server.url))
    server.behave = lambda number, body: Reply(
        status=307, headers={"Location": f"{server.url}/elsewhere"}
    )
    with pytest.raises(IlaError, match="redirection"):
        ask(server, ["a"])
    assert len(server.requests) == 1


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
