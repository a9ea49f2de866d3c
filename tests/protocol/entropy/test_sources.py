"""The table of entropy sources: the answers of every source agree with each other."""

import pytest

from rafflekit.core.protocol.entropy import SECRETS, SOURCES, Evidence, Source, source_of
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.strict_json import DocumentWrong

CLOSED = 1_700_000_000
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))


def evidence_of(source: Source) -> Evidence:
    """Evidence of the right size, with a round if the source's closings have one."""
    end = source.end_at(CLOSED, None if source.delay is None else source.delay.default)
    return Evidence(source.name, bytes(source.evidence_bytes), end.round)


def test_the_protocol_has_two_sources() -> None:
    assert list(SOURCES) == [SECRETS, "drand-quicknet"]


@every_source
def test_a_source_is_found_by_its_name(source: Source) -> None:
    assert source_of(source.name) is source


@every_source
def test_evidence_is_read_as_it_was_written(source: Source) -> None:
    evidence = evidence_of(source)

    assert source.read(source.shape(evidence)) == evidence


@every_source
def test_evidence_with_an_unknown_field_is_refused(source: Source) -> None:
    shape = source.shape(evidence_of(source))

    with pytest.raises(DocumentWrong, match="has no field 'comment'"):
        source.read(shape | {"comment": ""})


@every_source
def test_evidence_of_another_size_is_refused(source: Source) -> None:
    shape = source.shape(evidence_of(source))
    longer = {key: value + "00" if key in ("value", "signature") else value for key, value in shape.items()}

    with pytest.raises(DocumentWrong, match="hexadecimal digits"):
        source.read(longer)


@every_source
def test_the_entropy_of_every_source_has_32_bytes(source: Source) -> None:
    assert len(source.entropy_of(bytes(source.evidence_bytes))) == HASH_BYTES


@every_source
def test_a_source_with_a_date_is_one_with_a_delay(source: Source) -> None:
    end = source.end_at(CLOSED, None if source.delay is None else source.delay.least)
    known_from = source.known_from(end)

    assert end.closed == CLOSED
    assert (known_from is None) == (source.delay is None)
    assert known_from is None or known_from > CLOSED
