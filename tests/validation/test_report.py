"""The validation document: its frame, its tools, and that it belongs to the code beside it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.analysis_provenance import version_and_params
from tests.validation import figures
from tests.validation.progress import follow, showing
from tests.validation.report import DOCUMENT, SECTIONS, report
from tests.validation.sections import events, published, reference_rule
from tests.validation.strides import pair_strides
from tests.validation.tables import milliseconds, share, table


def test_the_document_was_written_with_these_parameters() -> None:
    """Which core wrote it, `make check` reminds of: not every change of a file is one of the figures."""
    assert f"Produced by: {version_and_params()}" in DOCUMENT.read_text(), "run make validate"


def test_the_document_has_every_section_and_says_what_it_is() -> None:
    text = DOCUMENT.read_text()
    assert sum(line.startswith("## ") for line in text.splitlines()) >= len(SECTIONS)
    assert "Simulation proves arithmetic, not clinical accuracy" in " ".join(text.split())
    for line in text.splitlines():
        if line.startswith("!["):
            assert (DOCUMENT.parent / line.partition("](")[2].rstrip(")")).stat().st_size < 60_000


@pytest.mark.data
@pytest.mark.parametrize("section", [reference_rule.section, events.section, published.section])
def test_a_section_gives_the_same_twice(section: object, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's own fixture
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    assert callable(section)
    first = section()
    assert first.startswith("## ")
    images = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert section() == first
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == images
    assert "**no**" not in first


def test_no_section_is_the_frame_alone() -> None:
    assert report(["there is none"]).startswith("# How good")


def brute_force(found: list[tuple[float, float]], reference: list[tuple[float, float]], tol: float) -> int:
    """The most pairs, by trying every assignment."""
    few, many = (found, reference) if len(found) <= len(reference) else (reference, found)
    return max(
        sum(abs(a[0] - b[0]) <= tol and abs(a[1] - b[1]) <= tol for a, b in zip(few, order, strict=False))
        for order in permutations(many)
    )


strides_st = st.lists(
    st.tuples(st.floats(0.0, 2.0), st.floats(0.8, 1.3)).map(lambda s: (s[0], s[0] + s[1])), max_size=5
)


@given(strides_st, strides_st)
def test_as_many_strides_are_paired_as_can_be(
    found: list[tuple[float, float]], reference: list[tuple[float, float]]
) -> None:
    pairs = pair_strides(found, reference, 0.15)
    assert pairs.n == brute_force(found, reference, 0.15)
    assert (pairs.fp, pairs.fn) == (len(found) - pairs.n, len(reference) - pairs.n)
    for i, j in zip(pairs.found, pairs.reference, strict=True):
        assert max(abs(a - b) for a, b in zip(found[i], reference[j], strict=True)) <= 0.15


def test_tables() -> None:
    assert table(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert share(44, 45) == "0.978 (44/45) [0.884, 0.996]"
    assert share(0, 0) == "none"
    assert milliseconds(np.array([0.010, 0.020])) == "+15 ± 7"


def test_follow_gives_every_item_with_and_without_a_bar() -> None:
    assert list(follow(iter("abc"))) == ["a", "b", "c"]
    with showing("letters"):
        assert list(follow("abc")) == ["a", "b", "c"]
