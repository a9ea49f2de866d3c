"""The table of entropy sources: the answers of every source agree with each other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.entropy import SECRETS, SOURCES, Evidence, Source, source_of
from rafflekit.core.protocol.entropy.announced import normalised
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.strict_json import DocumentWrong

CLOSED = 1_700_000_000
EVIDENCE = {SECRETS: bytes(32), "drand-quicknet": bytes(48), "announced": b"3 17 22"}
"""Evidence as each source gives it."""
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))


def evidence_of(source: Source) -> Evidence:
    """Evidence in the source's form, with a round if the source's closings have one."""
    end = source.end_at(CLOSED, None if source.delay is None else source.delay.default)
    return Evidence(source.name, EVIDENCE[source.name], end.round)


def test_the_protocol_has_three_sources() -> None:
    assert list(SOURCES) == [SECRETS, "drand-quicknet", "announced"] == list(EVIDENCE)


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

    with pytest.raises(DocumentWrong, match="has no field “comment”"):
        source.read(shape | {"comment": ""})


@every_source
def test_evidence_in_another_form_is_refused(source: Source) -> None:
    shape = source.shape(evidence_of(source))
    longer = {key: value + "00 " if key in ("value", "signature") else value for key, value in shape.items()}

    with pytest.raises(DocumentWrong, match=r"hexadecimal digits|single spaces"):
        source.read(longer)


@every_source
def test_stored_evidence_is_whole_in_the_form_of_its_source(source: Source) -> None:
    assert source.is_whole(EVIDENCE[source.name])
    assert not source.is_whole(EVIDENCE[source.name] + b" ")
    assert not source.is_whole(b"")


@every_source
def test_the_entropy_of_every_source_has_32_bytes(source: Source) -> None:
    assert len(source.entropy_of(EVIDENCE[source.name])) == HASH_BYTES


@every_source
def test_a_source_with_a_date_is_one_with_a_delay(source: Source) -> None:
    end = source.end_at(CLOSED, None if source.delay is None else source.delay.least)
    known_from = source.known_from(end)

    assert end.closed == CLOSED
    assert (known_from is None) == (source.delay is None)
    assert known_from is None or known_from > CLOSED


@given(st.text(st.sampled_from("e\u0301\u0323\u200b\u3164¨ａ \u3000"), min_size=1))
def test_a_value_that_is_typed_again_is_the_same(text: str) -> None:
    try:
        value = normalised(text)
    except InvalidValue:
        assume(False)

    assert normalised(value) == value


def test_an_invisible_character_hides_no_other_value() -> None:
    assert normalised("e\u200b\u0301") == normalised("é") == "é"
