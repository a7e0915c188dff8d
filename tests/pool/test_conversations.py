"""Every shape of a conversation, wherever one can stand."""

from __future__ import annotations

from typing import Any

import pytest
from test_formats import said, system, tool, user

from ila_core.pool.conversations import SHAPES, is_message, shape_of, turns_of
from ila_core.pool.formats import adapt
from ila_core.pool.record import NotARecord, Note, Turn

TALK = [user("Where do swifts nest?"), said("Under roofs."), user("And winter?"), said("Africa.")]
Q1, A1, Q2, A2 = (turn.text for turn in TALK)

SPELLED: dict[str, list[Any]] = {
    "messages": [
        [{"role": "user", "content": Q1}, {"role": "assistant", "content": A1},
         {"role": "user", "content": Q2}, {"role": "assistant", "content": A2}],
        [{"from": "Human", "value": Q1}, {"from": "GPT ", "value": A1},
         {"from": "human", "value": Q2}, {"from": "gpt", "value": A2}],
        [{"speaker": "patient", "text": Q1}, {"speaker": "doctor", "text": A1},
         {"speaker": "patient", "utterance": Q2}, {"speaker": "doctor", "utterance": A2}],
    ],
    "rounds": [
        [{"human": Q1, "assistant": A1}, {"human": Q2, "assistant": A2}],
        [{"input": Q1, "output": A1}, {"input": Q2, "output": A2}],
        [{"Question": Q1, "Answer": A1}, {"Question": Q2, "Answer": A2}],
        {"turn_1": {"Human": f"<|Human|>: {Q1}<eoh>\n",
                    "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n",
                    "MOSS": f"<|MOSS|>: {A1}<eom>\n"},
         "turn_2": {"Human": f"<|Human|>: {Q2}<eoh>\n", "MOSS": f"<|MOSS|>: {A2}<eom>\n"}},
    ],
    "texts": [[Q1, A1, Q2, A2]],
    "pairs": [[[Q1, A1], [Q2, A2]]],
    "segments": [
        [{"label": False, "text": Q1}, {"label": True, "text": A1},
         {"label": False, "text": Q2}, {"label": True, "text": A2}],
    ],
    "columns": [
        {"role": ["user", "assistant"] * 2, "content": [Q1, A1, Q2, A2]},
        {"from": ["human", "gpt"] * 2, "value": [Q1, A1, Q2, A2]},
    ],
    "tree": [
        {"role": "prompter", "text": Q1, "replies": [
            {"role": "assistant", "text": "On the moon.", "rank": 1, "replies": []},
            {"role": "assistant", "text": A1, "rank": 0, "replies": [
                {"role": "prompter", "text": Q2, "replies": [
                    {"role": "assistant", "text": "No.", "replies": []},
                    {"role": "assistant", "text": A2, "rank": 4, "replies": [
                        {"role": "prompter", "text": "Unanswered?", "replies": []},
                    ]},
                    {"role": "assistant", "text": "Gone.", "rank": 0, "deleted": True},
                ]},
            ]},
        ]},
    ],
    "transcript": [
        f"\n\nHuman: {Q1}\n\nAssistant: {A1}\n\nHuman: {Q2}\n\nAssistant: {A2}",
        f"USER: {Q1}\n\n\nASSISTANT: {A1} <|endoftext|>\n\n\nUSER: {Q2}\n\n\nASSISTANT: {A2}",
        f"USER: {Q1} ASSISTANT: {A1}</s>USER: {Q2} ASSISTANT: {A2}</s>",
        f"### Human: {Q1}### Assistant: {A1}### Human: {Q2}### Assistant: {A2}",
        f"<s>[INST] {Q1} [/INST] {A1} </s><s>[INST] {Q2} [/INST] {A2} </s>",
        f"<|im_start|>user\n{Q1}<|im_end|>\n<|im_start|>assistant\n{A1}<|im_end|>\n"
        f"<|im_start|>user\n{Q2}<|im_end|>\n<|im_start|>assistant\n{A2}<|im_end|>",
        f"<|start_header_id|>user<|end_header_id|>\n\n{Q1}<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{A1}<|eot_id|>"
        f"<|start_header_id|>user<|end_header_id|>\n\n{Q2}<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{A2}<|eot_id|>",
        f"<bos><start_of_turn>user\n{Q1}<end_of_turn>\n<start_of_turn>model\n{A1}<end_of_turn>\n"
        f"<start_of_turn>user\n{Q2}<end_of_turn>\n<start_of_turn>model\n{A2}<end_of_turn>\n",
        f"<|user|>\n{Q1}</s>\n<|assistant|>\n{A1}</s>\n<|user|>\n{Q2}</s>\n<|assistant|>\n{A2}</s>",
        f"<human>: {Q1}\n<bot>: {A1}\n<human>: {Q2}\n<bot>: {A2}",
        f"Q: {Q1}\nA: {A1}\nQ: {Q2}\nA: {A2}",
        f"问：{Q1}\n答：{A1}\n问：{Q2}\n答：{A2}",
    ],
}  # fmt: skip
CASES = [(name, value) for name, values in SPELLED.items() for value in values]


