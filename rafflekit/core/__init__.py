"""The raffle engine: knows no terminal and no HTTP.

`engine.RaffleEngine` is the one door. The faces (`rafflekit.cli`, `rafflekit.http`) come in through it and
hold no rule of their own.
"""
