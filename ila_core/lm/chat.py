"""A conversation as the text its model was trained to read, and where the scored turns lie in it.

The template renders every conversation twice: as it is, and with a mark in place of each scored
turn. The pieces between the marks, with the turns' own texts put back, must be the first
rendering: then every scored character is known, repeated texts included, and a template that
drops or rewrites a turn cannot go unnoticed. What lies between a turn and the next piece's
end-of-turn token is got the same way, on a small conversation made for the purpose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ila_core.loss.result import NO_RESPONSE
from ila_core.loss.turns import Conversation, Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DROPPED = "the chat template dropped a turn"
REFUSED = "the chat template refuses these roles"
REWRITTEN = "the chat template rewrote a response"

_TODAY = datetime(2024, 7, 26)  # templates that print a date always print this one: same bytes out
_MARK = "ila{}mark7f3a91c2turn"


class Rendered(NamedTuple):
    """A conversation's text, the character spans that are scored, and what was noticed."""

    text: str
    spans: tuple[tuple[int, int], ...]
    note: str | None = None


class Refused(NamedTuple):
    """Why a conversation has no rendering; its loss is missing for this reason."""

    reason: str


@dataclass(frozen=True)
class ChatTemplate:
    """How a model's conversations are written: its tokenizer's chat template, or a plain one.

    name: "chat template" or "plain". end_of_turn: the text that ends an assistant turn, "" where
    there is none. header: what precedes an assistant turn that answers nothing.
    """

    tokenizer: PreTrainedTokenizerBase
    name: str
    end_of_turn: str
    header: str
    _kept: dict[tuple[str, ...], bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
        """The tokenizer's own chat template, or the plain one where it has none."""
        if not tokenizer.chat_template:
            end = tokenizer.eos_token or ""
            return cls(tokenizer, "plain", str(end), _bos(tokenizer) + _PLAIN["assistant"])
        return cls(tokenizer, "chat template", _end_of_turn(tokenizer), _header(tokenizer))

    def render(self, turns: Conversation) -> Rendered | Refused:
        """The text of a conversation with its scored spans, or the reason why there is none.

        A scored span is the turn's text as it stands in the data, then the end-of-turn marker.
        Where the template trims white space off a response, the text is put back unstripped and
        a note says so. A role the template refuses or drops is retried: a tool's turn as a
        user's, a system prompt as the beginning of the first user turn.
        """
        if not any(turn.scored for turn in turns):
            return Refused(NO_RESPONSE)
        if self.name == "plain":
            return self._plain(turns)
        problem = Refused(REFUSED)
        for note, rewrite in _RETRIES:
            retried = rewrite(turns)
            if retried is None:
                continue
            outcome = self._rendered(retried, note)
            if isinstance(outcome, Rendered):
                return outcome
            problem = outcome if note is None else problem
        return problem

    def bare(self, turns: Conversation) -> Rendered | Refused:
        """The scored turns alone, each behind the assistant's header: no word of instruction."""
        scored = [turn.text for turn in turns if turn.scored]
        if not scored:
            return Refused(NO_RESPONSE)
        header = self.header
        later = header.removeprefix(_bos(self.tokenizer)) or "\n"
        pieces = [header, *[later] * (len(scored) - 1), ""]
        return _spliced(pieces, scored, self.end_of_turn, ended=False)

    def _plain(self, turns: Conversation) -> Rendered:
        pieces, scored, piece = [], [], _bos(self.tokenizer)
        for turn in turns:
            piece += _PLAIN.get(turn.role, _PLAIN["user"])
            if turn.scored:
                pieces.append(piece)
                scored.append(turn.text)
                piece = "\n\n"
            else:
                piece += turn.text + "\n\n"
        return _spliced([*pieces, ""], scored, self.end_of_turn, ended=False)

    def _rendered(self, turns: Conversation, note: str | None) -> Rendered | Refused:
        if not self._keeps_every_turn(tuple(turn.role for turn in turns)):
            return Refused(DROPPED)
        scored = [turn.text for turn in turns if turn.scored]
        marks = [_MARK.format(i) for i in range(len(scored))]
        whole = _apply(self.tokenizer, _messages(turns))
        marked = _apply(self.tokenizer, _messages(turns, iter(marks)))
        if whole is None or marked is None:
            return Refused(REFUSED)
        pieces = _cut_at(marked, marks)
        if pieces is None:
            return Refused(DROPPED)
        rendered = _spliced(pieces, scored, self.end_of_turn, note=note)
        if rendered.text == whole:
            return rendered
        if "".join(whole.split()) == "".join(rendered.text.split()):
            return rendered._replace(note=note or "white space around a response kept")
        return self._as_prompted(turns, whole, note)

    def _keeps_every_turn(self, roles: tuple[str, ...]) -> bool:
        """Whether the text of every turn reaches the output, asked once per sequence of roles."""
        if roles not in self._kept:
            marks = [_MARK.format(i) for i in range(len(roles))]
            text = _apply(
                self.tokenizer,
                [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)],
            )
            # a refusal is noticed later: here only what is left out counts
            self._kept[roles] = text is None or all(mark in text for mark in marks)
        return self._kept[roles]

    def _as_prompted(self, turns: Conversation, whole: str, note: str | None) -> Rendered | Refused:
        """A single response that the template would rewrite, put behind its generation prompt.

        That is how the model meets it when it answers; a template that treats a response's
        thoughts in a way of its own (Qwen3's) is the usual reason.
        """
        scored = [turn for turn in turns if turn.scored]
        if len(scored) > 1 or not turns[-1].scored:
            return Refused(REWRITTEN)
        prompt = _apply(self.tokenizer, _messages(turns[:-1]), add_generation_prompt=True)
        if not prompt or not whole.startswith(prompt):
            return Refused(REWRITTEN)
        rendered = _spliced([prompt, ""], [turns[-1].text], self.end_of_turn, ended=False)
        return rendered._replace(note=note or "response put behind the generation prompt")


