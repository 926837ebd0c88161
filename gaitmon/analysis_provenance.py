"""Which code, with which parameters, a result comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gaitmon import __version__
from gaitmon.pipeline import PipelineParams

PACKAGE = Path(__file__).parent
# What makes results of samples: packages, or modules by pattern.
CORE = ("imu", "gait", "symmetry", "pipeline*", "model*")


def produced_by(params: PipelineParams | None = None) -> str:
    """Version, parameters and core behind a result, for its provenance.

    Alike: the same numbers from the same samples.  The core is told by what is written in its files, so a
    comment changes it, too: unlike does not mean that numbers differ.
    """
    return f"{version_and_params(params)} core {code_digest(*CORE)}"


def version_and_params(params: PipelineParams | None = None) -> str:
    return f"gaitmon {__version__} params {(params or PipelineParams()).fingerprint()}"


@cache
def code_digest(*names: str, here: Path = PACKAGE) -> str:
    """8 hex digits of the code and tables of these packages and modules, wherever gaitmon is installed."""
    digest = hashlib.sha256()
    for path in sorted({path for name in names for path in _files(here, name)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(here).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:8]


def _files(here: Path, name: str) -> Iterator[Path]:
    if (folder := here / name).is_dir():
        yield from (path for path in folder.rglob("*") if path.suffix in (".py", ".json"))
    else:
        yield from here.glob(f"{name}.py")
