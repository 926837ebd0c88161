"""gaitmon session: guided tests: what there is, what was done, what came of it, what changed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from gaitmon.model_leg import SpatialParams
    from gaitmon.sensors.recording import Recording
    from gaitmon.sessions.record import Session
    from gaitmon.sessions.results import SessionResults

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

TEST = "KIND:START-STOP[:side=left|right][:distance=M]"
EXAMPLE = """examples:
  gaitmon session tests
  gaitmon session new walk.gaitrec --wearer w1 --purpose "first visit" --footwear trainers --pain 3 \\
      --test quiet-stance:2-32 --test 10m-walk:40-52:distance=10 --test single-leg-stance:70-100:side=left
  gaitmon session analyse walk.session.json --plot walk.png
  gaitmon session compare march.session.json june.session.json"""


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "session",
        help="guided tests: 10-metre walk, single-leg stance, sit-to-stand ...",
        description=_wrapped(
            "A session is one recording of one wearer in which tests were done under known "
            "conditions. Record everything in one go; say afterwards when each test began and ended, a "
            "second or two off does not matter. Measured values, not a diagnosis."
        ),
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = p.add_subparsers(title="commands", metavar="COMMAND", required=True)
    tests = actions.add_parser("tests", help="the tests there are, how to do each, and what to say before it")
    tests.set_defaults(run=_tests)
    _add_new(actions)
    _add_analyse(actions)
    _add_compare(actions)


def _wrapped(text: str) -> str:
    """As argparse would: the formatter that keeps the examples' lines keeps these, too."""
    return textwrap.fill(text, 100)


def _add_new(actions: Commands) -> None:
    p = actions.add_parser(
        "new",
        help="write down what was done in a recording",
        description=_wrapped(
            "Write NAME.session.json beside the recording: who, why, under which conditions, and "
            "when each test was done. Times are seconds on the recording's clock."
        ),
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("recording", type=Path, help="what was recorded")
    p.add_argument("--wearer", help="the wearer's id (gaitmon wearers)")
    p.add_argument("--purpose", help="why, in a few words")
    p.add_argument("--test", action="append", default=[], metavar=TEST, help="a test, as often as needed")
    p.add_argument("--id", help="of the session (default: the recording's name)")
    p.add_argument("--footwear", help="condition: shoes worn, or barefoot")
    p.add_argument("--walking-aid", help="condition: stick, crutches, none ...")
    p.add_argument("--pain", type=int, metavar="0-10", help="condition: pain now")
    p.add_argument("--surface", help="condition: floor walked on")
    p.add_argument("--other", help="condition: anything else that matters")
    add_leg_options(p)
    p.add_argument("--map", metavar="PLACEMENT=SENSOR,...", help="as for gaitmon analyse")
    p.add_argument("--select", metavar="NAME", help="as for gaitmon analyse")
    p.add_argument("--out", type=Path, help="where to (default: NAME.session.json beside the recording)")
    p.add_argument("--interactive", action="store_true", help="ask for everything, one after the other")
    p.set_defaults(run=_new)


def add_leg_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--leg-length", type=float, metavar="M",
        help="of the wearer, in metres: from the bony point at the side of the hip (greater trochanter) down "
        "to the ground, in the shoes worn. Stride length and speed grow with it",
    )  # fmt: skip
    p.add_argument(
        "--stature", type=float, metavar="M",
        help="height of the wearer, in metres, where the leg was not measured: 0.53 of it is taken as the "
        "leg. With neither, 1.70 m is assumed, and said",
    )  # fmt: skip


def add_calibration_option(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--calibration", type=Path, metavar="FILE.json",
        help="the wearer's own stride length, from a timed walk (gaitmon session analyse --save-calibration)",
    )  # fmt: skip


def leg_of(args: argparse.Namespace, wearer: str | None = None) -> SpatialParams:
    """What --leg-length, --stature and --calibration say.

    wearer: whose the calibration must be.  Raises ConfigError for a length that cannot be, or that is not
    the one of the calibration.
    """
    from gaitmon.model_leg import LegLength, SpatialParams
    from gaitmon.sessions.calibration import read_calibration

    leg = LegLength.of(stature_m=args.stature, leg_length_m=args.leg_length)
    if args.calibration is None:
        return SpatialParams(leg)
    spatial = read_calibration(args.calibration, wearer=wearer)
    return spatial if leg.assumed else SpatialParams(leg, spatial.calibration)


