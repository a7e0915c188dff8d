"""The page as `ila app` starts it, over HTTP and without a browser of ours."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from served import serving

from ila_core.paths import APP

KEY = "a key of many letters"


def asked(page: str, host: str = "") -> int:
    """The status of what the page answers."""
    request = urllib.request.Request(page, headers={"Host": host} if host else {})
    try:
        return int(urllib.request.urlopen(request, timeout=20).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_door_stands_before_all_that_streamlit_serves(tmp_path: Path) -> None:
    with serving(tmp_path, APP / "serve.py", ILA_APP_PASSWORD=KEY) as page:
        for path in ("/", "/map_view", "/_stcore/host-config", "/_stcore/metrics", "/media/x"):
            assert asked(page.address + path) == 401
            assert asked(page.address + path, "evil.example") == 403
        assert asked(page.address + "/_stcore/health") == 200


@pytest.mark.skipif(sys.platform == "win32", reason="opens no browser by $BROWSER there")
def test_on_ones_own_machine_there_is_no_key_and_a_browser_opens(tmp_path: Path) -> None:
    browser, told = tmp_path / "browser.py", tmp_path / "told"
    browser.write_text(f"import sys; open({str(told)!r}, 'w').write(sys.argv[1])")
    about = {"BROWSER": f"{sys.executable} {browser} %s"}
    with serving(tmp_path, APP / "serve.py", headless=False, **about) as page:
        assert asked(page.address) == 200 and asked(page.address, "evil.example") == 403
        until = time.monotonic() + 30
        while time.monotonic() < until and not (told.exists() and told.read_text()):
            time.sleep(0.1)
        assert told.read_text() == page.address
