"""Which labels server may be asked, and which values cannot be meant."""

from __future__ import annotations

import pytest

from ila_core.errors import UsageError
from ila_core.skills.settings import EndpointSettings

KEY = "sk-very-secret-7431"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h:8000", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1/", "http://h:8000/v1/chat/completions"),
        ("https://h/api", "https://h/api/v1/chat/completions"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai/chat/completions"),
        ("https://h/x/chat/completions", "https://h/x/chat/completions"),
    ],
)
def test_the_address_is_found_with_or_without_its_version(url, address):
    assert EndpointSettings(url, "m").address == address


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://h", "http://", "http://h:99999"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="is no address"):
        EndpointSettings(url, "m")


@pytest.mark.parametrize("url", [f"http://me:{KEY}@h/v1", f"http://h/v1?key={KEY}"])
def test_a_key_in_the_address_is_refused_and_not_repeated(url):
    with pytest.raises(UsageError, match="ILA_LABELS_API_KEY") as refused:
        EndpointSettings(url, "m")
    assert KEY not in str(refused.value)
    with pytest.raises(UsageError, match="no address") as refused:
        EndpointSettings(url.replace("http", "gopher"), "m")
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("option", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}])
def test_values_that_cannot_be_meant_are_refused(option):
    (name,) = option
    with pytest.raises(UsageError, match=f"{name} is {option[name]}"):
        EndpointSettings("http://h", "m", **option)


def test_a_model_must_be_named():
    with pytest.raises(UsageError, match="--labels-model"):
        EndpointSettings("http://h", " ")
