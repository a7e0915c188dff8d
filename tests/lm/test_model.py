"""Loading a model: where it runs, in which format, and what is said of one that is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tiny_lm

from ila_core.errors import IlaError, UsageError
from ila_core.lm.model import devices, load_dtype, load_model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("model.safetensors", b"half of the weights", "causal language model"),
        ("adapter_config.json", b"{", "adapter"),
        ("adapter_config.json", b"{}", "adapter"),
    ],
)
def test_a_damaged_model_is_one_sentence(
    base: str, tmp_path: Path, file: str, content: bytes, kind: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(base, folder)
    (folder / file).write_bytes(content)
    with pytest.raises(IlaError, match=rf"^The {kind} of '.*damaged' could not be loaded \("):
        load_model(str(folder), "cpu")


def test_devices_and_formats() -> None:
    import torch

    assert load_dtype("auto", "cpu") == torch.float32
    assert load_dtype("bfloat16", "cpu") == torch.bfloat16
    with pytest.raises(UsageError, match="'gpu' is not known"):
        devices("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="'cuda' is not on this machine"):
            devices("cuda")
