"""The addresses of a raffle's ledger and of its proof: what anybody needs to check a draw, and no more.

They answer what `docs/draw-protocol.md` describes, as it describes it.
"""

from collections.abc import Iterator

import falcon

from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.http import reading
from rafflekit.http.api.address import RaffleAddress, answer
from rafflekit.http.pages.proof import proof_page

_LEAVES_AT_ONCE = 1_000
_PREFERENCES = (falcon.MEDIA_JSON, falcon.MEDIA_HTML)
MEDIA_LINES = "application/jsonl"


class Ledger(RaffleAddress):
    """`/raffles/<id>/ledger/`: the latest checkpoint."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Give the latest checkpoint as a signed note."""
        response.content_type = falcon.MEDIA_TEXT
        response.text = self.engine.proofs.checkpoint(reading.check_raffle_id(raffle_id))

    on_head = on_get


class LedgerProof(RaffleAddress):
    """`/raffles/<id>/ledger/proof/?ticket_number=N`: that a ticket is in the ledger."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Give the ticket's receipt in the latest checkpoint."""
        query = reading.read_query(request, reading.TicketQuery)
        answer(response, self.engine.proofs.receipt(reading.check_raffle_id(raffle_id), query.ticket_number).shape())

    on_head = on_get


class LedgerConsistency(RaffleAddress):
    """`/raffles/<id>/ledger/consistency/?from=M&to=N`: that the ledger only grew."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Give the consistency proof between the trees of two sizes."""
        sizes = reading.read_query(request, reading.SizesQuery)
        proof = self.engine.proofs.consistency(reading.check_raffle_id(raffle_id), sizes.old, sizes.new)
        answer(response, proof.shape())

    on_head = on_get


class LedgerLeaves(RaffleAddress):
    """`/raffles/<id>/ledger/leaves/`: every ticket of the ledger."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Stream all leaves, a line of JSON each."""
        leaves = self.engine.proofs.leaves(reading.check_raffle_id(raffle_id))
        response.content_type = MEDIA_LINES
        response.stream = _lines_of(leaves)

    on_head = on_get


class DrawProof(RaffleAddress):
    """`/raffles/<id>/proof/`: the proof of the draw, and the page that checks it in a browser."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Give everything by which anybody can check the draw."""
        # Of refusals, too, since a browser gets a page before the draw.
        response.set_header("Vary", "Accept")
        checked_id = reading.check_raffle_id(raffle_id)
        # Of two that a client likes as much, */* among them, the first.
        if request.client_prefers(_PREFERENCES) == falcon.MEDIA_HTML:
            self.engine.get(checked_id)
            _answer_page(response)
        else:
            answer(response, self.engine.proofs.proof(checked_id).shape())

    on_head = on_get


def _answer_page(response: falcon.Response) -> None:
    page = proof_page()
    response.content_type = falcon.MEDIA_HTML
    response.set_header("Content-Security-Policy", page.policy)
    response.set_header("Referrer-Policy", "no-referrer")
    response.data = page.content


def _lines_of(leaves: Iterator[Leaf]) -> Iterator[bytes]:
    lines: list[str] = []
    for leaf in leaves:
        lines.append(f"{leaf_line(leaf)}\n")
        if len(lines) == _LEAVES_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()
