"""SQL statements, one file per subject; they take a connection and never commit."""
