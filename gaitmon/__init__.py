"""gaitmon: gait monitoring from wearable motion sensors on the pelvis and both thighs.

>>> import gaitmon
>>> analysis = gaitmon.analyse(gaitmon.open_recording("walk.gaitrec"))  # doctest: +SKIP

Not a medical device: it measures and shows; it does not diagnose and cannot detect emergencies.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaitmon.analysis import Analysis, analyse
    from gaitmon.sensors.formats import open_recording, write_recording
    from gaitmon.sensors.recording import Recording

__version__ = "0.1.0"
__all__ = ["Analysis", "Recording", "__version__", "analyse", "open_recording", "write_recording"]

# Loaded when first used: importing gaitmon must not cost a program the start of scipy.
_WHERE = {
    "Analysis": "gaitmon.analysis",
    "analyse": "gaitmon.analysis",
    "open_recording": "gaitmon.sensors.formats",
    "write_recording": "gaitmon.sensors.formats",
    "Recording": "gaitmon.sensors.recording",
}


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'gaitmon' has no attribute {name!r}")
