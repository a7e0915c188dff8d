"""Small causal language models with tokenizers, made on the spot: no download, no GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WORDS = (
    "The quick brown fox jumps over the lazy dog. What is two plus two? Four, of course!\n"
    "Write a poem about rain: soft rain falls on the old roof\n\nList three colours: red, green, "
    'blue. def add(a, b): return a + b  # ünïcode 🙂 <b>html</b> {"name": "weather"}\n'
)

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA2 = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant') }}{% endif %}{% endfor %}"
)
GENERATION = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|im_start|>assistant\n"
    "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}\n"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TRIMMING = CHATML.replace("{{ m.content }}", "{{ m.content | trim }}")
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]"]


class Turn(NamedTuple):
    role: str
    text: str
    scored: bool


def ask(instruction: str, response: str, *more: str) -> tuple[Turn, ...]:
    """A conversation: user, assistant, user, ..., every assistant turn scored."""
    texts = (instruction, response, *more)
    return tuple(
        Turn("assistant" if i % 2 else "user", text, bool(i % 2)) for i, text in enumerate(texts)
    )


def make_tokenizer(
    *,
    texts: Iterable[str] = (WORDS,) * 4,
    vocabulary: int = 400,
    template: str | None = CHATML,
    bos: str | None = None,
    eos: str = "<|endoftext|>",
    padding_side: str = "right",
) -> Any:
    """A byte-level BPE as transformers know it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel()  # trims offsets, as GPT-2's does
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=bos,
        eos_token=eos,
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIALS[1:],
        padding_side=padding_side,
    )
    tokenizer.chat_template = template
    return tokenizer


def make_model(kind: str = "llama", *, vocabulary: int, seed: int = 0, **sizes: int) -> Any:
    """A model with random weights of uneven size, so that its losses differ from token to token."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    hidden = sizes.pop("hidden", 32)
    common: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": hidden // 4,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        **sizes,
    }
    if kind == "gpt2":
        layers, heads = common["num_hidden_layers"], common["num_attention_heads"]
        positions = common["max_position_embeddings"]
        common = {
            "vocab_size": vocabulary,
            "n_embd": hidden,
            "n_layer": layers,
            "n_head": heads,
            "n_positions": positions,
            "bos_token_id": 0,
            "eos_token_id": 0,
            "pad_token_id": 0,
        }
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **common))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4.0)
    return model.eval()


def save(folder: Path, model: Any, tokenizer: Any) -> str:
    """Both in one folder, as save_pretrained leaves them."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def alone(model: Any, ids: Sequence[int], scored: Sequence[int]) -> float:
    """The oracle: mean loss at the scored positions, one plain forward pass."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([list(ids)])).logits[0].double()
    nats = -torch.log_softmax(logits, -1)
    return float(sum(nats[place - 1, ids[place]] for place in scored) / len(scored))


def one_thread() -> Iterator[None]:
    """Models this small lose by a second thread, on a busy machine a hundredfold."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
