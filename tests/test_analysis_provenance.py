"""A result tells the code it comes from: a threshold changed in any module of the core shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gaitmon
from gaitmon.analysis_provenance import CORE, PACKAGE, code_digest, produced_by
from gaitmon.model_leg import LegLength, SpatialParams
from gaitmon.pipeline import PipelineParams


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package somewhere else, as in an installation."""
    return shutil.copytree(PACKAGE, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))


def test_the_same_code_is_the_same_anywhere(copy: Path) -> None:
    assert code_digest(*CORE, here=copy) == code_digest(*CORE)


@pytest.mark.parametrize(
    "part",
    ["model.py", "pipeline_strides.py", "imu/alignment.py", "gait/contacts.py",
     "symmetry/definitions/pelvis.py", "symmetry/norms_schwartz2008.json"],
)  # fmt: skip
def test_a_change_in_the_core_shows(copy: Path, part: str) -> None:
    path = copy / part
    content = path.read_text(encoding="utf-8")
    digit = next(c for c in content if c in "123456789")
    path.write_text(content.replace(digit, str(int(digit) - 1), 1), encoding="utf-8")
    assert code_digest(*CORE, here=copy) != code_digest(*CORE)


def test_a_module_by_another_name_shows(copy: Path) -> None:
    (copy / "gait" / "turns.py").rename(copy / "gait" / "turning.py")
    assert code_digest(*CORE, here=copy) != code_digest(*CORE)


def test_what_is_no_core_does_not_show(copy: Path) -> None:
    for path in ("web/pages.py", "cli.py", "simulate/steps.py", "trends/ewma.py"):
        with (copy / path).open("a") as file:
            file.write("X = 1\n")
    assert code_digest(*CORE, here=copy) == code_digest(*CORE)


def test_it_names_version_parameters_and_core() -> None:
    tall = PipelineParams(spatial=SpatialParams(LegLength(1.05)))
    said = produced_by(tall).split()
    assert said == ["gaitmon", gaitmon.__version__, "params", tall.fingerprint(), "core", code_digest(*CORE)]
    assert produced_by(tall) != produced_by()
    assert produced_by(None) == produced_by(PipelineParams())
