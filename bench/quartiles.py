"""Median and quartiles of the rounds of a benchmark."""

from statistics import median, quantiles


def quartiles_of(values):
    """Median and quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": median(values), "low": low, "high": high}
