"""What BlueZ remembers of a sensor's GATT server (main.conf: Cache = always) instead of asking again."""

from __future__ import annotations

from collections.abc import Sequence

from bumble.device import Peer
from bumble.gatt_client import CharacteristicProxy, DescriptorProxy, ServiceProxy


def remembered(peer: Peer, services: Sequence[ServiceProxy]) -> list[ServiceProxy]:
    """The services of an earlier connection, handles and all, on this one; right or wrong."""
    client = peer.gatt_client
    out = []
    for old in services:
        service = ServiceProxy(  # type: ignore[no-untyped-call]
            client, old.handle, old.end_group_handle, old.uuid
        )
        for known in old.characteristics:
            characteristic: CharacteristicProxy[bytes] = CharacteristicProxy(
                client, known.handle, known.end_group_handle, known.uuid, known.properties
            )
            characteristic.descriptors = [
                DescriptorProxy(client, d.handle, d.type) for d in known.descriptors
            ]
            characteristic.descriptors_discovered = True
            service.characteristics.append(characteristic)
        out.append(service)
    return out
