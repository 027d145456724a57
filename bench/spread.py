"""How the figures of many rounds are told."""

from statistics import median, quantiles


def spread(values):
    """Median and quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": median(values), "low": low, "high": high}
