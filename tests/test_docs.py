"""The documents say what the code does: commands, settings, metrics, keys, links, version."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import gaitmon
from gaitmon.analysis import analyse, to_json
from gaitmon.cli import _parser
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, Turn, Walk, WalkerParams, simulate
from tests import metric_table
from tests.committed import committed, text_of
from tests.needs import ROOT

DOCS = ROOT / "docs"


def commands() -> dict[str, argparse.ArgumentParser]:
    """Name, with its subcommand where it has them -> parser."""
    return dict(_below(_parser()))


def _below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                found = [(f"{name} {below}", p) for below, p in _below(inner)]
                yield from found or [(name, inner)]


def sections(page: Path) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading."""
    parts = re.split(r"^#{1,6} (.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_and_option_is_documented_and_no_other() -> None:
    text = sections(DOCS / "commands-and-settings.md")
    headings = {h for h in text if h.startswith("`gaitmon ")}
    assert headings == {f"`gaitmon {name}`" for name in commands()}
    for name, parser in commands().items():
        said = set(re.findall(r"`(--[\w-]+)`", text[f"`gaitmon {name}`"]))
        real = {o for a in parser._actions for o in a.option_strings if o.startswith("--")} - {"--help"}
        assert said == real, name


def test_every_setting_is_documented_and_no_other() -> None:
    """A setting is a name that stands somewhere in what is committed, documents and tests apart."""
    text = (DOCS / "commands-and-settings.md").read_text(encoding="utf-8")
    said = set(re.findall(r"^\| (?:`GAITMON_\w+`(?:, )?)+ \|", text, re.M))
    documented = {name for row in said for name in re.findall(r"GAITMON_\w+", row)}
    real = set()
    for path in committed():
        if path.suffix != ".md" and (
            path.parts[0] != "tests" or path.name in ("needs.py", "test_compose.py")
        ):
            real |= set(re.findall(r"GAITMON_[A-Z]+(?:_[A-Z]+)*", text_of(path)))
    assert documented == real


@pytest.mark.parametrize("name", ["", *commands()])
def test_help_of_every_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args([*name.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: gaitmon {name}".strip() in capsys.readouterr().out


def test_help_names_only_commands_that_exist() -> None:
    texts = [_parser().format_help(), *(p.format_help() for p in commands().values())]
    named = {n for text in texts for n in re.findall(r"\bgaitmon ([a-z][a-z-]+)", re.sub(r"\s+", " ", text))}
    assert named <= {name.split()[0] for name in commands()}


def test_documents_name_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in pages():
        code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", page.read_text(encoding="utf-8"), re.S)
        lines = "\n".join(a or b for a, b in code)
        named = {n for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)", lines) for n in line.split()}
        assert named <= targets, page.name


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in pages():
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists():
                broken.append(f"{page.name}: {link}")
            elif anchor and anchor not in {slug(h) for h in sections(target)}:
                broken.append(f"{page.name}: {link} (no such heading)")
    assert not broken


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_first_screen_says_what_it_is_not_and_the_two_commands() -> None:
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25])
    for phrase in (
        *("pelvis and both thighs", "physiotherapist", "Operators", "Not a medical device", "No diagnosis"),
        *("No detection of emergencies or falls", "under 18", "walking with aids", "make demo", "make test"),
    ):
        assert phrase in screen, phrase


def test_the_table_of_metrics_is_the_code_s() -> None:
    found = metric_table.BETWEEN.search(metric_table.PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == metric_table.table(), "run: python -m tests.metric_table"


def test_one_version_and_the_changelog_has_it() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert table["version"] == gaitmon.__version__
    changes = sections(ROOT / "CHANGELOG.md")
    newest = next(h for h in changes if h[0].isdigit())
    assert newest.split()[0] == gaitmon.__version__
    assert "Scientific changes" in changes


# ---- the JSON of analyse ----------------------------------------------------------------------

_TYPES = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "list": (list,),
    "list of string": (list,),
    "list of number": (list,),
}


def documented_keys() -> dict[str, str]:
    """Dotted key -> the type the page gives it.  A section's heading names its objects."""
    keys = {}
    for heading, text in sections(DOCS / "analysis-json.md").items():
        for path in ("",) if heading == "The whole" else re.findall(r"`([\w.<>\[\]]+)`", heading):
            for key, said in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.M):
                keys[f"{path}.{key}".lstrip(".")] = said
    return keys


@pytest.fixture(scope="module")
def walk() -> Recording:
    """There and back, with everything a JSON can hold: two bouts, a turn, a gap's worth of nothing."""
    steps = (Stand(4.0), Walk(seconds=12.0), Turn(180.0, 2.2), Walk(seconds=12.0), Stand(6.0))
    return recording_of(simulate(steps, WalkerParams(speed_m_s=1.2), seed=3), "there and back")


def items(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """(dotted key, value) of everything in a JSON; a metric's name is <metric>, a placement <placement>."""
    if isinstance(value, dict):
        for name, inner in value.items():
            known = {"metrics": "<metric>", "recording.sensors": "<placement>"}
            shown = known.get(key if key in known else key.rpartition(".")[2], name)
            path = f"{key}.{shown}".lstrip(".")
            if shown == name:
                yield path, inner
            yield from items(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from items(inner, f"{key}[]")


def test_every_key_of_the_json_is_documented_with_its_type(walk: Recording) -> None:
    said = documented_keys()
    whole = to_json(analyse(walk))
    pelvis_only = to_json(analyse(only(walk, "pelvis")))  # says that thighs are missing
    seen = set()
    for key, value in [*items(json.loads(json.dumps(whole))), *items(json.loads(json.dumps(pelvis_only)))]:
        assert key in said, f"{key} is not documented"
        allowed = [t for word in said[key].split(" or ") for t in _TYPES[word]]
        assert type(value) in allowed, f"{key} is {value!r}"
        if said[key] == "list of string":
            assert isinstance(value, list)
            assert all(isinstance(v, str) for v in value)
        if said[key] == "list of number":
            assert isinstance(value, list)
            assert len(value) == 101
            assert all(isinstance(v, float) for v in value)
        seen.add(key)
    assert set(said) == seen, "documented, but not there"


def only(recording: Recording, *placements: str) -> Recording:
    streams = [s for p, s in recording.streams.items() if p in placements]
    return Recording.of(recording.name, recording.source_format, streams, simulated=recording.simulated)


_BESIDE = (".value", ".standard_error", ".low_95", ".high_95", ".symmetry_ratio")


def test_numbers_of_the_json_carry_their_unit() -> None:
    for key, said in documented_keys().items():
        if "number" in said and not key.endswith(_BESIDE):
            assert key.endswith(("_s", "_m", "_hz", "_deg", "_rad", "_pct")), key
