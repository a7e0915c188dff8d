"""Records as chat messages, one form for every pool, and what their readers must be told of them.

TRL's trainers, Axolotl and LLaMA-Factory all read lists of messages with role and content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ila_core.pool.record import Turn

if TYPE_CHECKING:
    from ila_core.selection.selection import Selection


def as_messages(turns: Iterable[Turn]) -> dict[str, Any]:
    """The turns of a record as a record of messages, which is read as the same turns.

    A turn of the assistant's that is context and no response is marked with `train` false, which
    Axolotl heeds.

    >>> as_messages([Turn("user", "Hi", False), Turn("assistant", "Yo", True)])["messages"][1]
    {'role': 'assistant', 'content': 'Yo'}
    """
    messages: list[dict[str, Any]] = []
    for role, text, scored in turns:
        message: dict[str, Any] = {"role": role, "content": text}
        if role == "assistant" and not scored:
            message["train"] = False
        messages.append(message)
    return {"messages": messages}


def with_context(selection: Selection) -> int:
    """How many of the selected records have an answer that is context: it is kept out of the loss.

    A weight of 0 says so, `train` false and the like. Only Axolotl heeds that; TRL and
    LLaMA-Factory train on every answer.
    """
    records = selection.landscape.records
    if records is None:
        return 0
    talks = records.take_turns(selection.rows)
    return sum(any(role == "assistant" and not scored for role, _, scored in turns)
               for turns in talks)  # fmt: skip


TRL = """\
{part}_dataset = load_dataset("json", data_files={path}, split="train")
"""


def trl_snippet(name: str, validation: str = "") -> str:
    """The lines of Python that read exported files of messages for TRL's SFTTrainer.

    >>> print(trl_snippet("best.jsonl").splitlines()[1])
    args = SFTConfig(assistant_only_loss=True)
    >>> print(trl_snippet("best.jsonl", "best.validation.jsonl").splitlines()[1])
    eval_dataset = load_dataset("json", data_files="best.validation.jsonl", split="train")
    """
    files = {"train": name, "eval": validation}
    parts = [
        TRL.format(part=part, path=json.dumps(file, ensure_ascii=False))
        for part, file in files.items()
        if file
    ]
    return "".join([*parts, "args = SFTConfig(assistant_only_loss=True)\n"])


AXOLOTL = """\
{part}:
  - path: {path}
    ds_type: json
    type: chat_template
    field_messages: messages
    message_property_mappings:
      role: role
      content: content
    roles_to_train: [assistant]
    message_field_training: train
"""


def axolotl_snippet(name: str, validation: str = "") -> str:
    """The part of Axolotl's YAML that reads exported files of messages; its paths are relative.

    >>> "path: \\"best.jsonl\\"" in axolotl_snippet("best.jsonl")
    True
    >>> axolotl_snippet("best.jsonl", "best.validation.jsonl").count("test_datasets:")
    1
    """
    files = {"datasets": name, "test_datasets": validation}
    parts = [
        AXOLOTL.format(part=part, path=json.dumps(file, ensure_ascii=False))
        for part, file in files.items()
        if file
    ]
    return "".join([f"# For Axolotl: the records of {name}.\n", *parts])
