"""A physiotherapist's practice with made-up wearers: bouts -> real SQLite store -> real review -> alerts.

Only the bouts are invented; days, baselines, states and alerts come from gaitmon's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import exp
from pathlib import Path

import numpy as np

from gaitmon.model import Angle, MetricValue, Side, Turn, Waveform
from gaitmon.review import Reviewer
from gaitmon.store.registry import Registry, Role, User, Wearer
from gaitmon.store.series import BoutRow, HealthRow, Row, SegmentRow, StrideRow
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.symmetry.norms import norm
from gaitmon.transport.schema import SensorHealthBody
from gaitmon.web.settings import WebSettings
from tests.peers.browser import Server

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
THERAPIST = "Dr. Amal Haddad"


@dataclass
class Practice:
    folder: Path
    store: SqliteSeriesStore
    registry: Registry
    therapist: User
    now: datetime = NOW
    resources: ExitStack = field(default_factory=ExitStack)
    servers: dict[WebSettings, Server] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def link(self) -> str:
        return self.registry.create_login_link(self.therapist)

    def add(
        self,
        wearer_id: str,
        name: str,
        *,
        days: int = 0,
        drift: Callable[[int], float] = lambda _: 0.0,
        until: date = TODAY,
        simulated: bool = False,
        given: bool = True,
        seed: int = 0,
    ) -> Wearer:
        """drift: step and stance asymmetry added on day i, in per cent."""
        wearer = self.registry.add_wearer(name, "Europe/Berlin", wearer_id=wearer_id, simulated=simulated)
        if given:
            self.registry.grant(self.therapist, wearer_id)
        rng = np.random.default_rng(seed)
        rows: list[Row] = []
        for i in range(days):
            day = until - timedelta(days=days - 1 - i)
            n = 12 if rng.random() < 0.12 and i not in (days - 1, days - 2) else int(rng.integers(160, 420))
            rows += walk(wearer, day, n, drift(i), rng)
        self.store.write(rows)
        return wearer

    def hear(self, wearer: str, ago_s: float, gateway: str, *sensors: dict[str, object]) -> None:
        """What a gateway said of the wearer's sensors so long ago."""
        at_us = round((self.now.timestamp() - ago_s) * 1e6)
        bodies = [SensorHealthBody.model_validate(HEARD | sensor) for sensor in sensors]
        rows = [HealthRow(gateway, b.sensor, wearer, at_us, b.model_dump_json()) for b in bodies]
        self.store.write_health(rows)


HEARD: dict[str, object] = {
    "profile": "movella-dot", "state": "streaming", "message": "", "packets": 72000, "packet_hz": 59.9,
    "connections": 1, "gaps": 0, "missing_s": 0.0, "missing_share": 0.0, "packet_age_s": 0.1,
    "connect_s": 1.3, "drift_ppm": 12.3, "rssi_dbm": -58, "battery_percent": 81, "errors": {},
}  # fmt: skip
LIVE: tuple[dict[str, object], ...] = (
    {"sensor": "s-1f6a93c2", "placement": "pelvis"},
    {
        "sensor": "s-88d0b111", "placement": "left_thigh", "battery_percent": 12, "gaps": 3,
        "missing_s": 14.4, "missing_share": 0.012, "drift_ppm": -31.0, "errors": {"link lost": 2},
    },
    {
        "sensor": "s-02c4e7aa", "placement": "right_thigh", "state": "searching", "packet_hz": 0.0,
        "packet_age_s": 300.0, "rssi_dbm": -88, "errors": {"link lost": 1, "timeout": 4},
        "gaps": 1, "missing_s": 300.0, "missing_share": 0.2, "drift_ppm": None,
    },
)  # fmt: skip


@contextmanager
def open_practice(folder: Path) -> Iterator[Practice]:
    clock: list[Practice] = []
    registry = Registry(f"sqlite:///{folder / 'registry.db'}", now=lambda: clock[0].now if clock else NOW)
    practice = Practice(
        folder=folder,
        store=SqliteSeriesStore(folder / "series.db"),
        registry=registry,
        therapist=registry.user_named(THERAPIST) or registry.add_user(THERAPIST, Role.THERAPIST),
    )
    clock.append(practice)
    with practice.resources:
        practice.resources.callback(practice.store.close)
        practice.resources.callback(practice.registry.close)
        yield practice


def fill(practice: Practice) -> None:
    """One wearer of every state; w-other is someone else's."""
    practice.add("w-ada", "Ada Brandt", days=40, drift=_worse_from(30), simulated=True, seed=1)
    practice.add("w-ben", "Ben Okafor", days=40, seed=2)
    practice.add("w-cem", "Cem Yıldız", days=6, seed=3)
    practice.add("w-dora", "Dora Lindqvist", days=30, until=TODAY - timedelta(days=5), seed=4)
    practice.add("w-emil", "Emil Novák")
    practice.add("w-fay", "Fay O’Connell-Whittingham", days=44, drift=_worse_from(33), seed=6)
    practice.add("w-other", "Somebody Else", days=40, drift=_worse_from(30), given=False, seed=7)
    practice.hear("w-ada", 5.0, "gateway-1", *LIVE)
    practice.hear("w-ben", 7 * 3600.0, "gateway-2", dict(LIVE[0], state="stopped"))
    Reviewer(practice.store, practice.registry, lambda _: None).review(practice.now)
    (alert,) = practice.registry.alerts("w-fay")
    practice.registry.acknowledge(alert.id, practice.therapist, "Called: new insoles since Monday.")


