"""From sensors and files to blocks in SI: formats of recordings, firmware profiles, the live stream."""
