"""An alert's evidence as it lies in the registry, read with care: it may be of another version."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError


class EvidenceDay(BaseModel):
    day: str
    value: float | None = None
    valid: bool = False
    n_strides: int = 0


class EvidenceMetric(BaseModel):
    """limit: half-width of the band around baseline_mean; floor: the smallest change that counts."""

    metric: str
    unit: str = ""
    baseline_mean: float | None = None
    baseline_sd: float | None = None
    baseline_days: int = 0
    latest: float | None = None
    ewma_change: float | None = None
    limit: float | None = None
    floor: float | None = None
    direction: str = ""
    candidate: bool = False
    days: list[EvidenceDay] = []


class Evidence(BaseModel):
    rule: str = ""
    days: list[str] = []
    metrics: list[EvidenceMetric] = []
    n_strides: int = 0
    simulated: bool = False
    text: str = ""


def read_evidence(stored: Mapping[str, object]) -> Evidence | None:
    """None where it cannot be read; the page then says so instead of failing."""
    try:
        return Evidence.model_validate(stored)
    except ValidationError:
        return None
