"""What a verification code's hash costs: the one figure in seconds, since its goal is one."""

from statistics import median

from benchmarks.ratio import seconds_of
from rafflekit.core.codes import CODE_BYTES, CodeHasher

REPEATS = 500


def hash_line() -> str:
    """Return the time of one hash with the default cost, as a line of the report."""
    hasher = CodeHasher()
    times = [seconds_of(lambda: hasher.hash(bytes(CODE_BYTES))) * 1e6 for _ in range(REPEATS)]
    what = "a code's Argon2id hash, in µs"
    return f"{what:<58} {median(times):>7.0f} {min(times):>7.0f} … {max(times):<7.0f} ≤ 100"
