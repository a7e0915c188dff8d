"""The formats of a record: what each adapter makes of the fields, and why it refuses them."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ila_core.pool.fields import PARTS
from ila_core.pool.formats import adapt
from ila_core.pool.record import NotARecord, Turn, instruction_of, response_of


def user(text: str) -> Turn:
    return Turn("user", text, False)


def said(text: str, scored: bool = True) -> Turn:
    return Turn("assistant", text, scored)


def system(text: str) -> Turn:
    return Turn("system", text, False)


def tool(text: str) -> Turn:
    return Turn("tool", text, False)


MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]

CASES = {
    "alpaca": (
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        [user("Add.\n\n1 2"), said("3")],
    ),
    "alpaca without input": (
        {"instruction": "Add.", "input": "", "output": "3"},
        [user("Add."), said("3")],
    ),
    "alpaca whose text is all in the input": (
        {"instruction": "", "input": "Add 1 2", "output": "3"},
        [user("Add 1 2"), said("3")],
    ),
    "alpaca with system and history": (
        {"instruction": "c", "output": "d", "system": "Be kind.", "history": [["a", "b"]]},
        [system("Be kind."), user("a"), said("b"), user("c"), said("d")],
    ),
    "prompt and completion": ({"prompt": "a", "completion": "b"}, [user("a"), said("b")]),
    "instruction and response, with context": (
        {"instruction": "a", "context": "c", "response": "b", "category": "qa"},
        [user("a\n\nc"), said("b")],
    ),
    "question and answer": ({"question": "a", "answer": "b"}, [user("a"), said("b")]),
    "query and answer": ({"query": "a", "answer": "b"}, [user("a"), said("b")]),
    "prompt and response": ({"prompt": "a", "response": "b"}, [user("a"), said("b")]),
    "input and output": ({"input": "a", "output": "b"}, [user("a"), said("b")]),
    "inputs and targets": ({"inputs": "a", "targets": "b"}, [user("a"), said("b")]),
    "solution rather than its last line": (
        {"problem": "a", "solution": "so 2", "answer": "2"},
        [user("a"), said("so 2")],
    ),
    "system prompt beside a question": (
        {"system_prompt": "s", "question": "a", "response": "b"},
        [system("s"), user("a"), said("b")],
    ),
    "conversational prompt and completion": (
        {"prompt": MESSAGES[:1], "completion": MESSAGES[1:]},
        [user("Hi"), said("Yo")],
    ),
    "sharegpt with calls": (
        {
            "conversations": [
                {"from": "human", "value": "a"},
                {"from": "function_call", "value": "{}"},
                {"from": "observation", "value": "o"},
                {"from": "gpt", "value": "b"},
            ],
            "system": "s",
            "tools": "[t]",
        },
        [system("s\n\n[t]"), user("a"), said("{}"), tool("o"), said("b")],
    ),
    "bare texts that take turns": (
        {"conversations": ["a", "b", "c", "d"]},
        [user("a"), said("b"), user("c"), said("d")],
    ),
    "messages": ({"messages": MESSAGES}, [user("Hi"), said("Yo")]),
    "messages under the other name": ({"conversations": MESSAGES}, [user("Hi"), said("Yo")]),
    "messages as JSON in a table cell": (
        {"messages": json.dumps(MESSAGES)},
        [user("Hi"), said("Yo")],
    ),
    "messages beside a prompt": ({"prompt": "Hi", "messages": MESSAGES}, [user("Hi"), said("Yo")]),
    "typed parts": (
        {"messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "a"}, {"type": "image", "url": "u"},
                {"type": "text", "value": "b"}, "c",
            ]},
            {"role": "assistant", "content": [{"type": "text", "value": "d"}]},
        ]},
        [user("a\nb\nc"), said("d")],
    ),
    "tool calls": (
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                ]},
                {"role": "tool", "content": "o"},
                {"role": "assistant", "content": "b"},
            ],
            "tools": [{"name": "f"}],
        },
        [
            system('[{"name":"f"}]'), user("a"), said('[{"name":"f","arguments":"{}"}]'),
            tool("o"), said("b"),
        ],
    ),
    "a missing table cell is no field": (
        {"messages": None, "instruction": "a", "output": "b", "input": None, "history": None},
        [user("a"), said("b")],
    ),
    "several system turns in front become one": (
        {"system": "s", "messages": [
            {"role": "system", "content": "t"}, {"role": "developer", "content": "u"}, *MESSAGES,
        ]},
        [system("s\n\nt\n\nu"), user("Hi"), said("Yo")],
    ),
    "blank turns are left out": (
        {"messages": [*MESSAGES, {"role": "assistant", "content": " \n"}]},
        [user("Hi"), said("Yo")],
    ),
    "text is not stripped": ({"prompt": " a ", "completion": "b\n"}, [user(" a "), said("b\n")]),
    "preference, texts": (
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        [user("a"), said("b")],
    ),
    "preference, whole conversations": (
        {"prompt": "Hi", "chosen": MESSAGES, "rejected": MESSAGES},
        [user("Hi"), said("Yo")],
    ),
    "preference, conversations without a prompt": (
        {"chosen": MESSAGES, "rejected": MESSAGES},
        [user("Hi"), said("Yo")],
    ),
    "preference, answers as messages": (
        {"prompt": MESSAGES[:1], "chosen": MESSAGES[1:], "rejected": MESSAGES[1:]},
        [user("Hi"), said("Yo")],
    ),
    "preference after a conversation": (
        {
            "conversations": [{"from": "human", "value": "a"}],
            "chosen": {"from": "gpt", "value": "b"},
            "rejected": {"from": "gpt", "value": "c"},
        },
        [user("a"), said("b")],
    ),
    "texts beside their tokens": (
        {"inputs": [3, 4], "inputs_pretokenized": "a", "targets": [5], "targets_pretokenized": "b"},
        [user("a"), said("b")],
    ),
    "definition of a task, and its inputs": (
        {"definition": "Add.", "inputs": "1 2", "targets": "3"},
        [user("Add.\n\n1 2"), said("3")],
    ),
    "preference, as OpenAI's tuning reads it": (
        {"input": {"messages": MESSAGES[:1], "tools": []}, "preferred_output": MESSAGES[1:],
         "non_preferred_output": MESSAGES[1:]},
        [user("Hi"), said("Yo")],
    ),
    "Gemini's contents, with a call": (
        {"systemInstruction": {"role": "system", "parts": [{"text": "s"}]}, "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"r": 2}}}]},
            {"role": "model", "parts": [{"text": "b"}]},
        ]},
        [system("s"), user("a"), said('[{"name":"f","args":{"x":1}}]'),
         tool('[{"functionResponse":{"name":"f","response":{"r":2}}}]'), said("b")],
    ),
    "Bedrock's messages, with a call": (
        {"system": [{"text": "s"}, {"text": "t"}], "messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [{"toolUse": {"name": "f", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"content": [{"json": 2}]}}]},
            {"role": "assistant", "content": [{"text": "b"}]},
        ]},
        [system("s\nt"), user("a"), said('[{"name":"f","input":{}}]'),
         tool('[{"toolResult":{"content":[{"json":2}]}}]'), said("b")],
    ),
    "a system prompt in typed parts": (
        {"system": [{"type": "text", "text": "s"}], "messages": MESSAGES},
        [system("s"), user("Hi"), said("Yo")],
    ),
    "the only messages, under a name of their own": (
        {"id": 3, "chat_messages": [{"sender": "human", "text": "Hi"},
                                    {"sender": "assistant", "text": "Yo"}]},
        [user("Hi"), said("Yo")],
    ),
    "the chosen answer after what a tool returned": (
        {"messages": [MESSAGES[0], {"role": "tool", "content": "o"}],
         "chosen": MESSAGES[1], "rejected": MESSAGES[1]},
        [user("Hi"), tool("o"), said("Yo")],
    ),
    "the chosen answer after a talk under a weaker name than the prompt's": (
        {"prompt": "p", "chat": MESSAGES[:1], "chosen": "Yo", "rejected": "No"},
        [user("Hi"), said("Yo")],
    ),
    "the chosen answer beside another": (
        {"prompt": "a", "output": "o", "chosen": "b", "rejected": "c"},
        [user("a"), said("b")],
    ),
    "reasoning that ends in the answer": (
        {"question": "a", "reasoning": "Two twice: 4", "answer": "4"},
        [user("a"), said("Two twice: 4")],
    ),
    "reasoning before an answer in two turns": (
        {"prompt": "a", "reasoning": "r", "completion": [MESSAGES[1], MESSAGES[1]]},
        [user("a"), said("r\n\nYo"), said("Yo")],
    ),
    "several questions": (
        {"instruction": ["a", "b"], "output": "c"},
        [user("a"), user("b"), said("c")],
    ),
    "a name in two spellings": (
        {"Prompt": "capital", "prompt": "a", "completion": "b"},
        [user("a"), said("b")],
    ),
    "cells that a table reader found empty": (
        {"instruction": "a", "input": float("nan"), "system": float("nan"), "output": "b"},
        [user("a"), said("b")],
    ),
    "types in capitals": (
        {"messages": [{"role": "user", "content": [{"type": "Text", "text": "Hi"}]}, MESSAGES[1]]},
        [user("Hi"), said("Yo")],
    ),
    "headings in a prompt": (
        {"prompt": "Sum up.\n### Input:\ntwo numbers\n### Output:\nthe sum", "completion": "3"},
        [user("Sum up.\n### Input:\ntwo numbers\n### Output:\nthe sum"), said("3")],
    ),
    "no response": ({"instruction": "a", "output": ""}, [user("a")]),
    "a field called messages that is none": (
        {"messages": "3", "prompt": "a", "completion": "b"},
        [user("a"), said("b")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_turns(name: str) -> None:
    record, turns = CASES[name]
    assert list(adapt(record).turns) == turns


def test_instruction_and_response_are_all_user_and_all_scored_turns() -> None:
    record = {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "loss_weight": 0},
            {"role": "tool", "content": "o"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d"},
            {"role": "assistant", "content": "e"},
        ]
    }
    turns = adapt(record).turns
    assert instruction_of(turns) == "a\n\nc"
    assert response_of(turns) == "d\n\ne"


@pytest.mark.parametrize(
    ("mark", "scored"),
    [
        ({"loss_weight": 0.0}, False), ({"weight": 0}, False), ({"train": False}, False),
        ({"loss": False}, False), ({"loss_weight": 0.5}, True), ({"weight": None}, True),
        ({"train": True}, True), ({"train": "0"}, True),
    ],
)  # fmt: skip
def test_weight_zero_is_context(mark: dict[str, object], scored: bool) -> None:
    turns = adapt({"messages": [MESSAGES[0], MESSAGES[1] | mark]}).turns
    assert turns == (user("Hi"), said("Yo", scored))


@pytest.mark.parametrize(
    ("record", "format"),
    [
        ({"instruction": "a", "output": "b"}, "alpaca"),
        ({"instruction": "a", "output": ""}, "alpaca"),
        ({"instruction": "a", "response": "b"}, "instruction/response"),
        ({"question": "a", "answer": "b"}, "question/answer"),
        ({"prompt": "a"}, "prompt"),
        ({"messages": MESSAGES}, "messages"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "sharegpt"),
        ({"messages": [{"from": "human", "value": "a"}]}, "sharegpt"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference"),
    ],
)
def test_format_names(record: dict[str, object], format: str) -> None:
    assert adapt(record).format == format


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "unknown format"),
        ({"foo": "a", "bar": "b"}, "unknown format"),
        ({"output": "b"}, "no instruction"),
        ({"instruction": "", "output": "b"}, "no instruction"),
        ({"instruction": " \n", "output": "b"}, "no instruction"),
        ({"instruction": None, "output": "b"}, "no instruction"),
        ({"instruction": {"a": 1}, "output": "b"}, "instruction is not text"),
        ({"instructions": ["a", "b"], "output": "c"}, "several instructions in one record"),
        ({"instruction": "a", "output": {"b": 1}}, "response is not text"),
        ({"instruction": "a", "output": [{"b": 1}]}, "response is not text"),
        ({"instruction": "a", "input": ["i"], "output": "b"}, "input is not text"),
        ({"instruction": "a", "output": "b", "system": ["s"]}, "system prompt is not text"),
        ({"instruction": "a", "output": "b", "history": "x"}, "history is no conversation"),
        ({"instruction": "a", "history": [["x"]]}, "history is no conversation"),
        ({"instruction": "a", "history": [["x", {}]]}, "message is not text"),
        ({"messages": []}, "no instruction"),
        ({"messages": "hi"}, "messages are not a list"),
        ({"messages": [3]}, "message is not an object"),
        ({"messages": [{"content": "a"}]}, "message without role"),
        ({"messages": [{"role": "alien", "content": "a"}]}, "unknown role"),
        ({"messages": [{"role": "user", "content": {"a": 5}}]}, "message is not text"),
        ({"messages": [{"role": "user", "content": [{"text": []}]}]}, "message is not text"),
        ({"messages": MESSAGES[1:]}, "no instruction"),
        ({"chosen": "b", "rejected": "c"}, "no instruction"),
        ({"messages": MESSAGES, "system": [{"x": 1}]}, "system prompt is not text"),
        ({"messages": MESSAGES, "system": {"x": 1}}, "system prompt is not text"),
        ({"talk_a": MESSAGES, "talk_b": MESSAGES}, "unknown format"),
        (
            {"messages": {"role": ["user", "assistant"], "content": ["a"]}},
            "messages are not a list",
        ),
    ],
)
def test_reasons(record: dict[str, object], reason: str) -> None:
    with pytest.raises(NotARecord) as caught:
        adapt(record)
    assert str(caught.value) == reason


def test_map_overrides_what_is_detected() -> None:
    record = {"instruction": "a", "input": "i", "output": "b", "meta": {"ask": "q", "says": ["r"]}}
    mapped = adapt(record, (("instruction", "meta.ask"), ("response", "meta.says.0")))
    assert mapped.turns == (user("q"), said("r"))
    assert mapped.format == "mapped"
    only_response = adapt(record, (("response", "meta.ask"),))
    assert only_response.turns == (user("a\n\ni"), said("q"))
    rated = {"prompt": "a", "response_0": "b", "response_1": "c", "better_response_id": 1, "n": "d"}
    assert adapt(rated).turns == (user("a"), said("c"))
    assert adapt(rated, (("response", "n"),)).turns == (user("a"), said("d"))
    with_input = adapt(record, (("instruction", "instruction"), ("input", "output")))
    assert with_input.turns[0] == user("a\n\nb")


def test_mapped_instruction_takes_no_unasked_input() -> None:
    record = {"ask": "a", "input": "i", "output": "b"}
    assert adapt(record, (("instruction", "ask"),)).turns == (user("a"), said("b"))


def test_mapped_instruction_beats_messages_and_mapped_messages_beat_all() -> None:
    record = {"messages": MESSAGES, "talk": [{"role": "user", "content": "t"}], "prompt": "p"}
    assert adapt(record, (("instruction", "prompt"),)).turns == (user("p"),)
    assert adapt(record, (("messages", "talk"),)).turns == (user("t"),)
    with pytest.raises(NotARecord, match="messages are not a list"):
        adapt(record, (("messages", "prompt"),))
    with pytest.raises(NotARecord, match="messages are not a list"):
        adapt({"talk": "t", "question": "q", "answer": "a"}, (("messages", "talk"),))


def test_a_mapped_field_that_a_record_lacks_is_not_guessed() -> None:
    with pytest.raises(NotARecord, match="no instruction"):
        adapt({"instruction": "a", "output": "b"}, (("instruction", "ask"),))


def test_labels_and_source_come_from_the_first_sensible_name() -> None:
    record = {"prompt": "a", "completion": "b", "task": "t", "source": "s", "tags": "x,y"}
    adapted = adapt(record)
    assert (adapted.labels, adapted.source) == (("x", "y"), "s")
    mapped = adapt(record, (("labels", "task"), ("source", "tags")))
    assert (mapped.labels, mapped.source) == (("t",), "x,y")
    assert adapt({"prompt": "a", "source": 7}).source == "7"
    assert adapt({"prompt": "a", "source": {"x": 1}}).source is None
    assert adapt({"prompt": "a", "source": True}).source is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*PARTS, "role", "content", "from", "value"]), inner)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["instruction", "input", "output", "messages", "conversations", "chosen", "rejected", "prompt",
     "history", "system", "tools", "labels", "source", "foo"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, JSON, max_size=6))
def test_any_fields_are_adapted_or_refused_with_a_reason(record: dict[str, object]) -> None:
    try:
        adapted = adapt(record)
    except NotARecord as error:
        assert 0 < len(str(error)) < 40, error
        return
    assert instruction_of(adapted.turns).strip()
    assert all(turn.text.strip() for turn in adapted.turns)
    assert all(turn.role == "assistant" for turn in adapted.turns if turn.scored)
    assert all(
        turn.role != "system" for turn in adapted.turns[1:2] if adapted.turns[0].role == "system"
    )


@given(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_every_format_says_the_same(question: str, answer: str) -> None:
    pairs = [("instruction", "output"), ("prompt", "completion"), ("question", "answer")]
    records: list[dict[str, object]] = [{a: question, b: answer} for a, b in pairs]
    records.append({"conversations": [{"from": "human", "value": question},
                                      {"from": "gpt", "value": answer}]})  # fmt: skip
    records.append({"messages": [{"role": "user", "content": [{"type": "text", "text": question}]},
                                 {"role": "assistant", "content": answer}]})  # fmt: skip
    records.append({"prompt": question, "chosen": answer, "rejected": "no"})
    expected = (user(question), said(answer))
    assert all(adapt(record).turns == expected for record in records)


@pytest.mark.parametrize("none", ["[]", " [] ", "{}", "null", [], None])
def test_no_tools_make_no_system_turn(none: object) -> None:
    said = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    turns = adapt({"conversations": said, "tools": none}).turns
    assert [turn.role for turn in turns] == ["user", "assistant"]
