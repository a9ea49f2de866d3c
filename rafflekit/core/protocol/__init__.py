"""What is hashed, signed, drawn and checked; pure: knows no engine, no database and no clock."""
