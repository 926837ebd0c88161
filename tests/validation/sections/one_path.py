"""Live is batch: what is claimed, and the tests that show it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from tests import test_demo, test_live_is_batch
from tests.validation.tables import table


def _tests(module: ModuleType, *names: str) -> list[str]:
    """The tests' addresses; a name that is gone is an error here, not a stale line in the document."""
    for name in names:
        test: Callable[..., object] = getattr(module, name)
        assert callable(test)
    path = module.__name__.replace(".", "/") + ".py"
    return [f"`{path}::{name}`" for name in names]


def section() -> str:
    every = sorted(name for name in vars(test_live_is_batch) if name.startswith("test_"))
    rows = [
        [
            "the same results, bit for bit, however the stream is cut into blocks",
            "<br>".join(_tests(test_live_is_batch, *every)),
        ],
        [
            "a replay through sensors, outbox, MQTT, ingest and SQLite holds exactly what `gaitmon "
            "analyse` finds: "
            "every stride once, every number equal, the verdicts too",
            *_tests(test_demo, "test_the_store_holds_exactly_what_analyse_finds"),
        ],
        [
            "the same with server and broker killed (-9) in the middle",
            *_tests(test_demo, "test_the_same_when_server_and_broker_are_killed"),
        ],
    ]  # fmt: skip
    return "\n".join(
        [
            "## Live equals batch",
            "",
            "There is one pipeline; a recording is pushed through it, then flushed. So every figure here "
            "holds for the "
            "live stream as well. Shown by tests that run on every commit:",
            "",
            table(["claim", "test"], rows),
        ]
    )
