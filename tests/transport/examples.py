"""Results to send: a walk of any length, every number of it different."""

from __future__ import annotations

import numpy as np

from gaitmon.model import (
    Angle,
    MetricValue,
    Notice,
    NoticeKind,
    Posture,
    PostureSpan,
    Side,
    Stride,
    StrideVerdict,
    Turn,
    WalkingBout,
    Waveform,
)
from gaitmon.store.series import SegmentRow
from gaitmon.transport.messages import (
    bout_message,
    notice_message,
    posture_message,
    segment_message,
    stride_message,
)
from gaitmon.transport.schema import AlertBody, AlertMessage, Message

GATEWAY = "gw-a"
ANCHOR_UTC_US = 1_780_000_000_000_000
BOUT_STRIDES = 20


def segment(wearer: str = "w1", name: str = "seg-1", revision: int = 0, gateway: str = GATEWAY) -> SegmentRow:
    return SegmentRow(
        wearer, name, revision, ANCHOR_UTC_US, "simulated", "live", True, gateway, "gaitmon 0.1.0 test"
    )


def stride(n: int) -> Stride:
    """The n-th stride of a walk, left and right in turn."""
    start_s = 10.0 + 0.53 * n + 1e-7 / (n + 3)
    return Stride(
        side=Side.LEFT if n % 2 == 0 else Side.RIGHT,
        ordinal=n // 2,
        start_s=start_s,
        fc_s=start_s + 0.66 if n % 7 else None,
        end_s=start_s + 1.06,
        opposite_ic_s=start_s + 0.53,
        thigh_rom_deg=41.0 + n / 3,
        thigh_flexion_max_deg=27.0 - n / 7,
        thigh_flexion_min_deg=-14.0 + n / 11,
        flags=("gap",) if n % 5 == 0 else (),
    )


def bout(number: int, strides: list[Stride]) -> WalkingBout:
    verdicts = tuple(
        StrideVerdict(s.side, s.ordinal, straight=s.ordinal % 9 != 0, accepted=s.ordinal % 4 != 0, reason="")
        for s in strides
    )
    metrics = (
        MetricValue("stride_time_ln_asymmetry_pct", 1 / 3 + number, 0.1, 9, 10),
        MetricValue("cadence_steps_min", None, None, 0, 0, "too few strides"),
    )
    start_s, end_s = strides[0].start_s, strides[-1].end_s
    turn = Turn(start_s + 1 / 3, start_s + 2 / 3, -1.1)
    waves = tuple(
        Waveform.of(angle, side, 7 + number, np.linspace(-20.0, 25.0 + k, 101), np.linspace(0.5, 2.0, 101))
        for k, angle in enumerate(Angle)
        for side in Side
    )
    return WalkingBout(number, start_s, end_s, "straight", verdicts, (turn,), metrics, ("gap",), waves)


def walk(n_strides: int, seg: SegmentRow | None = None) -> list[Message]:
    """A segment, its strides, a bout after every BOUT_STRIDES, a notice, and a posture."""
    seg = seg or segment()
    messages: list[Message] = [segment_message(seg)]
    strides: list[Stride] = []
    for n in range(n_strides):
        strides.append(stride(n))
        messages.append(stride_message(strides[-1], seg))
        if len(strides) == BOUT_STRIDES:
            messages.append(bout_message(bout(n // BOUT_STRIDES, strides), seg))
            strides.clear()
    messages.append(notice_message(Notice(NoticeKind.TOO_SHORT, "An example of a notice."), seg))
    messages.append(posture_message(PostureSpan(10.0, 10.0 + 1 / 3, Posture.SITTING), seg))
    return messages


def alert_message() -> AlertMessage:
    body = AlertBody(
        alert="a1", topic="stance", state="open", since_day="2026-11-22", active=True, acknowledged=False,
        headline="An example", text="Why it was raised.", rule="EWMA", simulated=True,
    )  # fmt: skip
    return AlertMessage(wearer="w1", alerts=(body,))