def test_every_shape_is_tried() -> None:
    assert set(SPELLED) == {shape.name for shape in SHAPES}


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_shape_is_known_and_read(name: str, value: Any) -> None:
    shape = shape_of(value)
    assert shape is not None and shape.name == name
    turns = [one for one in turns_of(value) if isinstance(one, Turn)]
    assert [turn._replace(text=turn.text.strip()) for turn in turns] == TALK


@pytest.mark.parametrize(("name", "value"), CASES)
@pytest.mark.parametrize("field", ["conversations", "Chat", "thread"])
def test_a_field_may_hold_any_shape(name: str, value: Any, field: str) -> None:
    turns = adapt({field: value, "id": 7}).turns
    assert [turn._replace(text=turn.text.strip()) for turn in turns] == TALK


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_history_may_have_any_shape(name: str, value: Any) -> None:
    turns = adapt({"instruction": "c", "output": "d", "history": value}).turns
    assert [turn.text.strip() for turn in turns] == [Q1, A1, Q2, A2, "c", "d"]


@pytest.mark.parametrize("value", SPELLED["messages"] + SPELLED["rounds"][:1] + SPELLED["pairs"])
def test_a_record_may_be_the_list_itself(value: Any) -> None:
    assert list(adapt(value).turns) == TALK


@pytest.mark.parametrize("value", SPELLED["transcript"])
def test_one_text_may_be_the_whole_record_or_the_chosen_side(value: str) -> None:
    assert adapt({"text": value}).format == "transcript"
    assert list(adapt({"text": value}).turns) == TALK
    assert list(adapt({"chosen": value, "rejected": value[:60]}).turns) == TALK


@pytest.mark.parametrize(
    "text",
    [
        "Write an email. To: Bob\nFrom: Ann",
        "Human: says who?",
        "Answer the question: why?",
        "Explain why `### Human` is a heading.",
        "Assistant: hello\nHuman: hi",
        "The user: a person. The bot: a program.",
        "<b>bold</b> [INST]",
        "Q: what is A: what",
        "Dear Ann,\n\nHuman: hi\n\nAssistant: yo",
        "",
    ],
)
def test_a_text_with_colons_is_no_conversation(text: str) -> None:
    assert shape_of(text) is None


def test_a_prompt_in_marks_is_context_and_only_the_response_is_scored() -> None:
    prompt = f"Human: {Q1}\n\nAssistant: {A1}\n\nHuman: {Q2}\n\nAssistant:"
    turns = adapt({"prompt": prompt, "response": A2}).turns
    assert turns == (user(Q1), said(A1, False), user(Q2), said(A2))
    few_shot = "Q: one plus one?\nA: two\nQ: two plus two?\nA:"
    assert adapt({"prompt": few_shot, "completion": "four"}).turns[0] == user(few_shot)


def test_system_prompts_of_transcripts() -> None:
    llama = "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhy? [/INST] So. </s>"
    chatml = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n" \
             "<|im_start|>assistant\nSo.<|im_end|>"  # fmt: skip
    vicuna = "Be brief. USER: Why? ASSISTANT: So.</s>"
    for text in (llama, chatml):
        assert adapt({"text": text}).turns == (system("Be brief."), user("Why?"), said("So."))
    alpaca = "Be brief.\n\n### Instruction:\nWhy?\n\n### Input:\nrain\n\n### Response:\nSo."
    assert adapt({"text": alpaca}).turns == (
        system("Be brief."), user("Why?"), user("rain"), said("So."),
    )  # fmt: skip
    assert adapt({"text": vicuna}).turns == (system("Be brief."), user("Why?"), said("So."))
    chat = (
        'USER: Why?\n\n\nASSISTANT: <functioncall> {"name": "f"} <|endoftext|>\n\n\n'
        "FUNCTION RESPONSE: 4\n\n\nASSISTANT: So."
    )
    glaive = {"system": "SYSTEM: You have f.", "chat": chat}
    assert adapt(glaive).turns == (
        system("You have f."), user("Why?"), said('<functioncall> {"name": "f"}'), tool("4"),
        said("So."),
    )  # fmt: skip


