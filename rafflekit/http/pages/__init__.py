"""HTML for people: one module per subject, with its pages. `PAGES` is the table of their addresses.

A page calls the engine as the API does, and holds no rule of a raffle. Its template is in `rafflekit.html`.
"""

from rafflekit.http.pages.assets import AssetFile
from rafflekit.http.pages.desk import DESK_PAGES
from rafflekit.http.pages.documentation import DocumentationPage
from rafflekit.http.pages.live import LivePage
from rafflekit.http.pages.page import WebPage
from rafflekit.http.pages.posters import PosterPage
from rafflekit.http.pages.proof import ProofPage
from rafflekit.http.pages.raffles import Home, RafflePage
from rafflekit.http.pages.tickets import VerifyPage

PAGES: dict[str, type[WebPage]] = {
    "/": Home,
    "/raffles/{raffle_id}/": RafflePage,
    "/raffles/{raffle_id}/verify-ticket/": VerifyPage,
    "/raffles/{raffle_id}/live/": LivePage,
    "/raffles/{raffle_id}/poster/": PosterPage,
    "/raffles/{raffle_id}/proof/": ProofPage,
    "/docs/": DocumentationPage,
    "/assets/{version}/{name}": AssetFile,
    **DESK_PAGES,
}
"""The page of each address; at those of the API, forms and browsers get it, and other clients get JSON."""
