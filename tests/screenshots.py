"""The pictures of the documents: python -m tests.screenshots [analyse | demo]

analyse: the page of gaitmon analyse --plot, of a simulated walk.  demo: the pages of a running demo; waits
until the simulated weeks have arrived and one wearer has an alert.  Without a word: both.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from gaitmon import cli
from tests.needs import ROOT
from tests.peers.browser import chromium, screenshot

IMAGES = ROOT / "docs" / "images"
WIDTH_PX = 1280
PATIENCE_S = 300.0
SAMPLE = ("--step-asymmetry=6", "--stance-asymmetry=-5", "--drop-right=3", "--rom-ratio=0.92", "--seed=4")


@contextmanager
def demo() -> Iterator[str]:
    """A running demo; gives the one-time link."""
    command = [sys.executable, "-u", "-m", "gaitmon.cli", "demo", "--speed", "4"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(m[0] for line in process.stdout if (m := re.search(r"http://\S+/login#\S+", line)))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60.0)


def save(raw: Path, name: str, height_px: int | None = None) -> None:
    """With at most 256 colours: text stays sharp and the file small."""
    image = Image.open(raw).convert("RGB")
    if height_px is not None:
        image = image.crop((0, 0, image.width, min(height_px, image.height)))
    IMAGES.mkdir(exist_ok=True)
    image.quantize(256, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


def photograph(browser: Chrome, name: str, height_px: int | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "page.png"
        screenshot(browser, raw)
        save(raw, name, height_px)


def analyse() -> None:
    """One page for the chart, of somebody who hurries off the right leg and whose pelvis drops on it."""
    with tempfile.TemporaryDirectory() as folder:
        walk, page = Path(folder) / "walk.gaitrec", Path(folder) / "page.png"
        cli.main(["simulate", str(walk), *SAMPLE])
        cli.main(["analyse", str(walk), "--leg-length", "0.9", "--plot", str(page)])
        save(page, "analyse.png")


def pages() -> None:
    with demo() as link, chromium(WIDTH_PX, 900) as browser:
        browser.get(link)
        base = link.split("/login")[0]
        deadline = time.monotonic() + PATIENCE_S
        while "Walking change to review" not in browser.find_element(By.TAG_NAME, "main").text:
            if time.monotonic() > deadline:
                raise SystemExit("no alert came up")
            time.sleep(2.0)
            browser.get(base)
        time.sleep(10.0)  # for the newest days
        browser.get(base)
        photograph(browser, "wearers.png", height_px=450)
        browser.get(f"{base}/wearers/demo-a")
        WebDriverWait(browser, 10).until(lambda b: b.find_elements(By.CSS_SELECTOR, "canvas, svg"))
        time.sleep(2.0)
        photograph(browser, "wearer.png", height_px=1105)


def main() -> None:
    made = {"analyse": analyse, "demo": pages}
    for name in sys.argv[1:] or made:
        made[name]()
    for path in sorted(IMAGES.glob("*.png")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
