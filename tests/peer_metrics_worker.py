"""Runs scikit-digital-health's metrics in its own environment; started by tests/peer_metrics.py.

``python peer_metrics_worker.py IN.npz OUT.json``.  IN: acc_0, ic_0, ...: forward, left, up of acceleration
(n, 3) in m/s² at 100 Hz from the first to the last initial contact, and the contacts' rows.  OUT: per walk
name -> value, the median over strides of what it has per stride.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np

NAMES = (
    "HarmonicRatioV",
    "StepRegularityV",
    "StrideRegularityV",
    "GaitSymmetryIndex",
    "PhaseCoordinationIndex",
)


def main(source: Path, target: Path) -> None:
    warnings.filterwarnings("ignore")
    metrics = import_module("skdh.gait.gait_metrics.gait_metrics")
    given = np.load(source)
    out = []
    for k in range(sum(key.startswith("acc_") for key in given.files)):
        acc, ic = given[f"acc_{k}"] / 9.81, given[f"ic_{k}"].astype(int)
        n = len(ic)
        gait = {"IC": ic, "Bout N": np.ones(n, int), "forward cycles": np.minimum(np.arange(n)[::-1], 2)}
        aux = {"accel": [acc], "inertial data i": np.zeros(n, int), "v axis": np.full(n, 2)}
        values = {}
        for name in NAMES:
            endpoint = getattr(metrics, name)()
            endpoint.predict(fs=100.0, leg_length=None, gait=gait, gait_aux=aux)
            values[name] = float(np.nanmedian(gait[endpoint.k_]))
        out.append(values)
    target.write_text(json.dumps(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
