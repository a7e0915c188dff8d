"""Who speaks: the names that data sets have for the four roles."""

from __future__ import annotations

from ila_core.pool.record import Role

_USER: Role = "user"
_ASSISTANT: Role = "assistant"
ROLES: dict[str, Role] = {
    **dict.fromkeys(
        ("user", "human", "prompter", "instruction", "question", "client", "customer", "patient",
         "usr", "seeker"),
        _USER,
    ),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "bard", "bing", "claude", "model", "bot", "ai", "answer",
         "function_call", "function-call", "tool_call", "tool_calls", "chatbot", "moss", "doctor",
         "counselor", "therapist", "agent"),
        _ASSISTANT,
    ),
    **dict.fromkeys(("system", "developer", "context"), "system"),
    **dict.fromkeys(
        ("tool", "function", "observation", "function_response", "function-response",
         "tool_response", "tool_result", "ipython", "environment"),
        "tool",
    ),
}  # fmt: skip
"""The role of every known name, in lower case."""


def role_of(name: str) -> Role | None:
    """The role that a name stands for, in any case; None where it is unknown.

    >>> role_of(" Human"), role_of("alien")
    ('user', None)
    """
    return ROLES.get(name) or ROLES.get(name.strip().lower())
