"""Refusals on pages in German: wrong input to every form and page is answered in whole German sentences.

The tables of `refused` provoke every sentence that `refusals` lists: one that the code says in other words would stay
English.
"""

import gettext
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

import falcon
import pytest
from falcon import testing

from rafflekit import RaffleEngine, SigningKeyUnavailable, StorageUnavailable
from rafflekit.core.protocol.quoting import visible
from rafflekit.html import rendering
from rafflekit.html.languages import texts_in
from rafflekit.html.refusals import DEFAULT_REASONS, SENTENCES
from rafflekit.http import problems
from rafflekit.http.app import create_app
from rafflekit.http.kept import BUSY
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.pages.problems import show_problem
from tests.databases import open_engine, prepare
from tests.html.escaped import BEGIN, END, escaped_texts
from tests.http.conftest import MANAGER, SETTINGS, Clock
from tests.http.pages import refused
from tests.http.pages.conftest import BROWSER, FORM
from tests.http.pages.refused import Wrong

GERMAN = {"Accept-Language": "de", "Host": "127.0.0.1:8080"}
BEFORE = (*refused.NEW_RAFFLES, *refused.DESK, *refused.PRIZES, *refused.LISTS, *refused.TICKETS)
REQUESTS = (*BEFORE, *refused.ACCESS, *refused.HTTP, *refused.LATER)
OUTAGES: tuple[tuple[Exception, str, str], ...] = (
    (StorageUnavailable(), "GET", "/raffles/"),
    (StorageUnavailable(), "POST", "/raffles/"),
    (StorageUnavailable(is_in_doubt=True), "POST", "/elsewhere/"),
    (StorageUnavailable(is_in_doubt=True), "POST", "/raffles/"),
    (StorageUnavailable(is_in_doubt=True), "POST", f"/raffles/{refused.NO_RAFFLE}/participate/"),
    (SigningKeyUnavailable(), "POST", "/raffles/"),
    (falcon.HTTPServiceUnavailable(description=BUSY), "GET", "/raffles/"),
    (ValueError(), "GET", "/raffles/"),
)


class MarkedGerman(gettext.NullTranslations):
    """German, between marks; the messages that were asked for are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: set[str] = set()
        self._german = texts_in("de")

    def gettext(self, message: str) -> str:
        self.asked_for.add(message)
        return f"{BEGIN}{self._german.gettext(message)}{END}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"{BEGIN}{self._german.ngettext(msgid1, msgid2, n)}{END}"


class Answered(NamedTuple):
    """The answers to all requests and outages, and the messages of their pages."""

    answers: list[tuple[object, testing.Result]]
    messages: set[str]


class Service:
    """The application without and with required desk passes, and what the names in braces stand for."""

    def __init__(self, engine: RaffleEngine, clock: Clock) -> None:
        self._engine = engine
        metered = replace(SETTINGS, metrics_networks=SETTINGS.manager_networks)
        self._open = testing.TestClient(create_app(engine, metered, metrics=Metrics()))
        self._closed = testing.TestClient(create_app(engine, replace(SETTINGS, desk_passes_required=True)))
        self._names = refused.fill(engine, clock)

    def ask(self, wrong: Wrong) -> testing.Result:
        headers = GERMAN | (BROWSER if wrong.form is None else FORM) | wrong.headers
        if wrong.may:
            headers["Cookie"] = f"rafflekit_pass={self._token(wrong.may)}"
        form = {name: self._filled(value) for name, value in (wrong.form or {}).items()}
        path, _, query = wrong.path.format(**self._names).partition("?")
        client = self._open if wrong.may is None else self._closed
        return client.simulate_request(
            wrong.method or ("GET" if wrong.form is None else "POST"),
            path,
            query_string=query,
            headers={name: value for name, value in headers.items() if value is not None},
            body=urlencode(form, doseq=True),
            remote_addr=wrong.source,
            extras=wrong.environ,
        )

    def _filled(self, value: object) -> object:
        return value.format(**self._names) if isinstance(value, str) else value

    def _token(self, rights: str) -> str:
        if rights == "unknown":
            return "guessed"
        name = f"{rights} {len(self._engine.passes.list())}"
        return self._engine.passes.make(name, may=rights.split(), lasts=timedelta(days=1)).token


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """Answers of an application whose German is marked, on a machine that cannot check beacons."""
    url = f"sqlite:///{tmp_path_factory.mktemp('refusals')}/raffles.db"
    prepare(url)
    clock, german = Clock(), MarkedGerman()
    rendering._environment.cache_clear()
    with pytest.MonkeyPatch.context() as changed, open_engine(url, clock=clock) as engine:
        changed.setattr(rendering, "texts_in", lambda _language: german)
        changed.setattr(rendering, "visible", lambda text: f"{BEGIN}{visible(text)}{END}")
        changed.setitem(sys.modules, "py_arkworks_bls12381", None)
        service = Service(engine, clock)
        answers: list[tuple[object, testing.Result]] = []
        for wrong in REQUESTS:
            if wrong is refused.LATER[0]:
                clock.advance(days=2)
            answers.append((wrong, service.ask(wrong)))
        answers += [(outage, broken(*outage)) for outage in OUTAGES]
        yield Answered(answers, german.asked_for)
    rendering._environment.cache_clear()


def broken(error: Exception, method: str, path: str) -> testing.Result:
    """Return the answer of an application in which everything fails."""

    def fail(request: falcon.Request, _response: falcon.Response, **_parameters: str) -> None:
        request.context.has_form_key = True
        raise error

    app = falcon.App()
    app.req_options.strip_url_path_trailing_slash = True
    problems.install(app, show_problem)
    for template in ("/raffles", "/raffles/{raffle_id}/participate", "/elsewhere"):
        app.add_route(template, type("Broken", (), {"on_get": staticmethod(fail), "on_post": staticmethod(fail)})())
    return testing.TestClient(app).simulate_request(method, path, headers=GERMAN | BROWSER, remote_addr=MANAGER)


def test_every_refusal_is_german(answered: Answered) -> None:
    for request, answer in answered.answers:
        assert answer.status_code >= 400, request
        assert english_in(answer.text) == [], request
        assert escaped_texts(answer.text) == [], request


def test_every_listed_sentence_is_said_somewhere(answered: Answered) -> None:
    assert {*SENTENCES, *DEFAULT_REASONS} - answered.messages == set()


def english_in(html: str) -> list[str]:
    """Return the texts that a page marks as English, except where scripts put the six words of a list."""
    marked = re.findall(r"<\w+([^>]*) lang=\"en\"([^>]*)>([^<]*)", html)
    return [text for before, after, text in marked if "data-slot" not in before + after]
