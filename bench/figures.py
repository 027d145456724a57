"""A figure of a benchmark: what was measured, in each round, and beside what.

Figures are plain dictionaries, as they stand in the file of results: the table, the goals, the
page and the plots are made from that file.
"""

from statistics import median, quantiles


NO_RATIO = 1e9


class Failed(Exception):
    """The benchmark did not run as it must; its figures would mean nothing."""


def quartiles_of(values):
    """Median and quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return {"median": median(values), "low": low, "high": high}


def figure(key, what, unit, values, beside=None, base=None, plot_only=False, paired=True):
    """`base`: the values, of the same rounds, of what is named `beside`. `plot_only`: the table has
    it in another form.

    A round gives one ratio. Other load on the machine meets both of them, so the median of the
    ratios says more than the ratio of the medians. Where the values are small differences of large
    ones, which may be near nothing in a round, `paired` is false: all are compared with the median.
    """
    f = {"key": key, "what": what, "unit": unit, "values": list(values), **quartiles_of(values)}
    if plot_only:
        f["plot_only"] = True
    if base is not None:
        f["beside"] = beside
        f["base"] = median(base)
        bases = base if paired else [f["base"]] * len(base)
        # Nothing, or less, is no measure: no goal is met beside it.
        f["ratios"] = [v / b if b > 0 else None for v, b in zip(values, bases)]
        f["ratios"] = [r for r in f["ratios"] if r is not None] or [NO_RATIO]
        f["ratio"] = quartiles_of(f["ratios"])
    return f


def ratio_of_ratios(key, what, upper, lower, beside):
    """How a ratio grows: that of one figure over that of another, in the same rounds."""
    values = [u / low for u, low in zip(upper["ratios"], lower["ratios"])]
    return figure(key, what, "×", upper["ratios"], beside, lower["ratios"]) | {
        "ratios": values, "ratio": quartiles_of(values)}
