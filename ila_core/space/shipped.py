"""The encoders that come with the program, held against what was shipped before they are read."""

from __future__ import annotations

from pathlib import Path

from ila_core.errors import IlaError
from ila_core.hashes import hash_once
from ila_core.paths import ASSETS

SHA256 = {
    "encoder": {
        "config.json": "c52e7e7f69895e90362c3b129f5b4712d1b5fa88da58a819c2131299248137e1",
        "model.safetensors": "3707d81440b837727afd9e3300dc7db840073658e43d0e4878c149073897bd08",
        "tokenizer.json": "43ac7de55959f971500ab3949e777a379cec43c27bad0d8ca33e936c119c744d",
    },
    "multilingual": {
        "model.safetensors": "d8240cc58a3ffc58e919570cf29c2b40d2b8fdfdfe479bb1ecf6efda2d08c703",
        "tokenizer.json": "c4131e47548ae298b38b052978fc30233ddc41403e8d54a406e8bbc7377541ce",
    },
}
"""By folder of the assets and by file; the scripts that make them there print these."""
AGAIN = "install the program again (in a checkout: git checkout assets)"
"""What mends a shipped file."""


def shipped(folder: str, among: Path = ASSETS) -> Path:
    """Return the folder of a shipped encoder; IlaError where a file of it is not as it was shipped.

    Another model would make other vectors under the same name, and a harmful one worse.
    """
    for name, expected in SHA256[folder].items():
        path = among / folder / name
        there = path.is_file()
        if not there or hash_once(path) != expected:
            wrong = "is not the file that came with this version" if there else "is missing"
            raise IlaError(f"{path} {wrong}; {AGAIN}, or name a model of your own with --encoder.")
    return among / folder
