"""The embedded scorer: an n-gram model of the pool, mixed with a cache of the record itself.

The model is interpolated absolute discounting. With h the k - 1 tokens before w, and c counts,

    p_k(w | h) = (max(c(hw) - d_k, 0) + d_k * kinds(h) * p_{k-1}(w | h shortened)) / c(h)

where kinds(h) is the number of different tokens seen after h, p_0 is uniform, and an h that was
never seen passes p_{k-1} on. The longest n-grams count occurrences; the shorter ones count the
different tokens before them (Kneser and Ney 1995). d_k = (n1 + 1/2) / (n1 + 2 n2 + 1), from the
numbers of n-grams that were counted once and twice (Ney, Essen and Kneser 1994; the halves keep
it between 0 and 1). Prompts are fitted too, because answers repeat other records' prompts.

A token's probability mixes that with two guesses from its own record (see `copying`), so that
what the instruction already says is cheap to say again. The mixing weights depend on how long a
repetition the record offers and how long a context the model knows; they are fitted by EM on a
tenth of the records, which the model that serves for it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.loss.ngram.tokens import ROLES, TokenPool

_COMPONENTS = 3  # the n-gram model, the longest repetition, all tokens so far
_MATCHES = 9  # lengths of repetition that are distinguished: 0 to LONGEST_MATCH
_HELD_OUT_RECORDS = 1_000
_HELD_OUT_TOKENS = 100_000
_EM_STEPS = 30
CHUNK_TOKENS = 1 << 20  # scored at a time: about 150 MB of work space


@dataclass(frozen=True)
class NgramSettings:
    """How the n-gram model is made; the seed is the only option of a build.

    order: longest n-gram, in tokens; order x bits of a token number must not exceed 64.
    vocab_size: of the BPE; a little text gets fewer tokens (one for each 100 characters).
    seed: of the halves, of the text the BPE is trained on, of the records held out for weights.
    fit_tokens: a model is fitted on a seeded part of its records that has this many tokens at
        most. It bounds memory: 25 to 60 bytes a token by how little the text repeats itself, so
        about 1 GB at the default. Pools of up to 48 million tokens are fitted whole, by halves.
    """

    order: int = 4
    vocab_size: int = 8192
    seed: int = 0
    fit_tokens: int = 24_000_000


class Losses(NamedTuple):
    """Of each record: nats summed over its scored tokens, (k,) float64; tokens, (k,) int64."""

    nats: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, eq=False)
class _Level:
    """All n-grams of one length: sorted packed keys with their counts, and their contexts.

    contexts are the keys without their last token; totals their counts; kinds the number of
    different tokens after each; discount the d_k of the module's formula.
    """

    ngrams: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    kinds: np.ndarray
    discount: float

    @classmethod
    def of(cls, ngrams: np.ndarray, counts: np.ndarray, bits: int) -> _Level:
        first, kinds = _runs(ngrams >> np.uint64(bits))
        totals = np.add.reduceat(counts, first) if len(first) else counts
        once, twice = (int(np.count_nonzero(counts == times)) for times in (1, 2))
        return cls(
            ngrams=ngrams,
            counts=counts,
            contexts=ngrams[first] >> np.uint64(bits),
            totals=totals,
            kinds=kinds,
            discount=(once + 0.5) / (once + 2 * twice + 1),
        )

    def interpolate(self, keys: np.ndarray, bits: int, lower: np.ndarray) -> np.ndarray:
        """Put p_k in the place of p_{k-1} in `lower`; returns which contexts are known."""
        known = np.zeros(len(keys), dtype=bool)
        if not len(self.ngrams):
            return known
        by_key = np.argsort(keys)  # sorted queries walk the tables instead of jumping in them
        sorted_keys = keys[by_key]
        context, hit = _find(self.contexts, sorted_keys >> np.uint64(bits))
        known[by_key] = hit
        at, context, sorted_keys = by_key[hit], context[hit], sorted_keys[hit]
        ngram, seen = _find(self.ngrams, sorted_keys)
        kept = np.where(seen, self.counts[ngram] - self.discount, 0.0)
        passed_on = self.discount * self.kinds[context] * lower[at]
        lower[at] = (kept + passed_on) / self.totals[context]
        return known


def _runs(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the runs of equal values begin in a sorted array, and how long they are."""
    begins = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    first = np.flatnonzero(begins)
    return first, np.diff(first, append=len(ordered)).astype(np.int32)


