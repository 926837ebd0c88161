"""From a fresh clone to a page that answers: python -m tests.bench_fresh_clone [DEMO OPTION ...]

Clones what is committed into a temporary folder, runs ``make demo`` there as a newcomer would, and asks
the printed address until it answers.  The caches of pip are those of this user.  Ends the demo with
Ctrl-C and sees that nothing is left.  Exit code 1 above the bar, or when something is left behind.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.needs import ROOT

BAR_S = 90.0
END_S = 30.0
GIVE_UP_S = 600.0


def first_answer(demo: subprocess.Popen[str]) -> str:
    """The pages' address, once they answer with 200."""
    assert demo.stdout is not None
    for line in demo.stdout:
        print(f"    {re.sub('#.*', '#...', line).rstrip()}")
        if found := re.search(r"http://127\.0\.0\.1:\d+/login", line):
            with urllib.request.urlopen(found[0], timeout=GIVE_UP_S) as answer:
                assert answer.status == 200
                return found[0]
    raise SystemExit(f"make demo ended with {demo.wait()} before it printed an address")


def left_behind(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(options: list[str]) -> int:
    ours = ("GAITMON_", "PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    with tempfile.TemporaryDirectory(prefix="fresh-clone-") as folder:
        clone = Path(folder) / "gaitmon"
        begin, begin_unix_s = time.monotonic(), time.time()
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        demo = subprocess.Popen(
            ["make", "demo", f"ARGS={' '.join(options)}"],
            cwd=clone, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            address = first_answer(demo)
            took_s = time.monotonic() - begin
            installed_s = (clone / ".venv/runtime.stamp").stat().st_mtime - begin_unix_s
            print(f"fresh clone -> {address} answers: {took_s:.1f} s (bar {BAR_S:.0f} s)")
            print(f"  of which clone, environment and packages: {installed_s:.1f} s")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(demo.pid, signal.SIGINT)
            begin_end = time.monotonic()
            demo.wait(END_S)
            while left_behind(demo.pid) and time.monotonic() - begin_end < END_S:
                time.sleep(0.1)
        print(f"Ctrl-C -> ended after {time.monotonic() - begin_end:.1f} s")
        if left_behind(demo.pid):
            print("processes are left behind")
            return 1
    return 0 if took_s <= BAR_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
