/*
 * charts.js - the status page's charts: uPlot, each with a legend and a table of the same figures.
 */
"use strict";

const charts = (() => {
  const { duration, perSecond, count } = figures;
  const KINDS = [
    { id: "rate", title: "Fetches a second", format: perSecond, series: [
      ["ok", "ok", "blue"], ["failed", "failed", "red", true]] },
    { id: "latency", title: "Fetch duration", format: duration, series: [
      ["p50", "p50", "teal"], ["p90", "p90", "blue"], ["p99", "p99", "violet", true]] },
    { id: "load", title: "In flight and queued", format: count, series: [
      ["inFlight", "in flight", "blue"], ["queued", "queued", "gold", true]] },
    { id: "connections", title: "Connections to origins", format: perSecond, series: [
      ["connections", "open", "teal"], ["reused", "reused/s", "blue"],
      ["opened", "new/s", "red", true]] },
  ];
  const WHOLE = [0, 1, 2, 3].flatMap((e) => [1, 2, 5].map((n) => n * 10 ** e)); // steps of an axis
  const drawn = [];
  let restarts = [];

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function element(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
    e.append(...children);
    return e;
  }

  const clockText = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 5);

  /* A dashed line where the daemon was restarted. */
  function drawRestarts(u) {
    const c = u.ctx;
    c.save();
    c.strokeStyle = color("gold");
    c.setLineDash([4, 4]);
    for (const at of restarts) {
      const x = u.valToPos(at, "x", true);
      if (x < u.bbox.left) continue;
      c.beginPath();
      c.moveTo(x, u.bbox.top);
      c.lineTo(x, u.bbox.top + u.bbox.height);
      c.stroke();
    }
    c.restore();
  }

  function optionsOf(chart) {
    const { kind, plot } = chart;
    const axis = {
      stroke: color("soft"), grid: { stroke: color("grid"), width: 1 }, ticks: { show: false },
      font: "12px system-ui, 'DejaVu Sans', sans-serif",
    };
    return {
      width: plot.clientWidth, height: plot.clientHeight, legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.12 : 1] } },
      axes: [
        { ...axis, size: 26, space: 70, values: (u, all) => all.map(clockText) },
        { ...axis, size: 58, space: 34, incrs: kind.format === count ? WHOLE : undefined,
          values: (u, all) => all.map((v) => v === null ? "" : kind.format(v)) },
      ],
      series: [{}, ...kind.series.map(([, label, name, dashed]) => ({
        label, stroke: color(name), width: 2, dash: dashed ? [6, 4] : undefined,
        fill: dashed ? undefined : color(name) + "14", points: { show: false }, spanGaps: false,
      }))],
      hooks: { draw: [drawRestarts], setCursor: [() => showLegend(chart)] },
    };
  }

  /* The figures under the cursor, or else the newest. */
  function showLegend(chart) {
    const i = chart.u && chart.u.cursor.idx;
    chart.values.forEach((value, k) => {
      const all = chart.data[k + 1] || [];
      const text = chart.kind.format(i === null || i === undefined ? lastOf(all) : all[i]);
      if (value.textContent !== text) value.textContent = text;
    });
  }

  const lastOf = (all) => all.length ? all[all.length - 1] : null;

  function add(parent, kind) {
    const values = kind.series.map(() => document.createElement("b"));
    const legend = element("ul", { class: "legend" }, ...kind.series.map(([, label, name, dashed], k) => {
      const swatch = element("span", { class: "swatch", "data-color": name, "aria-hidden": "true" });
      if (dashed) swatch.dataset.dash = "";
      return element("li", {}, swatch, label, " ", values[k]);
    }));
    const plot = element("div", {
      class: "plot", role: "img", id: "plot-" + kind.id,
      "aria-label": `${kind.title}, a chart of the last ten minutes. The table after it has the figures.`,
    });
    const table = document.createElement("table");
    const details = element("details", {}, element("summary", {}, "As a table"), table);
    parent.append(element("figure", { class: "chart" },
      element("figcaption", {}, element("h3", {}, kind.title), legend), plot, details));
    const chart = { kind, plot, values, table, details, data: [[]], u: null };
    details.addEventListener("toggle", () => fillTable(chart));
    drawn.push(chart);
  }

  function build(chart) {
    if (chart.u) chart.u.destroy();
    chart.u = new uPlot(optionsOf(chart), chart.data, chart.plot);
  }

  /* One row a minute, the newest first: the figures as they stood then. */
  function fillTable(chart) {
    if (!chart.details.open) return;
    const times = chart.data[0], rows = [];
    for (let i = times.length - 1, due = Infinity; i >= 0; i--) {
      if (times[i] > due) continue;
      due = times[i] - 60;
      rows.push(element("tr", {}, element("th", { scope: "row" }, clockText(times[i])),
        ...chart.kind.series.map((_, k) => element("td", {}, chart.kind.format(chart.data[k + 1][i])))));
    }
    const head = element("tr", {}, ...["time", ...chart.kind.series.map((s) => s[1])]
      .map((text) => element("th", { scope: "col" }, text)));
    chart.table.replaceChildren(element("caption", {}, `${chart.kind.title}, each minute`),
      element("thead", {}, head), element("tbody", {}, ...rows));
  }

  /* `points`: of figures.pointOf(), one for each of `times`. */
  function show(times, points, restartTimes) {
    restarts = restartTimes;
    const now = lastOf(times);
    for (const chart of drawn) {
      chart.data = [times, ...chart.kind.series.map(([name]) => points.map((p) => p[name]))];
      if (!chart.u) build(chart);
      chart.u.setData(chart.data, false);
      chart.u.setScale("x", { min: now - figures.WINDOW, max: now });
      showLegend(chart);
    }
  }

  const fillTables = () => drawn.forEach(fillTable);

  function start(parent) {
    for (const kind of KINDS) add(parent, kind);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      drawn.forEach((chart) => { if (chart.u) build(chart); }));
    new ResizeObserver(() => drawn.forEach((chart) => {
      if (chart.u && chart.plot.clientWidth > 0)
        chart.u.setSize({ width: chart.plot.clientWidth, height: chart.plot.clientHeight });
    })).observe(parent);
  }

  /* Without the figures of all sessions there is only the rate to show. */
  function limit(only) {
    for (const chart of drawn)
      chart.plot.parentElement.hidden = only && chart.kind.id !== "rate";
  }

  return { start, show, fillTables, limit, element };
})();
