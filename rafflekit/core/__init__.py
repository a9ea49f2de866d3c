"""The raffle engine: knows no terminal and no HTTP.

`engine.RaffleEngine` is the only entry point. The faces (`rafflekit.cli`, `rafflekit.http`) use it and contain no
rules.
"""
