"""What organisers print: tickets and invitations by the hundred, eight to a sheet of A4, and the paper after a draw."""