def _worse_from(first: int) -> Callable[[int], float]:
    return lambda i: 0.0 if i < first else min(7.0, 2.0 * (i - first + 1))


def walk(wearer: Wearer, day: date, n: int, drift: float, rng: np.random.Generator) -> list[Row]:
    """One bout of n straight strides at nine in the morning, with its segment and its first strides."""
    start = int(datetime.combine(day, time(9), wearer.zone).timestamp() * 1e6)
    segment = f"s-{day}"
    per_side = n // 2
    end_s = per_side * 1.08
    metrics = _metrics(per_side, drift, rng)
    common = (wearer.id, segment, 0)
    return [
        SegmentRow(
            *common, start, "ntp", "live", wearer.simulated, "gateway-1", "gaitmon 0.1.0 test", per_side, 1
        ),
        BoutRow(
            *common,
            ordinal=0,
            start_utc_us=start,
            end_utc_us=start + int(end_s * 1e6),
            start_s=0.0,
            end_s=end_s,
            stratum="straight",
            n_steps=2 * per_side + 2,
            n_left=per_side,
            n_right=per_side,
            turns=(Turn(20.0, 22.1, 1.62), Turn(61.0, 63.4, -3.09)),
            metrics=metrics,
            quality=(),
            simulated=wearer.simulated,
            waveforms=_waveforms(per_side, drift),
        ),
        *(
            StrideRow(
                *common, side, i, start + i * 1_080_000, i * 1.08, i * 1.08 + 0.66, (i + 1) * 1.08,
                i * 1.08 + 0.54, 41.0, 24.0, -17.0, (), 0, True, True, "",
            )
            for side in ("left", "right")
            for i in range(3)
        ),
    ]  # fmt: skip


def _waveforms(n: int, drift: float) -> tuple[Waveform, ...]:
    """The norm's curves; the right thigh extends less, the more the walk has drifted."""
    rng = np.random.default_rng(n)
    out = []
    for angle in Angle:
        usual = norm(angle, 1.2, 0.9)
        assert usual is not None
        sd = np.full(101, 2.5 if angle in (Angle.THIGH_FLEXION, Angle.HIP_FLEXION) else 0.9)
        for side in Side:
            mean = usual.mean_deg * (1.0 + 0.02 * rng.normal())
            if side is Side.RIGHT and angle in (Angle.THIGH_FLEXION, Angle.HIP_FLEXION):
                mean = np.where(mean < 0.0, mean * (1.0 - 0.06 * drift), mean)
            out.append(Waveform.of(angle, side, n, mean, sd))
    return tuple(out)


def _metrics(n: int, drift: float, rng: np.random.Generator) -> tuple[MetricValue, ...]:
    step, stance = 4.0 + drift + rng.normal(0, 0.9), 3.0 + drift + rng.normal(0, 0.8)
    rom, drop = -5.0 + rng.normal(0, 1.8), 1.1 + 0.15 * drift + rng.normal(0, 0.45)
    error = 5.0 / np.sqrt(n)
    signed = {
        "step_time_ln_pct": step,
        "stance_time_ln_pct": stance,
        "swing_time_ln_pct": -1.5 * stance,
        "thigh_rom_ln_pct": rom,
        "drop_asym_deg": drop,
        "impact_ln_pct": 2.0 + np.random.default_rng(n).normal(0, 2.0),
    }
    sides: dict[str, float] = {}
    for name, middle, ln, unit in (
        ("step_time", 0.54, step, "s"),
        ("stance_time", 0.66, stance, "s"),
        ("swing_time", 0.42, -1.5 * stance, "s"),
        ("thigh_rom", 41.0, rom, "deg"),
    ):
        sides[f"{name}_left_{unit}"] = middle * exp(-ln / 200)
        sides[f"{name}_right_{unit}"] = middle * exp(ln / 200)
    plain = {
        "thigh_flexion_rmsd_deg": 1.3 + 0.2 * drift,
        "pelvis_tilt_rom_deg": 4.4 + rng.normal(0, 0.3),
        "pelvis_obliquity_rom_deg": 8.1 + rng.normal(0, 0.4),
        "cadence_steps_min": 111.0 + rng.normal(0, 2),
        "stride_time_s": 1.08,
        "walking_speed_m_s": 1.1,
        "hip_sparkle_index": 0.42,  # a metric of some later version
    }
    values = [MetricValue(m, v, float(error), n, n) for m, v in signed.items()]
    values += [MetricValue(m, v, abs(v) * 0.004, n, n) for m, v in sides.items()]
    values += [MetricValue(m, v, abs(v) * 0.01, n, n) for m, v in plain.items()]
    values.append(MetricValue("pelvis_rotation_rom_deg", None, None, 3, 2, "too few strides"))
    return tuple(values)
