"""The daemon's status as lines of text, for `manage.py curlew status` and `top`.

Pure functions of documents of …/v1/status, which docs/api.md describes.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

Status = Dict[str, Any]
Buckets = Sequence[Sequence[Any]]

ROWS = 10  # of a list, however high the terminal is


# -- figures --------------------------------------------------------------------------------------


def outcomes(session: Status) -> Tuple[int, int]:
    """(fetches that had a response, fetches that failed)"""
    ok = int(session["outcomes"].get("ok", 0))
    return ok, sum(session["outcomes"].values()) - ok


def is_restart(before: Status, after: Status) -> bool:
    """Whether the daemon was restarted between the two: then their difference means nothing."""
    return bool(before.get("start_time_seconds") != after.get("start_time_seconds"))


def quantile(after: Buckets, before: Optional[Buckets], q: float) -> Optional[float]:
    """As Prometheus' histogram_quantile() of what was counted between two statuses; None: nothing
    was. `before` None: since the start."""
    counts = [float(n - (before[i][1] if before else 0)) for i, (_, n) in enumerate(after)]
    below, lower, total = 0.0, 0.0, counts[-1]
    if total <= 0:
        return None
    for (bound, _), up_to in zip(after[:-1], counts):
        if up_to > below and up_to >= q * total:
            return lower + (float(bound) - lower) * (q * total - below) / (up_to - below)
        below, lower = up_to, float(bound)
    return lower


# -- units ----------------------------------------------------------------------------------------


def format_duration(seconds: int) -> str:
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s"


def format_time(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    if seconds < 0.001:
        return "<1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def format_bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024:
            return f"{n:.0f} {unit}"
        n /= 1024
    return f"{n:.1f} TiB"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def printable(text: str) -> str:
    """Without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


# -- `status` -------------------------------------------------------------------------------------


def status_lines(status: Status) -> Iterator[str]:
    """The status as text."""
    yield title(status)
    if "engine" in status:  # a token for certain sessions does not see it
        yield from engine_lines(status["engine"])
    yield f"  {'session':<24} {'in flight':>9} {'ok':>10} {'failed':>8}"
    for name, session in status["sessions"].items():
        ok, failed = outcomes(session)
        yield f"  {name:<24} {session['in_flight']:>9} {ok:>10} {failed:>8}"


def title(status: Status) -> str:
    uptime = format_duration(int(status["uptime_seconds"]))
    return f"curlewd {status['version']} at {status['url']}: {status['status']}, up {uptime}"


def engine_lines(engine: Status) -> Iterator[str]:
    """What concerns all sessions together."""
    used = engine["connections_opened"] + engine["connections_reused"]
    yield (
        f"  {engine['in_flight']} in flight, {engine['queued']} queued,"
        f" {engine['connections']} connections open"
    )
    if used:
        yield f"  {engine['connections_reused'] * 100 / used:.0f} % of {used} reused a connection"


# -- `top` ----------------------------------------------------------------------------------------


def top_lines(before: Status, after: Status, width: int = 100, height: int = 0) -> List[str]:
    """One screen: what happened between two statuses. `height` 0: as long as it is."""
    if is_restart(before, after):
        before = after
    lines = [title(after), ""]
    if "engine" in after and "engine" in before:
        lines += _engine(before, after)
        lines += ["", *_origins(after["origins"], _rows(height, len(lines), 3))]
    lines += ["", *_sessions(before, after, _rows(height, len(lines), 2))]
    failures = list(_failures(after["sessions"]))
    if failures:
        lines += ["", *failures]
    clipped = lines[: height or None]
    return [printable(line)[:width] for line in clipped]


def _rows(height: int, used: int, parts: int) -> int:
    """How many rows a table may have, if so many parts share what is left."""
    return ROWS if not height else max(1, min(ROWS, (height - used) // parts - 1))


def _engine(before: Status, after: Status) -> Iterator[str]:
    seconds = after["uptime_seconds"] - before["uptime_seconds"]
    old, new = before["engine"], after["engine"]

    def rate(*keys: str) -> float:
        was, now = old, new
        for key in keys:
            was, now = was[key], now[key]
        return float(now - was) / seconds if seconds > 0 else 0.0

    was = old["fetch_seconds"]["buckets"] if seconds > 0 else None
    times = [quantile(new["fetch_seconds"]["buckets"], was, q) for q in (0.5, 0.9, 0.99)]
    p50, p90, p99 = map(format_time, times)
    used = new["connections_opened"] + new["connections_reused"]
    breakers = new["breakers"]
    ended = rate("fetch_seconds", "count")
    yield f"  fetches      {ended:8.1f} /s    p50 {p50}, p90 {p90}, p99 {p99}"
    yield (
        f"  in flight    {new['in_flight']:8}       of {after['limits']['in_flight']};"
        f" {new['queued']} queued of {after['limits']['queue']}"
    )
    yield (
        f"  connections  {new['connections']:8} open  {rate('connections_opened'):.1f} new /s,"
        f" {percent(new['connections_reused'], used)} of requests reused one"
    )
    yield (
        f"  received     {format_bytes(rate('received_bytes')):>8} /s    sent"
        f" {format_bytes(rate('sent_bytes'))} /s,"
        f" {format_bytes(new['buffered_bytes'])} in memory"
    )
    yield (
        f"  refused      {new['guard_refusals']:8} by the egress guard;"
        f" breakers: {breakers['open']} open, {breakers['half_open']} half-open;"
        f" {new['retries']} retries"
    )


def _origins(origins: Status, rows: int) -> Iterator[str]:
    yield (
        f"  {'busiest origins':<40} {'/s':>7} {'in flight':>9} {'queued':>6} {'mean':>8}"
        f" {'failed':>8}"
    )
    for each in origins["busiest"][:rows]:
        mean = each["seconds"] / each["hops"] if each["hops"] else None
        flag = " (breaker open)" if each["breakers_open"] else ""
        name = each["origin"][: 40 - len(flag)] + flag
        yield (
            f"  {name:<40} {each['per_second']:>7.1f} {each['in_flight']:>9} {each['queued']:>6}"
            f" {format_time(mean):>8} {percent(each['failures'], each['hops']):>8}"
        )


def _sessions(before: Status, after: Status, rows: int) -> Iterator[str]:
    seconds = after["uptime_seconds"] - before["uptime_seconds"]
    found = []
    for name, session in after["sessions"].items():
        ok, failed = outcomes(session)
        old = before["sessions"].get(name)
        lately = ok + failed - sum(outcomes(old)) if old else 0
        found.append((lately, ok + failed, name, session["in_flight"], ok, failed))
    found.sort(key=lambda row: row[:2], reverse=True)
    yield f"  {'sessions':<40} {'/s':>7} {'in flight':>9} {'ok':>10} {'failed':>8}"
    for lately, _, name, in_flight, ok, failed in found[:rows]:
        rate = max(0, lately) / seconds if seconds > 0 else 0.0
        yield f"  {name:<40} {rate:>7.1f} {in_flight:>9} {ok:>10} {failed:>8}"
    if len(found) > rows:
        yield f"  and {len(found) - rows} more"


def _failures(sessions: Status) -> Iterator[str]:
    """The most frequent codes, over all sessions."""
    codes: Dict[str, int] = {}
    for session in sessions.values():
        for code, n in session["outcomes"].items():
            if code != "ok":
                codes[code] = codes.get(code, 0) + n
    most = sorted(codes.items(), key=lambda each: -each[1])[:6]
    if most:
        yield "  failures: " + ", ".join(f"{n} {code}" for code, n in most)
