"""Throughput of decoding: python -m tests.bench_decode

Every mode of every profile through its ModeDecoder, framing included, in pushes of 1,000 notifications; CPU
time of one process.  To reach: 1 M samples/s where a table says the layout, 200,000 where Polar's code does.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.profile import FirmwareProfile, load_profiles

PROFILES = load_profiles(Path(__file__).resolve().parents[1] / "firmware_profiles")
SAMPLES = 200_000
PUSH = 1_000
REPEATS = 5
TABLE_PER_S, CODE_PER_S = 1e6, 2e5


def walk_like(profile: FirmwareProfile, mode_id: int) -> list[bytes]:
    """Notifications of SAMPLES samples of plausible motion: smooth and a little noisy."""
    mode = profile.mode_of(mode_id)
    rng = np.random.default_rng(1)
    n = SAMPLES - SAMPLES % mode.samples
    t = np.arange(n) / profile.rates_of(mode_id)[-1]
    axes = np.array([1.0, 0.7, 0.4, 0.2])
    swing = np.sin(2 * np.pi * 0.9 * t)[:, np.newaxis] * axes
    values = {
        "acc_m_s2": 9.8 * axes[:3] + 3 * swing[:, :3] + rng.normal(0, 0.1, (n, 3)),
        "free_acc_m_s2": 3 * swing[:, :3],
        "gyr_rad_s": 3 * swing[:, :3] + rng.normal(0, 0.02, (n, 3)),
        "mag_au": swing[:, :3],
        "euler_rad": swing[:, :3],
        "quat_wxyz": swing / 2,
    }
    tick_s = 1.0 if profile.clock is None else profile.clock.tick_s
    ticks = np.rint(100 + t[:: mode.samples] / tick_s).astype(np.uint64)
    return profile.encode(Decoded(ticks, ticks, values), mode_id)


def samples_per_s(profile: FirmwareProfile, mode_id: int, payloads: list[bytes]) -> float:
    best = np.inf
    for _ in range(REPEATS):
        decoder, got = profile.decoder(mode_id), 0
        start = time.process_time()
        for i in range(0, len(payloads), PUSH):
            heard = decoder.push(payloads[i : i + PUSH])
            got += 0 if heard.samples is None else len(heard.samples)
        best = min(best, (time.process_time() - start) / got)
    return 1.0 / best


def main() -> None:
    short = []
    for profile in PROFILES.values():
        for mode in profile.mode:
            payloads = walk_like(profile, mode.id)
            rate = samples_per_s(profile, mode.id, payloads)
            bar = TABLE_PER_S if mode.decoder is None else CODE_PER_S
            print(
                f"{profile.name:24} mode {mode.id:3}: {rate / 1e6:6.2f} M samples/s (to reach {bar / 1e6:g})"
            )
            if rate < bar:
                short.append(f"{profile.name} mode {mode.id}")
    if short:
        raise SystemExit(f"too slow: {', '.join(short)}")


if __name__ == "__main__":
    main()
