"""Who comes in at the door of the page, over HTTP and the websocket, and who does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

import door
from door import Door, hosts_of

KEY = "a key of many letters"
HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "WRONG_SECONDS", 0.0)


async def said(request: Request) -> PlainTextResponse:
    """What stands behind the door: whatever is asked for is told back."""
    return PlainTextResponse(f"{request.method} {request.url.path}?{request.url.query}")


async def talked(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("in")
    await socket.close()


def page(key: str = KEY, *, names: tuple[str, ...] = (), address: str = "127.0.0.1") -> TestClient:
    routes = [WebSocketRoute("/_stcore/stream", talked),
              Route("/{path:path}", said, methods=["GET", "POST", "PUT"])]  # fmt: skip
    middleware = [
        Middleware(Door, hosts=hosts_of(address, names), key=key, tells_visitors=bool(key))
    ]
    app = Starlette(routes=routes, middleware=middleware)
    return TestClient(app, "http://127.0.0.1:8501", follow_redirects=False)


def comes_in(client: TestClient, **headers: str) -> bool:
    """Whether the websocket opens."""
    try:
        with client.websocket_connect("ws://127.0.0.1:8501/_stcore/stream", headers=headers) as one:
            return one.receive_text() == "in"
    except WebSocketDisconnect:
        return False


@pytest.fixture
def known() -> Iterator[TestClient]:
    """A browser that has followed the link."""
    client = page()
    client.get("/", params={"key": KEY})
    yield client


@pytest.mark.parametrize(
    "path", ["/", "/map_view", "/_stcore/upload_file/a/b", "/media/abc.jsonl", "/static/index.js",
             "/_stcore/host-config", "/component/x", "//_stcore/health"]
)  # fmt: skip
def test_nothing_answers_without_the_key(path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "POST", "OPTIONS"):
        answer = page().request(method, path, headers=HTML)
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert "opens with the key" in answer.text
    assert not comes_in(page())


def test_health_alone_is_told_to_everybody() -> None:
    assert page().get("/_stcore/health").status_code == 200
    assert page().get("/_stcore/health", headers={"host": "evil.example"}).status_code == 403


def test_the_link_lets_in_and_the_key_leaves_the_address() -> None:
    client = page()
    answer = client.get("/map_view", params={"a": "1 &", "key": KEY, "b": ""})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/map_view?a=1+%26&b="
    (cookie,) = answer.headers.get_list("set-cookie")
    assert KEY not in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert client.get("/map_view?a=1").text == "GET /map_view?a=1"
    assert comes_in(client)
    assert not comes_in(page(), cookie=cookie.split(";")[0] + "0")
    assert comes_in(page(), cookie=cookie.split(";")[0])
    assert not comes_in(page("another key of letters"), cookie=cookie.split(";")[0])


def test_the_form_lets_in_and_goes_where_one_wanted_to() -> None:
    client = page()
    wrong = client.post("/map_view?record=3", data={"key": "guess"})
    assert wrong.status_code == 401 and "That is not the key" in wrong.text
    assert client.get("/").status_code == 401
    answer = client.post("/map_view?record=3", data={"key": f"{KEY} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/map_view?record=3")
    assert client.get("/").status_code == 200
    assert page().post("/", content=b"key=" + b"x" * 100_000).status_code == 401
    assert page().get("/", params={"key": "ключ"}).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "/%5cevil.example"])
def test_the_way_on_leads_to_no_other_host(path: str) -> None:
    answer = page().get(f"http://127.0.0.1:8501{path}?key={KEY.replace(' ', '+')}")
    assert answer.status_code == 303
    assert answer.headers["location"][:2] not in ("//", "/\\")


@pytest.mark.parametrize(
    ("host", "there"),
    [("127.0.0.1:8501", True), ("localhost", True), ("LOCALHOST.:80", True), ("[::1]:8501", True),
     ("evil.example", False), ("evil.example:8501", False), ("127.0.0.1.evil.example", False),
     ("localhost.evil.example", False), ("10.0.0.7", False), ("", False), ("[", False),
     ("127.0.0.1@evil.example", False), ("evil.example#127.0.0.1", False)],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused_with_or_without_a_key(host: str, there: bool) -> None:
    for client in (page(""), page()):
        client.get("/", params={"key": KEY})
        assert (client.get("/", headers={"host": host}).status_code == 200) is there
        assert comes_in(client, host=host) is there


def test_names_that_are_given_and_every_address_where_it_listens_everywhere() -> None:
    client = page("", names=("Ila.Example",), address="0.0.0.0")
    for host in ("ila.example", "10.0.0.7:8501", "[fe80::1]"):
        assert client.get("/", headers={"host": host}).status_code == 200
    refused = client.get("/", headers={"host": "evil.example"})
    assert refused.status_code == 403 and "ila app --host NAME" in refused.text
    assert page("", address="10.0.0.7").get("/", headers={"host": "10.0.0.7"}).status_code == 200


def test_pages_of_other_sites_change_nothing_and_open_no_websocket(known: TestClient) -> None:
    for origin in ("http://evil.example", "http://127.0.0.1:3000", "null", "http://["):
        assert not comes_in(known, origin=origin)
        put = known.put("/_stcore/upload_file/a/b", headers={"origin": origin})
        assert put.status_code == 403
    assert comes_in(known, origin="http://127.0.0.1:8501")
    named = page("", names=("ila.example",))
    assert comes_in(named, origin="https://ila.example"), "behind a proxy that names itself"


def test_each_browser_gets_a_token_once_and_only_with_the_page(known: TestClient) -> None:
    assert "set-cookie" not in known.get("/static/index.js").headers
    (cookie,) = known.get("/", headers=HTML).headers.get_list("set-cookie")
    token = cookie.partition("=")[2].partition(";")[0]
    assert door.is_token(token) and "HttpOnly" in cookie
    assert "set-cookie" not in known.get("/", headers=HTML).headers
    other = page()
    other.get("/", params={"key": KEY})
    assert token not in other.get("/", headers=HTML).headers["set-cookie"]
    known.cookies.set(door.VISITOR, "../../etc", domain="127.0.0.1", path="/other")
    assert not door.is_token("../../etc") and not door.is_token(token + "\n")
    assert "set-cookie" not in page("").get("/", headers=HTML).headers, "of one's own machine"


def test_a_wrong_key_is_answered_late(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(door.asyncio, "sleep", sleep)
    monkeypatch.setattr(door, "WRONG_SECONDS", 1.0)
    page().get("/", params={"key": "guess"})
    page().post("/", data={"key": "guess"})
    page().get("/", params={"key": KEY})
    assert slept == [1.0, 1.0]


def test_the_login_takes_nothing_from_elsewhere() -> None:
    answer = page().get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "http" not in answer.text.replace("<!doctype html>", "")
    assert Path(door.__file__).name == "door.py"
