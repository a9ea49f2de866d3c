"""Errors as pages: what happened, and a way out."""

import re
from http import HTTPStatus

import falcon

from rafflekit.http.fields import RAFFLE_ID
from rafflekit.http.pages.negotiation import prefers_page
from rafflekit.http.pages.page import filled, send_page
from rafflekit.http.problems import Problem

_RAFFLE = re.compile(rf"/raffles/({RAFFLE_ID.pattern})(?:/|$)")


def show_problem(request: falcon.Request, response: falcon.Response, problem: Problem) -> bool:
    """Answer a browser with the page of a problem; do nothing for other clients, and return False."""
    if not prefers_page(request):
        return False
    found = _RAFFLE.match(request.path)
    html = filled(
        request,
        "problem.html",
        problem=problem,
        raffle_id=found[1] if found and problem.status != HTTPStatus.NOT_FOUND else None,
        needs_pass=getattr(request.context, "needs_pass", None),
    )
    send_page(response, html, status=HTTPStatus(problem.status))
    return True
