/*
 * figures.js - what the status page shows, computed from documents of v1/status.
 *
 * Pure functions: no page, no network, no clock.
 */
"use strict";

const figures = (() => {
  const WINDOW = 600; // seconds that are kept
  const RATE_WINDOW = 10; // seconds over which rates and percentiles of the charts are taken
  const TILE_WINDOW = 60;

  const sum = (object) => Object.values(object).reduce((all, n) => all + n, 0);

  /* Fetches that ended, and how, over all sessions: {ok, timeout, …}. */
  function outcomesOf(status) {
    const all = {};
    for (const session of Object.values(status.sessions || {}))
      for (const [code, n] of Object.entries(session.outcomes || {})) all[code] = (all[code] || 0) + n;
    return all;
  }

  /* One point of the charts: counters as they stand, and gauges. */
  function sampleOf(status, at) {
    const outcomes = outcomesOf(status), engine = status.engine;
    const ended = sum(outcomes), ok = outcomes.ok || 0;
    const sample = {
      at, up: status.uptime_seconds, start: status.start_time_seconds, outcomes, ok,
      failed: ended - ok, engine: null,
    };
    if (engine) sample.engine = {
      inFlight: engine.in_flight, queued: engine.queued, connections: engine.connections,
      opened: engine.connections_opened, reused: engine.connections_reused,
      received: engine.received_bytes, refusals: engine.guard_refusals,
      buckets: engine.fetch_seconds.buckets,
    };
    return sample;
  }

  /* The last sample at least so many seconds older, of the same run of the daemon; or the oldest. */
  function before(samples, i, seconds) {
    const now = samples[i];
    let found = null;
    for (let j = i - 1; j >= 0; j--) {
      const each = samples[j];
      if (!each.gap && each.start !== now.start) break;
      if (each.gap) continue;
      found = each;
      if (now.up - each.up >= seconds - 0.5) break;
    }
    return found;
  }

  const rate = (now, old, of) => old && now.up > old.up
    ? Math.max(0, of(now) - of(old)) / (now.up - old.up) : null;

  /*
   * As Prometheus' histogram_quantile(), over what was counted between two samples: linear within
   * the bucket.  null: nothing was counted.
   */
  function quantile(now, old, q) {
    const at = (i) => now[i][1] - (old ? old[i][1] : 0);
    const total = at(now.length - 1);
    let below = 0;
    if (total <= 0) return null;
    for (let i = 0; i < now.length - 1; i++) {
      const upTo = at(i);
      if (upTo > below && upTo >= q * total) {
        const from = i ? now[i - 1][0] : 0;
        return from + (now[i][0] - from) * (q * total - below) / (upTo - below);
      }
      below = upTo;
    }
    return now[now.length - 2][0];
  }

  /* A point of each chart's series, by name; null: a gap. */
  function pointOf(samples, i, seconds) {
    const now = samples[i];
    const old = now.gap ? null : before(samples, i, seconds || RATE_WINDOW);
    const engine = now.engine, was = old && old.engine;
    const latency = (q) => engine && was ? quantile(engine.buckets, was.buckets, q) : null;
    return {
      ok: old ? rate(now, old, (s) => s.ok) : null,
      failed: old ? rate(now, old, (s) => s.failed) : null,
      p50: latency(0.5), p90: latency(0.9), p99: latency(0.99),
      inFlight: engine ? engine.inFlight : null, queued: engine ? engine.queued : null,
      connections: engine ? engine.connections : null,
      opened: engine && was ? rate(now, old, (s) => s.engine.opened) : null,
      reused: engine && was ? rate(now, old, (s) => s.engine.reused) : null,
      received: engine && was ? rate(now, old, (s) => s.engine.received) : null,
      refusals: engine && was ? engine.refusals - was.refusals : null,
    };
  }

  /* Failures by code: [code, in the last ten minutes, since the start], the most frequent first. */
  function failures(samples) {
    const now = samples[samples.length - 1], old = before(samples, samples.length - 1, WINDOW);
    return Object.entries(now.outcomes).filter(([code]) => code !== "ok").map(([code, n]) =>
      [code, Math.max(0, n - ((old && old.outcomes[code]) || 0)), n])
      .sort((a, b) => b[1] - a[1] || b[2] - a[2]);
  }

  /* -- text ------------------------------------------------------------------ */

  const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

  function count(n) {
    if (n === null || n === undefined) return "–";
    if (n >= 1e6) return (n / 1e6).toFixed(n >= 1e7 ? 1 : 2) + " M";
    return grouped.format(n);
  }

  function perSecond(n) {
    if (n === null || n === undefined) return "–";
    return n > 0 && n < 0.1 ? "<0.1" : n < 10 ? String(Math.round(n * 10) / 10) : grouped.format(n);
  }

  function duration(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    if (seconds === 0) return "0 ms";
    if (seconds < 0.001) return "<1 ms";
    if (seconds < 0.01) return (seconds * 1000).toFixed(1) + " ms";
    if (seconds < 1) return Math.round(seconds * 1000) + " ms";
    return seconds < 10 ? seconds.toFixed(1) + " s" : Math.round(seconds) + " s";
  }

  function age(seconds) {
    const s = Math.floor(seconds), days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24;
    if (days) return `${days} d ${hours} h`;
    if (hours) return `${hours} h ${Math.floor(s / 60) % 60} min`;
    return s >= 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s} s`;
  }

  function bytes(n) {
    if (n === null || n === undefined) return "–";
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
    return (n < 10 && i ? n.toFixed(1) : Math.round(n)) + " " + units[i];
  }

  function percent(part, whole) {
    if (!whole) return "–";
    const p = 100 * part / whole;
    if (p > 0 && p < 0.1) return "<0.1 %";
    if (p > 99.9 && p < 100) return ">99.9 %";
    return (p < 10 && p > 0 ? p.toFixed(1) : Math.round(p)) + " %";
  }

  return {
    WINDOW, RATE_WINDOW, TILE_WINDOW, sum, outcomesOf, sampleOf, before, quantile, pointOf, failures,
    count, perSecond, duration, age, bytes, percent,
  };
})();
