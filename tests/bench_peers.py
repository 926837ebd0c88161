"""gaitmon beside mobgap and skdh on the same recordings in the same run: ``python -m tests.bench_peers``

Pelvis sensor alone, initial contacts at ±0.25 s, walking given: mobgap_lab (INDIP's bouts),
stroke_treadmill, mtw and qmt (own feet by the frozen rule).  The body frame is gaitmon's; left and right are
exchanged where that suits a peer better.  CPU: a simulated hour, half of it walking, from raw samples to
bouts, per hour of one sensor.
With skdh also the symmetry metrics, on the same strides (tests/peer_metrics.py).
The peers are installed once, by name, into environments of their own under .cache/peers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitmon.model import Contact, ContactKind, Floats, Side
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.recording import Recording
from tests import bench_core, peer_metrics
from tests.loaders import MOBGAP_TRIALS, STROKE_SUBJECTS, mobgap, mobgap_bouts
from tests.validation.sections import pelvis_only
from tests.validation.sections.pelvis_only import SPANS_S, STROKE_SPAN_S, TOLERANCE_S, Score, pooled

FOLDER = bench_core.ROOT / ".cache" / "peers"
PACKAGES = {"mobgap": "mobgap", "skdh": "scikit-digital-health"}
INSTALL_S = 300.0
STATURE_M = 1.70


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A walk: its group, the pelvis in body axes (n, 6) from start_s on, the reference, gaitmon's own."""

    group: str
    start_s: float
    body: Floats
    reference: list[Contact]
    strides_s: Sequence[tuple[float, float]] | None
    gaitmon: list[Contact]


def _given(group: str, of: Recording, span_s: tuple[float, float], reference: list[Contact]) -> Given:
    track = pelvis_only.recorded_track(of)
    start, end = round(100 * span_s[0]), round(100 * span_s[1])
    rotation, _ = pelvis_only.walking_axis(track, start, end)
    rows = track.view(start, end)
    forward, left, up = rotation
    axes = np.stack([up, left, forward])
    body = np.nan_to_num(np.column_stack([rows[:, :3] @ axes.T, rows[:, 3:6] @ axes.T]))
    return Given(
        group, start / 100.0, body, reference, None, pelvis_only.contacts(track, start, end, rotation)
    )


def walks() -> list[Given]:
    out = []
    for trial in MOBGAP_TRIALS:
        for bout in mobgap_bouts(trial):
            span = bout.start_s - TOLERANCE_S, bout.end_s + TOLERANCE_S
            landed = [c for c in bout.contacts if c.kind is ContactKind.IC]
            given = _given("mobgap_lab", mobgap(trial), span, landed)
            out.append(Given(given.group, given.start_s, given.body, landed, bout.strides_s, given.gaitmon))
    for name in (*STROKE_SUBJECTS, "qmt", "mtw"):
        span = SPANS_S.get(name, STROKE_SPAN_S)
        of = pelvis_only.recorded(name)
        group = "stroke_treadmill" if name in STROKE_SUBJECTS else name
        out.append(_given(group, of, span, pelvis_only.foot_reference_of(of, *span)))
    return out


def hour() -> Floats:
    """The pelvis of the simulated hour in body axes."""
    recording = open_recording(bench_core.hour_file(0))
    track = pelvis_only.recorded_track(recording)
    rotation, _ = pelvis_only.walking_axis(track, 2000, 3500)
    rows = track.view(track.first, track.end)
    axes = rotation[[2, 1, 0]]
    return np.nan_to_num(np.column_stack([rows[:, :3] @ axes.T, rows[:, 3:6] @ axes.T]))


# ---- peers


