"""`…/ledger/` and `…/proof/`: what everyone needs to check a draw, as `docs/draw-protocol.md` specifies it."""

import falcon
import msgspec

from rafflekit.core import errors, limits
from rafflekit.core.protocol import document_shapes
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer, link_next
from rafflekit.http.api.operations import SIGNED, TOO_BUSY, Operation, Route
from rafflekit.http.kept import answer_document

_MEDIA_LINES = "application/jsonl"
_LINES = msgspec.json.Encoder()
_PROTOCOL = "As docs/draw-protocol.md specifies it."


class TicketQuery(msgspec.Struct, frozen=True):
    """Which ticket's place in the ledger is proven."""

    ticket_number: fields.TicketNumber


class SizesQuery(msgspec.Struct, frozen=True):
    """Between which two sizes of the ledger consistency is proven."""

    old: fields.LedgerSize = msgspec.field(name="from")
    new: fields.LedgerSize = msgspec.field(name="to")


class LeavesQuery(msgspec.Struct, frozen=True):
    """Which leaves are listed: those with which the ledger grew from one size to another."""

    first: fields.LedgerSize = msgspec.field(name="from", default=0)
    end: fields.LedgerSize | None = msgspec.field(name="to", default=None)


class LedgerCheckpoint(Address):
    """`/raffles/<id>/ledger/`: the latest checkpoint."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the latest checkpoint as a signed note."""
        response.content_type = falcon.MEDIA_TEXT
        response.data = self.engine.proofs.checkpoint(reading.check_raffle_id(raffle_id)).encode()


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
    """`/raffles/<id>/ledger/leaves/?from=M&to=N`: the tickets of the ledger, in parts."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """List leaves, one JSON object per line, and link to the next ones."""
        span = reading.read_query(request, LeavesQuery)
        leaves, end = self.engine.proofs.leaves_between(reading.check_raffle_id(raffle_id), span.first, span.end)
        following = span.first + len(leaves)
        if following < end:
            link_next(response, {"from": following, "to": end})
        response.content_type = _MEDIA_LINES
        response.data = _LINES.encode_lines(leaves)


class DrawProof(Address):
    """`/raffles/<id>/proof/`: the proof of the draw."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show everything that is needed to check the draw."""
        # Refusals have it as well, since a browser gets the page instead.
        response.append_header("Vary", "Accept-Encoding")
        checked_id = reading.check_raffle_id(raffle_id)
        version = self.engine.proofs.version(checked_id)
        document = self.service.kept.get(version, lambda: self._proof(checked_id))
        response.content_type = falcon.MEDIA_JSON
        answer_document(request, response, document)

    def _proof(self, raffle_id: str) -> bytes:
        return msgspec.json.encode(self.engine.proofs.proof(raffle_id).shape())


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
        get=Operation(
            "listLeaves",
            str,
            media_type=_MEDIA_LINES,
            description=f"{_PROTOCOL} An answer has at most {limits.LEAVES_AT_ONCE:,} leaves; the Link header leads "
            "to the next ones.",
            query=LeavesQuery,
            optional_headers=("Link",),
        ),
    ),
    Route(
        "/raffles/{raffle_id}/proof/",
        DrawProof,
        get=Operation(
            "proveDraw",
            document_shapes.ProofShape,
            (errors.NotDrawnYet,),
            (TOO_BUSY, *SIGNED),
            description=_PROTOCOL,
        ),
    ),
)
