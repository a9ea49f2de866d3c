"""The documentation of the API as a page."""

import json
import re

from falcon import testing

from rafflekit.http.openapi import document
from tests.http.pages.conftest import BROWSER, Show

API = json.loads(document())


def test_every_method_of_every_address_is_documented(show: Show) -> None:
    page = show("/docs/").text

    operations = {
        operation["operationId"]
        for item in API["paths"].values()
        for method, operation in item.items()
        if method not in ("head", "options")
    }
    assert set(re.findall(r'<h2 id="(\w+)"><code>', page)) == operations
    for kind in re.findall(r"urn:rafflekit:problem:([\w-]+)", json.dumps(API)):
        assert f"<code>{kind}</code>" in page


def test_every_link_of_the_documentation_leads_somewhere(show: Show) -> None:
    page = show("/docs/", language="de").text

    anchors = re.findall(r'href="#([^"]+)"', page)
    assert set(anchors) <= set(re.findall(r'id="([^"]+)"', page))
    assert "LiveShape" in anchors
    assert '<div lang="en" class="api">' in page
    assert "<script" not in page


def test_the_documentation_is_compressed(client: testing.TestClient) -> None:
    page = client.simulate_get("/docs/", headers=BROWSER | {"Accept-Encoding": "gzip"})

    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Vary"] == "Accept, Accept-Language, Accept-Encoding"
    assert len(page.content) < 50_000
