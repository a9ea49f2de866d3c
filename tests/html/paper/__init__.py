"""Paper: sheets as a browser prints them."""
