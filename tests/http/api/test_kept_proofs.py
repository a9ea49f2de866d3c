"""The proof of a draw costs much: it is made once, and sent to everyone until it changes."""

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import msgspec
import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.core.protocol.documents import Proof
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from rafflekit.http.api import draws
from tests.raffles import sold_out
from tests.waiting import LIMIT_S, wait_until

GZIP = {"Accept-Encoding": "gzip"}
REQUESTS = 17


@pytest.fixture
def drawn(engine: RaffleEngine) -> UUID:
    """A drawn raffle of six tickets and two prizes."""
    raffle = sold_out(engine)
    engine.draw(raffle.id)
    return raffle.id


@pytest.fixture
def made(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> list[UUID | str]:
    """The raffles whose proofs were made."""
    raffles: list[UUID | str] = []
    make = engine.proofs.proof

    def counted(raffle: UUID | str) -> Proof:
        raffles.append(raffle)
        return make(raffle)

    monkeypatch.setattr(engine.proofs, "proof", counted)
    return raffles


def test_a_proof_is_made_once_and_sent_in_every_form(
    client: testing.TestClient, engine: RaffleEngine, drawn: UUID, made: list[UUID | str]
) -> None:
    ask = partial(client.simulate_request, path=f"/raffles/{drawn}/proof/")

    plain, compressed = ask("GET"), ask("GET", headers=GZIP)
    heads = [ask("HEAD"), ask("HEAD", headers=GZIP)]
    tags = [plain.headers["ETag"], compressed.headers["ETag"]]
    same = [ask("GET", headers={"If-None-Match": tag, **GZIP}) for tag in (tags[1], f'"x", W/{tags[1]}', "*")]

    assert made == [str(drawn)]
    assert (
        plain.content == gzip.decompress(compressed.content) == msgspec.json.encode(engine.proofs.proof(drawn).shape())
    )
    assert (plain.headers.get("Content-Encoding"), compressed.headers["Content-Encoding"]) == (None, "gzip")
    assert [(each.content, each.headers) for each in heads] == [(b"", plain.headers), (b"", compressed.headers)]
    assert {each.headers["Vary"] for each in (plain, compressed, *same)} == {"Accept, Accept-Encoding"}
    assert [(each.status_code, each.content, each.headers["ETag"]) for each in same] == [(304, b"", tags[1])] * 3
    # Each form has its own tag.
    assert ask("GET", headers={"If-None-Match": tags[0], **GZIP}).status_code == 200


def test_the_page_is_compressed_and_has_a_tag(client: testing.TestClient, drawn: UUID) -> None:
    ask = partial(client.simulate_get, f"/raffles/{drawn}/proof/")
    html = {"Accept": "text/html"}

    plain, compressed = ask(headers=html), ask(headers=html | GZIP)

    assert plain.content == gzip.decompress(compressed.content)
    assert len(compressed.content) < len(plain.content) / 2
    assert ask(headers=html | {"If-None-Match": plain.headers["ETag"]}).status_code == 304
    assert plain.headers["ETag"] != ask().headers["ETag"]


def test_a_crowd_that_asks_for_a_proof_stops_no_one_else(
    client: testing.TestClient, engine: RaffleEngine, drawn: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let, make = [], threading.Event(), engine.proofs.proof

    def slow(raffle: UUID | str) -> Proof:
        begun.append(raffle)
        assert let.wait(LIMIT_S)
        return make(raffle)

    monkeypatch.setattr(engine.proofs, "proof", slow)
    with ThreadPoolExecutor(REQUESTS) as pool:
        asked = [pool.submit(client.simulate_get, f"/raffles/{drawn}/proof/") for _ in range(REQUESTS)]
        # A server has 16 threads: these are free again while the proof is made.
        wait_until(lambda: sum(each.done() for each in asked) == 10)
        others = [client.simulate_get(path) for path in ("/healthz", "/raffles/", f"/raffles/{drawn}/ledger/")]
        let.set()
        answers = [each.result(LIMIT_S) for each in asked]

    assert len(begun) == 1
    assert [each.status_code for each in others] == [200, 200, 200]
    assert sorted(each.status_code for each in answers) == [200] * 7 + [503] * 10
    assert len({each.content for each in answers if each.status_code == 200}) == 1
    (busy,) = {(each.headers["Retry-After"], each.json["detail"]) for each in answers if each.status_code == 503}
    assert busy == ("2", "The server is busy with other large requests; try again in a few seconds.")


def test_forfeits_and_cosignatures_of_anyone_make_a_new_proof(
    client: testing.TestClient, engine: RaffleEngine, database_url: str, drawn: UUID, made: list[UUID | str]
) -> None:
    witness = SignerKey.make("witness.example", kind=WITNESS)
    raffle = engine.get(drawn)
    assert raffle.end is not None
    tags, notes = [], []

    def look() -> None:
        for _ in range(2):
            answer = client.simulate_get(f"/raffles/{drawn}/proof/")
        tags.append(answer.headers["ETag"])
        notes.append((len(answer.json["forfeits"]), answer.json["witnesses"]))

    look()
    # Another process of the same operator.
    with RaffleEngine(database_url) as another:
        another.forfeit(drawn, engine.winners(drawn).items[0].ticket_number, why="unclaimed")
    look()
    closing = engine.proofs.checkpoint(drawn)
    line = witness.line(Note.read(closing).text, time=raffle.end.closed)
    engine.proofs.cosign(drawn, closing + line, str(witness.verifier))
    look()

    assert notes == [(0, []), (1, []), (1, [str(witness.verifier)])]
    assert len(set(tags)) == len(made) == 3


def test_two_raffles_have_two_proofs(client: testing.TestClient, engine: RaffleEngine, drawn: UUID) -> None:
    other = sold_out(engine, prizes=(Prize("car"),))
    engine.draw(other.id)

    ids = [client.simulate_get(f"/raffles/{each}/proof/").json["terms"]["id"] for each in (drawn, other.id, drawn)]

    assert ids == [str(drawn), str(other.id), str(drawn)]


def test_a_crowd_that_asks_for_a_queue_stops_no_one_else(
    client: testing.TestClient, engine: RaffleEngine, drawn: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    let, show = threading.Event(), engine.queue
    # As if it had many wins.
    monkeypatch.setattr(draws, "CHEAP_WINS", 0)

    def slow(*arguments: object, **options: object) -> object:
        assert let.wait(LIMIT_S)
        return show(*arguments, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(engine, "queue", slow)
    with ThreadPoolExecutor(REQUESTS) as pool:
        ask = partial(client.simulate_get, f"/raffles/{drawn}/winners/", query_string="queue=true")
        asked = [pool.submit(ask) for _ in range(REQUESTS)]
        wait_until(lambda: sum(each.done() for each in asked) == 10)
        winners = client.simulate_get(f"/raffles/{drawn}/winners/")
        let.set()
        statuses = sorted(each.result(LIMIT_S).status_code for each in asked)

    assert winners.status_code == 200
    assert statuses == [200] * 7 + [503] * 10
