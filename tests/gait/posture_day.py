"""Posture of the daily-life recordings, as the pipeline tells it, second by second."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np

from gaitmon.model import Placement, Posture, PostureSpan
from gaitmon.pipeline import GaitPipeline
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.replay import deliveries
from tests.gait.daily import day
from tests.needs import recording

CLASSES = ("lie or sit", "stand", "walk")
_FOUND = {
    Posture.WALKING: "walk",
    Posture.STANDING: "stand",
    Posture.SITTING: "lie or sit",
    Posture.LYING: "lie or sit",
    Posture.SITTING_OR_LYING: "lie or sit",
}
_LABEL = {"walking": "walk", "standing": "stand", "sitting": "lie or sit", "lying": "lie or sit"}


@cache
def spans_of(group: str, subject: str, worn: tuple[Placement, ...]) -> tuple[PostureSpan, ...]:
    of = inspect(
        open_recording(recording("thigh_back_daily", group, "thigh", f"{subject}.parquet"))
    ).recording
    pipeline = GaitPipeline(p for p in of.streams if p in worn)
    results = [r for item in deliveries(of) for r in pipeline.push(item)] + pipeline.flush()
    return tuple(r for r in results if isinstance(r, PostureSpan))


def confusion(group: str, subject: str, worn: tuple[Placement, ...]) -> Counter[tuple[str, str]]:
    """Seconds by (labelled, found) class; "unknown" where gaitmon says so, or has no samples."""
    of = day(group, subject)
    found = np.full(len(of.second_s), "unknown", dtype=object)
    middle = of.second_s + 0.5
    for span in spans_of(group, subject, worn):
        found[(middle >= span.start_s) & (middle < span.end_s)] = _FOUND.get(span.posture, "unknown")
    return Counter((_LABEL[a], b) for a, b in zip(of.label.tolist(), found, strict=True) if a in _LABEL)


def recall(seconds: Counter[tuple[str, str]]) -> dict[str, float]:
    """Per class; what is unknown counts as wrong."""
    return {c: seconds[c, c] / sum(n for (label, _), n in seconds.items() if label == c) for c in CLASSES}
