"""The pipeline over a whole recording, without servers: what ``gaitmon analyse`` shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gaitmon.analysis_doubts import doubts
from gaitmon.analysis_provenance import produced_by
from gaitmon.analysis_volume import Volume, volume
from gaitmon.model import (
    Alignment,
    Angle,
    Contact,
    ImuBlock,
    MetricValue,
    Notice,
    PostureSpan,
    Result,
    Side,
    Stride,
    StrideVerdict,
    WalkingBout,
    Waveform,
)
from gaitmon.pipeline import GaitPipeline, PipelineParams
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries
from gaitmon.symmetry.derived import derived
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.norms import Norm, norm
from gaitmon.symmetry.summary import pool
from gaitmon.symmetry.uncertainty import interval
from gaitmon.symmetry.waveforms import pool as pool_waveforms


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Everything found in one recording, in order of time.

    bout_of: (side, ordinal) of a stride -> its bout's ordinal.  verdicts: likewise -> what its bout
    said of it; strides outside any bout have none.  summary, waveforms: all bouts that are not excluded,
    together.
    """

    recording: Recording
    params: PipelineParams
    produced_by: str
    contacts: tuple[Contact, ...]
    strides: tuple[Stride, ...]
    bouts: tuple[WalkingBout, ...]
    alignments: tuple[Alignment, ...]
    notices: tuple[Notice, ...]
    postures: tuple[PostureSpan, ...]
    verdicts: dict[tuple[Side | None, int], StrideVerdict]
    bout_of: dict[tuple[Side | None, int], int]
    summary: tuple[MetricValue, ...]
    waveforms: tuple[Waveform, ...]

    def metric(self, name: str) -> MetricValue | None:
        return next((m for m in self.summary if m.metric == name), None)

    def waveform(self, angle: Angle, side: Side) -> Waveform | None:
        return next((w for w in self.waveforms if w.angle is angle and w.side is side), None)

    def volume(self) -> tuple[Volume, ...]:
        """Per 24 hours from the first sample."""
        return volume(self.recording, self.postures, self.bouts)

    def norm(self, angle: Angle) -> Norm | None:
        """The published curve at the wearer's own speed; None where that is not known or far from it."""
        speed = self.metric("walking_speed_m_s")
        if speed is None or speed.value is None:
            return None
        return norm(angle, speed.value, self.params.spatial.leg.length_m)


