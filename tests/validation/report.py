"""docs/validation.md: a frame around sections that know nothing of each other.

A section is a function without arguments that returns Markdown beginning with its "## " heading; add it to
SECTIONS.  It must give the same text on every machine: no times, dates, paths or machine names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gaitmon.analysis_provenance import produced_by
from tests.validation.progress import showing
from tests.validation.sections import (
    angles,
    clock,
    daily,
    events,
    one_path,
    pelvis_only,
    posture,
    published,
    reference_rule,
    sessions,
    simulated,
    spatial,
    uncertainty,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "validation.md"

SECTIONS: dict[str, Callable[[], str]] = {
    "reference rule": reference_rule.section,
    "contacts and strides": events.section,
    "pelvis alone": pelvis_only.section,
    "daily life": daily.section,
    "posture": posture.section,
    "simulated truth": simulated.section,
    "angles": angles.section,
    "clock": clock.section,
    "stride length": spatial.section,
    "guided tests": sessions.section,
    "uncertainty": uncertainty.section,
    "live equals batch": one_path.section,
    "published figures": published.section,
}

INTRODUCTION = """# How good the measurements are

Written by `make validate`, which runs the product's own pipeline over recordings and over simulated walks;
do not edit it by hand. Every figure can be made again by anyone who has the recordings (GAITMON_DATA, see
docs/deployment.md and tests/needs.py); they are public, were made by others, and are not part of this
repository.

Produced by: {produced_by}.

**How to read it.** Real recordings show whether contacts and strides are found on people; those here are of
few and mostly healthy people. **Simulation proves arithmetic, not clinical accuracy**: a simulated walker
shows that a known asymmetry comes out with the right sign and size, and nothing about how people with a
sore hip move. gaitmon has not been validated in patients; it measures and shows, and does not diagnose.

Shares have 95 % Wilson intervals in square brackets. Bias is gaitmon minus reference: positive is late. SD
is that of single events. IC: initial contact; FC: final contact. Signed asymmetry is 100 ln(R/L).
"""


def report(only: Sequence[str] = ()) -> str:
    """The document.  only: names of SECTIONS, for a look at some of them."""
    parts = [INTRODUCTION.format(produced_by=produced_by())]
    for name, section in SECTIONS.items():
        if not only or name in only:
            with showing(name):
                parts.append(section().strip() + "\n")
    return "\n".join(parts)
