"""Makes grafana/boards/wearer.json; run it after a change and commit both:

    python dashboards/build.py

Names of measurements, tags and fields are those of gaitmon.store.influx; tests/test_dashboards.py checks
that, the Flux, and that the committed file is what this makes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, table, text, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    GridPos,
    VariableOption,
    VariableRefresh,
)
from grafana_foundation_sdk.models.text import TextMode

from gaitmon.trends import CORE_METRICS, DEFAULT_PARAMS, MetricRule

BOARD = Path(__file__).parent / "grafana" / "boards" / "wearer.json"
SOURCE = DataSourceRef(type_val="influxdb", uid="gaitmon-influxdb")
BASELINE_DAYS = DEFAULT_PARAMS.baseline.days
GRAFANA_UNITS = {"%": "percent", "deg": "degree"}

NOTE = (
    "Values per day, right against left, straight walking only. Shaded: mean ± 2 SD of the first "
    f"{BASELINE_DAYS} valid days, a picture of the usual scatter and **not** the alert's limit "
    "(docs/alerts.md). Small points named *simulated day* are not from a person. "
    "Research software, not a medical device; nothing here is a diagnosis."
)


@dataclass(frozen=True)
class FluxQuery(Dataquery):
    """A Flux target; the SDK has no model of its own for InfluxDB."""

    query: str
    ref_id: str

    def to_json(self) -> dict[str, object]:
        return {"refId": self.ref_id, "datasource": SOURCE.to_json(), "query": self.query}


@dataclass(frozen=True)
class Flux(Builder[Dataquery]):
    query: str
    ref_id: str = "A"

    def build(self) -> Dataquery:
        return FluxQuery(self.query, self.ref_id)


def valid_days(metric: str) -> str:
    """All valid days of the wearer, oldest first, whatever the time range: the baseline lies early."""
    return f"""days = from(bucket: v.defaultBucket)
  |> range(start: 0)
  |> filter(fn: (r) => r._measurement == "day" and r.wearer == "${{wearer}}")
  |> filter(fn: (r) => r.stratum == "straight" and r.metric == "{metric}")
  |> filter(fn: (r) => r._field == "value" or r._field == "valid")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.valid and exists r.value)
  |> group(columns: ["metric"])
  |> sort(columns: ["_time"])"""


def usual_query(metric: str) -> str:
    """Columns baseline, lower and upper at every valid day in the time range."""
    return f"""{valid_days(metric)}

baseline = days |> limit(n: {BASELINE_DAYS})
centre = baseline |> mean(column: "value")
spread = baseline |> stddev(column: "value")
usual = join(tables: {{mean: centre, sd: spread}}, on: ["metric"])

join(tables: {{day: days |> keep(columns: ["_time", "metric", "value"]), usual: usual}}, on: ["metric"])
  |> filter(fn: (r) => r._time >= v.timeRangeStart and r._time < v.timeRangeStop)
  |> map(fn: (r) => ({{
      _time: r._time,
      baseline: r.value_mean,
      lower: r.value_mean - 2.0 * r.value_sd,
      upper: r.value_mean + 2.0 * r.value_sd,
  }}))"""


def days_query(metric: str, simulated: bool) -> str:
    """One column, "day" or "simulated day": what is simulated says so in the legend and is drawn apart."""
    column, word = ("simulated day", "true") if simulated else ("day", "false")
    return f"""{valid_days(metric)}

days
  |> filter(fn: (r) => r._time >= v.timeRangeStart and r._time < v.timeRangeStop)
  |> filter(fn: (r) => r.simulated == "{word}")
  |> group()
  |> keep(columns: ["_time", "value"])
  |> rename(columns: {{value: "{column}"}})"""


def strides_query() -> str:
    metric = CORE_METRICS[0].metric
    return f"""from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "day" and r.wearer == "${{wearer}}")
  |> filter(fn: (r) => r.stratum == "straight" and r.metric == "{metric}" and r._field == "n_strides")
  |> group(columns: ["simulated"])
  |> keep(columns: ["_time", "_value", "simulated"])
  |> rename(columns: {{_value: "straight strides"}})"""


def latest_bout_query() -> str:
    """One row per metric; of several analyses of the same bout, the highest revision."""
    return """import "regexp"

