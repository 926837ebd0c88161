// Draws every trend of the page with ECharts from the JSON beside it.  The table under each chart says the
// same; a chart is an image with a text alternative.  Canvas and rich text only: the page's policy allows
// no inline style, which ECharts' SVG and HTML modes need.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const charts = [];

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue("--" + name).trim();
  return {
    text: of("text"), muted: of("muted"), line: of("line"), accent: of("accent"), alert: of("alert"),
    band: of("band"), bandLine: of("band-line"), bar: of("bar"), surface: of("surface"),
  };
}

function signed(data, value) {
  const decimals = data.unit === "s" ? 3 : 1;
  const sign = data.up && value > 0 ? "+" : "";
  const gap = data.unit === "°" || data.unit === "" ? "" : " ";
  return sign + value.toFixed(decimals).replace("-", "−") + gap + data.unit;
}

function tooltip(data, point, smoothed) {
  if (!point) return "";
  const lines = ["{b|" + point.day + "}" + (data.simulated ? "  SIMULATED" : "")];
  lines.push(point.value === null ? "no value" : signed(data, point.value)
    + (point.margin ? "  (95 % interval " + point.margin + ")" : ""));
  lines.push(point.n_strides.toLocaleString("en") + " strides" + (point.valid ? "" : ", not valid: not counted"));
  if (smoothed !== undefined) lines.push("smoothed " + signed(data, smoothed));
  if (data.alert_days.includes(point.day)) lines.push("▲ part of an alert");
  return lines.join("\n");
}

// Room above and below so that marks at the edge are whole, and never so little that noise looks like a cliff.
function range(data) {
  const values = data.points.filter((p) => p.value !== null).map((p) => p.value);
  if (data.mean !== null) values.push(data.mean - data.half_width, data.mean + data.half_width);
  if (!values.length) return { min: null, max: null };
  const low = Math.min(...values), high = Math.max(...values);
  const missing = Math.max((data.least_span || Math.abs(high) || 1) - (high - low), 0) / 2;
  const room = Math.max((high - low) * 0.12 - missing, 0) + missing;
  return { min: low - room, max: high + room };
}

// Both x axes from noon before the first day to noon after the last, so that bars stand under their points.
function days(data) {
  if (!data.points.length) return {};
  const noon = (day, offset) => { const [y, m, d] = day.split("-").map(Number); return new Date(y, m - 1, d + offset, 12).getTime(); };
  return { min: noon(data.points[0].day, -1), max: noon(data.points[data.points.length - 1].day, 0) };
}

// The strides' axis has one label: a round number not below the longest bar.
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return Math.ceil(Math.max(value, 1) / unit) * unit;
}

