"""Measurements: each figure is a ratio against a baseline of the same run, with the spread of its rounds.

`python -m benchmarks` runs them all, `python -m benchmarks NAME …` some. `baselines/` has what figures are divided by,
`ratio.py` how rounds take turns, and `sizes.py` all amounts.
"""
