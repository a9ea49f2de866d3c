"""The page of a proof: as it is sent, and in a real browser."""
