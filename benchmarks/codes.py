"""What a verification code's hash costs: the one figure in µs, because its goal is in µs."""

from collections.abc import Iterator

from benchmarks.ratio import Figure, Finding, at_most, seconds_of
from benchmarks.stock import Stock
from rafflekit.core.protocol.codes import CODE_BYTES, CodeHasher, spell

REPEATS = 500


def figures(_stock: Stock) -> Iterator[Finding]:
    """Yield the time of one hash with the default cost."""
    hasher, code = CodeHasher(), spell(bytes(CODE_BYTES))
    times = [seconds_of(lambda: hasher.hash_all([code])) * 1e6 for _ in range(REPEATS)]
    yield Figure("a code's Argon2id hash, in µs", times, at_most(100))
