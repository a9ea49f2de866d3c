"""The commands: one module per family, each a thin call of the engine."""
