"""Sources of entropy: what decides who wins (section 6), one file per source and one table of all of them.

To add a source, write its file and add a row to the table. What fetches its evidence belongs to the engine.
"""

from rafflekit.core.protocol.entropy.announced import Announced
from rafflekit.core.protocol.entropy.drand import DrandQuicknet
from rafflekit.core.protocol.entropy.secrets import Secrets
from rafflekit.core.protocol.entropy.source import DelayBounds, Evidence, Source, SourceMissing

__all__ = ["SECRETS", "SOURCES", "DelayBounds", "Evidence", "Source", "SourceMissing", "source_of"]

SECRETS = Secrets.name
"""The source of raffles that do not name one."""

SOURCES: dict[str, Source] = {source.name: source for source in (Secrets(), DrandQuicknet(), Announced())}
"""All sources by their names."""


def source_of(name: str) -> Source:
    """Return the source of this name; it must be in the table."""
    return SOURCES[name]
