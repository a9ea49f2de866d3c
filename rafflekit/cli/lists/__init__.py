"""Lists of participants: reading them, handing out their tickets, and writing what came of it."""
