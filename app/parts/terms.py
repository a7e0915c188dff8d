"""The words of this tool, a sentence each: what stands behind the question mark."""

from __future__ import annotations

COVERAGE = "Share of the pool's occupied reference patches that hold a chosen record."
REACH = "Share of the pool's records that lie in such a patch: coverage weighted by records."
FIDELITY = (
    "The largest relative depth kept in every reference patch, summed, beside the same sum for the "
    "whole pool: how much of the map's depth the selection keeps."
)
DEPTH = (
    "How much there is to learn from a record: by default, by how much its loss falls when the "
    "model has read the rest of the pool."
)
RELATIVE_DEPTH = (
    "The rank of a record's depth within its domain, from 0 to 100%: 90% is deeper than nine of "
    "ten records of its domain."
)
MEAN_DEPTH = (
    "Relative depth (the rank of a record's depth within its domain) of the chosen records, on "
    "average; the pool's mean is 50%."
)
PATCH = (
    "A patch is a small connected region of the map. Each gives its first record before any gives "
    "a second, so that the picks are spread."
)
TOKENS = "Tokens of the chosen responses: what training on the selection costs."
BUDGET = "How much is kept: records, a share of the pool, or tokens of responses."
