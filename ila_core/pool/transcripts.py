"""A conversation that is spelled out in one text: who speaks is told by marks in it.

Each style is one line of a table: the pattern of its marks and what ends a turn.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ila_core.pool.record import Role
from ila_core.pool.roles import ROLES

Said = tuple[Role, str]
"""Who says it, and the text."""


class Style(NamedTuple):
    """A way to write conversations as text.

    mark: finds the beginning of a turn; its group `who` names the speaker.
    ends: what closes a turn, and is no part of it.
    led: whether text may stand before the first mark, which then is the system prompt.
    sure: whether the marks occur nowhere else, so that even a prompt is split at them.
    """

    mark: re.Pattern[str]
    ends: re.Pattern[str]
    led: bool = True
    sure: bool = True


_NAMES = (
    "Human|Assistant|User|System|Bot|AI|GPT|ChatGPT|Chatbot|Model|Question|Answer|Instruction|"
    "Response|Q|A|Prompter|Function Response|Function|Tool|Observation|用户|助手|系统|问|答|人类"
)
_NO_END = re.compile(r"(?!)")
_END = re.compile(r"<\|endoftext\|>|</?s>|<\|end\|>|<eo[a-z]>|<\|im_end\|>")

STYLES = (
    Style(re.compile(r"<\|im_start\|>[ \t]*(?P<who>\w+)[^\n]*\n?"),
          re.compile(r"<\|im_end\|>|<\|endoftext\|>")),
    Style(re.compile(r"<\|start_header_id\|>(?P<who>\w+)<\|end_header_id\|>\n*"),
          re.compile(r"<\|(?:eot_id|eom_id|end_of_text|begin_of_text)\|>")),
    Style(re.compile(r"<start_of_turn>(?P<who>user|model|system)\n?"),
          re.compile(r"<end_of_turn>|</?(?:bos|eos)>")),
    Style(re.compile(r"(?P<who>\[/?INST\])"), re.compile(r"</?s>")),
    Style(re.compile(r"<\|(?P<who>user|assistant|system|tool|observation|Human|Bot)\|>:?\s?"),
          _END),
    Style(re.compile(r"<(?P<who>human|bot|user|assistant|system)>:[ \t]*"), _END),
    Style(re.compile(r"#{2,3}\s*(?P<who>" + _NAMES + r"|Input|Output|Context)\s*[:：][ \t]*\n?"),
          _END),
    Style(re.compile(r"(?:\A|\n\n)(?P<who>Human|Assistant|System)[:：][ \t]?"), _END, led=False),
    Style(re.compile(r"(?:\A\s*|\n\s*)(?P<who>" + _NAMES + r")\s*[:：][ \t]*", re.IGNORECASE), _END,
          led=False, sure=False),
    Style(re.compile(r"(?:\A|(?<=\s)|(?<=</s>))(?P<who>USER|ASSISTANT|SYSTEM|HUMAN)[:：][ \t]*"),
          _END, sure=False),
)  # fmt: skip
"""The surest first: the first style whose marks begin a conversation is the text's own."""

_SPEAKERS: dict[str, Role] = {
    "[inst]": "user", "[/inst]": "assistant", "q": "user", "a": "assistant", "input": "user",
    "context": "user", "output": "assistant", "response": "assistant", "chatbot": "assistant",
    "function response": "tool", "function": "tool", "用户": "user", "人类": "user", "问": "user",
    "助手": "assistant", "答": "assistant", "系统": "system",
}  # fmt: skip
_SIGN = re.compile(r"[:：<\[]")
_SURE_SIGN = re.compile(r"<[|a-z]|\[INST\]|##|\A\s*(?:Human|System)[:：]")
"""Without one of these a text holds no mark, or none that is sure: most texts are told by that."""
_SYS = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_LABEL = re.compile(r"\s*(?:SYSTEM|System)\s*:\s*")


def transcript(text: str, *, sure: bool = False) -> list[Said] | None:
    """The turns of a conversation in one text, blank ones left out; None where it is none.

    A conversation begins with the user, or with a system prompt, and has a mark of the assistant;
    its last answer may be missing. `sure` takes only marks that mean nothing else.

    >>> transcript("Human: Why?\\n\\nAssistant: Because.")
    [('user', 'Why?'), ('assistant', 'Because.')]
    >>> transcript("Human: I have a question")
    """
    if sure and not (
        "<" in text or "##" in text or "[INST]" in text or "Human" in text or "System" in text
    ):  # what a sure sign holds is sooner looked for, and word by word sooner than in a loop
        return None
    if not (_SURE_SIGN if sure else _SIGN).search(text):
        return None
    for style in STYLES:
        if (style.sure or not sure) and (said := _split(text, style)):
            return said
    return None


def _split(text: str, style: Style) -> list[Said] | None:
    """The turns of a text in this style; None where it is written in another."""
    marks = list(style.mark.finditer(text))
    if not marks:
        return None
    before = style.ends.sub("", text[: marks[0].start()]).strip()
    if before and not style.led:
        return None
    said: list[Said] = [("system", before)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        who = mark["who"].lower()
        role = _SPEAKERS.get(who) or ROLES.get(who)
        if role is None:
            return None
        said.append((role, style.ends.sub("", text[mark.end() : end]).strip()))
    roles = [role for role, _ in said if role != "system"]
    if roles[:1] != ["user"] or "assistant" not in roles:
        return None
    return [turn for part in said for turn in _with_system_apart(*part) if turn[1]]


def _with_system_apart(role: Role, text: str) -> list[Said]:
    """A turn, and before it the system prompt that Llama 2 writes into the first one."""
    found = _SYS.match(text) if role == "user" else None
    if found is None:
        return [(role, text)]
    return [("system", found[1].strip()), (role, text[found.end() :].strip())]


def without_label(text: str) -> str:
    """A system prompt without the word SYSTEM in front.

    >>> without_label("SYSTEM: Be brief.")
    'Be brief.'
    """
    found = _LABEL.match(text)
    return text[found.end() :] if found else text