def _add_analyse(actions: Commands) -> None:
    p = actions.add_parser(
        "analyse",
        help="the results of a session's tests",
        description=_wrapped(
            "Find in the recording what was marked, and measure it. A value that cannot be given "
            "says why. With a 10-metre walk the wearer's own stride length is found, too."
        ),
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("session", type=Path, help="NAME.session.json")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    p.add_argument("--plot", type=Path, metavar="FILE.png", help="the angles of each test, marked and found")
    p.add_argument(
        "--save-calibration", type=Path, metavar="FILE.json",
        help="the wearer's own stride length from the 10-metre walks, for gaitmon analyse --calibration",
    )  # fmt: skip
    p.set_defaults(run=_analyse)


def _add_compare(actions: Commands) -> None:
    p = actions.add_parser(
        "compare",
        help="what changed between two sessions of one wearer",
        description=_wrapped(
            "Each value of the later session against the earlier one, with the uncertainty of the "
            "difference and the smallest change that means something (MDC). Conditions that differ come "
            "first."
        ),
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("earlier", type=Path, help="NAME.session.json")
    p.add_argument("later", type=Path, help="NAME.session.json")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    p.set_defaults(run=_compare)


# ---- tests ------------------------------------------------------------------------------------


def _tests(_: argparse.Namespace) -> None:
    from gaitmon.sessions.kinds import GUIDES, NOT_A_DIAGNOSIS

    for kind in GUIDES:
        _guide(kind)
    print(f"Mark with --test {TEST}, times in seconds.\n{NOT_A_DIAGNOSIS}")


def _guide(name: str) -> None:
    from gaitmon.sessions.kinds import GUIDES, Kind

    guide = GUIDES[Kind(name)]
    print(f"{name}  ({guide.name}, about {guide.usual_s:.0f} s)")
    for title, text in (("SAFETY", guide.safety), ("How", guide.how), ("Gives", guide.gives)):
        print(textwrap.fill(f"{title}: {text}", 100, initial_indent="  ", subsequent_indent="    "))
    print()


# ---- new --------------------------------------------------------------------------------------


def _new(args: argparse.Namespace) -> None:
    from gaitmon.sensors.formats import open_recording, parse_placement_map
    from gaitmon.sessions.kinds import GUIDES, Kind
    from gaitmon.sessions.record import SUFFIX, checked, write_session

    placements = parse_placement_map(args.map) if args.map else {}
    recording = open_recording(args.recording, placements or None, select=args.select)
    if args.interactive:
        _ask(args, recording)
    if not args.wearer or not args.purpose:
        raise ConfigError(
            "A session needs a wearer and a purpose.", "Give --wearer and --purpose, or --interactive."
        )
    tests = [_test(text) for text in args.test]
    out = args.out or args.recording.with_name(args.recording.name.removesuffix(".gaitrec") + SUFFIX)
    conditions = {n: getattr(args, n) for n in ("footwear", "walking_aid", "pain", "surface", "other")}
    session = checked(
        {
            "id": args.id or out.name.removesuffix(SUFFIX),
            "wearer": args.wearer,
            "recording": os.path.relpath(args.recording.absolute(), out.absolute().parent),
            "content_id": recording.content_id,
            "start_s": recording.start_s,
            "stop_s": recording.end_s,
            "start_utc_us": recording.start_utc_us,
            "purpose": args.purpose,
            "conditions": conditions,
            "leg_length_m": args.leg_length,
            "stature_m": args.stature,
            "placements": {sensor: str(place) for sensor, place in placements.items()},
            "select": args.select,
            "tests": tests,
        },
        "The session",
    )
    _ = session.leg  # raises for a length that cannot be, before anything is written
    if not args.interactive:
        for kind in dict.fromkeys(t.kind for t in session.tests):
            print(f"{kind}: {GUIDES[Kind(kind)].safety}", file=sys.stderr)
    write_session(session, out)
    print(f"wrote {out}: {len(session.tests)} tests")


def _test(text: str) -> dict[str, object]:
    """KIND:START-STOP:name=value as the fields of a GuidedTest.  Raises ConfigError."""
    from gaitmon.sessions.kinds import Kind

    kind, _, rest = text.partition(":")
    if kind not in {k.value for k in Kind}:
        raise ConfigError(f"--test: there is no test '{kind}'.", f"One of: {', '.join(Kind)}.")
    times, *options = rest.split(":")
    start, _, stop = times.partition("-")
    fields: dict[str, object] = {"kind": kind}
    try:
        fields |= {"start_s": float(start), "stop_s": float(stop)}
        for option in options:
            name, _, value = option.partition("=")
            if name == "side":
                fields["side"] = value
            elif name == "distance":
                fields["distance_m"] = float(value)
            else:
                raise ConfigError(f"--test: '{option}' is not known.", f"Write {TEST}.")
    except ValueError:
        raise ConfigError(f"--test: '{text}' is not clear.", f"Write {TEST}.") from None
    return fields


def _ask(args: argparse.Namespace, recording: Recording) -> None:
    """Fill in what was not given on the command line."""
    from gaitmon.sessions.kinds import GUIDES, Kind

    print(f"{recording.name}: t = {recording.start_s:.1f} to {recording.end_s:.1f} s. Empty: not told.")
    for name in ("wearer", "purpose", "footwear", "walking_aid", "surface", "other"):
        if not getattr(args, name):
            setattr(args, name, _answer(f"{name.replace('_', ' ')}: ") or None)
    if args.pain is None and (pain := _answer("pain now, 0 to 10: ")):
        try:
            args.pain = int(pain)
        except ValueError:
            raise ConfigError(f"Pain '{pain}' is no number.", "Give 0 to 10, or nothing.") from None
    print(f"Tests: {', '.join(Kind)}")
    while kind := _answer("next test (empty: done): "):
        if kind not in {k.value for k in Kind}:
            print("There is no such test.")
            continue
        _guide(kind)
        guide = GUIDES[Kind(kind)]
        text = f"{kind}:{_answer('start, s: ')}-{_answer('stop, s: ')}"
        if guide.sided:
            text += f":side={_answer('leg that stands, left or right: ')}"
        if guide.distance and (metres := _answer(f"distance in metres, {guide.distance}: ")):
            text += f":distance={metres}"
        try:
            _test(text)
        except ConfigError as error:
            print(error)
            continue
        args.test.append(text)


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return ""


# ---- analyse, compare -------------------------------------------------------------------------


def _results(path: Path) -> SessionResults:
    from gaitmon.sessions.record import read_session
    from gaitmon.sessions.results import session_results

    session = read_session(path)
    return session_results(session, _recording(session, path))


def _recording(session: Session, path: Path) -> Recording:
    from gaitmon.model import Placement
    from gaitmon.sensors.formats import open_recording

    try:
        placements = {sensor: Placement(place) for sensor, place in session.placements.items()}
    except ValueError as error:
        raise ConfigError(f"{path}: placements: {error}.", "Make the session anew with --map.") from None
    return open_recording(path.parent / session.recording, placements or None, select=session.select)


def _analyse(args: argparse.Namespace) -> None:
    from gaitmon.report.session import show_results
    from gaitmon.sessions.tell import results_json

    results = _results(args.session)
    if args.plot is not None:
        from gaitmon.report.session_figure import plot_session

        plot_session(results, args.plot)
        print(f"wrote {args.plot}", file=sys.stderr)
    if args.save_calibration is not None:
        _save_calibration(results, args.save_calibration)
    if args.json:
        print(json.dumps(results_json(results), indent=1, allow_nan=False))
    else:
        show_results(results, _console())


def _save_calibration(results: SessionResults, path: Path) -> None:
    from gaitmon.sessions.calibration import write_calibration

    s = results.session
    if results.calibration is None:
        raise ConfigError(
            f"Session {s.id} gives no calibration: {results.why_not}", "Do a 10-metre walk between two lines."
        )
    write_calibration(results.calibration, s.leg, path, wearer=s.wearer, session=s.id)
    print(f"wrote {path}", file=sys.stderr)
    print(f"For live walks: gaitmon sensors assign {s.wearer} --calibration {path}", file=sys.stderr)


def _compare(args: argparse.Namespace) -> None:
    from gaitmon.report.session import show_comparison
    from gaitmon.sessions.compare import compare
    from gaitmon.sessions.tell import comparison_json

    found = compare(_results(args.earlier), _results(args.later))
    if args.json:
        print(json.dumps(comparison_json(found), indent=1, allow_nan=False))
    else:
        show_comparison(found, _console())


def _console() -> Console:
    from rich.console import Console

    # Into a file or a pipe there is no width to fit, unless somebody says one.
    fits = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if fits else 130)
