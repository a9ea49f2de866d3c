"""Documents that are kept: made once for everyone who asks, by few threads, in a bounded memory."""

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import falcon
import pytest

from rafflekit.http import kept as kept_module
from rafflekit.http.kept import Document, Kept, Turns, accepts_gzip
from tests.waiting import LIMIT_S, wait_until


class Maker:
    """Makes documents when it is let; counts how many it was asked for, and how many were begun at the same time."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let = threading.Event()

    def make(self, name: str) -> bytes:
        self.begun.append(name)
        assert self.let.wait(LIMIT_S)
        return name.encode()


def asked(pool: ThreadPoolExecutor, kept: Kept, maker: Maker, name: str) -> "Future[Document]":
    return pool.submit(kept.get, name, lambda: maker.make(name))


def refused(futures: "list[Future[Document]]") -> "list[Future[Document]]":
    return [each for each in futures if each.done() and isinstance(each.exception(), falcon.HTTPServiceUnavailable)]


def test_everyone_who_asks_meanwhile_shares_one_document() -> None:
    kept, maker = Kept(Turns()), Maker()
    with ThreadPoolExecutor(17) as pool:
        futures = [asked(pool, kept, maker, "a") for _ in range(17)]
        # One makes it and six wait; a server has threads left for everyone else.
        wait_until(lambda: len(refused(futures)) == 10)
        maker.let.set()
        shared = [each.result(LIMIT_S) for each in futures if each not in refused(futures)]

    assert maker.begun == ["a"]
    assert len(shared) == 7
    assert len({id(each) for each in shared}) == 1
    assert kept.get("a", lambda: maker.make("a")) is shared[0]
    assert refused(futures)[0].exception().headers["Retry-After"] == "2"  # type: ignore[union-attr]  # it has one


def test_at_most_two_documents_are_made_at_once() -> None:
    kept, maker = Kept(Turns()), Maker()
    with ThreadPoolExecutor(12) as pool:
        futures = [asked(pool, kept, maker, f"document {n}") for n in range(12)]
        wait_until(lambda: len(refused(futures)) == 4)
        assert len(maker.begun) == 2
        maker.let.set()
        made = [each.result(LIMIT_S) for each in futures if each not in refused(futures)]

    assert len({each.plain.etag for each in made}) == len(maker.begun) == 8


def test_no_one_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "_WAIT_S", 0.1)
    kept, maker = Kept(Turns()), Maker()
    with ThreadPoolExecutor(2) as pool:
        futures = [asked(pool, kept, maker, "a") for _ in range(2)]
        wait_until(lambda: refused(futures))
        maker.let.set()
        assert [each.result(LIMIT_S).plain.data for each in futures if each not in refused(futures)] == [b"a"]


def test_a_document_that_fails_is_made_by_the_next_who_asks() -> None:
    kept = Kept(Turns())

    def fail() -> bytes:
        raise OSError("no database")

    for _ in range(2):
        with pytest.raises(OSError, match="no database"):
            kept.get("a", fail)
    assert kept.get("a", lambda: b"made").plain.data == b"made"


def test_the_documents_asked_for_last_are_kept_up_to_a_size() -> None:
    kept = Kept(Turns(), most_bytes=300)
    made: list[str] = []

    def make(name: str) -> Callable[[], bytes]:
        return lambda: made.append(name) or bytes(100)  # type: ignore[func-returns-value]  # None, so the bytes

    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get(name, make(name))
    assert made == ["a", "b", "c", "b"]
    # One is kept even if it is larger than all may be, since those who wait for it take it from there.
    kept.get("large", lambda: bytes(1000))
    assert len(kept.get("large", make("large")).plain.data) == 1000


def test_the_same_bytes_have_the_same_tags() -> None:
    first, second, other = (Document.of(data) for data in (b"proof", b"proof", b"another"))

    assert first == second
    assert gzip.decompress(first.compressed.data) == first.plain.data
    assert len({first.plain.etag, first.compressed.etag, other.plain.etag, other.compressed.etag}) == 4


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        *((text, True) for text in ("gzip", "GZIP", "br, gzip", "gzip;q=0.5", "gzip ; q=1.0,br", "identity, gzip")),
        *((text, False) for text in ("", "br", "gzip;q=0", "gzip; q=0.00", "x-gzip", "gzipped", "identity", "*")),
    ],
)
def test_gzip_is_sent_only_to_clients_that_name_it(header: str, accepts: bool) -> None:
    assert accepts_gzip(header) is accepts
