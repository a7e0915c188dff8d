"""A visitor without a browser: what the page's own script says to the server, and nothing more.

It keeps to what Streamlit's script in the browser does: it sends what a hand has moved with the
address and the large messages that it still holds, and takes what comes until the run has ended.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect


@dataclass(frozen=True)
class Answer:
    """What came back on a run of the page."""

    seconds: float
    """From the question to the end of the run."""
    bytes: int
    errors: tuple[str, ...]


class Visitor:
    """One session with the server."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self.socket, self.query = socket, query
        self.elements: list[Any] = []
        """Of the latest run of the whole page, in the order they came."""
        self._held: dict[str, tuple[ForwardMsg, int]] = {}
        """Large messages by their hash, each with how many runs had ended when it was last shown.

        A browser lets them go when a run ends, if so many runs did since as the server once said. A
        run that begins anew before its end is none: what the server was told of is still named.
        """
        self._ended, self._kept = 0, 0

    async def ask(self, *moved: WidgetState) -> Answer:
        """Run the page with widgets moved; ConnectionError where the server hangs up."""
        question = BackMsg()
        state = question.rerun_script
        state.query_string = self.query
        state.widget_states.widgets.extend(moved)
        state.cached_message_hashes.extend(self._held)
        started, size, errors = time.perf_counter(), 0, []
        await self.socket.send(question.SerializeToString())
        while True:
            data = await self.socket.recv()
            assert isinstance(data, bytes)
            size += len(data)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.elements = []
                self._kept = message.new_session.config.max_cached_message_age
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind in ("delta", "ref_hash"):
                errors += self._take(message)
            elif kind == "script_finished" and message.script_finished != _AGAIN:
                self._let_go()
                if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    errors.append("the run did not finish")
                return Answer(time.perf_counter() - started, size, tuple(errors))

    def _let_go(self) -> None:
        self._ended += 1
        self._held = {
            key: (message, shown)
            for key, (message, shown) in self._held.items()
            if self._ended - shown <= self._kept
        }

    def _take(self, message: ForwardMsg) -> list[str]:
        if message.WhichOneof("type") == "ref_hash":
            if message.ref_hash not in self._held:
                raise KeyError("the page named a message that a browser no longer holds")
            message = self._held[message.ref_hash][0]
        if message.metadata.cacheable:
            self._held[message.hash] = message, self._ended
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return []
        part = getattr(element, kind)
        self.elements.append((kind, part))
        if kind == "exception":
            return [part.message]
        return [part.body] if kind == "alert" and part.format == part.ERROR else []

    def part(self, kind: str, label: str) -> Any:
        """Return the element of a label on the page; KeyError where there is none."""
        for found, part in self.elements:
            if found == kind and part.label == label:
                return part
        raise KeyError(f"no {kind} {label!r} on the page")

    @property
    def map(self) -> dict[str, Any]:
        """What the map was given to draw."""
        given = [json.loads(part.json) for kind, part in self.elements if kind == "bidi_component"]
        maps = [one for one in given if "picture" in one]
        if not maps:
            raise KeyError(f"no map on the page, but {[kind for kind, _ in self.elements]}")
        return maps[0]

    def marked(self, kind: str) -> list[int]:
        """Return the rows that stand out on the map as of a kind."""
        rows = self.map["marks"].get(kind, {}).get("rows", "")
        return np.frombuffer(b64decode(rows), dtype=np.uint32).tolist()

    def number(self, label: str, value: float) -> WidgetState:
        """Return a number input as it is when a number was written into it."""
        part = self.part("number_input", label)
        if part.data_type == part.INT:
            return WidgetState(id=part.id, int_value=int(value))
        return WidgetState(id=part.id, double_value=value)

    def press(self, label: str) -> WidgetState:
        """Return a button as it is when it was pressed."""
        return WidgetState(id=self.part("button", label).id, trigger_value=True)


_AGAIN = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@asynccontextmanager
async def visiting(address: str, query: str = "") -> AsyncIterator[Visitor]:
    """Come to a page with a link's query, and leave it."""
    place = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    asked = {"subprotocols": ["streamlit"], "max_size": None}
    # no pings of its own, as a browser sends none: a busy server would be taken for a dead one
    async with connect(place, ping_interval=None, **asked) as socket:  # type: ignore
        yield Visitor(socket, query)
