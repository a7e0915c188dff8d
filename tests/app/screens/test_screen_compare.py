"""The Compare screen in every state, run without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_helpers import button, fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.methods.needs import NEEDS
from ila_core.pipeline.build import build
from parts.texts import plain
from parts.wording import on_page

FAST = ["random", "balanced", "loss-top", "longest", "coverage-only", "even-random", "depth-only",
        "ila", "nested", "paper", "deita"]  # fmt: skip


def compared(**query: str) -> AppTest:
    """Open the Compare screen by a link."""
    return fine(opened(**query).switch_page("screens/compare.py").run())


def table(page: AppTest) -> list[str]:
    """The methods of the table of numbers, in its order."""
    return page.dataframe[0].value["Method"].tolist()


def charts(page: AppTest) -> int:
    return len(page.get("plotly_chart"))


# -- the table ------------------------------------------------------------------------------------


def test_the_fast_methods_are_compared_at_the_budget_of_the_map() -> None:
    page = compared(budget="20%")
    assert table(page) == FAST
    assert page.dataframe[0].value["Records"].tolist() == [12] * 11
    assert "11 ways to keep 12 of 60 records" in texts(page)
    assert charts(page) == 3


def test_the_numbers_are_the_command_lines(run: Path) -> None:
    page = compared(budget="20%")
    wanted = ila.compare(ila.open(run), budget="20%")
    shown = page.dataframe[0].value.set_index("Method")
    for row in wanted.rows:
        assert shown["Coverage"][row.name] == row.numbers["coverage"]
        assert shown["Reach"][row.name] == row.numbers["reach"]
        assert shown["Mean depth"][row.name] == row.numbers["mean_relative_depth"]
        assert shown["Distance"][row.name] == row.numbers["embedding_distance_mean"]
        assert shown["Tokens"][row.name] == row.numbers["tokens"]
    assert f"ila compare {run} --budget 20%" in [code.value for code in page.code]


@pytest.mark.parametrize("method", ["longest", "ila"])
@pytest.mark.parametrize("budget", ["300-tokens", "20%", "17"])
def test_a_number_beside_random_is_the_same_on_the_map(method: str, budget: str) -> None:
    link = {"method": method, "budget": budget, "seed": "3"}
    metrics = {part.label: part for part in fine(opened(**link)).metric}
    page = compared(**link)
    shown = page.dataframe[0].value.set_index("Method")
    for label, title in (("Coverage", "Coverage"), ("Mean relative depth", "Mean depth")):
        gap = shown[title][method] - shown[title]["random"]
        assert metrics[label].delta == f"{100 * gap:+.1f} pts"


def test_depth_is_measured_as_it_is_asked_for_also_of_a_method_that_is_bound_to_another(
    run: Path,
) -> None:
    page = compared(budget="12", methods="ila,paper")
    assert "Depth is the loss reduction" in texts(page)
    for kind in ("auto", "loss"):
        wanted = ila.compare(ila.open(run), budget=12, methods=["ila", "paper"], depth=kind)
        shown = page.dataframe[0].value.set_index("Method")
        for row in wanted.rows:
            assert shown["Mean depth"][row.name] == row.numbers["mean_relative_depth"]
        page.segmented_control(key="knob_depth").set_value("loss").run()
        fine(page)
    assert any("--depth loss" in code.value for code in page.code)


def test_the_budget_is_changed_here_too() -> None:
    page = compared()
    page.number_input(key="knob_amount").set_value(50.0).run()
    assert "keep 30 of 60" in texts(fine(page))
    assert "50%" in page.query_params["budget"]


def test_a_slow_method_is_chosen_and_stands_in_the_link_and_the_command() -> None:
    page = compared(budget="12")
    page.pills(key="knob_slow").set_value(["k-center"]).run()
    assert table(fine(page)) == [*FAST, "k-center"]
    assert "k-center" in str(page.query_params["methods"])
    assert any("--methods" in code.value and "k-center" in code.value for code in page.code)
    page.pills(key="knob_slow").set_value([]).run()
    assert table(fine(page)) == FAST
    assert "methods" not in page.query_params


def test_a_link_names_what_is_compared_in_the_tables_order() -> None:
    page = compared(budget="12", methods="k-means,ila,nonsense")
    assert table(page) == ["random", "ila", "k-means"]


def test_a_method_that_lacks_an_input_is_there_with_its_reason() -> None:
    page = compared(methods="ifd,ila")
    assert table(page) == ["random", "ila"]
    told = texts(page)
    assert "**ifd** needs the loss of the responses without their instruction" in told
    assert plain(on_page(NEEDS["unconditional_loss"].remedy)) in told and "2 ways to keep" in told
    assert "ifd" not in [option for pills in page.pills for option in pills.options]


def test_a_budget_that_cannot_be_offers_a_way_back(tmp_path: Path, run: Path) -> None:
    bare = [{"instruction": f"Think of the number {i}."} for i in range(30)]
    folder = run.parent / "bare"
    build(write_jsonl(tmp_path / "bare.jsonl", bare), out=folder, projection="pca", loss="none")
    page = compared(landscape=str(folder), budget="2000-tokens")
    assert "tokens" in page.error[0].value
    button(page, "Back to 10 per cent").click().run()
    quick = ["random", "balanced", "longest", "coverage-only", "even-random", "ila", "nested"]
    assert table(fine(page)) == quick
    assert "**depth-only** needs depths" in texts(page)
    assert "Fidelity" not in page.dataframe[0].value and "Depth is" not in texts(page)


def test_pins_have_no_part_and_it_says_so(run: Path) -> None:
    page = opened(record="7")
    button(page, "Exclude").click().run()
    page.switch_page("screens/compare.py").run()
    assert "Your own selection (1 excluded) has no part in this comparison" in texts(fine(page))


def test_novelsum_and_stability_come_on_request() -> None:
    page = compared(budget="12", methods="ila,nested")
    assert not {"NovelSum", "Shifted cut"} & set(page.dataframe[0].value)
    page.toggle(key="knob_novelty").set_value(True).run()
    assert (fine(page).dataframe[0].value["NovelSum"] > 0).all()
    page.toggle(key="knob_stability").set_value(True).run()
    shown = fine(page).dataframe[0].value.set_index("Method")
    assert 0 < shown["Shifted cut"]["ila"] <= 1
    assert shown["Shifted cut"].isna()["random"]
    assert any("--novelty --stability" in code.value for code in page.code)


def test_the_reference_grids_are_there_coarse_to_fine() -> None:
    page = compared(budget="12", methods="ila")
    grids = page.dataframe[1].value
    assert list(grids)[1:] == ["32 × 32", "64 × 64", "128 × 128", "256 × 256", "512 × 512"]
    before = grids["32 × 32"].tolist()
    page.segmented_control(key="knob_grid kind").set_value("fidelity").run()
    assert fine(page).dataframe[1].value["32 × 32"].tolist() != before


def test_on_a_large_pool_a_slow_method_waits_for_a_word(tmp_path: Path, run: Path) -> None:
    folder = run.parent / "large"
    pool = write_jsonl(tmp_path / "large.jsonl", small_pool(5_000))
    build(pool, out=folder, projection="pca", loss="none")
    page = compared(landscape=str(folder), budget="20", methods="ila,k-center")
    assert table(page) == ["random", "ila"]
    assert "k-center: up to some minutes each on 5,000 records" in texts(page)
    button(page, "Run it").click().run()
    assert table(fine(page)) == ["random", "ila", "k-center"]
    page.toggle(key="knob_novelty").set_value(True).run()
    assert table(fine(page)) == ["random", "ila", "k-center"]  # it has run: no second word


# -- two of them ----------------------------------------------------------------------------------


def counts(page: AppTest) -> list[int]:
    """Only A, both, only B."""
    line = next(part.value for part in page.markdown if "both" in part.value)
    return [int(part.split("**")[1].replace(",", "")) for part in line.split("·")]


def test_what_only_one_keeps_is_counted_and_listed(run: Path) -> None:
    page = compared(budget="20", pair="ila,longest")
    landscape = ila.open(run)
    one, other = (set(ila.select(landscape, budget=20, method=m).rows.tolist())
                  for m in ("ila", "longest"))  # fmt: skip
    assert counts(page) == [len(one - other), len(one & other), len(other - one)]
    first, second = page.dataframe[2].value, page.dataframe[3].value
    assert len(first) == len(one - other) and len(second) == len(other - one)
    told = {record.instruction for record in landscape.records.take(sorted(one - other))}
    assert set(first["Instruction"]) == told
    assert "Where ila keeps more, and where longest" in texts(page)


def test_ila_stands_against_random_unless_others_are_chosen() -> None:
    page = compared(budget="12")
    assert page.selectbox(key="knob_first").value == "ila"
    assert page.selectbox(key="knob_second").value == "random"
    page.selectbox(key="knob_first").set_value("deita").run()
    assert "Only deita" in texts(fine(page))
    assert "deita,random" in str(page.query_params["pair"])


def test_choosing_the_others_method_swaps_the_two() -> None:
    page = compared(budget="12", pair="ila,random")
    page.selectbox(key="knob_first").set_value("random").run()
    assert page.selectbox(key="knob_second").value == "ila"
    page.button(key="swap").click().run()
    assert fine(page).selectbox(key="knob_first").value == "ila"


def test_what_is_compared_opens_on_the_map() -> None:
    page = compared(budget="12", pair="deita,random", depth_target="0.5")
    button(page, "Open deita on the map").click().run()
    assert "12 are kept" in texts(fine(page))
    assert page.selectbox(key="knob_method").value == "deita"
    assert "depth_target" not in page.query_params


def test_a_pair_that_is_not_compared_falls_back() -> None:
    page = compared(budget="12", methods="ila", pair="deita,nested")
    assert page.selectbox(key="knob_first").value == "ila"


def test_random_alone_says_what_to_do() -> None:
    page = compared(budget="12", methods="random")
    assert table(page) == ["random"]
    assert "Choose another beside random" in texts(page)


def test_the_record_says_what_each_of_the_two_says_to_it() -> None:
    page = compared(budget="12", pair="ila,random")
    told = texts(page)
    assert "**ila** · Kept" in told and "**random** · Left by random" in told


def test_text_of_records_is_never_read_as_markup(tmp_path: Path, run: Path) -> None:
    records = [
        {**record, "instruction": f"<b onclick='x'>*{i}*</b> $x$ :smile:"}
        for i, record in enumerate(small_pool(20))
    ]
    folder = run.parent / "tagged"
    build(write_jsonl(tmp_path / "tagged.jsonl", records), out=folder, projection="pca")
    page = compared(landscape=str(folder), budget="6")
    assert any("<b onclick='x'>" in code.value for code in page.code)
    assert not any("<b" in part.value for part in (*page.markdown, *page.caption))


def test_a_landscape_that_cannot_be_opened_says_so() -> None:
    page = compared(landscape="/etc")
    assert "lies outside the folders this page may open" in page.error[0].value


@pytest.mark.parametrize("kind", ["share", "records"])
def test_the_difference_shows_shares_or_records(kind: str) -> None:
    page = compared(budget="12", methods="ila")
    page.segmented_control(key="knob_difference kind").set_value(kind).run()
    assert charts(fine(page)) == 3
