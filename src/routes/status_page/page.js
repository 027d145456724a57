/*
 * page.js - the status page: asks v1/status every two seconds and shows what it says.
 *
 * What comes from the daemon is data of callers and origins in part: it is shown as text, never as
 * HTML.
 */
"use strict";

(() => {
  const EVERY = 2000, PATIENCE = 6000, WAIT_MAX = 30000; // milliseconds
  const ROWS = 12; // of a table
  const TOKEN = "curlew-token";
  const { element } = charts;
  const $ = (id) => document.getElementById(id);
  const { count, perSecond, duration, age, bytes, percent, sum } = figures;

  const samples = []; // of the last ten minutes; {at, gap: true} where no answer came
  const restarts = []; // seconds since the epoch, by this machine's clock
  const starts = new Map(); // start time of a daemon that has answered: when it did last
  let failedTries = 0, paused = false, timer = 0, turn = 0, announced = "", mixed = false;

  /* -- text on the page ---------------------------------------------------------- */

  function setText(e, text) {
    if (e.textContent !== text) e.textContent = text;
  }

  function setLevel(e, level) {
    if (level) e.dataset.level = level;
    else delete e.dataset.level;
  }

  /* Once for each change: a screen reader shall not read figures every two seconds. */
  function announce(text) {
    if (text !== announced) setText($("announce"), text);
    announced = text;
  }

  function setState(state, text) {
    $("state").dataset.state = state;
    setText($("state"), text);
  }

  function setNote(text) {
    setText($("note"), text);
    $("note").hidden = !text;
  }

  /* A definition list of [name, text, level], whose elements stay as long as the names do. */
  function setList(list, rows) {
    const names = rows.map((row) => row[0]).join("\n");
    if (list.dataset.names !== names) {
      list.replaceChildren(...rows.flatMap(([name]) =>
        [element("dt", {}, name), document.createElement("dd")]));
      list.dataset.names = names;
    }
    rows.forEach(([, text, level], i) => {
      setText(list.children[2 * i + 1], text);
      setLevel(list.children[2 * i + 1], level);
    });
  }

  /* Cells are texts, or [text, level]; the rows that are there are used again. */
  function setTable(table, head, rows, caption) {
    if (!rows.length) {
      table.replaceChildren();
      return;
    }
    if (!table.tHead) {
      if (caption) table.append(element("caption", {}, caption));
      table.append(element("thead", {}, element("tr", {},
        ...head.map((text) => element("th", { scope: "col" }, text)))), element("tbody"));
    }
    const body = table.tBodies[0];
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((row, i) => {
      if (!body.rows[i]) body.append(element("tr", {}, element("th", { scope: "row" }),
        ...row.slice(1).map(() => document.createElement("td"))));
      row.forEach((cell, k) => {
        const [text, level] = Array.isArray(cell) ? cell : [cell];
        setText(body.rows[i].cells[k], text);
        setLevel(body.rows[i].cells[k], level);
        if (!k) body.rows[i].cells[0].title = text;
      });
    });
  }

  /* -- the parts of the page ------------------------------------------------------- */

  function tilesOf(status, point) {
    const now = samples[samples.length - 1], engine = now.engine;
    const ended = (point.ok || 0) + (point.failed || 0);
    const tiles = [["Fetches", perSecond(point.ok === null ? null : ended), "/s",
      `${count(now.ok + now.failed)} in all`]];
    const failing = ended > 0 && point.failed / ended;
    tiles.push(["Failed", point.ok === null ? "–" : percent(point.failed, ended), "",
      `${count(now.failed)} in all`, failing > 0.2 ? "bad" : failing > 0.02 ? "warn" : ""]);
    if (!engine) return tiles;
    const limits = status.limits, used = engine.opened + engine.reused;
    tiles.push(["Median duration", duration(point.p50), "", `p90 ${duration(point.p90)}`]);
    tiles.push(["p99 duration", duration(point.p99), "", "of the last minute"]);
    tiles.push(["In flight", count(engine.inFlight), "", `limit ${count(limits.in_flight)}`,
      engine.inFlight >= limits.in_flight * 0.9 ? "warn" : ""]);
    tiles.push(["Queued", count(engine.queued), "", `limit ${count(limits.queue)}`,
      engine.queued >= limits.queue * 0.9 ? "bad" : engine.queued > 0 ? "warn" : ""]);
    tiles.push(["Connections", count(engine.connections), "",
      `${percent(engine.reused, used)} reused`]);
    tiles.push(["Guard refusals", count(engine.refusals), "",
      `${count(point.refusals || 0)} last minute`, point.refusals > 0 ? "bad" : ""]);
    return tiles;
  }

  function showTiles(status) {
    const tiles = tilesOf(status, figures.pointOf(samples, samples.length - 1, figures.TILE_WINDOW));
    const list = $("tiles");
    if (list.children.length !== tiles.length)
      list.replaceChildren(...tiles.map(([name]) => element("div", { class: "tile" },
        element("dt", {}, name), element("dd", {}, element("span", { class: "value" }),
          element("span", { class: "unit" }), element("span", { class: "under" })))));
    tiles.forEach(([, value, unit, under, level], i) => {
      const tile = list.children[i], dd = tile.lastChild;
      [value, unit, under].forEach((text, k) => setText(dd.children[k], text));
      setLevel(tile, level);
    });
  }

  function showOrigins(origins) {
    $("s-origins").hidden = !origins;
    if (!origins) return;
    const shown = origins.busiest.filter((o) => o.hops + o.in_flight + o.queued > 0).slice(0, ROWS);
    setTable($("origins"),
      ["origin", "requests/s", "in flight", "queued", "mean time", "failed", "requests"],
      shown.map((o) => [o.origin, perSecond(o.per_second), count(o.in_flight), count(o.queued),
        duration(o.hops ? o.seconds / o.hops : null),
        [percent(o.failures, o.hops), o.failures > o.hops * 0.2 ? "bad" : ""], count(o.hops)]));
    setText($("origins-more"), !shown.length ? "No requests to any origin yet."
      : origins.known > shown.length ? `${count(origins.known)} origins are remembered; these are the busiest.`
        : "");
  }

  function showSessions(sessions) {
    const now = samples[samples.length - 1];
    const old = figures.before(samples, samples.length - 1, figures.TILE_WINDOW);
    const all = Object.entries(sessions).map(([name, s]) => {
      const ended = sum(s.outcomes), was = old && old.ended ? old.ended.get(name) || 0 : ended;
      return { name, s, ended, lately: ended - was };
    }).sort((a, b) => b.lately - a.lately || b.ended - a.ended);
    const seconds = old ? now.up - old.up : 0;
    setTable($("sessions"),
      ["session", "fetches/s", "in flight", "fetches", "failed", "2xx", "3xx", "4xx", "5xx", "cookie jar"],
      all.slice(0, ROWS).map(({ name, s, ended, lately }) => {
        const failed = ended - (s.outcomes.ok || 0), r = s.responses;
        return [name, perSecond(seconds ? Math.max(0, lately) / seconds : null), count(s.in_flight),
          count(ended), [percent(failed, ended), failed > ended * 0.2 ? "bad" : ""],
          ...["2xx", "3xx", "4xx", "5xx"].map((k) => count(r[k] || 0)), s.cookie_jar];
      }));
    setText($("sessions-more"), all.length > ROWS
      ? `${count(all.length - ROWS)} more; v1/status has them all.` : "");
  }

  function showFailures() {
    const rows = figures.failures(samples).slice(0, ROWS);
    setTable($("failures"), ["code", "last 10 min", "in all"],
      rows.map(([code, lately, all]) => [code, count(lately), count(all)]));
    $("failures-none").hidden = rows.length > 0;
  }

  function showRestraint(engine, origins) {
    $("s-breakers").hidden = !engine;
    if (!engine) return;
    const b = engine.breakers;
    setList($("restraint"), [
      ["Circuit breakers", `${count(b.open)} open, ${count(b.half_open)} half-open, ${count(b.closed)} closed`,
        b.open ? "bad" : ""],
      ["Opened", `${count(engine.breaker_opened)} times`],
      ["Retries", `${count(engine.retries)}, ${count(engine.retries_waiting)} waiting`],
      ["Not retried", `${count(engine.retry_budget_refusals)}, as the budget was used up`],
      ["Sent again", `${count(sum(engine.resends))}, without a retry`],
      ["Shared transfers", count(engine.coalesced)],
      ["Guard refusals", count(engine.guard_refusals)],
      ["Guard, report only", count(engine.guard_reports)],
      ["Look-ups refused", count(engine.lookups_refused)],
    ]);
    setTable($("breakers"), ["origin", "sessions"], origins.breaker_open.slice(0, ROWS)
      .map((o) => [o.origin, count(o.breakers_open)]), "Open or half-open for");
  }

  function showDaemon(status, point) {
    const { engine, gateway } = status;
    $("s-daemon").hidden = !engine;
    if (!engine) return;
    setList($("daemon"), [
      ["Started", new Date(status.start_time_seconds * 1000).toLocaleString()],
      ["Engine threads", count(status.threads)],
      ["Web servers", `${count(gateway.connections)} connections, ${count(gateway.parked)} requests wait`],
      ["Requests", `${count(gateway.requests)}, ${count(gateway.cancelled)} cancelled by the caller`],
      ["Received", `${bytes(engine.received_bytes)}, ${bytes(point.received)} a second`],
      ["Sent", bytes(engine.sent_bytes)],
      ["Buffered bodies", `${bytes(engine.buffered_bytes)} of ${bytes(status.limits.buffered_bytes)}`],
      ["Wait for a slot", `p50 ${duration(engine.queue_seconds.p50)}, p99 ${duration(engine.queue_seconds.p99)}`],
      ["First byte", `p50 ${duration(engine.first_byte_seconds.p50)}, p99 ${duration(engine.first_byte_seconds.p99)}`],
      ["Slow loop turns", count(engine.slow_loop_turns + gateway.slow_loop_turns),
        engine.slow_loop_turns + gateway.slow_loop_turns ? "bad" : ""],
      ["Log lines dropped", count(status.log.lines_dropped), status.log.lines_dropped ? "bad" : ""],
    ]);
  }

  function showLibraries({ libraries, limits, open_files: files }) {
    const rows = [
      ["libcurl", libraries.libcurl],
      ["File", libraries.libcurl_file],
      ["HTTP/2, HTTP/3", `${libraries.http2 ? "yes" : "no"}, ${libraries.http3 ? "yes" : "no"}`],
      ["Impersonation", libraries.impersonate.length ? libraries.impersonate.join(", ") : "not with this libcurl"],
      ["jansson", libraries.jansson],
      ["Request, response", `${bytes(limits.request_bytes)}, ${bytes(limits.response_bytes)} at most`],
      ["Bodies in memory", `${bytes(limits.buffered_bytes)} at most`],
    ];
    if (files) rows.push(["Open files", `${count(files.limit)}: ${count(files.origins)} for origins, ${count(files.gateway)} for web servers`]);
    setList($("libraries"), rows);
  }

  function show(status) {
    const point = samples[samples.length - 1].point;
    $("login").hidden = true;
    $("content").hidden = false;
    charts.limit(!status.engine);
    showTiles(status);
    charts.show(samples.map((s) => s.at), samples.map((s) => s.point), restarts);
    showOrigins(status.origins);
    showSessions(status.sessions);
    showFailures();
    showRestraint(status.engine, status.origins);
    showDaemon(status, point);
    showLibraries(status);
    setText($("facts"), `${status.version}, up ${age(status.uptime_seconds)}`);
    document.title = `curlewd ${perSecond((point.ok || 0) + (point.failed || 0))}/s`;
  }

  /* -- samples -------------------------------------------------------------------- */

  function push(sample) {
    const oldest = sample.at - figures.WINDOW;
    samples.push(sample);
    while (samples[0].at < oldest) samples.shift();
    while (restarts.length && restarts[0] < oldest) restarts.shift();
    sample.point = figures.pointOf(samples, samples.length - 1);
  }

  /* A daemon that has not answered before: the last one was restarted; or several answer in turns. */
  function noteStart(start, at) {
    const last = [...samples].reverse().find((s) => !s.gap);
    if (last && last.start !== start) {
      mixed = mixed || starts.has(start);
      if (!mixed) {
        restarts.push(at);
        announce("curlewd was restarted: its counters began anew");
      }
    }
    starts.set(start, at);
  }

  function take(status) {
    const at = Date.now() / 1000, sample = figures.sampleOf(status, at);
    noteStart(sample.start, at);
    /* A Map: a session may have any name, such as "constructor". */
    sample.ended = new Map(Object.entries(status.sessions).map(([name, s]) => [name, sum(s.outcomes)]));
    push(sample);
    const draining = status.status === "draining", back = failedTries > 0;
    failedTries = 0;
    setState(draining ? "wait" : "ok", draining ? "Draining" : "Running");
    if (draining) announce("curlewd is draining: it finishes what is in flight and stops");
    else if (back && !restarts.includes(at)) announce("curlewd answers again");
    setNote(mixed ? "More than one curlewd answers at this address: their figures are mixed here. Open the page of each."
      : !status.engine ? "This token may see its own sessions only. Figures of all sessions together need a token for all."
        : restarts.length ? `curlewd was restarted at ${new Date(restarts[restarts.length - 1] * 1000).toLocaleTimeString()}. Counters began anew.`
          : "");
    show(status);
  }

  /* -- asking --------------------------------------------------------------------- */

  const savedToken = () => {
    try { return sessionStorage.getItem(TOKEN) || ""; } catch { return ""; }
  };

  function saveToken(token) {
    try {
      if (token) sessionStorage.setItem(TOKEN, token);
      else sessionStorage.removeItem(TOKEN);
    } catch { /* without storage it is asked for again after a reload */ }
  }

  let token = savedToken();

  /* What is wrong with an answer that is not the status; by people's words. */
  function reasonOf(response) {
    if (response.status === 502 || response.status === 503 || response.status === 504)
      return `curlewd does not answer (${response.status})`;
    if (response.status === 403) return "The web server does not let this browser see the status (403)";
    return `Not curlewd's answer: HTTP status ${response.status}`;
  }

  async function ask() {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch("v1/status", {
      headers, cache: "no-store", credentials: "same-origin", redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(reasonOf(response));
    const status = await response.json().catch(() => null);
    if (!status || !status.libraries || !status.sessions) throw new Error("Something else than curlewd answers here");
    return status;
  }

  function askForToken() {
    $("content").hidden = true;
    $("login").hidden = false;
    setNote("");
    setState("wait", "Token needed");
    setText($("login-error"), token ? "curlewd does not know this token." : "");
    announce(token ? "curlewd does not know this token" : "curlewd asks for a token");
    token = "";
    saveToken("");
    $("token").focus();
  }

  function fail(err) {
    const reason = err.name === "TimeoutError" ? "curlewd does not answer in time"
      : err.name === "TypeError" ? "The web server cannot be reached" : err.message;
    const wait = Math.min(WAIT_MAX, 1000 * 2 ** Math.min(failedTries, 5));
    failedTries++;
    if (samples.length) push({ at: Date.now() / 1000, gap: true });
    setState("bad", "No answer");
    setNote(`${reason}. Next try in ${wait / 1000} s. What is shown is from before.`);
    announce(`${reason}; the page keeps trying`);
    document.title = "curlewd: no answer";
    return wait;
  }

  async function poll() {
    const mine = ++turn; // an answer that somebody no longer waits for is dropped
    let wait = EVERY;
    clearTimeout(timer);
    try {
      const status = await ask();
      if (mine !== turn) return;
      if (!status) {
        askForToken();
        return; // until there is one
      }
      take(status);
    } catch (err) {
      if (mine !== turn) return;
      wait = fail(err);
    }
    timer = setTimeout(poll, wait);
  }

  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    token = $("token").value.trim();
    $("token").value = "";
    if (/[^\x21-\x7e]/.test(token)) {
      setText($("login-error"), "A token has no spaces and no characters beyond ASCII.");
      return;
    }
    saveToken(token);
    poll();
  });

  $("pause").addEventListener("click", () => {
    paused = !paused;
    $("pause").setAttribute("aria-pressed", String(paused));
    clearTimeout(timer);
    turn++;
    if (paused) setState("wait", "Paused");
    else poll();
  });

  setInterval(charts.fillTables, 60000);
  charts.start($("charts"));
  poll();
})();
