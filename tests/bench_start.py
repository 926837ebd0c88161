"""How long gaitmon keeps somebody waiting before it does anything: python -m tests.bench_start

Each command runs in a new process, best of several; the bars are those of the design.
"""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 7
COMMANDS = (
    ("import gaitmon", 0.3, ["-c", "import gaitmon"]),
    ("gaitmon --help", 0.5, ["-m", "gaitmon.cli", "--help"]),
    ("gaitmon analyse --help", 0.5, ["-m", "gaitmon.cli", "analyse", "--help"]),
    ("gaitmon.analyse, ready to run", 2.0, ["-c", "import gaitmon; gaitmon.analyse"]),
)


def best_s(arguments: list[str]) -> float:
    def run_s() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begin

    return min(run_s() for _ in range(RUNS))


def main() -> int:
    bare_s = best_s(["-c", ""])
    print(f"{'Python alone':<32}{bare_s:6.2f} s")
    late = False
    for name, bar_s, arguments in COMMANDS:
        took_s = best_s(arguments)
        late |= took_s > bar_s
        print(f"{name:<32}{took_s:6.2f} s   bar {bar_s:.1f} s{'   TOO SLOW' if took_s > bar_s else ''}")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
