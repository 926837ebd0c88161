"""Simulated walks of which samples are lost in bursts: what is found of them, what is made up, what is said.

A stride or contact is *outside gaps* when the own thigh lost nothing from 1.0 s before to 0.7 s after it:
dating a contact takes the swing before it, that swing's neighbours, the landing, and 0.25 s on either side
for the filters.  Everything else is inside.  A gap is two samples more than 70 ms apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.model import Bools, ContactKind, Floats, Placement, Result, Side, Stride
from gaitmon.pipeline import run
from gaitmon.simulate import RadioParams, Simulated, Stand, Walk, simulate
from tests.validation.sections.simulated_cases import Case, Limbs, case
from tests.validation.sections.simulated_score import LOOSE_S, pairs, times_of
from tests.validation.strides import pair_strides

THIGH = {Side.LEFT: Placement.LEFT_THIGH, Side.RIGHT: Placement.RIGHT_THIGH}
LOSS = 0.3
BURSTS_S = (0.05, 0.2, 1.0, 4.0)
BEFORE_S, AFTER_S = 1.0, 0.7
GAP_S = 0.07
_STANDING_S = 1.0  # a stride that opens within this of the walk's first contact, or closes so of its last


@dataclass(frozen=True, slots=True)
class Found:
    """Of one limb in one place, outside or inside gaps; counts.

    strides: true, straight and steady, and how many of them were found.  contacts: initial ones, likewise.
    given: strides given out.  invented: of these, both of whose contacts are not those of one true stride of
    that limb within LOOSE_S.  doubled: of these, over more than one.  at_ends: of the invented, beside
    standing: with one of the walk's first or last contacts.
    """

    strides: tuple[int, int]
    contacts: tuple[int, int]
    given: int
    invented: int
    doubled: int
    at_ends: int

    def __add__(self, other: Found) -> Found:
        return Found(
            (self.strides[0] + other.strides[0], self.strides[1] + other.strides[1]),
            (self.contacts[0] + other.contacts[0], self.contacts[1] + other.contacts[1]),
            self.given + other.given,
            self.invented + other.invented,
            self.doubled + other.doubled,
            self.at_ends + other.at_ends,
        )


NOTHING = Found((0, 0), (0, 0), 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Loss:
    """One walk under bursts of loss; burst_s 0: the same walk, nothing lost.

    unflagged: strides given over a gap of the own thigh that say neither "gap" nor, where the pelvis stood in
    for it, "no angles".  errors_s: found - true initial
    contacts inside gaps, less the walk's median outside; of a walk without loss, of all.
    """

    burst_s: float
    share_lost: float
    outside: Found
    inside: Found
    unflagged: int
    errors_s: Floats


def loss_case(number: int, burst_s: float) -> Case:
    """burst_s 0: nothing is lost.  Numbers below 300 were looked at in development."""
    of = case(tuple(Limbs)[number % 2], 5300 + number, (Stand(8.0), Walk(seconds=180.0), Stand(5.0)))
    radio = RadioParams(loss_fraction=LOSS, burst_s=burst_s) if burst_s else RadioParams()
    return replace(of, sensors=replace(of.sensors, radio=radio))


def loss(of: Case) -> Loss:
    simulated = simulate(of.script, of.walker, of.sensors, of.seed)
    results = run(simulated.blocks(1.0), simulated.streams)
    radio, lost = of.sensors.radio, list(simulated.truth.loss_fraction.values())
    outside = inside = NOTHING
    unflagged, errors = 0, []
    for side in Side:
        heard = np.sort(simulated.streams[THIGH[side]].t_s)
        given = [r for r in results if isinstance(r, Stride) and r.side is side]
        unflagged += sum(
            not {"gap", "no angles"} & set(s.flags)
            and not all(_whole(heard, np.array([s.start_s]), 0.0, s.duration_s))
            for s in given
        )
        out, inn = (_found(simulated, results, side, heard, given, outside=w) for w in (True, False))
        outside, inside = outside + out, inside + inn
        errors.append(_errors_s(simulated, results, side, heard, all_of_them=not radio.loss_fraction))
    burst_s = radio.burst_s if radio.loss_fraction else 0.0
    return Loss(burst_s, float(np.mean(lost)), outside, inside, unflagged, np.concatenate(errors))


def _found(
    simulated: Simulated,
    results: Sequence[Result],
    side: Side,
    heard_s: Floats,
    given: Sequence[Stride],
    *,
    outside: bool,
) -> Found:
    truth = simulated.truth
    every = [(s.start_s, s.end_s) for s in truth.strides if s.side is side]
    own = np.array([(s.start_s, s.end_s) for s in truth.own(side)])
    spans = [(s.start_s, s.end_s) for s in given]
    right = set(pair_strides(spans, every, LOOSE_S).found.tolist())
    there = set(pair_strides(spans, own.tolist(), LOOSE_S).reference.tolist())
    place = _whole(heard_s, own[:, 0], BEFORE_S, own[:, 1] - own[:, 0] + AFTER_S) == outside
    true_ic, hit = _contacts(simulated, results, side)
    here = _whole(heard_s, true_ic, BEFORE_S, AFTER_S) == outside
    ends = np.array(spans).reshape(-1, 2)
    of_these = _whole(heard_s, ends[:, 0], BEFORE_S, ends[:, 1] - ends[:, 0] + AFTER_S) == outside
    wrong = [spans[k] for k in np.flatnonzero(of_these) if k not in right]
    contacts_s = np.array(sorted({t for s in every for t in s}))
    first_s, last_s = truth.contacts[0].t_s, truth.contacts[-1].t_s
    return Found(
        (int(place.sum()), sum(k in there for k in np.flatnonzero(place))),
        (int(here.sum()), int((here & hit).sum())),
        int(of_these.sum()),
        len(wrong),
        sum(bool(((contacts_s > a + LOOSE_S) & (contacts_s < b - LOOSE_S)).any()) for a, b in wrong),
        sum(a < first_s + _STANDING_S or b > last_s - _STANDING_S for a, b in wrong),
    )


def _contacts(simulated: Simulated, results: Sequence[Result], side: Side) -> tuple[Floats, Bools]:
    """True initial contacts of straight, steady strides, and whether each was found."""
    true = np.array(sorted({t for s in simulated.truth.own(side) for t in (s.start_s, s.end_s)}))
    hit = np.zeros(len(true), dtype=bool)
    hit[pairs(times_of(results, side, ContactKind.IC), true, LOOSE_S)[1]] = True
    return true, hit


def _errors_s(
    simulated: Simulated, results: Sequence[Result], side: Side, heard_s: Floats, *, all_of_them: bool
) -> Floats:
    true, _ = _contacts(simulated, results, side)
    found = times_of(results, side, ContactKind.IC)
    i, j = pairs(found, true, LOOSE_S)
    errors = found[i] - true[j]
    whole = _whole(heard_s, true[j], BEFORE_S, AFTER_S)
    if len(errors) == 0:
        return errors
    middle = np.median(errors[whole] if whole.any() else errors)
    return np.asarray(errors - middle if all_of_them else errors[~whole] - middle)


def _whole(heard_s: Floats, at_s: Floats, before_s: float, after_s: float | Floats) -> Bools:
    """Whether there is no gap in [at - before, at + after]."""
    first = np.searchsorted(heard_s, at_s - before_s, side="right") - 1
    last = np.searchsorted(heard_s, at_s + after_s, side="left")
    gaps = np.concatenate([[0], np.cumsum(np.diff(heard_s) > GAP_S)])
    inside: Bools = (first >= 0) & (last < len(heard_s))
    whole: Bools = inside & (gaps[np.minimum(last, len(gaps) - 1)] == gaps[np.maximum(first, 0)])
    return whole
