"""The JSON API: one module per family, with its resources and addresses."""
