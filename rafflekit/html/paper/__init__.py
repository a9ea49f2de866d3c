"""What organisers print by the hundred: tickets and invitations, eight to a sheet of A4."""