def analyse(
    recording: Recording | Path | str,
    *,
    params: PipelineParams | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Run the pipeline over a recording, or over the file at a path.

    progress: called with the fraction done, 0..1.  Raises RecordingError for a file that cannot be read;
    a sensor that is missing, or walking that is, is a notice in the result.
    """
    if not isinstance(recording, Recording):
        recording = open_recording(recording)
    inspected = inspect(recording)
    placements = [p for p in inspected.recording.streams if not p.is_reference]
    pipeline = GaitPipeline(placements, params)
    results: list[Result] = []
    if inspected.bound is not None:
        pipeline.push(inspected.bound)  # what it says of it, inspection has said
    span = max(recording.end_s - recording.start_s, 1e-9)
    for item in deliveries(inspected.recording):
        results += pipeline.push(item)
        if progress is not None and isinstance(item, ImuBlock):
            progress((float(item.t_s[-1]) - recording.start_s) / span)
    results += pipeline.flush()
    return _collect(recording, [*inspected.notices, *results], params)


def _collect(recording: Recording, results: list[Result], params: PipelineParams | None) -> Analysis:
    bouts = tuple(r for r in results if isinstance(r, WalkingBout))
    strides = tuple(sorted((r for r in results if isinstance(r, Stride)), key=lambda s: (s.end_s, s.start_s)))
    verdicts = {(v.side, v.ordinal): v for b in bouts for v in b.strides}
    counting = [b for b in bouts if not b.stratum.startswith("excluded")]
    summary = pool([b.metrics for b in counting])
    return Analysis(
        recording=recording,
        params=params or PipelineParams(),
        produced_by=produced_by(params),
        contacts=tuple(sorted((r for r in results if isinstance(r, Contact)), key=lambda c: c.t_s)),
        strides=strides,
        bouts=bouts,
        alignments=tuple(r for r in results if isinstance(r, Alignment)),
        notices=(*(r for r in results if isinstance(r, Notice)), *doubts(summary)),
        postures=tuple(r for r in results if isinstance(r, PostureSpan)),
        verdicts=verdicts,
        bout_of={(v.side, v.ordinal): b.ordinal for b in bouts for v in b.strides},
        summary=summary,
        waveforms=pool_waveforms(b.waveforms for b in counting),
    )


def to_json(analysis: Analysis) -> dict[str, object]:
    """One object for programs: SI with the unit in the key, times on the recording's own clock.

    docs/analysis-json.md describes every key.
    """
    return {
        "schema": "gaitmon.analysis/1",
        "produced_by": analysis.produced_by,
        "recording": _recording_json(analysis.recording),
        "stride_length": _stride_length_json(analysis.params),
        "contacts": [{"kind": c.kind, "side": c.side, "t_s": c.t_s} for c in analysis.contacts],
        "strides": [_stride_json(analysis, s) for s in analysis.strides],
        "bouts": [_bout_json(b) for b in analysis.bouts],
        "turns": [
            {"start_s": t.start_s, "end_s": t.end_s, "angle_rad": t.angle_rad, "bout": b.ordinal}
            for b in analysis.bouts
            for t in b.turns
        ],
        "postures": [
            {"posture": p.posture, "start_s": p.start_s, "end_s": p.end_s} for p in analysis.postures
        ],
        "summary": _summary_json(analysis),
        "volume": [_volume_json(v) for v in analysis.volume()],
        "notices": [
            {"kind": n.kind, "text": n.text, "placement": n.placement, "start_s": n.start_s, "end_s": n.end_s}
            for n in analysis.notices
        ],
    }


def _recording_json(r: Recording) -> dict[str, object]:
    return {
        "name": r.name,
        "format": r.source_format,
        "simulated": r.simulated,
        "content_id": r.content_id,
        "start_s": r.start_s,
        "end_s": r.end_s,
        "start_utc_us": r.start_utc_us,
        "sensors": {
            p: {"n_samples": s.n_samples, "rate_hz": s.rate_hz, "gyroscope": s.has_gyroscope}
            for p, s in r.streams.items()
        },
    }


def _stride_length_json(params: PipelineParams) -> dict[str, object]:
    spatial = params.spatial
    return {
        "leg_length_m": spatial.leg.length_m,
        "leg_length_assumed": spatial.leg.assumed,
        "calibrated": spatial.calibration is not None,
    }


def _summary_json(analysis: Analysis) -> dict[str, object]:
    return {
        "n_strides_left": sum(s.side is Side.LEFT for s in analysis.strides),
        "n_strides_right": sum(s.side is Side.RIGHT for s in analysis.strides),
        "n_strides_unknown_side": sum(s.side is None for s in analysis.strides),
        "n_steps": sum(b.n_steps for b in analysis.bouts),
        "n_bouts": len(analysis.bouts),
        "walking_s": sum(b.end_s - b.start_s for b in analysis.bouts),
        "metrics": {m.metric: _metric_json(m) for m in analysis.summary},
        "waveforms": [_waveform_json(w) for w in analysis.waveforms],
        "norms": [
            {"angle": n.angle, "mean_deg": n.mean_deg.tolist(), "sd_deg": n.sd_deg}
            for angle in Angle
            if (n := analysis.norm(angle)) is not None
        ],
    }


def _stride_json(analysis: Analysis, s: Stride) -> dict[str, object]:
    verdict = analysis.verdicts.get((s.side, s.ordinal))
    return {
        "side": s.side,
        "ordinal": s.ordinal,
        "start_s": s.start_s,
        "fc_s": s.fc_s,
        "end_s": s.end_s,
        "opposite_ic_s": s.opposite_ic_s,
        "thigh_rom_deg": s.thigh_rom_deg,
        "thigh_flexion_max_deg": s.thigh_flexion_max_deg,
        "thigh_flexion_min_deg": s.thigh_flexion_min_deg,
        "flags": list(s.flags),
        "bout": analysis.bout_of.get((s.side, s.ordinal)),
        "straight": None if verdict is None else verdict.straight,
        "accepted": None if verdict is None else verdict.accepted,
        "reason": None if verdict is None else verdict.reason,
    }


def _bout_json(b: WalkingBout) -> dict[str, object]:
    return {
        "ordinal": b.ordinal,
        "start_s": b.start_s,
        "end_s": b.end_s,
        "stratum": b.stratum,
        "n_strides": len(b.strides),
        "n_turns": len(b.turns),
        "quality": list(b.quality),
        "metrics": {m.metric: _metric_json(m) for m in b.metrics},
        "waveforms": [_waveform_json(w) for w in b.waveforms],
    }


def _waveform_json(w: Waveform) -> dict[str, object]:
    return {
        "angle": w.angle,
        "side": w.side,
        "n": w.n,
        "mean_deg": w.mean_deg.tolist(),
        "sd_deg": w.sd_deg.tolist(),
    }


def _volume_json(v: Volume) -> dict[str, object]:
    values = {m: {"value": value, "unit": METRICS[m].unit} for m, value in v.values.items()}
    return {"from_s": v.from_s, "to_s": v.to_s, "metrics": values}


def _metric_json(m: MetricValue) -> dict[str, object]:
    low, high = interval(m) or (None, None)
    return {
        "value": m.value,
        "unit": METRICS[m.metric].unit,
        "standard_error": m.standard_error,
        "low_95": low,
        "high_95": high,
        "n_left": m.n_left,
        "n_right": m.n_right,
        "note": m.note,
        "derived": derived(m) or None,
    }
