"""The entry rules: who may take a ticket, and who the participant is (pure).

A participant whom a manager names may take part under every rule.
"""

from typing import NamedTuple

from rafflekit.core import limits
from rafflekit.core.errors import AlreadyParticipated, InvalidValue, InvitationNeeded, ManagersOnly, RaffleError
from rafflekit.core.models import Entry
from rafflekit.core.protocol.terms import EntryRule, Terms
from rafflekit.core.records import RaffleKeys
from rafflekit.core.tickets import invitations

# No name or address has a control character, so no one else is called this.
_INVITED = "\0invitation "


class Guest(NamedTuple):
    """The text that stands for a participant, and why it may not take part, if the entry rule says so."""

    text: str
    refusal: RaffleError | None = None


def check_entry(entry: Entry) -> None:
    """Check the values of a request for a ticket.

    Raises:
        InvalidValue: one of them breaks a limit, or no one is named.
    """
    if entry.participant is not None:
        limits.check_participant(entry.participant)
        if entry.invitation is not None:
            raise InvalidValue("invitation", "must not be given for a participant who is named.")
    elif entry.address is not None:
        limits.check_participant(entry.address)
    elif entry.invitation is None:
        raise InvalidValue("participant", "is missing: say who gets the ticket.")
    if entry.invitation is not None and not isinstance(entry.invitation, str):
        raise InvalidValue("invitation", "must be text.")
    if entry.idempotency_key is not None:
        limits.check_idempotency_key(entry.idempotency_key)


def guest_of(entry: Entry, terms: Terms, keys: RaffleKeys) -> Guest:
    """Return who asks for a ticket, by the raffle's entry rule."""
    if entry.participant is not None:
        return Guest(entry.participant)
    if terms.entry == EntryRule.INVITATION and entry.invitation is not None:
        number = invitations.invitation_number(keys.code_key, entry.invitation)
        return Guest(f"{_INVITED}{number}", InvitationNeeded() if number is None else None)
    return Guest(entry.address or _INVITED, refusal_at_once(entry, terms))


def refusal_at_once(entry: Entry, terms: Terms) -> RaffleError | None:
    """Return the refusal of a request that the entry rule does not even consider, or None."""
    if entry.participant is not None:
        return None
    if terms.entry == EntryRule.DESK:
        return ManagersOnly()
    if terms.entry == EntryRule.INVITATION:
        return InvitationNeeded() if entry.invitation is None else None
    if entry.address is not None:
        return None
    return InvalidValue("invitation", "is not needed: this raffle does not use invitations.")


def already_participated(entry: Entry, terms: Terms) -> AlreadyParticipated:
    """Return the refusal of a participant who has all tickets that one can have."""
    if entry.participant is not None:
        each = terms.tickets_each
        return AlreadyParticipated(None if each == 1 else f"This participant already has all {each:,} tickets.")
    if terms.entry == EntryRule.INVITATION:
        return AlreadyParticipated("This invitation has been used already.")
    return AlreadyParticipated("Your ip address has already participated in this raffle")
