"""Posture in daily life against labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from gaitmon.model import Placement
from tests.gait.daily import DAILY
from tests.gait.posture_day import CLASSES, confusion, recall
from tests.validation.tables import held, table

WORN = {"thigh and trunk": (Placement.THIGH, Placement.PELVIS), "thigh only": (Placement.THIGH,)}
BAR = 0.93


def _rows() -> Iterator[tuple[object, ...]]:
    for name, worn in WORN.items():
        total: Counter[tuple[str, str]] = Counter()
        for who in DAILY:
            seconds = confusion(*who, worn)
            total += seconds
            yield name, who[1], *_shares(seconds), "", ""
        mean = float(np.mean(list(recall(total).values())))
        yield name, "**all**", *_shares(total), f"≥ {BAR}", held(mean >= BAR)


def _shares(seconds: Counter[tuple[str, str]]) -> tuple[str, ...]:
    each = recall(seconds)
    return (*(f"{each[c]:.3f}" for c in CLASSES), f"{np.mean(list(each.values())):.3f}")


def _mistakes() -> Iterator[tuple[object, ...]]:
    total = sum((confusion(*who, WORN["thigh and trunk"]) for who in DAILY), Counter[tuple[str, str]]())
    for label in CLASSES:
        yield label, *(total[label, found] for found in (*CLASSES, "unknown"))


def section() -> str:
    rows = table(("sensors", "person", *CLASSES, "balanced accuracy", "bar", "held"), _rows())
    mistakes = table(("labelled, s", *CLASSES, "unknown"), _mistakes())
    return f"""## Posture

The four people of the section before, each labelled second against the posture that the pipeline told for its
middle; running, stairs and shuffling have no posture of these three and are left out. Shares found per
class; seconds without samples count as wrong. Published best: Activ8 on the thigh, 0.92 against video
(Horemans 2020). The limits are published ones (45° of the thigh, Lugade 2013) and were not tuned.

{rows}

Thigh and trunk, all people, seconds:

{mistakes}
"""
