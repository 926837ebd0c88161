"""Arbitrary bytes into every profile: python -m tests.bench_fuzz [PROFILE ...]

hypothesis throws 10,000 examples, each of up to four notifications, at every profile, the mode drawn with
them: the test of the suite (tests/sensors/test_profile.py, 100 examples a mode), only longer.  Nothing but
numbers and DecodeError may come of them, and the sensor is read again after them.  Times are CPU time.
"""

from __future__ import annotations

import sys
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaitmon.sensors.profile import FirmwareProfile
from tests.sensors.test_profile import PROFILES, test_arbitrary_bytes_give_numbers_or_a_decode_error

EXAMPLES = 10_000
# What stands under the decorators of the suite: hypothesis hands it to whoever runs tests in another way.
check = test_arbitrary_bytes_give_numbers_or_a_decode_error.hypothesis.inner_test


def throw(profile: FirmwareProfile) -> int:
    """Returns how many examples were thrown.  Raises what the profile should not have, with the example."""
    thrown = 0

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(mode=st.sampled_from([mode.id for mode in profile.mode]), data=st.data())
    def once(mode: int, data: st.DataObject) -> None:
        nonlocal thrown
        thrown += 1
        check(profile, mode, data)

    once()
    return thrown


def main(names: list[str]) -> None:
    for name in names or PROFILES:
        begin_s = time.process_time()
        thrown = throw(PROFILES[name])
        if thrown < EXAMPLES:
            raise SystemExit(f"{name}: {thrown} examples only")
        modes, took_s = len(PROFILES[name].mode), time.process_time() - begin_s
        print(f"{name:24} {modes:2} modes, {thrown} examples: only DecodeError ({took_s:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
