"""`create_app`: the WSGI application, put together. It only wires: no environment, no thread, no database opened."""

from http import HTTPStatus
from itertools import chain
from typing import NoReturn

import falcon
from falcon.constants import COMBINED_METHODS

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.errors import RaffleError
from rafflekit.core.settings import Settings
from rafflekit.http import openapi, problems
from rafflekit.http.access import Access
from rafflekit.http.api import ROUTES
from rafflekit.http.api.address import Address, Service
from rafflekit.http.api.service import HEALTHZ, Liveness, MetricsPage
from rafflekit.http.kept import Kept, Turns, etag_of
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.monitoring.requests import Monitoring
from rafflekit.http.pages import PAGES
from rafflekit.http.pages.negotiation import Negotiated
from rafflekit.http.pages.problems import show_problem
from rafflekit.http.problems import ShowProblem
from rafflekit.http.reading import learn

# Together with those who wait for documents, fewer than a server has threads.
_SEARCHES_WAITING = 3

WsgiApp = falcon.App[falcon.Request, falcon.Response]


def create_app(
    engine: RaffleEngine,
    settings: Settings,
    *,
    metrics: Metrics | None = None,
    peer_is_proxy: bool = False,
    pages: bool = True,
) -> WsgiApp:
    """Return the WSGI application of the HTTP contract on an open engine, which remains the caller's to close.

    `metrics` are shown at `/metrics`, an address that does not exist without them. Give their `note_group` to the
    engine as well. With `peer_is_proxy`, every connection is a trusted proxy's, whatever its address: it came through a
    Unix socket, which has none. Without `pages`, browsers get JSON like everyone else.
    """
    access = Access(settings, find_pass=engine.passes.find, peer_is_proxy=peer_is_proxy)
    app = _bare_app(access, metrics, show_problem if pages else None)
    searches = Turns(most_waiting=_SEARCHES_WAITING)
    service = Service(engine, access, openapi.document, metrics, Kept(Turns()), searches)
    shown = {path: page(service) for path, page in PAGES.items()} if pages else {}
    for shape in chain.from_iterable(page.forms for page in shown.values()):
        learn(shape)
    for route in ROUTES:
        for operation in route.operations.values():
            for shape in filter(None, (operation.body, operation.query)):
                learn(shape)
        if metrics is None and route.resource is MetricsPage:
            continue
        page = shown.pop(route.path, None)
        resource = route.resource(service)
        app.add_route(route.template, resource if page is None else Negotiated(resource, page))
    for path, page in shown.items():
        app.add_route(path.removesuffix("/") or "/", page)
    return app


def create_refusing_app(error: RaffleError, settings: Settings) -> WsgiApp:
    """Return an application that is alive, and refuses everything with the error because of which it has no engine."""
    app = _bare_app(Access(settings), None, None)

    def refuse(*_request: object, **_parameters: object) -> NoReturn:
        raise error

    app.add_route(HEALTHZ.template, Liveness())
    app.add_sink(refuse, "/")
    return app


def _bare_app(access: Access, metrics: Metrics | None, show: ShowProblem | None) -> WsgiApp:
    middleware: list[Monitoring | _EveryAnswer] = [Monitoring(access.client_address, metrics), _EveryAnswer()]
    app = falcon.App(middleware=middleware)
    app.req_options.strip_url_path_trailing_slash = True
    problems.install(app, show)
    return app


class _EveryAnswer:
    """What holds at every address."""

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, str]
    ) -> None:
        # Falcon answers 405 for the methods that it knows, and 400 for others, like BREW.
        if req.method not in COMBINED_METHODS:
            assert isinstance(resource, Address)
            raise falcon.HTTPMethodNotAllowed(resource.allowed_methods)

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        resp.set_header("X-Content-Type-Options", "nosniff")
        # A ticket's answer holds its code, and an error is true for one moment and one client.
        if not req_succeeded or req.method not in ("GET", "HEAD"):
            resp.set_header("Cache-Control", "no-store")
        elif resp.status_code == HTTPStatus.OK and resp.get_header("Cache-Control") != "no-store":
            _let_validate(req, resp)


def _let_validate(request: falcon.Request, response: falcon.Response) -> None:
    """Let clients keep an answer, and find out whether it is still the same without getting it again."""
    if response.get_header("Cache-Control") is None:
        response.set_header("Cache-Control", "no-cache")
    etag = response.get_header("ETag")
    if etag is None:
        etag = etag_of(response.data or b"")
        response.set_header("ETag", etag)
    tags = request.get_header("If-None-Match")
    if tags is not None and (tags.strip() == "*" or etag in tags):
        response.status = HTTPStatus.NOT_MODIFIED
        response.data = None
        # They describe a content, which this answer does not have.
        response.delete_header("Content-Type")
        response.delete_header("Content-Encoding")
