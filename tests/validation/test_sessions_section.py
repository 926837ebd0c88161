"""The bars of the guided tests' section, held."""

from __future__ import annotations

import numpy as np

from tests.validation.sections.sessions import BARS, measured


def test_every_bar_is_held_and_no_value_is_withheld() -> None:
    for name, bar in BARS.items():
        errors = measured()[name]
        assert errors.error, name
        assert errors.missing == 0, name
        assert np.sqrt(np.mean(np.square(errors.error))) <= bar, name


def test_rises_and_steps_are_counted_right() -> None:
    for name in ("sit-to-stand, rises", "10-metre walk, steps"):
        assert not np.any(measured()[name].error), name
