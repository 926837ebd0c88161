"""How fast and how small the pipeline is: ``python -m tests.bench_core``

CPU seconds per hour of three sensors at 100 Hz, half of it walking, through the live code
(GaitPipeline.push); peak memory over eight hours streamed from disk; time to import; how late a stride is,
and what a push costs.
Each part runs in a process of its own with one thread.  The recordings are simulated once into .cache/bench.
Exit status 1 if a bar is missed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "bench"
HOURS = 8
RUNS = 3
SEED = 20_000
CPU_BAR_S, RSS_BAR_MB, IMPORT_BAR_S, LATE_BAR_S, PUSH_BAR_MS = 1.5, 250.0, 0.3, 2.0, 5.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
RSS_GROWTH_MB = 5.0  # flat, give or take the allocator


def machine() -> str:
    """Cores, CPU, Python, numpy."""
    cpu = platform.processor() or "unknown CPU"
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = models[0] if models else cpu
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, numpy {np.__version__}, "
        f"load {load:.1f} at the start"
    )


# ---- recordings


def hour_file(number: int) -> Path:
    """One simulated hour, half of it walking in stretches of a minute with a turn; made once."""
    from gaitmon.sensors.formats import write_recording
    from gaitmon.sensors.synthetic import recording_of
    from gaitmon.simulate import SensorParams, Sit, Stand, Step, Turn, Walk, simulate

    path = CACHE / f"hour-{number}.gaitrec"
    if not path.exists():
        steps: list[Step] = []
        for k in range(30):
            steps += [Stand(16.0), Walk(seconds=24.0), Turn(180.0 if k % 2 else -180.0, 2.2)]
            steps += [Walk(seconds=32.0), Stand(16.0), Sit(24.0)]
        sensors = SensorParams(mounting_seed=SEED)
        walk = simulate((*steps, Stand(5.0)), sensors=sensors, seed=SEED + number)
        share = sum(s.duration_s for s in walk.truth.strides) / 2.0 / walk.truth.duration_s
        CACHE.mkdir(parents=True, exist_ok=True)
        write_recording(recording_of(walk, f"hour {number}"), path)
        path.with_suffix(".txt").write_text(f"{share:.4f}")
    return path


def walking_share(number: int) -> float:
    return float(hour_file(number).with_suffix(".txt").read_text())


def long_file() -> Path:
    """Eight different hours, one after the other, as one recording; made once."""
    from gaitmon.model import ImuBlock, Placement
    from gaitmon.sensors.formats import open_recording, write_recording
    from gaitmon.sensors.recording import Recording, SampleStream

    path = CACHE / f"{HOURS}-hours.gaitrec"
    if path.exists():
        return path
    hours = [open_recording(hour_file(n)) for n in range(HOURS)]
    begins = np.cumsum([0.0, *(round(h.end_s - h.start_s + 0.01, 2) for h in hours)])

    def chunks(placement: Placement) -> Iterator[ImuBlock]:
        for hour, begin in zip(hours, begins.tolist(), strict=False):
            for b in hour.streams[placement].chunks():
                yield ImuBlock(placement, b.t_s - hour.start_s + begin, b.acc_m_s2, b.gyr_rad_s)

    streams = [
        SampleStream(
            p,
            lambda p=p: chunks(p),  # type: ignore[misc]  # the default binds this turn's placement
            n_samples=sum(h.streams[p].n_samples for h in hours),
            start_s=0.0,
            end_s=float(begins[-1]) - 0.01,
            has_gyroscope=True,
            device="simulated",
        )
        for p in hours[0].streams
    ]
    write_recording(Recording.of(f"{HOURS} hours", "simulator", streams, simulated=True), path)
    return path


# ---- parts, each in its own process


def cpu(seconds: float) -> None:
    """Prints best and median CPU seconds per hour of three sensors, with pushes of this length."""
    from gaitmon.pipeline import GaitPipeline
    from gaitmon.sensors.formats import open_recording

    recording = open_recording(hour_file(0))
    blocks = list(recording.blocks(seconds))
    took = []
    for _ in range(RUNS):
        pipeline = GaitPipeline(recording.streams)
        begin = time.process_time()
        for block in blocks:
            pipeline.push(block)
        pipeline.flush()
        took.append((time.process_time() - begin) * 3600.0 / (recording.end_s - recording.start_s))
    print(min(took), median(took))


def memory() -> None:
    """Prints peak and present RSS in MB at the start and after each hour streamed."""
    from gaitmon.pipeline import GaitPipeline
    from gaitmon.sensors.formats import open_recording

    recording = open_recording(CACHE / f"{HOURS}-hours.gaitrec")
    pipeline = GaitPipeline(recording.streams)
    hour = 0
    print(hour, *_rss_mb())
    for block in recording.blocks(1.0):
        pipeline.push(block)
        if block.t_s[-1] >= 3600.0 * (hour + 1):
            hour += 1
            print(hour, *_rss_mb())
    pipeline.flush()
    print(HOURS, *_rss_mb())


def _rss_mb() -> tuple[float, float]:
    """Peak and present.  Not ru_maxrss: that one is inherited from the process that started this one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kb = {
        name: rest.split()[0] for name, _, rest in (x.partition(":") for x in lines) if name.startswith("Vm")
    }
    return int(kb["VmHWM"]) / 1024.0, int(kb["VmRSS"]) / 1024.0


