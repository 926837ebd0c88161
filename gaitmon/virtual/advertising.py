"""What a virtual sensor says of itself to everybody."""

from __future__ import annotations

from bumble.core import UUID, AdvertisingData

from gaitmon.sensors.profile import Identity

_BYTES = 31  # of a legacy advertisement, and of a scan response


def advertising(identity: Identity, name: str, address: bytes) -> tuple[bytes, bytes]:
    """(advertisement, scan response): flags, name and maker; services in the response where there is no room.

    address: most significant byte first; it is the manufacturer data's content.  Raises ValueError.
    """
    kinds = AdvertisingData.Type
    said = [(kinds.FLAGS, bytes([6])), (kinds.COMPLETE_LOCAL_NAME, name.encode())]
    if identity.manufacturer_id is not None:
        maker = identity.manufacturer_id.to_bytes(2, "little")
        said.append((kinds.MANUFACTURER_SPECIFIC_DATA, maker + address[::-1]))
    services = b"".join(UUID(uuid).to_bytes(force_128=True) for uuid in identity.services)
    more = [(kinds.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, services)] if services else []
    both = bytes(AdvertisingData([*said, *more]))
    if len(both) <= _BYTES:
        return both, b""
    parts = bytes(AdvertisingData(said)), bytes(AdvertisingData(more))
    if max(map(len, parts)) > _BYTES:
        raise ValueError(f"{max(map(len, parts))} bytes of advertising, {_BYTES} fit: a shorter name")
    return parts
