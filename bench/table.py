"""The results as Markdown tables."""

from bench.per_fetch import BASELINE


def _per_fetch(r):
    yield from _cpu(r, "**CPU time of curlewd for each fetch**, beside a C program that calls "
                       f"libcurl itself; {r['in_flight']} fetches in flight, bodies of 1 KiB")


def _batch(r):
    yield from _cpu(r, "**CPU time of curlewd for each fetch of a batch**, beside a C program that "
                       f"calls libcurl itself; {r['count']} fetches a batch, bodies of 1 KiB")


def _cpu(r, what):
    rounds = len(r["samples"][BASELINE])
    yield f"{what}. Medians of {rounds} rounds, measured in turns; quartiles in brackets.\n"
    yield "| client | fetches a second | CPU time a fetch | times the C program's | user | system |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, s in r["summary"].items():
        m = {key: value["median"] for key, value in s.items()}
        who = "C program on libcurl" if name == BASELINE else f"curlewd behind nginx, {name}"
        yield (f"| {who} | {m['rate']:,.0f} "
               f"| {m['cpu_us']:.1f} µs ({s['cpu_us']['low']:.1f}–{s['cpu_us']['high']:.1f}) "
               f"| {m['ratio']:.2f} ({s['ratio']['low']:.2f}–{s['ratio']['high']:.2f}) "
               f"| {m['user_us']:.1f} µs | {m['system_us']:.1f} µs |")


def _concurrency(r):
    yield (f"**{r['count']:,} concurrent fetches of {r['delay_seconds']} s each**, behind nginx, "
           "and the latency of /healthz meanwhile\n")
    yield "| complete within 3 s | last one after | peak memory " \
          "| /healthz through nginx: median, max | /healthz on the socket: median, max |"
    yield "|---:|---:|---:|---:|---:|"
    for run in r["runs"]:
        nginx, socket = run["healthz"]["nginx"], run["healthz"]["socket"]
        yield (f"| {run['in_time']:,} | {run['last_s']:.2f} s "
               f"| {run['peak_kib'] / 1024:.1f} MiB "
               f"| {nginx['median_ms']:.1f}, {nginx['max_ms']:.1f} ms "
               f"| {socket['median_ms']:.1f}, {socket['max_ms']:.1f} ms |")


def _idle(r):
    yield f"**Idle for {r['seconds']} s**\n"
    yield "| state | memory | wake-ups a second |"
    yield "|---|---:|---:|"
    for name, what in (("fresh", "just started"), ("warm", "after load, connections kept open")):
        yield (f"| {what} | {r[name]['resident_kib'] / 1024:.1f} MiB "
               f"| {r[name]['wake_ups_per_second']:.2f} |")


def _streams(r):
    yield (f"**{r['count']:,} concurrent streams**, each read at {r['rate'] / 1e3:.0f} KB/s for "
           f"{r['seconds']} s, behind nginx; latency of server-sent events without and with them\n")
    yield "| peak memory | memory a stream | slowest stream, share of its rate | longest gap " \
          "| CPU | event latency without load: median, 99 % | with load |"
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
    for part, write in (("per_fetch", _per_fetch), ("batch", _batch),
                        ("concurrency", _concurrency), ("idle", _idle), ("streams", _streams)):
        if part in result:
            lines += ["", *write(result[part])]
    return "\n".join(lines)