def live() -> None:
    """Prints how late strides and contacts come (signal s: p50, p99) and CPU per push (ms: p50, p99, most).

    20-sample blocks; once aligned: strides that end after the first alignment was given out.
    """
    from gaitmon.model import Alignment, Contact, Stride
    from gaitmon.pipeline import GaitPipeline
    from gaitmon.sensors.formats import open_recording

    recording = open_recording(hour_file(0))
    pipeline = GaitPipeline(recording.streams)
    newest_s, aligned_s = 0.0, float("inf")
    late: dict[type, list[float]] = {Stride: [], Contact: []}
    cost = []
    for block in recording.blocks(0.2):
        begin = time.thread_time_ns()
        results = pipeline.push(block)
        cost.append((time.thread_time_ns() - begin) / 1e6)
        newest_s = max(newest_s, float(block.t_s[-1]))
        for r in results:
            at_s = r.end_s if isinstance(r, Stride) else r.t_s if isinstance(r, Contact) else -1.0
            if at_s > aligned_s:
                late[type(r)].append(newest_s - at_s)
        if any(isinstance(r, Alignment) for r in results):
            aligned_s = min(aligned_s, newest_s)
    for values in (late[Stride], late[Contact]):
        print(*np.percentile(values, (50.0, 99.0)), max(values), len(values))
    print(*np.percentile(cost, (50.0, 99.0)), max(cost), len(cost))


PARTS = {"cpu": lambda: cpu(float(sys.argv[2])), "memory": memory, "live": live}


# ---- what is printed


def part(*arguments: str) -> list[list[float]]:
    """The numbers that a part prints, line by line."""
    env = os.environ | dict.fromkeys(THREADS, "1")
    command = [sys.executable, "-m", "tests.bench_core", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env, cwd=ROOT)
    return [[float(x) for x in line.split()] for line in done.stdout.splitlines()]


def line(what: str, measured: str, bar: str = "", *, missed: bool = False) -> bool:
    print(f"{what:<46}{measured:<34}{bar}{'   MISSED' if missed else ''}", flush=True)
    return missed


def main() -> int:
    print(machine())
    for number in range(HOURS):
        if not (CACHE / f"hour-{number}.gaitrec").exists():
            print(f"simulating hour {number + 1} of {HOURS} ...", file=sys.stderr, flush=True)
        hour_file(number)
    long_file()
    share = f"{100 * walking_share(0):.0f} % walking, best of {RUNS} (median)"
    print(f"\nCPU per hour of three sensors at 100 Hz, {share}")
    missed = []
    for name, seconds, bar in (("1 s pushes", "1.0", CPU_BAR_S), ("20-sample pushes", "0.2", None)):
        ((best, middle),) = part("cpu", seconds)
        text = f"{best:.2f} s ({middle:.2f})"
        missed.append(line(f"  {name}", text, f"bar {bar} s" if bar else "", missed=bool(bar and best > bar)))
    print(f"\nMemory, {HOURS} h streamed from disk")
    rss = {int(hour): (peak, now) for hour, peak, now in part("memory")}
    for hour in (0, 1, HOURS):
        line(f"  peak (present) after hour {hour}", f"{rss[hour][0]:.0f} MB ({rss[hour][1]:.0f})")
    grown, peak = rss[HOURS][0] - rss[1][0], rss[HOURS][0]
    missed.append(line("  peak", f"{peak:.0f} MB", f"bar {RSS_BAR_MB:.0f} MB", missed=peak > RSS_BAR_MB))
    missed.append(
        line(f"  growth, hour 1 to {HOURS}", f"{grown:+.1f} MB", "bar: flat", missed=grown > RSS_GROWTH_MB)
    )
    missed += live_lines()
    missed.append(import_line())
    return int(any(missed))


def live_lines() -> list[bool]:
    stride, contact, push = part("live")
    print("\nLive, 20-sample blocks, once aligned")
    late = f"p50 {stride[0]:.2f}, p99 {stride[1]:.2f}, largest {stride[2]:.2f} s (n = {stride[3]:.0f})"
    out = [
        line(
            "  closing contact to Stride out, signal time",
            late,
            f"  bar p99 {LATE_BAR_S} s",
            missed=stride[1] > LATE_BAR_S,
        )
    ]
    line(
        "  contact to committed Contact out",
        f"p50 {contact[0]:.2f}, p99 {contact[1]:.2f}, largest {contact[2]:.2f} s",
    )
    cost = f"p50 {push[0]:.3f}, p99 {push[1]:.2f}, largest {push[2]:.1f} ms (n = {push[3]:.0f})"
    out.append(line("  CPU per push", cost, f"  bar p99 {PUSH_BAR_MS} ms", missed=push[1] > PUSH_BAR_MS))
    return out


def import_line() -> bool:
    def run_s() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import gaitmon"], check=True, cwd=ROOT)
        return time.perf_counter() - begin

    best = min(run_s() for _ in range(7))
    print()
    return line(
        "import gaitmon, with the start of Python",
        f"{best:.2f} s",
        f"bar {IMPORT_BAR_S} s",
        missed=best > IMPORT_BAR_S,
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        PARTS[sys.argv[1]]()
    else:
        sys.exit(main())
