"""The form of a raffle's terms, and what people type into it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from rafflekit import InvalidValue, Prize
from rafflekit.core.protocol.terms import Changes, Options, Terms
from rafflekit.core.written_prizes import read_prize_lines
from rafflekit.http.pages.desk.terms import TermsForm, read_terms_form, typed_terms
from rafflekit.http.pages.typed import typed_number

WHOLE = Terms(
    id=UUID(int=1),
    name="Fair: 3",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    total_tickets=1000,
    prizes=(Prize("radio 1:5"), Prize("3 wishes", 2)),
    entropy="announced",
    source="dice",
    entry="desk",
    tickets_each=3,
    opens_at=datetime(2026, 2, 1, tzinfo=UTC),
    closes_at=datetime(2026, 3, 1, 0, 0, 7, tzinfo=UTC),
    draw_at=datetime(2026, 3, 2, tzinfo=UTC),
    claim_days=14,
    **{name: f"the {name}" for name in ("collection", "promoter", "address", "price", "licence", "note")},
)


def test_the_form_has_a_field_for_every_term() -> None:
    assert set(Changes.__annotations__) | set(Options.__annotations__) <= set(TermsForm.__struct_fields__)


def test_terms_that_are_filled_in_are_read_unchanged() -> None:
    found = read_terms_form(TermsForm(**typed_terms(WHOLE)))

    assert found.mistakes == ()
    assert found.changed_from(WHOLE) == {}
    assert {"name", *Options.__annotations__} - {"delay_s"} <= set(found.given)


@pytest.mark.parametrize(
    ("line", "prize"),
    [
        ("hamper", Prize("hamper")),
        ("hamper: 3", Prize("hamper", 3)),
        ("3 hampers", Prize("3 hampers")),
        ("10 € voucher", Prize("10 € voucher")),
        ("2025 wine", Prize("2025 wine")),
        ("4x4 car", Prize("4x4 car")),
        ("3 × hamper", Prize("hamper", 3)),
        ("3 x hamper", Prize("hamper", 3)),
        ("3x hamper", Prize("hamper", 3)),
        ("1,000 × hamper", Prize("hamper", 1_000)),
        ("1.000 x 10 € voucher", Prize("10 € voucher", 1_000)),
        ("3 × hamper: 1,000", Prize("3 × hamper", 1_000)),
        ("3 xylophones", Prize("3 xylophones")),
        ("2 x 10 € voucher", Prize("10 € voucher", 2)),
        ("7 wonders: 1", Prize("7 wonders")),
        ("4711", Prize("4711")),
        ("-10 % on tea: 1", Prize("-10 % on tea")),
    ],
)
def test_an_amount_comes_before_or_after_the_prize(line: str, prize: Prize) -> None:
    assert read_prize_lines(f"\n {line} \n") == [prize]


@pytest.mark.parametrize(
    "line",
    [
        *["-1 hampers", "−2 x hamper", "1.5 × hamper", "1,00 × hamper", "- 3 × hamper"],
        *["3 200 x 100 cm blankets", "1 000 × hamper"],
    ],
)
def test_a_line_that_begins_like_an_amount_is_refused(line: str) -> None:
    with pytest.raises(InvalidValue, match=f"'{line}' does not begin with a whole number"):
        read_prize_lines(f"tea\n{line}")


def test_a_form_takes_numbers_with_divided_thousands() -> None:
    assert typed_number("count", " 1,500 ") == 1500


@pytest.mark.parametrize("text", ["", "1.5", "-1"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="count: "):
        typed_number("count", text)