def python_of(name: str) -> Path | None:
    """The peer's own Python, installed if need be; None, with the reason printed, where that fails."""
    python = FOLDER / name / "bin" / "python"
    done = FOLDER / name / "installed"
    if done.exists():
        return python
    print(f"installing {PACKAGES[name]} ...", file=sys.stderr, flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq", PACKAGES[name]]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER / name)], check=True)
        subprocess.run(pip, check=True, timeout=INSTALL_S, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        print(f"{name}: not installed within {INSTALL_S:.0f} s on Python {sys.version.split()[0]}")
        return None
    except subprocess.CalledProcessError as e:
        print(f"{name}: cannot be installed on Python {sys.version.split()[0]}: {str(e.stderr)[-300:]}")
        return None
    done.touch()
    return python


@dataclass(frozen=True, slots=True)
class Ran:
    """contacts: per walk (seconds from its start, side)."""

    contacts: list[list[tuple[float, str | None]]]
    cpu_s: float
    import_s: float


def ran(name: str, python: Path, source: Path) -> Ran | None:
    target = FOLDER / f"{name}.json"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    env |= dict.fromkeys((*bench_core.THREADS, "NUMBA_NUM_THREADS"), "1")
    worker = Path(__file__).with_name("peer_worker.py")
    command = [str(python), str(worker), name, str(source), str(target)]
    print(f"running {name} ...", file=sys.stderr, flush=True)
    done = subprocess.run(command, env=env, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}")
        return None
    seen = json.loads(target.read_text())
    return Ran(seen["contacts"], seen["cpu_s"], seen["import_s"])


def contacts_of(given: Given, found: Sequence[tuple[float, str | None]], *, exchanged: bool) -> list[Contact]:
    out = []
    for t, label in found:
        side = Side(label) if label in ("left", "right") else None
        side = side.other if exchanged and side is not None else side
        out.append(Contact(ContactKind.IC, side, given.start_s + t))
    return sorted(out, key=lambda c: c.t_s)


def scored(given: Sequence[Given], found: Sequence[Sequence[Contact]]) -> dict[str, Score]:
    """Per group; only what lies between the reference's first and last contact and TOLERANCE_S counts."""
    by_group: dict[str, list[Score]] = {}
    for g, contacts in zip(given, found, strict=True):
        low, high = g.reference[0].t_s - TOLERANCE_S, g.reference[-1].t_s + TOLERANCE_S
        score = Score()
        score.add([c for c in contacts if low <= c.t_s <= high], g.reference, g.strides_s)
        by_group.setdefault(g.group, []).append(score)
    return {group: pooled(scores) for group, scores in by_group.items()}


# ---- what is printed


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(bench_core.machine())
    given = walks()
    source = FOLDER / "given.npz"
    arrays = {f"walk_{k}": g.body for k, g in enumerate(given)}
    np.savez(source, hour=hour(), stature_m=np.array(STATURE_M), **arrays)  # type: ignore[arg-type]  # numpy's stubs take **arrays for its options
    scores = {"gaitmon": scored(given, [g.gaitmon for g in given])}
    three_s = bench_core.part("cpu", "1.0")[0][0]
    cpu_s, import_s = {"gaitmon": three_s / 3.0}, {"gaitmon": 0.0}
    for name in PACKAGES:
        python = python_of(name)
        peer = ran(name, python, source) if python else None
        if peer is None:
            continue
        ways = [
            scored(given, [contacts_of(g, f, exchanged=e) for g, f in zip(given, peer.contacts, strict=True)])
            for e in (False, True)
        ]
        scores[name] = {group: max((w[group] for w in ways), key=lambda s: s.right) for group in ways[0]}
        cpu_s[name], import_s[name] = peer.cpu_s, peer.import_s
    _print(scores, cpu_s, import_s)
    if "skdh" in scores and (python := python_of("skdh")) is not None:
        peer_metrics.compare(python)
    return 0


def _print(scores: dict[str, dict[str, Score]], cpu_s: dict[str, float], import_s: dict[str, float]) -> None:
    head = ("F1", "bias ms", "SD ms", "stride MAE ms", "sides", "mistakes")
    print(f"\n{'recording':<18}{'method':<10}" + "".join(f"{h:>14}" for h in head))
    for group, own in scores["gaitmon"].items():
        for name, by in scores.items():
            s = by[group]
            mistakes, times = s.fp + s.fn, (s.fp + s.fn) / max(own.fp + own.fn, 1)
            cells = ["-"] * 5
            if s.tp:
                mae = f"{s.stride_mae_ms():.0f}" if s.stride_errors_s else "-"
                sides = f"{s.sides:.2f}" if s.untold < s.tp else "none"
                cells = [f"{s.f1:.3f}", f"{s.bias_ms():+.0f}", f"{s.sd_ms():.0f}", mae, sides]
            cells.append(f"{mistakes}" + ("" if name == "gaitmon" else f" ({times:.1f} x)"))
            print(f"{group:<18}{name:<10}" + "".join(f"{c:>14}" for c in cells))
    print(f"\n{'CPU per hour of one sensor at 100 Hz':<40}{'s':>8}{'ratio':>8}")
    for name, seconds in cpu_s.items():
        what = "gaitmon, a third of three sensors"
        if name != "gaitmon":
            what = f"{name} (import {import_s[name]:.1f} s)"
        print(f"{what:<40}{seconds:>8.2f}{seconds / cpu_s['gaitmon']:>8.1f}")


if __name__ == "__main__":
    sys.exit(main())
