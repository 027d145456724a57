"""The figures as Markdown."""

from bench.per_fetch import YARDSTICK


def _per_fetch(r):
    yield from _cpu(r, f"**CPU a fetch**, {r['in_flight']} in flight, body of 1 KiB")


def _batch(r):
    yield from _cpu(r, f"**CPU a fetch in batches of {r['count']}**, each one HTTP call, "
                       "body of 1 KiB")


def _cpu(r, what):
    yield f"{what}; medians of " \
          f"{len(r['samples'][YARDSTICK])} rounds taken in turns, quartiles in brackets\n"
    yield "| | user | system | CPU a fetch | × yardstick | fetches a second |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, s in r["summary"].items():
        m = {key: value["median"] for key, value in s.items()}
        who = "bare curl_multi loop" if name == YARDSTICK else f"curlewd behind nginx, {name}"
        yield (f"| {who} | {m['user_us']:.1f} µs | {m['system_us']:.1f} µs "
               f"| {m['cpu_us']:.1f} µs ({s['cpu_us']['low']:.1f}–{s['cpu_us']['high']:.1f}) "
               f"| {m['ratio']:.2f} ({s['ratio']['low']:.2f}–{s['ratio']['high']:.2f}) "
               f"| {m['rate']:,.0f} |")


def _thousand(r):
    yield f"**{r['count']:,} fetches of {r['delay_seconds']} s each, all at once**, behind nginx\n"
    yield "| answered within 3 s | last after | peak resident | healthz, nginx: median, slowest " \
          "| healthz, socket |"
    yield "|---:|---:|---:|---:|---:|"
    for run in r["runs"]:
        nginx, socket = run["healthz"]["nginx"], run["healthz"]["socket"]
        yield (f"| {run['in_time']:,} | {run['last_s']:.2f} s "
               f"| {run['peak_kib'] / 1024:.1f} MiB "
               f"| {nginx['median_ms']:.1f}, {nginx['max_ms']:.1f} ms "
               f"| {socket['median_ms']:.1f}, {socket['max_ms']:.1f} ms |")


def _idle(r):
    yield f"**Idle** for {r['seconds']} s\n"
    yield "| | wake-ups a second | resident |"
    yield "|---|---:|---:|"
    for name, what in (("fresh", "just started"), ("warm", "after a load, connections still open")):
        yield (f"| {what} | {r[name]['wake_ups_per_second']:.2f} "
               f"| {r[name]['resident_kib'] / 1024:.1f} MiB |")


def _streams(r):
    yield (f"**{r['count']:,} streams at once**, each read at {r['rate'] / 1e3:.0f} KB/s for "
           f"{r['seconds']} s, behind nginx; server-sent events alone and beside them\n")
    yield "| peak resident | a stream | least share of its rate | longest wait | CPU " \
          "| events late, alone: median, 99 % | beside |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    for run in r["runs"]:
        alone, beside = run["sse"], run["sse_beside"]
        yield (f"| {run['peak_kib'] / 1024:.0f} MiB | {run['per_stream_kib']:.0f} KiB "
               f"| {run['least_share'] * 100:.0f} % | {run['longest_wait_s']:.2f} s "
               f"| {run['cpu_share'] * 100:.0f} % of a core "
               f"| {alone['median_ms']:.2f}, {alone['p99_ms']:.1f} ms "
               f"| {beside['median_ms']:.2f}, {beside['p99_ms']:.1f} ms |")


def text(result):
    m = result["machine"]
    versions = ", ".join(m["versions"][:2])
    lines = [f"{m['model']}, {m['cpus']} cores, Linux {m['kernel']}; {versions}"]
    for part, write in (("per_fetch", _per_fetch), ("batch", _batch), ("thousand", _thousand),
                        ("idle", _idle), ("streams", _streams)):
        if part in result:
            lines += ["", *write(result[part])]
    return "\n".join(lines)
