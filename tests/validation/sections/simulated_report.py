"""The Markdown of the simulated section, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gaitmon.model import Floats, Side
from tests.validation.sections import simulated_tables as tables
from tests.validation.sections.simulated_bars import Recovery, Skew, recovery, total_of
from tests.validation.sections.simulated_cases import PATHOLOGY, RANGES, SPEEDS_M_S, Limbs
from tests.validation.sections.simulated_faults import Degraded, Swap
from tests.validation.sections.simulated_loss import Loss
from tests.validation.sections.simulated_score import Score
from tests.validation.sections.simulated_tables import FC, IC, ms
from tests.validation.tables import held, share, table


def introduction(walks: int, minutes: float) -> str:
    return "\n".join(
        [
            "## Simulated walks with exact truth",
            "",
            "Simulation proves arithmetic, not clinical accuracy. And it is partly a circle: the lag of "
            "final "
            "contact, the model that stands in for an initial contact that does not show, and the k of "
            "stride length "
            "come from the same published mean curves (Schwartz 2008) that drive the simulator; there, "
            "only the "
            "spread between persons, sensors and strides is a test. The features of initial contact do not "
            "come from those curves; how long taking the weight lags it in slow walking was set on other "
            "simulated persons, so there the mean bias is no test either.",
            "",
            f"{walks} walks of about four minutes at {SPEEDS_M_S[0]} to {SPEEDS_M_S[-1]} m/s with turns "
            "and a pause, "
            f"and further ones below, {minutes:.0f} minutes with right labels in all; every one through "
            "the pipeline "
            "that runs on people, in blocks of 1 s. Seeds held out from development, nothing calibrated "
            "on them. "
            f"{RANGES} {PATHOLOGY}",
            "",
            "The same persons walk with limbs alike (both limbs the same curve), unlike (the right limb "
            "another "
            "person's curve) and pathological. Contacts count where a walk is straight and steady unless "
            "said "
            "otherwise. SD within: about the mean of the same limb in the same walk, pooled.",
        ]
    )


def contacts(grid: Sequence[Score]) -> str:
    return "\n\n".join(
        [
            "### Contacts and stride times",
            "Bars: F1 at least 0.995 at ±150 ms; SD within a limb at most 8 ms (IC) and 12 ms (FC). The "
            "column "
            "±50 ms takes nothing off: a constant bias counts as a miss and an extra there.",
            tables.contact_table(grid),
            "IC by speed: bias ± SD within (ms) and F1.",
            tables.speed_table(grid, IC),
            "FC by speed: bias ± SD within (ms) and F1.",
            tables.speed_table(grid, FC),
            "By sample rate, limbs alike.",
            tables.rate_table(grid),
            "A simulated sensor averages over its output period, as a chip's own low-pass and decimation do. "
            "And a simulated trunk has no curve of its own as the thighs have: where the leg's taking of the "
            "weight is read (strides of 1.25 s and more; in part from 1.10 s on), the spread between persons "
            "is what the simulation grants.",
            "Stride times of straight, steady strides. Bar: MAE at most 6 ms.",
            tables.stride_table(grid),
        ]
    )


def left_against_right(grid: Sequence[Score]) -> str:
    r = {kind: tables.same_limb_correlation(grid, kind) for kind in (IC, FC)}
    return "\n\n".join(
        [
            "### Left against right",
            "Per walk, mean error of the left limb's contacts less that of the right's: what an asymmetry "
            "is wrong "
            "by. Bar: 1.5 ms, limbs alike.",
            tables.difference_table(grid),
            "Cause where limbs are unlike: the event is a feature of the limb's own motion, and how far it "
            "lies from "
            "the contact depends on the shape of that limb's own curve. It is not the other limb shining "
            "through: "
            "exchanging the right limb's curve leaves the left limb's mean error as it was (correlation over "
            f"persons {r[IC]:.3f} for IC, {r[FC]:.3f} for FC). So a constant difference between the limbs "
            "of a "
            "person whose limbs move differently cannot be told from an asymmetry of that size; a change "
            "of it "
            "against the wearer's own baseline can.",
        ]
    )


def asymmetry(by_metric: Mapping[str, Floats]) -> str:
    rows = []
    for metric, each in by_metric.items():
        for speed in sorted(set(each[:, 1])):
            r = recovery(each[each[:, 1] == speed])
            rows.append([metric.replace("_", " "), f"{speed:g}", *_recovery_cells(r)])
        rows.append([metric.replace("_", " "), "all", *_recovery_cells(recovery(each))])
    head = [
        "asymmetry", "speed (m/s)", "walks", "slope, least to largest", "offset, worst (%)",
        "found - true, mean ± SD (%)", "largest error (%)", "bar held",
    ]  # fmt: skip
    return "\n\n".join(
        [
            "### Injected asymmetry, limbs alike",
            "-10, -5, 0, +5 and +10 % (100 ln(R/L)) of step time and of stance time, at least 200 strides "
            "of each "
            "side, as the bout's own metric gives it. Slope: found on injected, per person. Offset: found "
            "less "
            "true where nothing was injected. Bars: 1.00 ± 0.03 and 0.5 %, for the worst person.",
            table(head, rows),
        ]
    )


def _recovery_cells(r: Recovery) -> list[str]:
    slope = f"{r.slopes.min():.3f} to {r.slopes.max():.3f}" if len(r.slopes) > 1 else f"{r.slopes[0]:.3f}"
    return [
        str(len(r.errors_pct)), slope, f"{np.abs(r.offsets_pct).max():.2f}",
        f"{r.errors_pct.mean():+.2f} ± {r.errors_pct.std(ddof=1):.2f}",
        f"{np.abs(r.errors_pct).max():.2f}", held(r.held),
    ]  # fmt: skip


def turns(grid: Sequence[Score]) -> str:
    return "\n\n".join(
        [
            "### Turns",
            "45 to 360 degrees, both ways, in 1 to 3 s, while walking on; two further changes of heading "
            "of 15 to 40 "
            "degrees in every walk are no turns and count against precision when they are taken for one. "
            "Bar: 0.95.",
            tables.turn_table(grid),
        ]
    )


def swapped(swaps: Sequence[Swap], minutes: float, unswapped: Mapping[str, int]) -> str:
    rows = []
    for limbs in (*Limbs, None):
        some = [s for s in swaps if limbs in (None, s.case.limbs)]
        if not some:
            continue
        said = [s.swapped_labels for s in some]
        rows.append(
            [
                limbs or "all", share(said.count("swapped"), len(said)), said.count("cannot tell"),
                said.count(""), [s.right_labels for s in some].count("swapped"),
            ]
        )  # fmt: skip
    most = max(s.straight_strides for s in swaps)
    return "\n\n".join(
        [
            "### Thigh sensors on the wrong sides",
            f"Walks of at most {most} straight strides (both sides counted), once as worn and once with "
            "the thigh "
            "labels exchanged, at 0.5 to 1.7 m/s. Bar: 95 % found.",
            table(
                ["limbs", "called swapped", '"cannot tell"', "silent", "called swapped with right labels"],
                rows,
            ),
            f'False alarms: in {minutes:.0f} minutes with right labels "swapped" was said on '
            f'{unswapped["swapped"]} walks and "cannot tell" on {unswapped["cannot tell"]}.',
        ]
    )


def skew(clocks: Skew) -> str:
    rows = [
        [name, f"{n[0]} + {n[1]}", f"{1000 * d:+.2f}", held(abs(d) <= tables.DIFFERENCE_BAR_S)]
        for name, (d, n) in clocks.items()
    ]
    return "\n\n".join(
        [
            "### Clocks that run apart",
            "Left thigh +50 ppm, right thigh -50 ppm, 60 Hz over a radio with 15 ms connection interval, "
            "one hour of "
            "walking: mean error of initial contacts, left less right. Bar: 1.5 ms; uncorrected must fail "
            "it.",
            table(["clock", "contacts", "left - right (ms)", "within 1.5 ms"], rows),
        ]
    )


def lost(losses: Sequence[Loss]) -> str:
    rows = []
    for burst in sorted({x.burst_s for x in losses}):
        some = [x for x in losses if x.burst_s == burst]
        outside, inside = total_of(x.outside for x in some), total_of(x.inside for x in some)
        both = outside + inside
        errors = np.concatenate([x.errors_s for x in some])
        rows.append(
            [
                f"{burst:g}" if burst else "nothing lost", f"{np.mean([x.share_lost for x in some]):.2f}",
                *(share(k, n) if n else "none" for n, k in (outside.strides, outside.contacts)),
                *(share(k, n) if n else "none" for n, k in (inside.strides, inside.contacts)),
                ms(float(np.std(errors))) if len(errors) else "-",
                f"{outside.invented} of {outside.given}", f"{inside.invented} of {inside.given}",
                both.doubled, both.at_ends, sum(x.unflagged for x in some),
            ]
        )  # fmt: skip
    head = [
        "mean burst (s)", "lost", "strides found outside gaps", "contacts found outside gaps",
        "strides found inside gaps", "contacts found inside gaps", "SD of contacts inside gaps (ms)",
        "invented outside gaps", "invented inside gaps", "of these over two strides",
        "of these beside standing", "over a gap and not flagged",
    ]  # fmt: skip
    return "\n\n".join(
        [
            "### Samples lost in bursts",
            "Gilbert-Elliott loss of 30 % of the samples of each sensor on its own, three minutes of "
            "walking. "
            "Outside gaps: the own thigh lost nothing from 1.0 s before to 0.7 s after the stride or "
            "contact, "
            "which is what dating contacts takes (the swing before, its neighbours, the landing, 0.25 s for "
            "the filters); a gap is two samples more than 70 ms apart. Found: of true straight, steady ones. "
            "Invented: a stride whose contacts are not both those of one true stride of its side within 150 "
            "ms, flagged or not. The last step of a walk shows no landing and is dated by the mean curves. "
            "Holes of up to 0.1 s are bridged by a straight line before signals are smoothed; a stride over "
            "one, or over a longer one, is flagged gap and counts in no value; one that the pelvis told "
            "while the thigh was silent is flagged no angles. SD: about the walk's "
            "median. Bars: none invented; recall of strides outside gaps 0.99.",
            table(head, rows),
        ]
    )


def degradation(many: Sequence[Degraded]) -> str:
    rows = []
    for name in dict.fromkeys(d.worn.name for d in many):
        some = [d for d in many if d.worn.name == name]
        rows.append(
            [
                name, *(f"{np.mean([d.recall[side] for d in some]):.2f}" for side in Side),
                f"{np.mean([d.unsided for d in some]):.2f}", sum(d.invented for d in some),
                _all(d.step_time for d in some), _all(d.drop for d in some), _all(d.told for d in some),
            ]
        )  # fmt: skip
    head = [
        "worn", "left strides found", "right strides found", "given without a side", "invented or wrong side",
        "step-time asymmetry given", "drop asymmetry given", "reader told",
    ]  # fmt: skip
    return "\n\n".join(
        [
            "### One or two sensors missing or dropping out",
            "90 s of straight walking; what drops out is silent from 40 to 60 % of it. Shares of true "
            "strides.",
            table(head, rows),
        ]
    )


def _all(flags: Iterable[bool]) -> str:
    several = list(flags)
    return "yes" if all(several) else "no" if not any(several) else "some"
