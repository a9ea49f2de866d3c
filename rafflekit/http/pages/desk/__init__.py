"""The desk: pages for those who run a raffle and who work at its table. `DESK_PAGES` is the table of their addresses.

Forms that do what the contract also offers are sent to the contract's own addresses; a refusal is shown on the form.
"""

from rafflekit.http.pages.desk.claims import RedeemDesk, RedemptionForm
from rafflekit.http.pages.desk.draws import DrawQuestion, WinnersOrDraw
from rafflekit.http.pages.desk.endings import CancellingForm, CancellingQuestion, ClosingForm, ClosingQuestion
from rafflekit.http.pages.desk.forfeits import ForfeitQuestion, ForfeitureForm, UnclaimedPrizes
from rafflekit.http.pages.desk.passes import LeavingForm, PassPage
from rafflekit.http.pages.desk.raffles import DeskHome, NewRaffle, RaffleDesk, RaffleEditing, RaffleListOrNew
from rafflekit.http.pages.desk.tickets import DeskInvitations, DeskTickets, ParticipateOrNamed
from rafflekit.http.pages.desk.winners import DeskQueue, DeskWinners
from rafflekit.http.pages.page import WebPage

_RAFFLE = "/raffles/{raffle_id}"

DESK_PAGES: dict[str, type[WebPage]] = {
    "/desk/": DeskHome,
    "/desk/new/": NewRaffle,
    "/desk/pass/": PassPage,
    "/desk/leave/": LeavingForm,
    f"/desk{_RAFFLE}/": RaffleDesk,
    f"/desk{_RAFFLE}/edit/": RaffleEditing,
    f"/desk{_RAFFLE}/tickets/": DeskTickets,
    f"/desk{_RAFFLE}/invitations/": DeskInvitations,
    f"/desk{_RAFFLE}/close/": ClosingQuestion,
    f"/desk{_RAFFLE}/cancel/": CancellingQuestion,
    f"/desk{_RAFFLE}/draw/": DrawQuestion,
    f"/desk{_RAFFLE}/redeem/": RedeemDesk,
    f"/desk{_RAFFLE}/forfeit/": ForfeitQuestion,
    f"/desk{_RAFFLE}/unclaimed/": UnclaimedPrizes,
    f"/desk{_RAFFLE}/winners/": DeskWinners,
    f"/desk{_RAFFLE}/queue/": DeskQueue,
    "/raffles/": RaffleListOrNew,
    f"{_RAFFLE}/participate/": ParticipateOrNamed,
    f"{_RAFFLE}/close/": ClosingForm,
    f"{_RAFFLE}/cancel/": CancellingForm,
    f"{_RAFFLE}/winners/": WinnersOrDraw,
    f"{_RAFFLE}/redeem/": RedemptionForm,
    f"{_RAFFLE}/forfeit/": ForfeitureForm,
}
"""The page of each address of the desk, and of each address of the contract to which the desk sends a form."""
