"""Where the scored turns lie: decoded spans under templates of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_lm
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_lm import Turn, ask

from ila_core.lm.chat import (
    DROPPED,
    REFUSED,
    REWRITTEN,
    ChatTemplate,
    Refused,
    Rendered,
)
from ila_core.lm.encode import encode
from ila_core.loss.result import NO_RESPONSE

TEMPLATES = {
    "end token, newline after it": (tiny_lm.CHATML, None, "<|im_end|>"),
    "end token, nothing after it": (tiny_lm.LLAMA2, "<s>", "</s>"),
    "generation markers": (tiny_lm.GENERATION, None, "<|im_end|>"),
}
# the template of the models that think: earlier thoughts go, the last answer's are set anew
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}"
    "{% set said = m.content.split('</think>')[-1].lstrip('\n') %}"
    "{% if loop.last %}<think>\n{{ m.content.split('</think>')[0].split('<think>')[-1].strip('\n')"
    " if '</think>' in m.content else '' }}\n</think>\n\n{{ said }}{% else %}{{ said }}{% endif %}"
    "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def template_of(template: str | None, bos: str | None = None, eos: str = "</s>") -> ChatTemplate:
    return ChatTemplate.of(tiny_lm.make_tokenizer(template=template, bos=bos, eos=eos))


def scored_texts(template: ChatTemplate, turns: tuple[Turn, ...]) -> list[str]:
    """Runs of neighbouring scored tokens, decoded."""
    rendered = template.render(turns)
    assert isinstance(rendered, Rendered)
    sequence = encode([rendered], template.tokenizer, 10_000)[0]
    runs = np.split(sequence.targets, np.flatnonzero(np.diff(sequence.targets) > 1) + 1)
    return [template.tokenizer.decode(sequence.ids[run].tolist()) for run in runs if len(run)]


def without_lead(texts: list[str]) -> list[str]:
    """A template's space before a response and the response's first word are one token."""
    return [text.removeprefix(" ") for text in texts]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_scored_tokens_decode_to_the_turns_and_their_end(kind: str) -> None:
    source, bos, end = TEMPLATES[kind]
    template = template_of(source, bos)
    turns = ask(
        "two plus two", "Four,\n\nof course!", "Four?", "Four,\n\nof course!", "red?", " red "
    )
    said = [f"Four,\n\nof course!{end}", f"Four,\n\nof course!{end}", f" red {end}"]
    assert without_lead(scored_texts(template, turns)) == without_lead(said)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_response_that_stands_in_the_instruction_is_found_where_it_is_said(kind: str) -> None:
    source, bos, end = TEMPLATES[kind]
    template = template_of(source, bos)
    rendered = template.render(ask("red", "red"))
    assert isinstance(rendered, Rendered)
    assert rendered.text.index("red") < rendered.spans[0][0]
    assert without_lead(scored_texts(template, ask("red", "red"))) == [f"red{end}"]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=4), st.sampled_from(sorted(TEMPLATES)))
def test_any_text_is_scored_whole(texts: list[str], kind: str) -> None:
    source, bos, end = TEMPLATES[kind]
    template = _KNOWN.setdefault(kind, template_of(source, bos))
    turns = [turn for text in texts for turn in ask("q", text)]
    rendered = template.render(turns)
    assert isinstance(rendered, Rendered)
    said = [rendered.text[a:b] for a, b in rendered.spans]
    assert [text for text in said if text != end] == [t for t in texts if t and t != end]


_KNOWN: dict[str, ChatTemplate] = {}


def test_end_of_turn_is_what_follows_with_and_without_another_turn() -> None:
    assert template_of(tiny_lm.CHATML).end_of_turn == "<|im_end|>"
    ending = tiny_lm.CHATML + "{% if not add_generation_prompt %}{{ eos_token }}{% endif %}"
    assert template_of(ending).end_of_turn == "<|im_end|>"
    none = "{% for m in messages %}[{{ m.role }}]\n{{ m.content }}\n{% endfor %}"
    assert template_of(none).end_of_turn == ""
    assert scored_texts(template_of(none), ask("q", "Four", "q", "red")) == ["Four", "red"]


def test_a_template_that_trims_is_noticed_and_the_response_kept() -> None:
    template = template_of(tiny_lm.TRIMMING)
    rendered = template.render(ask("q", "red \n"))
    assert isinstance(rendered, Rendered)
    assert rendered.note == "white space around a response kept"
    assert scored_texts(template, ask("q", "red \n")) == ["red \n<|im_end|>"]


def test_a_system_prompt_that_is_dropped_or_refused_joins_the_first_user_turn() -> None:
    dropping = tiny_lm.CHATML.replace("messages %}", "messages if m.role != 'system' %}", 1)
    turns = (Turn("system", "Be brief.", False), *ask("two?", "Four"))
    for source, bos in ((dropping, None), (tiny_lm.LLAMA2, "<s>")):
        rendered = template_of(source, bos).render(turns)
        assert isinstance(rendered, Rendered)
        assert "Be brief.\n\ntwo?" in rendered.text
        assert rendered.note == "system prompt put into the first user turn"


def test_a_refused_tool_result_is_given_as_a_user_turn() -> None:
    call = '{"name": "weather", "arguments": {}}'
    turns = (
        *ask("rain?", call),
        Turn("tool", '{"rain": true}', False),
        Turn("assistant", "Yes", True),
    )
    rendered = template_of(tiny_lm.LLAMA2, "<s>").render(turns)
    assert isinstance(rendered, Rendered)
    assert '[INST] {"rain": true} [/INST]' in rendered.text
    assert [rendered.text[a:b] for a, b in rendered.spans] == [call, "</s>", "Yes", "</s>"]
    kept = template_of(tiny_lm.CHATML).render(turns)
    assert isinstance(kept, Rendered)
    assert "<|im_start|>tool\n" in kept.text and kept.note is None


def test_a_turn_that_stays_lost_is_a_reason_not_a_number() -> None:
    first_only = "{% for m in messages[:2] %}{{ m.role }} {{ m.content }}</s>{% endfor %}"
    assert template_of(first_only).render(ask("q", "a", "q", "b")) == Refused(DROPPED)
    picky = tiny_lm.LLAMA2
    system_last = (*ask("q", "a"), Turn("system", "s", False), *ask("q", "b"))
    assert template_of(picky, "<s>").render(system_last) == Refused(REFUSED)
    shouting = tiny_lm.CHATML.replace("m.content", "m.content | upper")
    assert isinstance(template_of(shouting).render(ask("q", "a")), Refused)
    assert template_of(tiny_lm.CHATML).render((Turn("user", "q", False),)) == Refused(NO_RESPONSE)


def test_thoughts_are_scored_behind_the_generation_prompt() -> None:
    template = template_of(THINKING)
    thought = "<think>\ntwo and two\n</think>\n\nFour"
    rendered = template.render(ask("q", thought))
    assert isinstance(rendered, Rendered)
    assert rendered.text.endswith(f"<|im_start|>assistant\n{thought}<|im_end|>")
    assert scored_texts(template, ask("q", thought)) == [f"{thought}<|im_end|>"]
    assert template.render(ask("q", thought, "q", "red")) == Refused(REWRITTEN)
    plain = template.render(ask("q", "red", "q", "blue"))
    assert isinstance(plain, Rendered) and plain.note is None


def test_an_unscored_assistant_turn_is_context() -> None:
    turns = (*ask("q", "Four")[:1], Turn("assistant", "Four", False), *ask("q", "red"))
    assert scored_texts(template_of(tiny_lm.CHATML), turns) == ["red<|im_end|>"]


def test_without_a_chat_template_a_plain_one_ends_turns_with_the_end_of_sequence() -> None:
    template = template_of(None, eos="</s>")
    assert template.name == "plain"
    turns = (Turn("system", "Be brief.", False), *ask("two?", "Four", "red?", "red"))
    rendered = template.render(turns)
    assert isinstance(rendered, Rendered)
    assert rendered.text == (
        "Be brief.\n\n### Instruction:\ntwo?\n\n### Response:\nFour</s>\n\n"
        "### Instruction:\nred?\n\n### Response:\nred</s>"
    )
    assert scored_texts(template, turns) == ["Four</s>", "red</s>"]


def test_the_bare_response_has_the_header_and_no_instruction() -> None:
    for source, bos, text in (
        (tiny_lm.CHATML, None, "<|im_start|>assistant\nFour<|im_end|>"),
        (tiny_lm.LLAMA2, "<s>", "<s>Four</s>"),
        (None, None, "### Response:\nFour</s>"),
    ):
        rendered = template_of(source, bos).bare(ask("two?", "Four"))
        assert isinstance(rendered, Rendered)
        assert rendered.text == text
    twice = template_of(tiny_lm.CHATML).bare(ask("q", "a", "q", "b"))
    assert isinstance(twice, Rendered)
    assert twice.text.count("<|im_start|>assistant\n") == 2


def test_a_template_that_prints_the_date_prints_the_same_one_every_day() -> None:
    dated = "{{ strftime_now('%d %b %Y') }}" + tiny_lm.CHATML
    rendered = template_of(dated).render(ask("q", "a"))
    assert isinstance(rendered, Rendered)
    assert rendered.text.startswith("26 Jul 2024")