from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "metric" and r.wearer == "${wearer}")
  |> filter(fn: (r) => r.stratum == "straight" and r._field == "value")
  |> filter(fn: (r) => r.metric =~ /_(left|right)_/)
  |> map(fn: (r) => ({r with analysis: int(v: r.revision)}))
  |> group(columns: ["metric"])
  |> sort(columns: ["_time", "analysis"])
  |> last()
  |> group()
  |> map(fn: (r) => ({
      metric: regexp.replaceAllString(r: /_(left|right)_/, v: r.metric, t: "_"),
      side: if r.metric =~ /_left_/ then "left" else "right",
      value: r._value,
      bout: r._time,
      simulated: r.simulated,
  }))
  |> pivot(rowKey: ["metric", "bout", "simulated"], columnKey: ["side"], valueColumn: "value")"""


def option(path: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(f"custom.{path}", value)


def trend_panel(rule: MetricRule, position: GridPos, panel_id: int) -> timeseries.Panel:
    edge = [option("lineWidth", 0), option("hideFrom", {"legend": True, "tooltip": False, "viz": False})]
    points = [option("drawStyle", "points"), option("showPoints", "always")]
    return (
        timeseries.Panel()
        .id(panel_id)
        .title(f"{rule.phrase[0].upper()}{rule.phrase[1:]} per day")
        .description(f"{rule.metric}; smallest change worth a look: {rule.mdc:g} {rule.unit}")
        .datasource(SOURCE)
        .grid_pos(position)
        .unit(GRAFANA_UNITS[rule.unit])
        .decimals(1)
        .with_target(Flux(usual_query(rule.metric), "A"))
        .with_target(Flux(days_query(rule.metric, simulated=False), "B"))
        .with_target(Flux(days_query(rule.metric, simulated=True), "C"))
        .override_by_name("day", [*points, option("pointSize", 7)])
        .override_by_name("simulated day", [*points, option("pointSize", 3)])
        .override_by_name("baseline", [option("lineStyle", {"fill": "dash", "dash": [8, 6]})])
        .override_by_name("upper", [*edge, option("fillBelowTo", "lower")])
        .override_by_name("lower", edge)
        .span_nulls(True)
        .no_value("no valid days")
    )


def wearer_variable() -> dashboard.QueryVariable:
    query = 'import "influxdata/influxdb/schema"\nschema.tagValues(bucket: v.defaultBucket, tag: "wearer")'
    return (
        dashboard.QueryVariable("wearer")
        .label("Wearer")
        .datasource(SOURCE)
        .query({"query": query, "refId": "wearers"})
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .current(VariableOption())
        .multi(False)
        .include_all(False)
    )


def board() -> dashboard.Dashboard:
    height, width = 8, 12
    made = (
        dashboard.Dashboard("Wearer")
        .uid("gaitmon-wearer")
        .tags(["gaitmon"])
        .time("now-90d", "now")
        .timezone("browser")
        .readonly()
        .with_variable(wearer_variable())
        .with_panel(
            text.Panel()
            .id(1)
            .title("How to read this")
            .content(NOTE)
            .mode(TextMode.MARKDOWN)
            .grid_pos(GridPos(h=3, w=24, x=0, y=0))
        )
    )
    for i, rule in enumerate(CORE_METRICS):
        position = GridPos(h=height, w=width, x=width * (i % 2), y=3 + height * (i // 2))
        made.with_panel(trend_panel(rule, position, 2 + i))
    n = len(CORE_METRICS)
    made.with_panel(
        timeseries.Panel()
        .id(2 + n)
        .title("Straight strides per day")
        .datasource(SOURCE)
        .grid_pos(GridPos(h=height, w=width, x=width * (n % 2), y=3 + height * (n // 2)))
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(60)
        .with_target(Flux(strides_query()))
        .min(0)
    )
    made.with_panel(
        table.Panel()
        .id(3 + n)
        .title("Latest value, left and right")
        .datasource(SOURCE)
        .grid_pos(GridPos(h=height, w=24, x=0, y=3 + height * (n // 2 + 1)))
        .decimals(2)
        .with_target(Flux(latest_bout_query()))
    )
    return made


def board_json() -> str:
    return json.dumps(board().build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    BOARD.parent.mkdir(parents=True, exist_ok=True)
    BOARD.write_text(board_json())
