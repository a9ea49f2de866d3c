"""Sources of entropy: what decides who wins, one file per source."""
