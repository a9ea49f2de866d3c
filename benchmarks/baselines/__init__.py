"""What the figures are divided by: each has a few lines that do the same without rafflekit, or nothing at all."""
