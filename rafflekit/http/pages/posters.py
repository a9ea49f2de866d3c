"""`/raffles/<id>/poster/`: the poster of a raffle, to be printed from a browser."""

from http import HTTPStatus

import falcon

from rafflekit.html.assets import assets_version
from rafflekit.html.links import raffle_address
from rafflekit.html.poster import poster
from rafflekit.http import reading
from rafflekit.http.pages.page import WebPage, language_of, root_of, send_page


class PosterPage(WebPage):
    """`/raffles/<id>/poster/`: one sheet of A4."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the poster; it holds nothing secret."""
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        base, assets = self.access.visitors_url(request.env), f"{root_of(request)}/assets/{assets_version()}"
        made = poster(
            raffle,
            language_of(request),
            now=self.engine.now(),
            address=raffle_address(base, raffle),
            stylesheet=f"{assets}/poster.css",
            script=f"{assets}/times.js",
        )
        send_page(response, made.html, status=HTTPStatus.OK)
