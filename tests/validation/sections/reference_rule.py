"""The foot-IMU reference rule itself, against motion capture."""

from __future__ import annotations

import numpy as np

from gaitmon.model import ContactKind, Side
from tests.loaders import foot_reference
from tests.validation.foot_rule import foot_contacts, match, within
from tests.validation.tables import held, milliseconds, share, table

TOLERANCE_S = 0.25


def section() -> str:
    rows = []
    for kind in ContactKind:
        tp = fp = fn = 0
        errors: list[float] = []
        for side in Side:
            foot = foot_reference()[side]
            contacts = foot_contacts(foot.t_s, foot.acc_m_s2, foot.gyr_rad_s, side)
            wanted = foot.ic_s if kind is ContactKind.IC else foot.fc_s
            times = within([c.t_s for c in contacts if c.kind is kind], wanted)
            found = match(times, wanted.tolist(), TOLERANCE_S)
            tp, fp, fn = tp + found.tp, fp + found.fp, fn + found.fn
            errors += found.errors_s.tolist()
        f1 = 2 * tp / (2 * tp + fp + fn)
        good = f1 >= 0.98 and abs(float(np.mean(errors))) <= 0.030
        rows.append(
            [
                kind.upper(),
                share(tp, tp + fp),
                share(tp, tp + fn),
                f"{f1:.3f}",
                milliseconds(np.array(errors)),
                held(good),
            ]
        )
    head = ["", "precision", "recall", "F1", "bias ± SD (ms)", "F1 ≥ 0.98 and bias ≤ 30 ms"]
    return "\n".join(
        [
            "## The reference rule: foot sensors against motion capture",
            "",
            "Real walks with pelvis and thigh sensors come without motion capture; their foot sensors "
            "are the "
            "reference there. So first the rule that reads contacts from a foot sensor (tests/validation/"
            "foot_rule.py, frozen), on foot_reference: one healthy adult, both feet, 204.8 Hz, 28 + 29 "
            "strides "
            f"with motion-capture events, tolerance ±{TOLERANCE_S} s.",
            "",
            table(head, rows),
            "",
            "Its final contact is the reversal of pitch after push-off, about 20 ms after the toe's "
            "lowest point: "
            "a bias of final contacts below is against a reference that is itself late by so much.",
        ]
    )