_PLAIN = {
    "system": "",
    "user": "### Instruction:\n",
    "tool": "### Tool result:\n",
    "assistant": "### Response:\n",
}


def _spliced(
    pieces: Sequence[str],
    scored: Sequence[str],
    end_of_turn: str,
    *,
    ended: bool = True,
    note: str | None = None,
) -> Rendered:
    """Texts put between their pieces, with the spans of texts and end-of-turn markers.

    `ended` says that the pieces hold the markers already; else they are written here.
    """
    spans: list[tuple[int, int]] = []
    parts, place = [pieces[0]], len(pieces[0])
    for text, piece in zip(scored, pieces[1:], strict=True):
        after = piece if ended else end_of_turn + piece
        spans.append((place, place + len(text)))
        place += len(text)
        gap = len(after) - len(after.lstrip())
        if end_of_turn and after.startswith(end_of_turn, gap):
            spans.append((place + gap, place + gap + len(end_of_turn)))
        parts += [text, after]
        place += len(after)
    joined = tuple(span for span in spans if span[1] > span[0])
    return Rendered("".join(parts), joined, note)


def _cut_at(text: str, marks: Sequence[str]) -> list[str] | None:
    """The pieces between the marks, or None unless each stands there once and in order."""
    pieces = []
    for mark in marks:
        before, there, text = text.partition(mark)
        if not there:
            return None
        pieces.append(before)
    pieces.append(text)
    return None if any(mark in piece for piece in pieces for mark in marks) else pieces


def _messages(turns: Conversation, marks: Iterable[str] | None = None) -> list[dict[str, str]]:
    """Turns as messages; with marks, one in place of each scored text."""
    if marks is None:
        return [{"role": turn.role, "content": turn.text} for turn in turns]
    marks = iter(marks)
    return [
        {"role": turn.role, "content": next(marks) if turn.scored else turn.text} for turn in turns
    ]


