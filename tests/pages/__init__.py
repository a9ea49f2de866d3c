"""The page of a proof, as browsers get it and in a real one."""
