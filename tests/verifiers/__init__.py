"""Verifiers that are not the Python one, held to the same vectors."""
