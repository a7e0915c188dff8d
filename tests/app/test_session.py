"""The page's memory of one visitor, in a script as Streamlit runs it."""

from __future__ import annotations

from typing import Any

from app_helpers import surroundings  # noqa: F401
from streamlit.testing.v1 import AppTest


def ran(script: Any) -> AppTest:
    page = AppTest.from_function(script).run()
    assert not page.exception, page.exception[0].message
    return page


def test_a_change_reaches_the_fields_of_the_view_and_of_its_spec() -> None:
    def script() -> None:
        import session

        session.change(budget="5%", layer="depth")
        assert session.view().spec.budget == "5%" and session.view().layer == "depth"
        session.write_url()

    query = ran(script).query_params
    assert query["budget"] == "5%" and query["layer"] == "depth" and "seed" not in query


def test_knobs_that_a_method_does_not_read_are_not_asked_for() -> None:
    def script() -> None:
        import session

        session.change(method="longest", resolution=64, depth_target=0.5, budget="7")
        assert session.spec().resolution == "auto" and session.spec().depth_target == 0.75
        session.change(method="ila")
        assert session.spec().resolution == 64 and session.spec().depth_target == 0.5

    ran(script)


def test_patches_of_another_kind_start_at_their_automatic_resolution() -> None:
    def script() -> None:
        import session

        session.change(resolution=9000)
        session.change(patches="grid")
        assert session.view().spec.resolution == "auto"
        session.change(resolution=64)
        session.change(patches="grid", depth="loss")
        assert session.view().spec.resolution == 64
        session.change(patches="even", resolution=500)
        assert session.view().spec.resolution == 500

    ran(script)


def test_chance_is_measured_with_the_kind_of_depth_of_the_selection() -> None:
    def script() -> None:
        import session

        session.change(depth="loss", seed=3)
        assert session.chance().depth == "loss" and session.chance().seed == 3
        session.change(depth="auto", method="paper")
        assert session.spec().depth == session.chance().depth == "loss"

    ran(script)


def test_a_second_word_on_a_record_replaces_the_first() -> None:
    def script() -> None:
        import session

        session.lock("pin", 3)
        session.lock("exclude", 5)
        session.lock("exclude", 3)
        assert session.spec().pinned == () and session.spec().excluded == (3, 5)
        assert session.chance().excluded == (3, 5)
        session.unlock(3)
        assert session.locked("exclude") == (5,)
        session.unlock()
        assert session.locks() == ()

    ran(script)


def test_another_landscape_drops_what_belonged_to_the_old_one() -> None:
    def script() -> None:
        import session
        from ila_core.landscape.region import Box

        session.change(region=Box(0, 0, 1, 1), box=Box(0, 0, 2, 2), record=7, layer="depth")
        session.lock("pin", 3)
        session.change(budget="5%")
        assert session.view().region == Box(0, 0, 1, 1) and session.view().record == 3
        session.change(landscape="another")
        view = session.view()
        assert (view.region, view.box, view.record) == (None, None, None)
        assert session.locks() == () and view.layer == "depth"

    ran(script)


def test_what_is_taken_is_told_once() -> None:
    def script() -> None:
        import session

        session.remember("stale", True)
        assert session.taken("stale") is True and session.taken("stale") is None

    ran(script)


def test_a_note_has_a_name_that_is_known() -> None:
    def script() -> None:
        import session

        session.remember("path", "here", of="a")
        assert session.recall("path", of="a") == "here" and session.recall("path") is None
        try:
            session.recall("pathh")
        except KeyError:
            return
        raise AssertionError("a wrong name was taken")

    ran(script)


def _little_page() -> None:
    import streamlit as st

    import session

    session.arrive("Map")
    st.button("More", on_click=session.change, kwargs={"budget": "50%"})
    st.button("Other", on_click=session.change, kwargs={"landscape": "elsewhere"})
    st.button("Idle")
    st.text(session.view().spec.budget)
    st.text(session.view().landscape)
    session.write_url()


def shown(page: AppTest) -> list[str]:
    assert not page.exception, page.exception[0].message
    return [part.value for part in page.text]


def test_back_takes_the_view_of_the_address() -> None:
    """The browser's Back only changes the address: the page went on as if nothing had been."""
    page = AppTest.from_function(_little_page).run()
    start, given = dict(page.query_params), shown(page)
    page.button[0].click().run()
    assert shown(page)[0] == "50%"
    page.button[1].click().run()
    assert shown(page) == ["50%", "elsewhere"]
    page.query_params.clear()
    page.query_params.update(start)
    page.run()
    assert shown(page) == given


def test_a_press_that_overtakes_the_address_is_not_undone() -> None:
    page = AppTest.from_function(_little_page).run()
    before = dict(page.query_params)
    page.button[1].click().run()
    page.query_params.clear()
    page.query_params.update(before)  # as the browser still has it
    page.button[0].click().run()
    assert shown(page) == ["50%", "elsewhere"]


def test_the_way_to_another_screen_keeps_the_view() -> None:
    def script() -> None:
        import streamlit as st

        import session

        st.session_state.setdefault("titles", []).append("Map")
        session.arrive("Map" if len(st.session_state["titles"]) < 3 else "Data")
        if len(st.session_state["titles"]) == 1:
            session.change(budget="7")
        st.text(session.view().spec.budget)
        session.write_url()

    page = AppTest.from_function(script).run()
    page.run()
    page.query_params.clear()  # as a press on a screen's name does
    page.run()
    assert shown(page) == ["7"] and page.query_params["budget"]
