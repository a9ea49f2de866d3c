"""The HTTP face: it turns bytes into values and the engine's errors into statuses, and knows no rule of a raffle.

`app` wires it, `resources` has a class per address, `wire` reads bodies and parameters, `problems` writes errors,
`access` tells who is asking and from where; `addresses` tells what each address takes and answers, and `openapi` makes
a document of it; `health` and `metrics` have addresses for whoever runs the service, `monitoring` counts and logs every
request, `log_lines` says what the log looks like, and `redaction` what it must not hold; `server` runs it, `wsgi` hands
it to another server.
"""
