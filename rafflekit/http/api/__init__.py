"""The JSON API: one module per family, with its resources, the types that they take, and the table of its addresses.

`ROUTES` is all of these tables: the application serves what is in it, and the OpenAPI document describes it.
"""

from rafflekit.http.api import claims, draws, endings, live, proofs, raffles, service, tickets

ROUTES = (
    *(*raffles.ROUTES, *tickets.ROUTES, *endings.ROUTES, *draws.ROUTES, *claims.ROUTES),
    *(*live.ROUTES, *proofs.ROUTES, *service.ROUTES),
)
"""Every address of the service."""
