"""The results as one table, in Markdown."""

from bench.figures import NO_RATIO
from bench.goals import verdict

DIGITS = {"µs": 1, "MB": 1, "KB": 0, "MB/s": 0, "a second": 0, "s": 2, "×": 2}
QUIET = 0.4  # load of each core before a run, at most
HEAD = ("| measured | median | quartiles | beside | times that | quartiles | goal | result |\n"
        "|---|---:|---:|---|---:|---:|---:|---|")


def number(value, unit):
    digits = 0 if unit == "µs" and abs(value) >= 1000 else DIGITS.get(unit, 1)
    return f"{value:,.{digits}f}"


def row(figure):
    unit = figure["unit"]
    said = [figure["what"], f"{number(figure['median'], unit)} {unit}",
            f"{number(figure['low'], unit)} – {number(figure['high'], unit)}"]
    if len(figure["values"]) == 1:
        said[2] = ""
    if "ratio" in figure and figure["ratio"]["median"] >= NO_RATIO:
        said += [figure["beside"], "–", ""]
    elif "ratio" in figure:
        r = figure["ratio"]
        quartiles = f"{r['low']:.2f} – {r['high']:.2f}" if len(figure["values"]) > 1 else ""
        said += [figure["beside"], f"{r['median']:.2f}", quartiles]
    else:
        said += ["", "", ""]
    goal = verdict(figure)
    said += [goal[0], "met" if goal[1] else "**not met**"] if goal else ["", ""]
    return "| " + " | ".join(said) + " |"


def table(parts):
    """`parts`: name → its result."""
    return "\n".join([HEAD, *(row(f) for part in parts.values() for f in part["figures"]
                              if not f.get("plot_only"))])


def was_busy(part):
    return part["machine"]["load"] > part["machine"]["cpus"] * QUIET


def libcurl(part):
    """libcurl/8.14.1"""
    return next(w for w in part["machine"]["curlewd"].split() if w.startswith("libcurl/"))


def machine(part):
    m = part["machine"]
    rounds = max(len(f["values"]) for f in part["figures"])
    busy = " **The machine was busy with other work.**" if was_busy(part) else ""
    return (f"{m['model']}, {m['cpus']} cores, Linux {m['kernel']}; {m['curlewd']}; "
            f"{rounds} round{'s' * (rounds > 1)}, load before the run {m['load']:.1f}.{busy}")


def missed(parts):
    """(goals that were judged, those that were not met)"""
    judged = [(f, verdict(f)) for part in parts.values() for f in part["figures"] if verdict(f)]
    return len(judged), [f"{f['what']}: {goal}" for f, (goal, met) in judged if not met]
