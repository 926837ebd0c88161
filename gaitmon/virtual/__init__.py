"""Virtual sensors over a virtual radio: real HCI, ATT and GATT bytes, without Bluetooth hardware.

    async with VirtualRadio(seed=1) as radio:
        hub = radio.adapter(slots=5)
        sensor = await radio.sensor(profile, motion, clock=ClockModel(skew_ppm=30), link=LinkModel())
        BleakScanner(backend=hub.scanner), BleakClient(device, backend=hub.client)

Times are seconds of the running event loop's clock, ``loop.time()``; a loop of ``warped_loop`` runs
all of it (sensors, radio, time-outs of whoever uses it) faster than the wall clock.
"""

from gaitmon.errors import ConfigError

try:
    import bumble as _bumble  # noqa: F401
except ModuleNotFoundError:
    raise ConfigError(
        "Virtual sensors need the package bumble.", "Install it with: pip install 'gaitmon[demo]'"
    ) from None

from gaitmon.virtual.backend import Hub
from gaitmon.virtual.clock import ClockModel
from gaitmon.virtual.link import LinkModel
from gaitmon.virtual.motion import Motion
from gaitmon.virtual.peripheral import SensorModel, VirtualSensor
from gaitmon.virtual.radio import VirtualRadio
from gaitmon.virtual.truth import Fate, SensorTruth
from gaitmon.virtual.warp import warped_loop

__all__ = [
    "ClockModel",
    "Fate",
    "Hub",
    "LinkModel",
    "Motion",
    "SensorModel",
    "SensorTruth",
    "VirtualRadio",
    "VirtualSensor",
    "warped_loop",
]
