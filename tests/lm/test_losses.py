"""What a token costs: by the fast way, by the plain one, and in half precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny_lm
import torch

from ila_core.errors import IlaError
from ila_core.lm import compiling, losses, workers
from ila_core.lm.encode import Encoded
from ila_core.lm.losses import Scorer, Way, in_float32
from ila_core.lm.model import load_dtype, load_model
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


@pytest.mark.parametrize(
    "kind", ["gpt2", "qwen2", "gemma2", "cohere", "granite", "mistral", "gpt_neox"]
)
def test_families_with_heads_of_their_own(kind: str) -> None:
    """Soft caps, scaled logits, tied heads, learned positions: all by the fast way, all exact."""
    model = tiny_lm.make_model(kind, vocabulary=300)
    scorer = Scorer(model)
    assert scorer.way == Way(apart=True, masked=False)
    chance = np.random.default_rng(0)
    batch = [
        Encoded(chance.integers(0, 300, t).astype(np.int32), np.arange(1, t, 2), t)
        for t in (30, 22, 9)
    ]
    alone = [tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in batch]
    sums = scorer.losses(batch) / [len(s.targets) for s in batch]
    np.testing.assert_allclose(sums, alone, atol=1e-5)


def test_a_head_that_does_more_than_it_says_is_met_by_the_full_forward() -> None:
    from transformers import LlamaForCausalLM

    class Shifted(LlamaForCausalLM):
        def forward(self, *args: Any, **options: Any) -> Any:
            out = super().forward(*args, **options)
            out.logits = out.logits * 0.5
            return out

    plain = tiny_lm.make_model(vocabulary=300)
    model = Shifted(plain.config).eval()
    model.load_state_dict(plain.state_dict())
    scorer = Scorer(model)
    assert scorer.way == Way(apart=False, masked=True)
    batch = [Encoded(np.arange(t, dtype=np.int32), np.array([2, t - 1]), 2) for t in (12, 7, 5)]
    expected = [2 * tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in batch]
    np.testing.assert_allclose(scorer.losses(batch), expected, atol=1e-5)


def test_a_model_that_looks_ahead_is_refused() -> None:
    from transformers import LlamaForCausalLM

    class Ahead(LlamaForCausalLM):
        def forward(self, input_ids: Any, **options: Any) -> Any:
            out = super().forward(input_ids, **options)
            out.logits = out.logits * (1 + input_ids[:, -1:, None])
            return out

    with pytest.raises(IlaError, match="other losses in a batch than alone"):
        Scorer(Ahead(tiny_lm.make_model(vocabulary=300).config).eval())


def with_head(moved: Callable[[Any], Any]) -> Any:
    """A model whose logits are moved by a factor that its head takes from all that it is given."""

    class Head(torch.nn.Linear):
        def forward(self, states: Any) -> Any:
            return super().forward(states) * (1 + moved(states))

    model = tiny_lm.make_model(vocabulary=300)
    head = Head(*reversed(model.lm_head.weight.shape), bias=False)
    head.load_state_dict(model.lm_head.state_dict())
    model.lm_head = head
    return model


def test_rounding_as_coarse_as_a_device_has_it_is_no_other_loss() -> None:
    """Kernels for other shapes round otherwise: here by ten times what is let pass elsewhere."""
    model = with_head(lambda states: 3e-4 * np.log2(states[..., 0].numel()))
    assert Scorer(model).way == Way(apart=True, masked=False)


def test_rows_that_mix_are_no_rounding() -> None:
    with pytest.raises(IlaError, match="other losses in a batch than alone"):
        Scorer(with_head(lambda states: states.mean()))


@pytest.mark.parametrize("size", [1, 900])
def test_small_chunks_of_the_vocabulary_give_the_same(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer(tiny_lm.make_model(vocabulary=300))
    batch = [Encoded(np.arange(t, dtype=np.int32), np.arange(1, t), t - 1) for t in (30, 22, 9)]
    whole = scorer.losses(batch)
    monkeypatch.setattr(losses, "CHUNK_FLOATS", size)
    np.testing.assert_allclose(scorer.losses(batch), whole, atol=1e-5)


def test_an_error_that_is_not_memory_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: Any, batch: Any, way: Any) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(losses, "token_losses", broken)
    scorer_way = Way(True, False)
    with pytest.raises(RuntimeError, match="a defect"):
        Scorer(tiny_lm.make_model(vocabulary=50), way=scorer_way).losses(
            [Encoded(np.array([1, 2]), np.array([1]), 1)]
        )


# -- half precision -------------------------------------------------------------------------------

POOL = [tiny_lm.ask(f"{i} plus {i}?", f"The answer is {2 * i}, of course!") for i in range(20)]
HALVES = ["bfloat16", "float16"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


@pytest.fixture(autouse=True)
def plain_kernels() -> Iterator[None]:
    """Some processors announce half precision and die of it in the library's fast kernels."""

    with torch.backends.mkldnn.flags(enabled=False):
        yield


