"""From the gateway's outbox over MQTT 5 into the store: each result exactly once."""
