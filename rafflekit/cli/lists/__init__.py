"""Lists of participants: reading them, handing out tickets, and writing the results."""
