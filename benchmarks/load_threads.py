"""The load without wrk: http.client in one thread per connection.

    python -m benchmarks.load_threads URL CONNECTIONS SECONDS METHOD STATUS FIRST ACCEPT

It prints what `load.lua` prints. It is Python, so on two cores it slows both the empty endpoint and rafflekit more than
wrk does, and the measured ratios are nearer to 1 than the real ones. The report says which of the two ran.
"""

import json
import sys
import threading
from http.client import HTTPConnection, HTTPException
from itertools import count
from statistics import quantiles
from time import perf_counter
from urllib.parse import urlsplit


class Load:
    """One load: requests on keep-alive connections until the time is over."""

    def __init__(self, url: str, *, seconds: float, method: str, status: int, first_address: int, accept: str) -> None:
        self._url = urlsplit(url)
        self._method = method
        self._status = status
        self._accept = accept
        self._addresses = count(first_address)
        self._until = perf_counter() + seconds
        self.latencies: list[float] = []
        self.unexpected: list[int] = []
        self.broken = 0

    def send_requests(self) -> None:
        """Send one request after the other on one connection."""
        connection = HTTPConnection(self._url.hostname or "", self._url.port, timeout=30)
        try:
            while (start := perf_counter()) < self._until:
                connection.request(self._method, self._url.path, headers=self._headers())
                answer = connection.getresponse()
                answer.read()
                self.latencies.append(perf_counter() - start)
                if answer.status != self._status:
                    self.unexpected.append(answer.status)
        except (OSError, HTTPException):
            self.broken += 1
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        if self._method == "GET":
            return {"Accept": self._accept}
        address = next(self._addresses)
        return {"Forwarded": f"for=10.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"}


def main() -> None:
    """Run one load and print its numbers."""
    url, connections, seconds, method, status, first, accept = sys.argv[1:]
    start = perf_counter()
    load = Load(url, seconds=float(seconds), method=method, status=int(status), first_address=int(first), accept=accept)
    threads = [threading.Thread(target=load.send_requests) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hundredths = quantiles(load.latencies, n=100)
    numbers = {
        "requests": len(load.latencies),
        "seconds": perf_counter() - start,
        "p50_ms": hundredths[49] * 1e3,
        "p99_ms": hundredths[98] * 1e3,
        "unexpected": len(load.unexpected),
        "example": load.unexpected[0] if load.unexpected else 0,
        "broken": load.broken,
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
