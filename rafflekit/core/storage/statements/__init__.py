"""SQL statements, one file per subject. They take a connection and never commit; no row leaves them."""
