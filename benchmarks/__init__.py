"""Measurements: each figure is a ratio against a baseline of the same run, with the spread of its rounds.

`python -m benchmarks` runs them all, `python -m benchmarks NAME …` some. What a figure is divided by stands in
`baselines/`, how rounds take turns in `ratio.py`, and how much of everything there is in `sizes.py`.
"""