@pytest.mark.parametrize("field", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_beside_the_content_is_scored_in_front_of_it(field: str) -> None:
    record = {"messages": [{"role": "user", "content": "2 + 2?"},
                           {"role": "assistant", field: "Two twice.", "content": "4"}]}  # fmt: skip
    adapted = adapt(record)
    assert adapted.turns == (user("2 + 2?"), said("Two twice.\n\n4"))
    assert adapted.notes == {"reasoning beside the answer, scored in front of it"}
    pair = adapt({"Question": "2 + 2?", "Complex_CoT": "Two twice.", "Response": "4"})
    assert (pair.turns, pair.notes) == (adapted.turns, adapted.notes)


def test_moss_calls_a_tool_between_the_sides() -> None:
    chat = {"turn_1": {"Human": "<|Human|>: Rain?<eoh>\n", "Commands": "<|Commands|>: f()<eoc>\n",
                       "Inner Thoughts": "<|Inner Thoughts|>: I look it up.<eot>\n",
                       "Tool Responses": "<|Results|>: wet<eor>\n",
                       "MOSS": "<|MOSS|>: It rains.<eom>\n"}}  # fmt: skip
    turns = adapt({"meta_instruction": "You are MOSS.", "chat": chat}).turns
    assert turns == (system("You are MOSS."), user("Rain?"), said("f()"), tool("wet"),
                     said("I look it up.\n\nIt rains."))  # fmt: skip


def test_parts_of_other_kinds_give_no_text() -> None:
    parts = [
        {"type": "image_url", "value": "data/a.jpg"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        {"type": "audio", "text": "a.wav"},
        {"type": "text", "text": "What is it?", "image_url": None},
    ]
    answer = {"role": "assistant", "content": [{"text": "A cat."}]}
    adapted = adapt({"messages": [{"role": "user", "content": parts}, answer]})
    assert adapted.turns == (user("What is it?"), said("A cat."))
    assert adapted.notes == {"image or other part without text"}


def test_calls_and_what_tools_return() -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Rain?"}]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Look."},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"q": "x"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "1"}]},
        ]},
        {"role": "assistant", "content": "", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": {"wet": True}},
        {"role": "assistant", "content": "Yes.", "tool_calls": None,
         "function_call": {"name": None, "arguments": None}},
    ]  # fmt: skip
    assert adapt({"messages": messages}).turns == (
        user("Rain?"), said('Look.\n[{"name":"f","input":{"q":"x"}}]'), tool("1"),
        said('[{"name":"g","arguments":"{}"}]'), tool('{"wet":true}'), said("Yes."),
    )  # fmt: skip


def test_turns_of_texts_are_questions_unless_somebody_says_otherwise() -> None:
    record = {"turns": ["Name a bird.", "Now in Latin."]}
    adapted = adapt(record)
    assert adapted.turns == (user("Name a bird."), user("Now in Latin."))
    assert adapted.notes == {"list of questions, all of them the user's"}
    assert adapt({"Turns": record["turns"]}).turns == adapted.turns
    mapped = adapt(record, (("messages", "turns"),))
    assert mapped.turns == (user("Name a bird."), said("Now in Latin."))


def test_a_tree_tells_of_itself() -> None:
    adapted = adapt({"message_tree_id": "1", "prompt": SPELLED["tree"][0]})
    assert list(adapted.turns) == TALK
    assert adapted.notes == {Note("message tree, its best-ranked path is read")}
    followed = adapt({"prompt": SPELLED["tree"][0], "response": "In Mali."}).turns
    assert list(followed) == [*TALK, said("In Mali.")]
    ranked = (("Unranked.", float("nan")), ("Third.", 2), ("Best.", 1))
    answers = [{"role": "assistant", "text": text, "rank": rank} for text, rank in ranked]
    root = {"role": "prompter", "text": "Hi", "replies": answers}
    assert adapt({"prompt": root}).turns == (user("Hi"), said("Best."))


def test_of_several_answers_in_a_round_the_first_is_read() -> None:
    adapted = adapt({"dialogue": [{"question": "a", "answer": ["b", "c"]}]})
    assert adapted.turns == (user("a"), said("b"))
    assert adapted.notes == {"several answers, the first is read"}


def test_a_list_whose_first_message_has_no_role() -> None:
    with pytest.raises(NotARecord, match="message without role"):
        adapt([{"content": "a"}, {"role": "user", "content": "b"}])


def test_a_pair_is_not_put_aside_for_a_field_that_may_mean_something_else() -> None:
    pair = {"instruction": "Sum up.", "output": "Three.", "data": ["1", "2"], "turns": ["a", "b"]}
    assert adapt(pair).turns == (user("Sum up."), said("Three."))
    held = {"instruction": "Sum up.", "data": ["Hi", "Yo"]}
    assert adapt(held).turns == (user("Hi"), said("Yo"))
    assert adapt({"data": [1, 2], "text": "Hi"}).turns == (user("Hi"),)


def test_authors_are_no_roles() -> None:
    assert not is_message({"author": "Austen", "text": "It is a truth"})
    assert is_message({"author": "user", "text": "Hi"})


def test_an_answer_is_bad_only_where_there_is_one() -> None:
    bad = {"prompt": "a", "completion": "b", "label": False}
    assert adapt(bad).notes == {"answer marked as bad (label is false)"}
    assert not adapt({**bad, "label": True}).notes
    assert not adapt({"text": "a", "label": False}).notes
