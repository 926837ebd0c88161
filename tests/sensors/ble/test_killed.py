"""kill -9 of the process that owns the adapter, in real time: what the archive has must be all there was."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from gaitmon.model import Gap, ImuBlock
from gaitmon.sensors.raw import LinkUp, Notification, SessionOpened
from gaitmon.sensors.stream import EventStream, SegmentBegan
from gaitmon.store.archive import ArchiveReader
from tests.sensors.ble.bed import DOT
from tests.sensors.ble.gateway import KEY, launch
from tests.sensors.ble.world import CRASHED_S, world

N = 3


def test_a_killed_collector_comes_back_with_one_gap_each(tmp_path: Path) -> None:
    with world(N) as room:
        with launch(room.port, tmp_path, room.addresses) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "streaming\n"
            time.sleep(3.0)
            first.kill()
            killed_ns = time.monotonic_ns()
        with launch(room.port, tmp_path, room.addresses, seconds=6.0) as second:
            assert second.wait(30) == 0
    events = [event for _, event in ArchiveReader(tmp_path, KEY).events()]
    began_ns = [e.monotonic_ns for e in events if isinstance(e, SessionOpened)]
    assert len(began_ns) == 2
    # A sensor can be had again when it has noticed, by its supervision time, and the process is there.
    possible_ns = max(began_ns[1], killed_ns + CRASHED_S * 1e9)
    for i in range(N):
        ups = [e.monotonic_ns for e in events if isinstance(e, LinkUp) and e.sensor == i]
        assert len(ups) == 2
        heard = [e for e in events if isinstance(e, Notification) and e.sensor == i]
        back_s = (min(e.monotonic_ns for e in heard if e.monotonic_ns > killed_ns + 1e9) - possible_ns) * 1e-9
        print(f"sensor {i}: streams {back_s:.2f} s after it is possible")
        assert back_s <= 10.0  # on a busy machine; tests/bench_ble.py measures

    decoder = EventStream({DOT.name: DOT})
    items = [item for event in events for item in decoder.push(event)] + decoder.flush()
    assert sum(isinstance(item, SegmentBegan) for item in items) == 1, "one session, one segment"
    for i, counts in enumerate(decoder.counts):
        assert counts.duplicates == counts.refused == counts.late == 0, f"sensor {i}: {counts}"
    for placement in {item.placement for item in items if isinstance(item, ImuBlock)}:
        gaps = [g for g in items if isinstance(g, Gap) and g.placement is placement]
        blocks = [b for b in items if isinstance(b, ImuBlock) and b.placement is placement]
        times = [float(t) for block in blocks for t in block.t_s]
        inside = [g for g in gaps if times[0] < g.start_s < times[-1]]
        merged = [g for k, g in enumerate(inside) if k == 0 or g.start_s > inside[k - 1].end_s + 1e-9]
        assert len(merged) == 1, inside
        assert all(a < b for a, b in pairwise(times))