def _apply(
    tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], **options: Any
) -> str | None:
    """The template's text, or None where it refuses."""
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=_dated(tokenizer.get_chat_template()),
            tokenize=False,
            **options,
        )
    except (TemplateError, ValueError, TypeError, KeyError, IndexError):
        return None
    return str(text)


@cache
def _dated(template: str) -> str:
    """The template with a fixed day where it would ask the clock for today."""
    asked = sorted({text for _, text in re.findall(r"strftime_now\(\s*(['\"])(.*?)\1", template)})
    if not asked:
        return template
    days = {form: _TODAY.strftime(form) for form in asked}
    return f"{{%- macro strftime_now(form) -%}}{{{{ {days}[form] }}}}{{%- endmacro -%}}{template}"


class _Rewritten(NamedTuple):
    role: str
    text: str
    scored: bool


def _tools_as_users(turns: Conversation) -> list[Turn] | None:
    if all(turn.role != "tool" for turn in turns):
        return None
    return [_Rewritten("user", t.text, t.scored) if t.role == "tool" else t for t in turns]


def _system_in_first_user(turns: Conversation) -> list[Turn] | None:
    if len(turns) < 2 or turns[0].role != "system" or turns[1].role != "user":
        return None
    system, user, *rest = turns
    return [_Rewritten("user", f"{system.text}\n\n{user.text}", user.scored), *rest]


def _both(turns: Conversation) -> list[Turn] | None:
    folded = _system_in_first_user(turns)
    return None if folded is None else _tools_as_users(folded)


_RETRIES: tuple[tuple[str | None, Callable[[Conversation], Conversation | None]], ...] = (
    (None, lambda turns: turns),
    ("tool results given as user turns", _tools_as_users),
    ("system prompt put into the first user turn", _system_in_first_user),
    ("system prompt and tool results given as user turns", _both),
)

_ASKED = [{"role": "user", "content": "q"}]


def _end_of_turn(tokenizer: PreTrainedTokenizerBase) -> str:
    """What follows an assistant turn whether or not another comes: its end-of-turn marker.

    Of that the first special token; where it holds none, the text itself without white space.
    """
    marks = [_MARK.format(i) for i in range(2)]
    once = [*_ASKED, {"role": "assistant", "content": marks[0]}]
    short = _apply(tokenizer, once)
    long = _apply(tokenizer, [*once, *_ASKED, {"role": "assistant", "content": marks[1]}])
    if short is None or marks[0] not in short:
        return str(tokenizer.eos_token or "")
    after = short.partition(marks[0])[2]
    if long is not None and marks[0] in long:
        after = _common_start(after, long.partition(marks[0])[2])
    after = after.strip()
    first = re.match("|".join(map(re.escape, _special_texts(tokenizer))) or "(?!)", after)
    return first.group() if first else after


def _header(tokenizer: PreTrainedTokenizerBase) -> str:
    """The generation prompt by itself, behind the beginning-of-sequence token."""
    asked = _apply(tokenizer, _ASKED) or ""
    prompted = _apply(tokenizer, _ASKED, add_generation_prompt=True) or ""
    bos = str(tokenizer.bos_token or "")
    begins = bos if bos and asked.startswith(bos) else ""
    return begins + (prompted[len(asked) :] if prompted.startswith(asked) else "")


def _bos(tokenizer: PreTrainedTokenizerBase) -> str:
    """The beginning-of-sequence token where texts of this tokenizer begin with it, else ""."""
    bos = tokenizer.bos_token
    if not bos:
        return ""
    if tokenizer.chat_template:
        begins = (_apply(tokenizer, _ASKED) or "").startswith(str(bos))
    else:
        begins = tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return str(bos) if begins else ""


def _common_start(a: str, b: str) -> str:
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    return a[:same]


def _special_texts(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Special and added tokens, longest first so that a longer one is met before its prefix."""
    added = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    return sorted({*tokenizer.all_special_tokens, *added} - {""}, key=lambda t: (-len(t), t))
