"""`…/ledger/` and `…/proof/`: what everyone needs to check a draw, as `docs/draw-protocol.md` specifies it."""

from collections.abc import Iterator

import falcon
import msgspec

from rafflekit.core import errors
from rafflekit.core.protocol import document_shapes
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer
from rafflekit.http.api.operations import SIGNED, Operation, Route
from rafflekit.http.pages.proof import proof_page

_LEAVES_AT_ONCE = 1_000
_MEDIA_LINES = "application/jsonl"
_PROTOCOL = "As docs/draw-protocol.md specifies it."


class TicketQuery(msgspec.Struct, frozen=True):
    """Which ticket's place in the ledger is proven."""

    ticket_number: fields.TicketNumber


class SizesQuery(msgspec.Struct, frozen=True):
    """Between which two sizes of the ledger consistency is proven."""

    old: fields.LedgerSize = msgspec.field(name="from")
    new: fields.LedgerSize = msgspec.field(name="to")


class LedgerCheckpoint(Address):
    """`/raffles/<id>/ledger/`: the latest checkpoint."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the latest checkpoint as a signed note."""
        response.content_type = falcon.MEDIA_TEXT
        response.text = self.engine.proofs.checkpoint(reading.check_raffle_id(raffle_id))


class LedgerInclusion(Address):
    """`/raffles/<id>/ledger/proof/?ticket_number=N`: the proof that a ticket is in the ledger."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a ticket's receipt in the latest checkpoint."""
        query = reading.read_query(request, TicketQuery)
        answer(response, self.engine.proofs.receipt(reading.check_raffle_id(raffle_id), query.ticket_number).shape())


class LedgerConsistency(Address):
    """`/raffles/<id>/ledger/consistency/?from=M&to=N`: the proof that the ledger only grew."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the consistency proof between the trees of two sizes."""
        sizes = reading.read_query(request, SizesQuery)
        proof = self.engine.proofs.consistency(reading.check_raffle_id(raffle_id), sizes.old, sizes.new)
        answer(response, proof.shape())


class LedgerLeaves(Address):
    """`/raffles/<id>/ledger/leaves/`: every ticket of the ledger."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """List all leaves, one JSON object per line."""
        leaves = self.engine.proofs.leaves(reading.check_raffle_id(raffle_id))
        response.content_type = _MEDIA_LINES
        response.stream = _lines_of(leaves)


class DrawProof(Address):
    """`/raffles/<id>/proof/`: the proof of the draw, and the page that checks it in a browser."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show everything that is needed to check the draw."""
        # Refusals need it too, since a browser gets the page before the draw.
        response.set_header("Vary", "Accept")
        checked_id = reading.check_raffle_id(raffle_id)
        # Of two that a client prefers equally (as with */*), Falcon takes the first.
        if request.client_prefers((falcon.MEDIA_JSON, falcon.MEDIA_HTML)) == falcon.MEDIA_HTML:
            self.engine.get(checked_id)
            page = proof_page()
            response.content_type = falcon.MEDIA_HTML
            response.set_header("Content-Security-Policy", page.policy)
            response.set_header("Referrer-Policy", "no-referrer")
            response.data = page.content
        else:
            answer(response, self.engine.proofs.proof(checked_id).shape())


def _lines_of(leaves: Iterator[Leaf]) -> Iterator[bytes]:
    lines: list[str] = []
    for leaf in leaves:
        lines.append(f"{leaf_line(leaf)}\n")
        if len(lines) == _LEAVES_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


ROUTES = (
    Route(
        "/raffles/{raffle_id}/ledger/",
        LedgerCheckpoint,
        get=Operation(
            "showCheckpoint",
            str,
            (errors.TicketNotFound,),
            SIGNED,
            media_type=falcon.MEDIA_TEXT,
            description=f"{_PROTOCOL} Before the first ticket there is none.",
        ),
    ),
    Route(
        "/raffles/{raffle_id}/ledger/proof/",
        LedgerInclusion,
        get=Operation(
            "proveTicket",
            document_shapes.ReceiptShape,
            (errors.TicketNotFound,),
            SIGNED,
            description=_PROTOCOL,
            query=TicketQuery,
        ),
    ),
    Route(
        "/raffles/{raffle_id}/ledger/consistency/",
        LedgerConsistency,
        get=Operation("proveConsistency", document_shapes.ConsistencyShape, description=_PROTOCOL, query=SizesQuery),
    ),
    Route(
        "/raffles/{raffle_id}/ledger/leaves/",
        LedgerLeaves,
        get=Operation("listLeaves", str, media_type=_MEDIA_LINES, description=_PROTOCOL),
    ),
    Route(
        "/raffles/{raffle_id}/proof/",
        DrawProof,
        get=Operation(
            "proveDraw",
            document_shapes.ProofShape,
            (errors.NotDrawnYet,),
            SIGNED,
            description=f"{_PROTOCOL} Clients that prefer HTML get a page that checks the proof.",
            page=True,
        ),
    ),
)
