"""What stands between `<!-- figures: PART -->` and `<!-- end -->` of a page, made from the results.

docs/performance.md has a table for each part, and one of the goals. The two README have a few
figures that a reader who skims looks for, `readme_en` and `readme_zh`.
"""

import re

from bench import report
from bench.goals import verdict
from bench.visits import COLUMNS, KINDS

BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.S)
ENGLISH, CHINESE = 0, 1


# -- docs/performance.md ---------------------------------------------------------------------------


def goals(parts):
    """The figures that the project has a goal for, from all parts."""
    chosen = {name: {"figures": [f for f in part["figures"] if verdict(f)]}
              for name, part in parts.items()}
    judged, missed = report.missed(parts)
    return f"{judged - len(missed)} of {judged} goals are met.\n\n" + report.table(chosen)


def part_table(name, parts):
    if name not in parts:
        return "Not measured yet."
    part = parts[name]
    return (f"`{part['command']}`, {part['time']}, {part['seconds']} s. {report.machine(part)}\n\n"
            + report.table({name: part}))


# -- README ----------------------------------------------------------------------------------------


PEERS = ["aiohttp", "curl_cffi", "httpx"]
KIND_WORDS = {"curl_cffi_per_request": ("a new session in each view", "每个视图新建会话"),
              "curl_cffi": ("a session for each worker", "每个工作进程一个会话")}
JOIN = ("; ", "；")
HEAD = ("| measurement | Curlew | instead |\n|---|---|---|",
        "| 测量项目 | Curlew | 其他方案 |\n|---|---|---|")


def us(value):
    return f"{value:,.0f} µs" if value >= 1 else "≈ 0 µs"


def ms(value):
    return f"{value / 1000:,.1f} ms"


def plain(value):
    return f"{value:,.1f}".removesuffix(".0") if value < 10 else f"{value:,.0f}"


def compared(of, words, curlew, others, language):
    """A row whose last cell names the others: (words, value) each."""
    return f"| {words[language]} | {of(curlew)} | " + JOIN[language].join(
        f"{name[language]} {of(value)}" for name, value in others) + " |"


def visit_rows(found, language):
    rows = {"handshakes": (plain, ("TLS handshakes at the origin for 1,000 visits of a view that "
                                   "fetches one page, on 4 workers",
                                   "一个请求一个页面的视图被访问 1,000 次，"
                                   "源站的 TLS 握手次数（4 个工作进程）")),
            "p50": (ms, ("the time of such a visit: p50", "每次访问的时间：p50")),
            "p99": (ms, ("p99", "p99")),
            "cpu": (us, ("CPU of Django's processes for it", "每次访问消耗的 Django 进程 CPU"))}
    assert list(rows)[1:] == list(COLUMNS)
    for column, (of, words) in rows.items():
        value = {kind: found[f"visits/{kind}/{column}"]["median"] for kind in KINDS}
        others = [(KIND_WORDS[kind], value[kind]) for kind in KIND_WORDS]
        yield compared(of, words, value["curlew"], others, language)


def django_rows(found, language):
    """Of twenty fetches: what one adds is lost in the noise of a busy machine."""
    words = ("CPU that 20 fetches at once add to a view, uvicorn",
             "uvicorn 下，同时发起 20 个请求给一个视图增加的 CPU")
    value = {name: found[f"django/uvicorn/twenty/{name}"]["median"] for name in ["curlew", *PEERS]}
    yield compared(us, words, value["curlew"], [((n, n), value[n]) for n in PEERS], language)


def concurrency_rows(found, language):
    last = plain(found["concurrency/last"]["median"])
    memory = plain(found["concurrency/memory"]["median"])
    yield ((f"| 1,000 fetches of 2 s each, all at once | complete after {last} s; the daemon has "
            f"{memory} MB of resident memory | |"),
           (f"| 同时发起 1,000 个请求，每个 2 秒 | {last} 秒后全部返回；"
            f"守护进程常驻内存 {memory} MB | |")
           )[language]


def idle_rows(found, language):
    wakes = plain(found["idle/after-load/wake-ups"]["median"])
    fresh = plain(found["idle/just-started/memory"]["median"])
    used = plain(found["idle/after-load/memory"]["median"])
    yield ((f"| the daemon, idle | {wakes} wake-ups a second; {fresh} MB of resident memory, "
            f"{used} MB with open connections | |"),
           (f"| 守护进程空闲时 | 每秒被唤醒 {wakes} 次；常驻内存 {fresh} MB，"
            f"保持着连接时 {used} MB | |")
           )[language]


def per_fetch_rows(found, language):
    fetch = found["per_fetch/http-64-1000/fetch"]["ratio"]["median"]
    batch = found["per_fetch/http-100-1000/batch"]["ratio"]["median"]
    yield ((f"| CPU of the daemon for each fetch, behind nginx, 1 KB, 64 in flight | {fetch:.1f} "
            f"times that of a bare libcurl loop in C; in batches of 100, {batch:.1f} times | |"),
           ("| 守护进程每个请求的 CPU：位于 nginx 之后，正文 1 KB，64 个并发 | "
            f"C 语言直接循环调用 libcurl 的 {fetch:.1f} 倍；"
            f"每 100 个一批时 {batch:.1f} 倍 | |"))[language]


README_ROWS = {"visits": visit_rows, "django": django_rows, "concurrency": concurrency_rows,
               "idle": idle_rows, "per_fetch": per_fetch_rows}


def conditions(parts, language):
    """Where and when, by all parts: they may be of several runs."""
    machines = [part["machine"] for part in parts]
    cores = ("{cpus} cores ({model})", "{cpus} 核（{model}）")[language]
    where = JOIN[language].join(dict.fromkeys(cores.format_map(m) for m in machines))
    versions = JOIN[language].join(dict.fromkeys(map(report.libcurl, parts)))
    days = sorted(part["time"].split()[0] for part in parts)
    when = " – ".join(dict.fromkeys([days[0], days[-1]]))
    busy = any(map(report.was_busy, parts))
    return (f"{where}, {versions}, {when}; medians."
            + " **The machine was busy with other work.**" * busy,
            f"{where}，{versions}，{when}；均为中位数。" + "**测量时机器上还有其他负载。**" * busy
            )[language]


def readme(parts, language):
    """The parts that were measured, in the order of the table."""
    measured = {name: rows for name, rows in README_ROWS.items() if name in parts}
    found = {f["key"]: f for name in measured for f in parts[name]["figures"]}
    rows = [row for of in measured.values() for row in of(found, language)]
    return "\n".join([conditions([parts[name] for name in measured], language), "",
                      HEAD[language], *rows])


# -- all -------------------------------------------------------------------------------------------


SPECIAL = {"goals": goals, "readme_en": lambda parts: readme(parts, ENGLISH),
           "readme_zh": lambda parts: readme(parts, CHINESE)}


def fill(text, parts):
    """The page with the figures of these parts."""
    def block(name):
        return SPECIAL[name](parts) if name in SPECIAL else part_table(name, parts)
    return BLOCK.sub(lambda m: f"{m[1]}{block(m[2])}\n{m[3]}", text)
