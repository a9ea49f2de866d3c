"""The HTTP face: it turns bytes into values and the engine's errors into statuses, and knows no rule of a raffle.

- `api` has one module per family of addresses, `pages` the HTML for people.
- `app` puts the application together; `wsgi` hands it to any WSGI server, `serving` runs it on waitress or Granian.
- `reading` reads requests into the types of `fields`; `access` finds out who is asking, with the help of `forwarded`.
- `problems` turns errors into answers; `openapi` describes the API for programs.
- `monitoring` is the log and the metrics.
"""
