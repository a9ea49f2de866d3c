"""The other verifiers, tested with the same vectors as the library."""
