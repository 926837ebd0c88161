"""How long the list of fifty wearers takes: ``python -m tests.web.bench_cohort``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from gaitmon.review import Reviewer
from gaitmon.web.settings import WebSettings
from tests.web.conftest import client_of
from tests.web.practice import open_practice


def main(n_wearers: int = 50, n_days: int = 120) -> None:
    with tempfile.TemporaryDirectory() as folder, open_practice(Path(folder)) as practice:
        for i in range(n_wearers):
            practice.add(f"w-{i}", f"Wearer {i}", days=n_days, seed=i)
        Reviewer(practice.store, practice.registry, lambda _: None).review(practice.now)
        client = client_of(practice, settings=WebSettings(now=practice.clock))
        for path in ("/", "/wearers/table", "/wearers/w-7?span=all"):
            times, size = [], 0
            for _ in range(7):
                start = perf_counter()
                size = len(client.get(path).content)
                times.append(perf_counter() - start)
            sys.stdout.write(f"{path}: {1000 * median(times):.0f} ms, {size / 1024:.0f} KB\n")


if __name__ == "__main__":
    main()