def _find(table: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the values in a sorted table, and whether they are there."""
    at = np.minimum(np.searchsorted(table, values), len(table) - 1)
    return at, table[at] == values


@dataclass(frozen=True, eq=False)
class NgramModel:
    """An n-gram model fitted on some records of a token pool, ready to score any others.

    levels: n-grams of 1 to `order` tokens; weights: (9 x (order + 1), 3), the mixing weights by
    length of the record's repetition and number of levels that know the context.
    """

    vocab: int
    order: int
    levels: tuple[_Level, ...]
    weights: np.ndarray

    @classmethod
    def fit(
        cls, pool: TokenPool, rows: np.ndarray, settings: NgramSettings | None = None
    ) -> NgramModel:
        """The model of the records `rows` (int positions; a repeated one counts again).

        No rows at all give the uniform distribution with equal mixing weights. Raises
        UsageError if an n-gram of that order does not fit into 64 bits.

        >>> from collections import namedtuple
        >>> from ila_core.loss.ngram.tokenizer import train_tokenizer
        >>> from ila_core.loss.ngram.tokens import encode_pool
        >>> Turn = namedtuple("Turn", "role text scored")
        >>> pool = [(Turn("user", "Say it", False), Turn("assistant", "yes", True))] * 9
        >>> tokens = encode_pool(lambda: pool, 9, train_tokenizer([]))
        >>> model = NgramModel.fit(tokens, np.arange(8))
        >>> nats, count = model.losses(tokens, np.array([8]))
        >>> bool(nats[0] / count[0] < 0.2)
        True
        """
        settings = settings or NgramSettings()
        _check_order(settings.order, pool.vocab)
        rows = affordable(pool, rows, settings)
        n_held = min(_HELD_OUT_RECORDS, len(rows) // 10 or len(rows) // 2)
        held, rest = rows[:n_held], rows[n_held:]
        weights = cls._count(pool, rest, settings)._fit_weights(pool, held)
        return replace(cls._count(pool, rows, settings), weights=weights)

    @classmethod
    def _count(cls, pool: TokenPool, rows: np.ndarray, settings: NgramSettings) -> NgramModel:
        """A model with its levels but with equal weights."""
        from ila_core.loss.ngram.ngrams_compiled import pack

        rows, order, bits = np.sort(rows), settings.order, _bits(pool.vocab)
        begin, stop = pool.offsets[rows], pool.offsets[rows + 1]
        keys = pack(pool.ids, begin, begin, stop, order, bits, pool.vocab)
        keys.sort()
        levels: list[_Level] = []
        for length in range(order, 0, -1):
            first, counts = _runs(keys)
            ngrams = keys[first]
            levels.insert(0, _Level.of(ngrams, counts, bits))
            # An n-gram counts its one-token-shorter ending once, however often it occurred.
            keys = ngrams & np.uint64((1 << bits * (length - 1)) - 1)
            keys.sort()
        n_states = _MATCHES * (order + 1)
        equal = np.full((n_states, _COMPONENTS), 1 / _COMPONENTS)
        return cls(pool.vocab, order, tuple(levels), equal)

    def losses(self, pool: TokenPool, rows: np.ndarray) -> Losses:
        """Nats and tokens of the records' scored turns, in the order of `rows`; 0, 0 if none."""
        rows = np.array(rows, dtype=np.int64)  # a copy: compiled code tells read-only arrays apart
        tokens = pool.response_tokens[rows]
        nats = np.zeros(len(rows))
        for chunk in _chunks(tokens):
            surprise = -np.log(self.probabilities(pool, rows[chunk]))
            owner = np.repeat(np.arange(len(rows[chunk])), tokens[chunk])
            nats[chunk] = np.bincount(owner, surprise, minlength=len(rows[chunk]))
        return Losses(nats, tokens)

    def probabilities(self, pool: TokenPool, rows: np.ndarray) -> np.ndarray:
        """Of every scored token of the rows, one record after another, given all before it.

        Over the vocabulary and the end token they sum to one, whatever came before.
        """
        components, state = self._components(pool, np.array(rows, dtype=np.int64))
        return np.asarray((components * self.weights[state]).sum(axis=1))

    def _components(self, pool: TokenPool, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For every scored token: its probability by component (t, 3) and its weights' row (t,).

        A component that has no opinion repeats another one's, so that each sums to one over the
        vocabulary and their mixture does.
        """
        from ila_core.loss.ngram.ngrams_compiled import copying, pack

        bits = _bits(pool.vocab)
        keys = pack(pool.ids, *_stretches(pool, rows), self.order, bits, pool.vocab)
        components = np.empty((len(keys), _COMPONENTS))
        match = np.empty(len(keys), dtype=np.int64)
        copying(
            pool.ids, pool.offsets, pool.spans, pool.span_offsets,
            rows, pool.vocab, components[:, 1:], match,
        )  # fmt: skip
        probability = np.full(len(keys), 1 / (pool.vocab + 1))
        known = np.zeros(len(keys), dtype=np.int64)
        for length, level in enumerate(self.levels, start=1):
            ending = keys & np.uint64((1 << bits * length) - 1)
            known += level.interpolate(ending, bits, probability)
        components[:, 0] = probability
        silent = components[:, 2] < 0
        components[silent, 1:] = probability[silent, None]
        return components, match * (self.order + 1) + known

    def _fit_weights(self, pool: TokenPool, rows: np.ndarray) -> np.ndarray:
        """Mixing weights that make the records likely, by EM; shrunk to those of all states.

        Each state gets one pseudo-token divided as the pooled weights are, and these one
        pseudo-token of each component: a state never met mixes like the average.
        """
        rows = rows[pool.response_tokens[rows] <= _HELD_OUT_TOKENS]
        rows = rows[np.cumsum(pool.response_tokens[rows]) <= _HELD_OUT_TOKENS]
        components, state = self._components(pool, rows)
        weights = self.weights
        for _ in range(_EM_STEPS):
            share = components * weights[state]
            share /= share.sum(axis=1, keepdims=True)
            tally = np.stack([np.bincount(state, c, minlength=len(weights)) for c in share.T], 1)
            pooled = tally.sum(axis=0) + 1
            weights = tally + pooled / pooled.sum()
            weights /= weights.sum(axis=1, keepdims=True)
        return weights


def _bits(vocab: int) -> int:
    """Bits of a token number: the vocabulary, the end token, the role markers, the blank."""
    return (vocab + len(ROLES) + 1).bit_length()


def _check_order(order: int, vocab: int) -> None:
    longest = 64 // _bits(vocab)
    if not 1 <= order <= longest:
        raise UsageError(
            f"The n-gram order is {order}, expected 1 to {longest} with {vocab:,} tokens; "
            "take a lower order or a smaller vocabulary."
        )


def affordable(pool: TokenPool, rows: np.ndarray, settings: NgramSettings) -> np.ndarray:
    """The rows in a seeded order of their own, as many as `fit_tokens` allows (at least one)."""
    ordered = np.sort(np.asarray(rows, dtype=np.int64))
    rows = stream(settings.seed, "n-gram sample").permutation(ordered)
    until = np.cumsum(pool.offsets[rows + 1] - pool.offsets[rows])
    return rows[: max(1, int(np.searchsorted(until, settings.fit_tokens, side="right")))]


def _stretches(pool: TokenPool, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every scored turn of the rows: where its record begins, where it starts and stops."""
    first, n_spans = pool.span_offsets[rows], np.diff(pool.span_offsets)[rows]
    ends = np.cumsum(n_spans)
    span = np.repeat(first - (ends - n_spans), n_spans) + np.arange(n_spans.sum())
    return np.repeat(pool.offsets[rows], n_spans), pool.spans[span, 0], pool.spans[span, 1]


def _chunks(tokens: np.ndarray) -> Iterator[slice]:
    """Consecutive slices that hold about a million tokens each, or one larger record."""
    until = np.cumsum(tokens)
    start = 0
    while start < len(tokens):
        before = until[start - 1] if start else 0
        stop = int(np.searchsorted(until, before + CHUNK_TOKENS, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop
