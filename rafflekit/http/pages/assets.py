"""`/assets/<version>/<name>`: the stylesheet and the scripts."""

from functools import cache

import falcon

from rafflekit.html.assets import assets, assets_version
from rafflekit.http.kept import Document, answer_document
from rafflekit.http.pages.page import WebPage

_FOREVER = "public, max-age=31536000, immutable"


class AssetFile(WebPage):
    """`/assets/<version>/<name>`: one file."""

    def on_get(self, request: falcon.Request, response: falcon.Response, version: str, name: str) -> None:
        """Show the file; browsers keep it as long as its version is the current one."""
        asset = assets().get(name)
        if asset is None:
            raise falcon.HTTPNotFound
        response.content_type = asset.media_type
        response.set_header("Vary", "Accept-Encoding")
        # Another server's page may ask for its own version while a new one is being installed.
        if version == assets_version():
            response.set_header("Cache-Control", _FOREVER)
        answer_document(request, response, _document(name))


@cache
def _document(name: str) -> Document:
    return Document.of(assets()[name].content)
