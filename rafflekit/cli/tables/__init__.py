"""Tables that leave the program: as CSV, JSON, JSON lines or an Excel file."""
