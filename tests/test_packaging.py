"""What is committed, what is locked, and what an installation holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import gaitmon
from tests.committed import committed, text_of
from tests.needs import ROOT
from tests.test_house import imported, trees

DOCS = ROOT / "docs"


# ---- dependencies -----------------------------------------------------------------------------


@cache
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names_of(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {re.split(r"[<>=!~\[; ]", r)[0].lower() for r in requirements}


def declared() -> tuple[set[str], set[str]]:
    """Names that pyproject.toml needs to run, and names of its extras."""
    table = project()["project"]
    assert isinstance(table, dict)
    extras = table["optional-dependencies"]
    return names_of(table["dependencies"]), set().union(*(names_of(group) for group in extras.values()))


def extra(name: str) -> set[str]:
    table = project()["project"]
    assert isinstance(table, dict)
    return names_of(table["optional-dependencies"][name])


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split()[0].split("==") for line in lines if re.match("[a-z]", line))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_is_names_versions_and_hashes(name: str) -> None:
    requirement = re.compile(r"[a-z0-9.-]+==[0-9][\w.!+]*( ; [^\\]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    lines = (ROOT / name).read_text().splitlines()
    for line in lines:
        assert re.fullmatch(r"\s*(#.*)?", line) or requirement.fullmatch(line) or digest.fullmatch(line), line
        assert "://" not in line
        assert not re.search(r"(^|\s)/", line), line
    for first, second in pairwise(lines):
        assert not requirement.fullmatch(first) or digest.fullmatch(second), f"{first} has no hash"


def test_the_locks_hold_what_is_declared_and_agree() -> None:
    """requirements.lock is what ``make demo`` installs: what runs, and the extra demo."""
    run, extras = declared()
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {*run, *extra("demo"), "setuptools"} <= set(runtime)
    assert extras <= set(dev)
    assert runtime.items() <= dev.items(), "make lock"
    others = extras - extra("demo") - run
    assert not others & set(runtime), "only tests need it: keep it out of an installation"


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    run, extras = declared()
    distribution = {"paho": "paho-mqtt", "influxdb_client": "influxdb-client"}
    shown_through = {"starlette": "fastapi", "urllib3": "influxdb-client", "pydantic_core": "pydantic"}
    used = {name.split(".")[0] for tree in trees().values() for name in imported(tree)}
    used -= {"gaitmon", "_typeshed", *sys.stdlib_module_names}
    used = {shown_through.get(n, distribution.get(n, n)) for n in used}
    assert used - run <= {"pyarrow"} | extra("demo") <= extras, "imported, but not declared"
    # Without an import of ours: fastapi reads forms with the one, zoneinfo reads time zones from the other.
    assert run - used == {"python-multipart", "tzdata"}, "declared, but not used"


def test_every_dependency_has_its_line_of_reason() -> None:
    rows = re.findall(r"^\| ([\w-]+) \|", (DOCS / "adr/0002-libraries.md").read_text(), re.M)
    run, extras = declared()
    assert {r.lower() for r in rows} - {"package"} == run | extras


# ---- what is committed ------------------------------------------------------------------------


def test_no_path_of_a_machine_and_no_package_registry_is_committed() -> None:
    registries = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com"]
    homes = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/[\w.-]+")
    wrong = []
    for path in committed():
        text = text_of(path)
        wrong += [f"{path}: {host}" for host in registries if host in text]
        if path != Path("tests/test_house.py"):
            wrong += [f"{path}: {found}" for found in homes.findall(text)]
        if str(ROOT) + "/" in text:
            wrong.append(f"{path}: {ROOT}")
    assert not wrong


def test_nothing_private_or_large_is_committed() -> None:
    for path in committed():
        assert path.suffix not in (".sqlite", ".pem", ".key", ".crt"), path
        assert path.suffix not in (".gaitrec", ".mat", ".npz", ".parquet"), path
        assert path.name != ".env", path
        assert ".secrets" not in path.parts, path
        limit = 200_000 if path.suffix in (".png", ".svg", ".json") else 300_000
        assert (ROOT / path).stat().st_size < limit, path


# ---- what an installation holds ---------------------------------------------------------------

_LOOK_INSIDE = """
import sys
from importlib.metadata import files
from pathlib import Path
import gaitmon
from gaitmon.sensors.profile import load_profiles
from gaitmon.simulate import Walk, simulate
from gaitmon.store.registry import Registry
from gaitmon.web.templating import _ENVIRONMENT as templates

assert Path(gaitmon.__file__).is_relative_to(sys.argv[1]), gaitmon.__file__
assert simulate((Walk(seconds=5.0),), seed=1).truth.strides
Registry(f"sqlite:///{sys.argv[1]}/registry.sqlite").close()
assert templates.get_template("cohort.html")
held = {str(path).split("share/")[-1]: path for path in files("gaitmon")}
assert {"gaitmon/py.typed", "gaitmon/web/static/vendor/echarts/echarts.common.min.js"} <= set(held)
folder = Path(held["gaitmon/firmware_profiles/movella_dot.toml"].locate()).parent
print(*load_profiles(folder))
"""


def test_an_installed_wheel_is_complete(tmp_path: Path) -> None:
    """Built from what is committed, installed without the network, run outside the checkout."""
    source, prefix = tmp_path / "source", tmp_path / "prefix"
    for path in committed(vendored=True):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, source / path)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "install", *quiet, "--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, "--no-compile", "--prefix", prefix, source], check=True)
    site = next(prefix.glob("lib/python*/site-packages"))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", _LOOK_INSIDE, str(prefix)]
    inside = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert inside.returncode == 0, inside.stderr
    assert {"movella-dot", "gaitmon-open", "polar-h10"} <= set(inside.stdout.split())
    said = subprocess.check_output([prefix / "bin/gaitmon", "--version"], env=environment, text=True)
    assert said.split() == ["gaitmon", gaitmon.__version__]
