"""The command line: what each command needs is imported when it runs, so that --help is quick."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon import (
    __version__,
    cli_archive,
    cli_collect,
    cli_letters,
    cli_people,
    cli_profile,
    cli_sensors,
    cli_session,
    cli_simulate,
    cli_translate,
    compiled,
)
from gaitmon.errors import GaitmonError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gaitmon.analysis import Analysis
    from gaitmon.pipeline import PipelineParams
    from gaitmon.sensors.recording import Recording

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

NOT_FOR = "Not a medical device. It measures and shows; it does not diagnose and cannot detect emergencies."
LONG_S = 120.0  # recordings above this show a progress bar


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 2 the input or the surroundings are at fault (one line says how)."""
    parser = _parser()
    args = parser.parse_args(argv)
    compiled.listeners[:] = [_translating]
    try:
        return int(args.run(args) or 0)
    except GaitmonError as error:
        print(f"gaitmon: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _translating(_: str, kept: bool) -> None:
    """Said once, at the first loop that is not there; the others are then made beside this process, which
    would not give the memory back."""
    compiled.listeners.clear()
    when = "once after an installation" if kept else "as they can be kept neither beside gaitmon nor at home"
    print(f"translating loops for this machine, {when}: about a minute ...", file=sys.stderr)
    if kept:
        cli_translate.translate()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gaitmon",
        description=f"Gait monitoring from wearable motion sensors on the pelvis and both thighs. {NOT_FOR}",
        epilog="Start with:  gaitmon demo   or   gaitmon analyse RECORDING",
    )
    parser.add_argument("--version", action="version", version=f"gaitmon {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_analyse(commands)
    cli_session.add(commands)
    _add_convert(commands)
    cli_simulate.add(commands)
    _add_demo(commands)
    _add_serve(commands)
    cli_collect.add(commands)
    cli_sensors.add(commands)
    cli_archive.add(commands)
    cli_people.add(commands)
    cli_letters.add(commands)
    cli_profile.add(commands)
    return parser


def _open(args: argparse.Namespace) -> Recording:
    from gaitmon.sensors.formats import open_recording, parse_placement_map

    placements = parse_placement_map(args.map) if args.map else None
    return open_recording(args.recording, placements, select=args.select)


@contextmanager
def _progress(title: str, *, show: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on the terminal's error stream, so that standard output stays clean for --json."""
    if not show:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


# ---- analyse ----------------------------------------------------------------------------------


def _add_analyse(commands: Commands) -> None:
    p = commands.add_parser(
        "analyse",
        help="strides, symmetry and pelvic motion of one recording",
        description="Run the whole pipeline over one recording, without any server. " + NOT_FOR,
        epilog="Formats: docs/recording-format.md.  Keys of --json: docs/analysis-json.md.  "
        "Columns of --csv and --parquet: docs/exports.md.",
    )
    p.add_argument("recording", type=Path, help="a .gaitrec, a CSV folder, Xsens text, .mat, ...")
    cli_collect.add_recording_options(p)
    p.add_argument("--all", action="store_true", help="every metric, not only the usual ones")
    p.add_argument("--indices", action="store_true", help="the other indices of asymmetry, too")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    p.add_argument("--plot", type=Path, metavar="FILE", help="one page for the chart, as .png, .pdf or .svg")
    p.add_argument(
        "--plot-signals", type=Path, metavar="FILE", help="one minute of signals with the contacts"
    )
    p.add_argument(
        "--csv", type=Path, metavar="FOLDER", help="strides, bouts, metrics, waveforms as CSV files"
    )
    p.add_argument("--parquet", type=Path, metavar="FOLDER", help="the same as Parquet files")
    p.add_argument("--plot-from", type=float, metavar="S", help="where that minute begins (default: busiest)")
    cli_session.add_leg_options(p)
    cli_session.add_calibration_option(p)
    p.set_defaults(run=_analyse)


def _analyse(args: argparse.Namespace) -> None:
    from gaitmon.analysis import analyse, to_json

    params = _params(args)
    recording = _open(args)
    long = recording.end_s - recording.start_s > LONG_S
    with _progress(f"analysing {recording.name}", show=long and sys.stderr.isatty()) as progress:
        analysis = analyse(recording, params=params, progress=progress)
    _plot(args, analysis)
    _export(args, analysis)
    if args.json:
        json.dump(_finite(to_json(analysis)), sys.stdout, indent=1, allow_nan=False)
        print()
        return
    from rich.console import Console

    from gaitmon.report.terminal import show

    # Into a file or a pipe there is no width to fit, unless somebody says one.
    fits = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fits else 110)
    show(analysis, console, every=args.all, indices=args.indices)


def _plot(args: argparse.Namespace, analysis: Analysis) -> None:
    if args.plot is not None:
        from gaitmon.report.figure import plot_page

        plot_page(analysis, args.plot)
        print(f"wrote {args.plot}", file=sys.stderr)
    if args.plot_signals is not None:
        from gaitmon.report.signals import plot_contacts

        plot_contacts(analysis, args.plot_signals, start_s=args.plot_from)
        print(f"wrote {args.plot_signals}", file=sys.stderr)


def _params(args: argparse.Namespace) -> PipelineParams:
    """Raises ConfigError for a length that cannot be, or that is not the one of the calibration."""
    from gaitmon.pipeline import PipelineParams

    return PipelineParams(spatial=cli_session.leg_of(args))


def _export(args: argparse.Namespace, analysis: Analysis) -> None:
    from gaitmon.report.export import write_csv, write_parquet

    for folder, write in ((args.csv, write_csv), (args.parquet, write_parquet)):
        if folder is not None:
            names = ", ".join(path.name for path in write(analysis, folder))
            print(f"wrote {folder}: {names}", file=sys.stderr)


def _finite(value: object) -> object:
    """NaN has no place in JSON: a value that is not a number is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return value


# ---- convert ----------------------------------------------------------------------------------


def _add_convert(commands: Commands) -> None:
    p = commands.add_parser(
        "convert",
        help="a recording into gaitmon's own format or a CSV folder",
        description="Read a recording in any known format and write it as NAME.gaitrec (lossless, one file) "
        "or, for a name without ending, as a folder of plain CSV files.",
    )
    p.add_argument("recording", type=Path, help="the recording to read")
    p.add_argument("out", type=Path, help="NAME.gaitrec, or a folder to make")
    cli_collect.add_recording_options(p)
    p.set_defaults(run=_convert)


def _convert(args: argparse.Namespace) -> None:
    from gaitmon.sensors.formats import write_recording
    from gaitmon.sensors.recording import describe

    recording = _open(args)
    write_recording(recording, args.out)
    print(describe(recording))
    print(f"wrote {args.out}")


# ---- demo -------------------------------------------------------------------------------------


def _add_demo(commands: Commands) -> None:
    p = commands.add_parser(
        "demo",
        help="everything at once on this machine: sensors, pipeline, MQTT, store, alert, page",
        description="Start an embedded broker, the server and its pages, and play a walk as if live. "
        "Nothing is kept unless --home says where. " + NOT_FOR,
    )
    p.add_argument("--recording", type=Path, metavar="PATH", help="play this instead of a simulated walker")
    cli_collect.add_recording_options(p)
    p.add_argument("--speed", type=float, default=1.0, help="times real time, for the live walk (default 1)")
    p.add_argument("--home", type=Path, help="keep everything here (default: a folder that is deleted)")
    p.add_argument("--port", type=int, default=0, help="the page's port on 127.0.0.1 (default: a free one)")
    p.add_argument("--no-history", action="store_true", help="without the simulated weeks of two wearers")
    p.add_argument("--until-done", action="store_true", help="end by itself when everything is stored")
    p.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> int:
    from gaitmon.config import Settings
    from gaitmon.demo import DemoPlan, demo
    from gaitmon.errors import ConfigError
    from gaitmon.sensors.formats import parse_placement_map

    if not args.speed > 0:
        raise ConfigError(f"--speed {args.speed} is not positive.", "1 is real time, 20 twenty times that.")
    settings = Settings(web_port=args.port)
    plan = DemoPlan(
        recording=args.recording,
        placement_map=parse_placement_map(args.map) if args.map else None,
        select=args.select,
        speed=args.speed,
        history=not args.no_history,
        until_done=args.until_done,
    )
    return demo(settings.at(args.home), plan, keep_home=args.home is not None)


# ---- serve ---------------------------------------------------------------


def _add_serve(commands: Commands) -> None:
    p = commands.add_parser(
        "serve",
        help="ingest, store, days, alerts and pages",
        description="The server's half. Settings come from the environment (docs/deployment.md); without "
        "GAITMON_MQTT_HOST an embedded broker runs on loopback, for collectors on this machine.",
    )
    p.add_argument("--home", type=Path, help="where everything is kept (default: GAITMON_HOME)")
    p.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> None:
    from gaitmon.config import Settings
    from gaitmon.server import serve

    settings = Settings.from_environment().at(args.home)
    serve(settings, lambda address: print(f"pages: {address}/login", flush=True))


if __name__ == "__main__":
    sys.exit(main())