def scored(base: str, dtype: Any) -> LossResult:
    return score(lambda: POOL, len(POOL), LmSettings(lm=base, device="cpu", dtype=dtype))


@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_that_is_good_enough_is_used(base: str, dtype: Any) -> None:
    result = scored(base, dtype)
    assert (result.meta["dtype"], result.meta["remarks"]) == (dtype, [])
    np.testing.assert_allclose(result.loss, scored(base, "float32").loss, atol=0.05)


def test_a_tuned_model_without_a_tokenizer_is_tried_with_the_base_models(
    base: str, tmp_path: Path
) -> None:
    tuned = tmp_path / "tuned"
    tiny_lm.make_model(vocabulary=400, seed=1).save_pretrained(tuned)
    settings = LmSettings(lm=base, tuned_lm=str(tuned), device="cpu", dtype="bfloat16")
    result = score(lambda: POOL, len(POOL), settings)
    assert result.meta["dtype"] == "bfloat16"
    assert np.isfinite(result.extra["tuned_loss"]).all()


@pytest.mark.parametrize(
    ("drift", "said"), [(1.1, "moves losses by 0."), (np.inf, "cannot be trusted")]
)
def test_half_precision_that_drifts_gives_way_to_float32_and_is_told(
    base: str, drift: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its losses agree with each other, batched or alone: only float32 shows that they are off."""

    def drifting(name: str, device: str, dtype: Any = "auto") -> Any:
        def drift_in_half(module: Any, inputs: Any, logits: Any) -> Any:
            return logits if logits.dtype == torch.float32 else logits * drift

        model = load_model(name, device, dtype)
        model.lm_head.register_forward_hook(drift_in_half)
        return model

    exact = scored(base, "float32")
    monkeypatch.setattr(workers, "load_model", drifting)
    result = scored(base, "bfloat16")
    assert result.meta["dtype"] == "float32"
    np.testing.assert_array_equal(result.loss, exact.loss)
    (remark,) = result.meta["remarks"]  # type: ignore[misc]
    assert remark.startswith(f"bfloat16 {said}") and remark.endswith("scored in float32.")


def test_a_model_whose_half_precision_cannot_be_tried_is_scored_in_float32(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch.nn.functional import linear
    from transformers import LlamaForCausalLM

    class Peeking(LlamaForCausalLM):
        """It takes the weights of its head without calling it."""

        def forward(self, input_ids: Any, **options: Any) -> Any:
            out = super().forward(input_ids, **options)
            hidden = self.get_decoder()(input_ids, **options).last_hidden_state
            out.logits = linear(hidden, self.lm_head.weight)
            return out

    def load(name: str, device: str, dtype: Any = "auto") -> Any:
        return Peeking.from_pretrained(name, dtype=load_dtype(dtype, device)).eval()

    exact = scored(base, "float32")
    monkeypatch.setattr(workers, "load_model", load)
    result = scored(base, "bfloat16")
    assert result.meta["dtype"] == "float32"
    np.testing.assert_allclose(result.loss, exact.loss, atol=1e-5)
    (remark,) = result.meta["remarks"]  # type: ignore[misc]
    assert remark.startswith("bfloat16 cannot be trusted in ")


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2"])
def test_computing_in_float32_leaves_the_weights_as_they_were(kind: str, dtype: str) -> None:

    model = tiny_lm.make_model(kind, vocabulary=300).to(getattr(torch, dtype))
    wide = tiny_lm.make_model(kind, vocabulary=300).to(getattr(torch, dtype)).float()
    before = [weight.detach().clone() for weight in model.parameters()]
    ids = list(range(3, 40))
    with in_float32(model):
        assert tiny_lm.alone(model, ids, [5, 36]) == tiny_lm.alone(wide, ids, [5, 36])
    for weight, kept in zip(model.parameters(), before, strict=True):
        assert weight.dtype == kept.dtype and torch.equal(weight, kept)


def test_the_way_is_tried_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that does a little more than it says would hide in the noise of half precision."""
    from transformers import LlamaForCausalLM

    class Tempered(LlamaForCausalLM):
        def forward(self, *args: Any, **options: Any) -> Any:
            out = super().forward(*args, **options)
            out.logits = out.logits * 0.99
            return out

    plain = tiny_lm.make_model(vocabulary=300)
    model = Tempered(plain.config).eval()
    model.load_state_dict(plain.state_dict())
    assert Scorer(model.to(torch.bfloat16)).way == Way(apart=False, masked=True)


@pytest.mark.parametrize("dtype", HALVES)
def test_a_model_with_an_adapter_is_tried_in_float32_too(dtype: str) -> None:

    peft = pytest.importorskip("peft")
    model = tiny_lm.make_model(vocabulary=300).to(getattr(torch, dtype))
    adapter = peft.LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM")
    with_adapter = peft.get_peft_model(model, adapter).get_base_model().eval()
    assert Scorer(with_adapter).way == Way(apart=True, masked=False)


# -- compiled -------------------------------------------------------------------------------------


@pytest.fixture
def nothing_compiled() -> Iterator[None]:
    """Code for a layer is remembered by its class, and only so many times."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def sequences(*lengths: int) -> list[Encoded]:
    chance = np.random.default_rng(1)
    return [
        Encoded(chance.integers(0, 300, t).astype(np.int32), np.arange(1, t, 2, np.int32), t)
        for t in lengths
    ]


@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize("kind", ["gpt2", "qwen2", "gemma2"])
def test_compiled_layers_give_the_same_losses(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def backend(graph: Any, inputs: Any) -> Any:  # the compiler proper takes a minute
        made.append(graph)
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", backend)
    scorer = Scorer(tiny_lm.make_model(kind, vocabulary=300))
    batch = sequences(30, 22, 9)
    plain = scorer.losses(batch)
    assert compiling.quicken(scorer, batch[0]) and made
    assert len(scorer.compiled) == scorer.model.config.num_hidden_layers
    np.testing.assert_allclose(scorer.losses(batch), plain, rtol=1e-5)
    scorer.uncompile()
    np.testing.assert_array_equal(scorer.losses(batch), plain)


@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize("fault", ["raises", "wrong"])
def test_what_cannot_be_compiled_is_scored_as_it_was(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backend(graph: Any, inputs: Any) -> Any:
        if fault == "raises":
            raise ZeroDivisionError
        return lambda *given: [
            one.flip(-1) if one.is_floating_point() else one for one in graph(*given)
        ]

    monkeypatch.setattr(compiling, "BACKEND", backend)
    scorer = Scorer(tiny_lm.make_model(vocabulary=300))
    batch = sequences(30, 22, 9)
    plain = scorer.losses(batch)
    assert not compiling.quicken(scorer, batch[0]) and not scorer.compiled
    np.testing.assert_array_equal(scorer.losses(batch), plain)


@pytest.mark.usefixtures("nothing_compiled")
def test_layers_that_are_wrong_behind_padding_alone_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def backend(graph: Any, inputs: Any) -> Any:
        def run(*given: Any) -> Any:
            masked = any(
                isinstance(one, torch.Tensor) and one.dtype == torch.bool and one.dim() == 4
                for one in given
            )
            return [one.flip(-1) if masked and one.is_floating_point() else one
                    for one in graph(*given)]  # fmt: skip

        return run

    monkeypatch.setattr(compiling, "BACKEND", backend)
    scorer = Scorer(tiny_lm.make_model(vocabulary=300), way=Way(True, True))
    assert not compiling.quicken(scorer, sequences(30)[0])


@pytest.mark.usefixtures("nothing_compiled")
def test_a_lane_for_many_records_compiles_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    tiny_lm.save(tmp_path / "lm", model, tokenizer)
    asked: list[int] = []

    def worth(_: Any, records: int) -> bool:
        asked.append(records)
        return records > 10

    monkeypatch.setattr(compiling, "BACKEND", "eager")
    monkeypatch.setattr(workers, "is_worth", worth)
    for records, way in ((10, "response positions"), (11, "response positions, compiled")):
        work = workers.Work((str(tmp_path / "lm"),), "auto", 64, records)
        with closing(workers.open_lane(work, ["cpu"])) as lane:
            assert lane.way == way
    assert asked == [10, 11]


@pytest.mark.parametrize("error", [RuntimeError, AssertionError])
def test_a_batch_for_which_no_code_can_be_made_is_scored_all_the_same(error: type) -> None:
    scorer = Scorer(tiny_lm.make_model(vocabulary=300))
    batch = sequences(12, 5)
    plain = scorer.losses(batch)

    def broken(*_: Any, **__: Any) -> Any:
        raise error("no code for this shape")

    scorer.compiled = compiling.layers_of(scorer.model)
    for layer in scorer.compiled:
        layer._compiled_call_impl = broken
    np.testing.assert_array_equal(scorer.losses(batch), plain)
    assert not scorer.compiled


def test_a_model_is_compiled_for_many_records_on_a_gpu_alone() -> None:
    model = tiny_lm.make_model(vocabulary=300)
    assert not compiling.is_worth(model, 10**12)
    on_gpu = SimpleNamespace(device=torch.device("cuda"), parameters=model.parameters)
    weights = sum(one.numel() for one in model.parameters())
    enough = int(compiling.WORTH / weights) + 1
    assert compiling.is_worth(on_gpu, enough) and not compiling.is_worth(on_gpu, enough // 2)