function option(data) {
  const c = colours();
  const byDay = new Map(data.points.map((p) => [p.day, p]));
  const smoothed = new Map(data.smoothed.map((p) => [p.day, p.value]));
  const alertDays = new Set(data.alert_days);
  const shown = (keep) => data.points.filter((p) => p.value !== null && keep(p)).map((p) => [p.day, p.value]);
  const { min, max } = range(data);
  const strides = roundUp(Math.max(0, ...data.points.map((p) => p.n_strides)));
  const span = days(data);
  const axis = { lineStyle: { color: c.line } };
  const label = { color: c.muted, fontSize: 11 };
  const mark = data.mean === null ? {} : {
    markArea: {
      silent: true, itemStyle: { color: c.band },
      data: [[{ yAxis: data.mean - data.half_width }, { yAxis: data.mean + data.half_width }]],
    },
    markLine: {
      silent: true, symbol: "none", label: { show: false }, lineStyle: { color: c.bandLine, type: "dashed", width: 1 },
      data: [{ yAxis: data.mean }],
    },
  };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: [{ left: 48, right: 12, top: 24, bottom: 62 }, { left: 48, right: 12, bottom: 22, height: 26 }],
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: c.surface, borderColor: c.line,
      textStyle: { color: c.text, fontSize: 12, rich: { b: { fontWeight: "bold", color: c.text } } },
      axisPointer: { type: "line", lineStyle: { color: c.muted } },
      formatter: (items) => tooltip(data, byDay.get(items[0] && items[0].value[0]), smoothed.get(items[0] && items[0].value[0])),
    },
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    xAxis: [
      { type: "time", gridIndex: 0, ...span, containShape: false, axisLine: axis, axisTick: { show: false }, axisLabel: { show: false }, splitLine: { show: false } },
      { type: "time", gridIndex: 1, ...span, containShape: false, axisLine: axis, axisTick: axis, splitLine: { show: false },
        axisLabel: { ...label, hideOverlap: true, formatter: { year: "{yyyy}", month: "{MMM}", day: "{d} {MMM}" } } },
    ],
    yAxis: [
      { type: "value", gridIndex: 0, min, max, scale: true, splitNumber: 4, axisLabel: { ...label, showMinLabel: false, showMaxLabel: false, formatter: (v) => tick(v, max - min) },
        splitLine: { lineStyle: { color: c.line, opacity: 0.6 } },
        name: (data.unit || "") + (data.up ? "   ↑ " + data.up + "   ↓ " + data.down : ""), nameLocation: "end", nameGap: 9,
        nameTextStyle: { color: c.muted, fontSize: 11, align: "left", padding: [0, 0, 0, -40] } },
      { type: "value", gridIndex: 1, min: 0, max: strides, interval: strides, axisLabel: { ...label, showMinLabel: false, verticalAlign: "top", formatter: (v) => (v >= 1000 ? v / 1000 + "k" : v) }, splitLine: { show: false } },
    ],
    series: [
      { type: "line", name: "valid", xAxisIndex: 0, yAxisIndex: 0, data: shown((p) => p.valid), symbol: "circle",
        symbolSize: 4.5, lineStyle: { color: c.accent, width: 1, opacity: 0.35 }, itemStyle: { color: c.accent }, z: 3, ...mark },
      { type: "line", name: "smoothed", xAxisIndex: 0, yAxisIndex: 0, data: data.smoothed.map((p) => [p.day, p.value]), z: 4,
        symbol: data.smoothed.length === 1 ? "diamond" : "none", symbolSize: 9, lineStyle: { color: c.accent, width: 2.5 }, itemStyle: { color: c.accent } },
      { type: "scatter", name: "not valid", xAxisIndex: 0, yAxisIndex: 0, data: shown((p) => !p.valid), z: 2,
        symbol: "path://M0 1 L1 0 L5 4 L9 0 L10 1 L6 5 L10 9 L9 10 L5 6 L1 10 L0 9 L4 5 Z", symbolSize: 6.5, itemStyle: { color: c.muted } },
      { type: "scatter", name: "alert", xAxisIndex: 0, yAxisIndex: 0, data: shown((p) => p.valid && alertDays.has(p.day)), z: 4,
        symbol: "triangle", symbolSize: 9, itemStyle: { color: c.alert } },
      { type: "bar", name: "strides", xAxisIndex: 1, yAxisIndex: 1, barMaxWidth: 8, itemStyle: { color: c.bar },
        data: data.points.map((p) => [p.day, p.n_strides]) },
    ],
  };
}

function tick(value, span) {
  const decimals = span < 0.2 ? 3 : span < 2 ? 2 : span < 12 ? 1 : 0;
  return value.toFixed(decimals).replace("-", "−");
}

function draw(element) {
  const data = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const chart = echarts.init(element, null, { renderer: "canvas" });
  chart.setOption(option(data));
  charts.push({ chart, data });
  new ResizeObserver(() => chart.resize()).observe(element);
}

// Charts in a closed <details> have no size yet: they are drawn when they come into view.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "400px" });

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("[data-chart]")) seen.observe(element);
});
dark.addEventListener("change", () => charts.forEach(({ chart, data }) => chart.setOption(option(data))));
