"""Subjects take turns, round after round, so that other load on the machine meets all of them."""


def take_turns(subjects, rounds, tell, column="cpu_us", unit="µs"):
    """Name → samples, one a round. `subjects`: name → a function that takes a sample."""
    samples = {name: [] for name in subjects}
    for i in range(rounds):
        # Forwards, then backwards: nobody always comes after the same one.
        for name in list(subjects)[:: 1 if i % 2 == 0 else -1]:
            samples[name].append(subjects[name]())
        tell(f"round {i + 1} of {rounds}: " + ", ".join(
            f"{name} {s[-1][column]:,.1f} {unit}" for name, s in samples.items()))
    return samples


def column_of(samples, name, key):
    return [s[key] for s in samples[name]]
