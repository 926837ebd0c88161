"""Symmetry metrics beside scikit-digital-health's on the same acceleration and contacts: part of bench_peers.

``python -m tests.peer_metrics PYTHON``, with the Python of an environment that has it.  Where definitions
agree the values must; where not, the note says what differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitmon.model import ContactKind, Floats, Side, Stride
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate
from gaitmon.symmetry.acceleration import CONTEXT, Piece
from gaitmon.symmetry.indices import phase_coordination_pct
from gaitmon.symmetry.strides import MeasuredStride, PelvisStride
from gaitmon.symmetry.summary import summarise
from tests.validation.sections import pelvis_only
from tests.validation.sections.pelvis_only import SPANS_S, STROKE_SPAN_S

AGREE = 0.02
MARGIN = 40  # rows around the contacts
LONGEST_S = 60.0
RECORDED = ("qmt", "pp08", "pp02")
OURS = {
    "HarmonicRatioV": "pelvis_v_hr",
    "StepRegularityV": "pelvis_v_step_regularity",
    "StrideRegularityV": "pelvis_v_stride_regularity",
    "GaitSymmetryIndex": "gait_symmetry_index",
    "PhaseCoordinationIndex": "pci_pct",
}
NOTES = """HarmonicRatioV: theirs reads a stride padded with zeros at multiples of the bin nearest its
frequency, bins 0.1 Hz apart, so that the twentieth harmonic is read up to 1 Hz off.  With strides of 1.28 s,
which is 8 bins and 128 samples, the two must agree.
GaitSymmetryIndex: their sums are biased, ours are not.
PhaseCoordinationIndex: theirs takes the steps of both legs, ours those of the leg with the longer swing
(Plotnik 2007); compared here over both."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """body: forward, left, up (n, 3), gravity and mean removed; ic: rows of the contacts, sides alternate."""

    name: str
    body: Floats
    ic: np.ndarray[tuple[int], np.dtype[np.intp]]


def _given(name: str, of: Recording, ic_s: Floats) -> Given:
    track = pelvis_only.recorded_track(of)
    ic = np.round(100.0 * ic_s).astype(np.intp)
    first, last = int(ic[0]), int(ic[-1])
    rotation, _ = pelvis_only.walking_axis(track, first, last)
    body = track.view(first - MARGIN, last + MARGIN)[:, :3] @ rotation.T
    return Given(name, body - body.mean(axis=0), ic - first + MARGIN)


def _even(period_s: float, strides: int = 30) -> Given:
    """A periodic walk, exact to the bins of a padded stride."""
    t = np.arange(round(100 * period_s * (strides + 1)) + 2 * MARGIN) / 100.0 - MARGIN / 100.0
    body = np.zeros((len(t), 3))
    for k, size in ((1, 0.2), (2, 2.0), (3, 0.15), (4, 0.8), (6, 0.4)):
        body += size * np.cos(2 * np.pi * k * t / period_s + k)[:, np.newaxis]
    ic = np.round(100 * period_s * 0.5 * np.arange(2 * strides)).astype(np.intp)
    return Given(f"periodic, stride {period_s} s", body, ic + MARGIN)


def walks() -> list[Given]:
    out = [_even(1.28)]
    for seed, step in ((1, 0.0), (2, 8.0)):
        walker = WalkerParams(step_time_asymmetry_pct=step)
        walk = simulate((Stand(5.0), Walk(seconds=LONGEST_S), Stand(4.0)), walker, seed=seed)
        ic = sorted(c.t_s for c in walk.truth.contacts if c.kind is ContactKind.IC)[4:-4]
        out.append(_given(f"simulated, steps {step:+g} %", recording_of(walk, "walk"), np.array(ic)))
    for name in RECORDED:
        of = pelvis_only.recorded(name)
        start_s = SPANS_S.get(name, STROKE_SPAN_S)[0] + 2.0
        track = pelvis_only.recorded_track(of)
        a, b = round(100 * start_s), round(100 * (start_s + LONGEST_S))
        b = min(b, track.end - 2 * MARGIN)
        rotation, _ = pelvis_only.walking_axis(track, a, b)
        found = pelvis_only.contacts(track, a, b, rotation)
        out.append(_given(name, of, np.array([c.t_s for c in found if c.kind is ContactKind.IC])))
    return out


def ours(given: Given) -> dict[str, float]:
    strides = []
    for j, (a, opposite, b) in enumerate(zip(given.ic, given.ic[1:], given.ic[2:], strict=False)):
        side = Side.LEFT if j % 2 == 0 else Side.RIGHT
        stride = Stride(side, j, a / 100.0, None, b / 100.0, opposite / 100.0)
        piece = Piece(int(a) - CONTEXT, given.body[a - CONTEXT : b + 1 + CONTEXT], np.eye(3))
        strides.append(MeasuredStride(stride, PelvisStride(), pelvis_acc=piece))
    found = {m.metric: m.value for m in summarise(strides)}
    values = {name: found[metric] for name, metric in OURS.items()}
    phases = 360.0 * np.diff(given.ic)[:-1] / (given.ic[2:] - given.ic[:-2])
    values["PhaseCoordinationIndex"] = phase_coordination_pct(phases)[0]
    assert all(v is not None for v in values.values())
    return {name: float(v) for name, v in values.items() if v is not None}


def compare(python: Path) -> None:
    """Print both, and the relative difference."""
    given = walks()
    arrays = {f"acc_{k}": g.body[g.ic[0] : g.ic[-1]] for k, g in enumerate(given)}
    arrays |= {f"ic_{k}": g.ic - g.ic[0] for k, g in enumerate(given)}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "given.npz", Path(folder) / "seen.json"
        np.savez(source, **arrays)  # type: ignore[arg-type]  # numpy's stubs take **arrays for its options
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        worker = Path(__file__).with_name("peer_metrics_worker.py")
        subprocess.run([str(python), str(worker), str(source), str(target)], env=env, cwd=folder, check=True)
        theirs = json.loads(target.read_text())
    print(f"\n{'walk':<28}{'metric':<26}{'gaitmon':>10}{'skdh':>10}{'difference':>12}")
    for g, peer in zip(given, theirs, strict=True):
        for name, value in ours(g).items():
            difference = value / peer[name] - 1.0 if peer[name] else value
            mark = "" if abs(difference) <= AGREE else "   see below"
            print(f"{g.name:<28}{name:<26}{value:>10.4f}{peer[name]:>10.4f}{100 * difference:>10.1f} %{mark}")
    print(NOTES)


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
