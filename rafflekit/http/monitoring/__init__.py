"""What a server shows of itself: its log and its metrics."""
