"""Handing out tickets."""
