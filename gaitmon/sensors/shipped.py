"""Where the firmware profiles are that come with gaitmon."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from gaitmon.errors import ProfileError
from gaitmon.sensors.profile import FirmwareProfile, load_profiles


def shipped_profiles() -> dict[str, FirmwareProfile]:
    """By name.  Raises ProfileError."""
    return load_profiles(profile_folder())


def profile_folder() -> Path:
    """Of a checkout, else of the installation.  Raises ProfileError where there is neither."""
    here = Path(__file__).resolve().parents[2] / "firmware_profiles"
    installed = Path(sysconfig.get_path("data")) / "share" / "gaitmon" / "firmware_profiles"
    for folder in (here, installed):
        if folder.is_dir():
            return folder
    raise ProfileError(f"{installed}: there are no firmware profiles.", "Install gaitmon again.")
