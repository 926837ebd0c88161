"""gaitmon simulate: recordings with exact truth beside them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.errors import ConfigError

if TYPE_CHECKING:
    from gaitmon.model import Placement, Side
    from gaitmon.simulate import SensorParams, Simulated, Step, WalkerParams

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_SCRIPT = "stand:8,walk:60,turn:180,walk:60,stand:6"
_STEPS = (
    "stand:S, sit:S, lie:S, walk:S, turn:DEGREES, stairs:S, sit-to-stand:TIMES, single-leg-left:S, "
    "single-leg-right:S (the leg that stands)"
)


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "simulate",
        help="a recording of a simulated walker, with its exact truth beside it",
        description="Write NAME.gaitrec and NAME.truth.json: contacts, strides, turns and what was injected. "
        "The same arguments give the same files. A simulation proves arithmetic, not clinical accuracy.",
        epilog=f"Steps of --script: {_STEPS}; S in seconds.  Example: --script {DEFAULT_SCRIPT}",
    )
    p.add_argument("out", type=Path, help="NAME.gaitrec; with --days a folder")
    p.add_argument("--script", default=DEFAULT_SCRIPT, help=f"what is done, default {DEFAULT_SCRIPT}")
    p.add_argument("--speed", type=float, default=1.25, metavar="M/S", help="walking speed (default 1.25)")
    p.add_argument(
        "--step-asymmetry", type=float, default=0.0, metavar="PCT", help="100 ln(R/L) of step time"
    )
    p.add_argument(
        "--stance-asymmetry", type=float, default=0.0, metavar="PCT", help="likewise of stance time"
    )
    p.add_argument("--rom-ratio", type=float, default=1.0, help="thigh range of motion, right over left")
    p.add_argument(
        "--drop-left", type=float, default=0.0, metavar="DEG", help="extra pelvic drop in left stance"
    )
    p.add_argument(
        "--drop-right", type=float, default=0.0, metavar="DEG", help="extra pelvic drop in right stance"
    )
    p.add_argument("--rate", type=float, default=100.0, metavar="HZ", help="samples per second (default 100)")
    p.add_argument(
        "--skew", type=float, default=0.0, metavar="PPM", help="the right thigh's clock runs fast by this"
    )
    p.add_argument("--days", type=int, default=0, help="several days of short walks instead of one script")
    p.add_argument("--seed", type=int, default=0, help="which person, straps, noise (default 0)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from gaitmon.model import Side
    from gaitmon.simulate import Wearer, history, simulate

    walker, sensors = _walker(args), _sensors(args)
    drops = {Side.LEFT: args.drop_left, Side.RIGHT: args.drop_right}
    if args.days <= 0:
        _write(args.out, simulate(_script(args.script, drops), walker, sensors, args.seed), walker)
        return
    wearer = Wearer(usual=walker, sensors=next(iter(sensors.values())), seed=args.seed)
    for day in history(wearer, args.days):
        for number, walk in enumerate(day.walks, 1):
            _write(args.out / f"day-{day.day + 1:03d}-walk-{number}.gaitrec", walk, day.walker)


def _walker(args: argparse.Namespace) -> WalkerParams:
    from gaitmon.simulate import WalkerParams

    return WalkerParams(
        speed_m_s=args.speed,
        step_time_asymmetry_pct=args.step_asymmetry,
        stance_time_asymmetry_pct=args.stance_asymmetry,
        thigh_rom_ratio=args.rom_ratio,
        pelvic_drop_left_deg=args.drop_left,
        pelvic_drop_right_deg=args.drop_right,
    )


def _sensors(args: argparse.Namespace) -> dict[Placement, SensorParams]:
    from gaitmon.model import Placement
    from gaitmon.simulate import SensorParams

    worn = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
    return {
        p: SensorParams(rate_hz=args.rate, skew_ppm=args.skew if p is Placement.RIGHT_THIGH else 0.0)
        for p in worn
    }


def _script(text: str, drops: dict[Side, float]) -> tuple[Step, ...]:
    """drops: of the pelvis on that leg, degrees.  Raises ConfigError, which names the step."""
    from gaitmon import simulate as sim
    from gaitmon.model import Side

    steps: list[Step] = []
    for part in text.split(","):
        name, _, amount = part.strip().partition(":")
        try:
            value = float(amount)
        except ValueError:
            raise ConfigError(f"--script: '{part.strip()}' has no number.", f"Steps: {_STEPS}.") from None
        match name:
            case "stand":
                steps.append(sim.Stand(value))
            case "sit":
                steps.append(sim.Sit(value))
            case "lie":
                steps.append(sim.Lie(value))
            case "walk":
                steps.append(sim.Walk(seconds=value))
            case "turn":
                steps.append(sim.Turn(value, max(1.0, abs(value) / 80.0)))
            case "stairs":
                steps.append(sim.Stairs(value))
            case "sit-to-stand":
                steps.append(sim.SitToStand(repetitions=int(value)))
            case "single-leg-left" | "single-leg-right":
                side = Side(name.removeprefix("single-leg-"))
                steps.append(sim.SingleLegStance(side, value, drops.get(side, 0.0)))
            case _:
                raise ConfigError(f"--script: '{name}' is not a step.", f"Steps: {_STEPS}.")
    return tuple(steps)


def _write(path: Path, simulated: Simulated, walker: WalkerParams) -> None:
    from gaitmon.sensors.formats import write_recording
    from gaitmon.sensors.synthetic import recording_of

    if path.suffix != ".gaitrec":
        raise ConfigError(
            f"{path}: simulations are written as .gaitrec.", f"Try {path.with_suffix('.gaitrec')}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{path.parent} cannot be made ({error.strerror}).", "Give another place."
        ) from None
    write_recording(recording_of(simulated, path.stem), path)
    truth = path.with_suffix(".truth.json")
    truth.write_text(json.dumps(_truth(simulated, walker), indent=1))
    strides = len(simulated.truth.strides)
    print(f"wrote {path} and {truth.name}: {simulated.truth.duration_s:.0f} s, {strides} strides")


def _truth(simulated: Simulated, walker: WalkerParams) -> dict[str, object]:
    """Everything exact that is not a curve; times on the common clock, SI, unit in the key."""
    t = simulated.truth
    return {
        "schema": "gaitmon.truth/1",
        "simulated": True,
        "duration_s": t.duration_s,
        "injected": asdict(walker),
        "contacts": [{"kind": c.kind, "side": c.side, "t_s": c.t_s} for c in t.contacts],
        "strides": [asdict(s) for s in t.strides],
        "turns": [asdict(x) for x in t.turns],
        "states": [asdict(s) for s in t.states],
    }
