"""What is said where a model cannot be saved, and what is not loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_lm
import torch

from ila_core.errors import IlaError
from ila_core.lm.model import load_model
from ila_core.lm.saving import saving


def test_a_full_disk_is_told_where_torch_meets_it(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does, to a process of its own."""
    code = (
        "import resource, signal, sys, torch\n"
        "from ila_core.lm.saving import saving\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    with saving('out'): torch.save({'weight': torch.zeros(1 << 20)}, sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "model.pt")]
    told = subprocess.run(words, capture_output=True, text=True).stdout
    assert told.startswith("IlaError The disk is full: out could not be written")


@pytest.mark.parametrize(
    "said",
    [
        "Error while serializing: I/O error: No space left on device (os error 28)",
        "[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598",
    ],
)
def test_a_full_disk_is_told_whatever_library_says_so(said: str) -> None:
    with pytest.raises(IlaError, match="The disk is full: out could"), saving("out"):
        raise RuntimeError(said)


def test_another_failure_is_told_in_its_own_words() -> None:
    told = r"out could not be saved \(weights are shared\)"
    with pytest.raises(IlaError, match=told), saving("out"):
        raise RuntimeError("weights are shared.\nmore of it")


def test_weights_that_are_a_program_are_not_loaded(tmp_path: Path) -> None:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    tiny_lm.save(tmp_path / "lm", model, tokenizer)
    [weights] = (tmp_path / "lm").glob("*.safetensors")
    torch.save(model.state_dict(), tmp_path / "lm" / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(IlaError, match="could not be loaded"):
        load_model(str(tmp_path / "lm"), "cpu")


def test_an_adapter_that_is_a_program_is_not_loaded(tmp_path: Path) -> None:
    tokenizer = tiny_lm.make_tokenizer()
    tiny_lm.save(tmp_path / "lm", tiny_lm.make_model(vocabulary=len(tokenizer)), tokenizer)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    named = f'{{"base_model_name_or_path": "{tmp_path / "lm"}", "peft_type": "LORA"}}'
    (adapter / "adapter_config.json").write_text(named)
    torch.save({}, adapter / "adapter_model.bin")
    with pytest.raises(IlaError, match=r"has no adapter_model\.safetensors"):
        load_model(str(adapter), "cpu")
