"""How a pool is read, as it is written and as it is meant."""

from __future__ import annotations

import pytest

from ila_core.errors import UsageError
from ila_core.pool.settings import ReadSettings


def test_a_field_takes_a_part_and_gives_it_back() -> None:
    how = ReadSettings("instruction=ask", partial=True)
    both = how.with_field("response", "say")
    assert both == ReadSettings("instruction=ask,response=say", partial=True)
    assert both.with_field("response", "tell").map == "instruction=ask,response=tell"
    assert both.with_field("response", None) == how
    assert how.with_field("source", None) == how  # that had no field before


def test_a_map_is_what_it_was_written_from() -> None:
    fields = {"response": "say", "instruction": "meta.ask=2"}
    how = ReadSettings()
    for part, field in fields.items():
        how = how.with_field(part, field)
    assert dict(how.mapping) == fields


@pytest.mark.parametrize("text", ["ask=instruction", "instruction", "source=a,source=b"])
def test_a_map_that_cannot_be_meant_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        _ = ReadSettings(text).mapping
