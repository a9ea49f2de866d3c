"""Finding a raffle: by the beginning of its id, or by a part of its name."""

from secrets import token_bytes
from uuid import UUID

import pytest

from rafflekit import InvalidValue, Prize, Raffle, RaffleEngine, RaffleNotFound
from tests.databases import open_engine

HUG = [Prize("hug")]


def create(engine: RaffleEngine, *names: str) -> list[Raffle]:
    return [engine.create(name, total_tickets=1, prizes=HUG) for name in names]


def test_a_raffle_is_found_by_a_unique_prefix_of_its_id(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=1, prizes=HUG) for n in range(20)]
    whole = str(raffles[7].id)

    assert engine.find(whole) == engine.find(whole.upper()) == engine.find(whole[:20]) == raffles[7]
    assert engine.find(whole.replace("-", "")) == raffles[7]


def test_a_prefix_of_several_ids_is_refused(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=1, prizes=HUG) for n in range(17)]
    digits = [str(raffle.id)[0] for raffle in raffles]
    shared = next(digit for digit in digits if digits.count(digit) > 1)

    with pytest.raises(InvalidValue, match=f"several raffles match '{shared}'; use the beginning of") as refusal:
        engine.find(shared)

    assert refusal.value.field == "raffle"
    candidates = sorted((raffle for raffle in raffles if raffle.id.hex[0] == shared), key=lambda raffle: raffle.id)
    for candidate in candidates[:5]:
        assert f"{candidate.id.hex[:8]} ({candidate.name})" in refusal.value.reason


def test_a_prefix_matches_the_first_and_last_id_of_its_range(database_url: str) -> None:
    ids = [
        UUID("9fffffff-ffff-4fff-bfff-ffffffffffff"),
        UUID("a0000000-0000-4000-8000-000000000000"),
        UUID("afffffff-ffff-4fff-bfff-ffffffffffff"),
        UUID("b0000000-0000-4000-8000-000000000000"),
        # All sixteen digits.
        UUID("01234567-89ab-4cde-8f00-000000000000"),
    ]
    next_ids = iter(ids)

    def random_bytes(size: int) -> bytes:
        return next(next_ids).bytes if size == 16 else token_bytes(size)

    with open_engine(database_url, random_bytes=random_bytes) as engine:
        assert [engine.create("Foobar", total_tickets=1, prizes=HUG).id for _ in ids] == ids

        assert [engine.find(beginning).id for beginning in ("9", "a0", " AF\n", "b", str(ids[4]))] == ids
        assert engine.find("afff-ffff-ffff4").id == ids[2]
        with pytest.raises(InvalidValue, match="several raffles"):
            engine.find("a")


@pytest.mark.parametrize("text", ["Summer fair", "SUMMER", " mer f ", "fête d’é", "FE\u0302TE", "strasse"])
def test_a_raffle_is_found_by_a_part_of_its_name(engine: RaffleEngine, text: str) -> None:
    create(engine, "Tombola", "Winter ball")
    raffles = create(engine, "Summer fair", "Fête d’été", "Hauptstraße")

    assert engine.find(text) in raffles


def test_a_part_of_several_names_is_refused_with_the_candidates(engine: RaffleEngine) -> None:
    fairs = create(engine, "Summer fair", "Winter FAIR")
    create(engine, "Tombola")

    with pytest.raises(InvalidValue, match="several raffles match 'fair'; use the beginning of the id: ") as refusal:
        engine.find("fair")

    assert refusal.value.field == "raffle"
    for fair in fairs:
        assert f"{fair.id.hex[:8]} ({fair.name})" in refusal.value.reason
    assert "Tombola" not in refusal.value.reason
    assert "…" not in refusal.value.reason


def test_at_most_five_candidates_are_listed(engine: RaffleEngine) -> None:
    create(engine, *(f"Fair no. {n}" for n in range(6)))

    with pytest.raises(InvalidValue) as refusal:
        engine.find("fair")

    assert refusal.value.reason.count("(Fair no. ") == 5
    assert refusal.value.reason.endswith(", ….")


@pytest.mark.parametrize("text", ["Fair", "FAIR", " fair "])
def test_a_whole_name_wins_over_a_part_of_another(engine: RaffleEngine, text: str) -> None:
    fair, *_ = create(engine, "Fair", *(f"Fair no. {n}" for n in range(6)))

    assert engine.find(text) == fair


def test_a_part_of_a_name_is_too_little_to_change_a_raffle(engine: RaffleEngine) -> None:
    fair, _ = create(engine, "Summer fair", "Tombola")

    for text in ("SUMMER FAIR", fair.id.hex[:8]):
        assert engine.find(text, whole_name=True) == fair
    with pytest.raises(InvalidValue, match="'fair' is only a part of a name; give the whole name, or the") as refusal:
        engine.find("fair", whole_name=True)
    assert refusal.value.reason.endswith(f" the beginning of the id: {fair.id.hex[:8]} (Summer fair).")


def test_a_name_of_several_raffles_is_refused(engine: RaffleEngine) -> None:
    same = create(engine, "Fair", "fair")
    create(engine, "Summer fair")

    with pytest.raises(InvalidValue, match="several raffles match 'FAIR'; use the beginning of the id: ") as refusal:
        engine.find("FAIR")

    for raffle in same:
        assert f"{raffle.id.hex[:8]} ({raffle.name})" in refusal.value.reason
    assert "Summer" not in refusal.value.reason


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_text_finds_nothing(engine: RaffleEngine, text: str) -> None:
    engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match="must not be empty; give the raffle's id, the beginning of it, or its name"):
        engine.find(text)


def test_the_start_of_an_id_beats_a_part_of_a_name(engine: RaffleEngine) -> None:
    by_id, *_ = create(engine, "Tombola")
    create(engine, f"In honour of {by_id.id.hex}")

    assert engine.find(by_id.id.hex) == by_id


def test_a_name_of_hexadecimal_digits_is_found(database_url: str) -> None:
    def random_bytes(size: int) -> bytes:
        return bytes(16) if size == 16 else token_bytes(size)

    with open_engine(database_url, random_bytes=random_bytes) as engine:
        [raffle] = create(engine, "Café of the deaf-bee")

        assert engine.find("deaf-bee") == raffle


def test_a_name_like_the_start_of_anothers_id_is_refused(engine: RaffleEngine) -> None:
    [other] = create(engine, "Tombola")
    create(engine, start := other.id.hex[:6])

    with pytest.raises(InvalidValue, match=f"several raffles match '{start}'"):
        engine.find(start)


def test_a_whole_id_beats_a_name_that_is_the_same(engine: RaffleEngine) -> None:
    [raffle] = create(engine, "Tombola")
    create(engine, str(raffle.id))

    assert engine.find(str(raffle.id)) == raffle


@pytest.mark.parametrize("text", ["-", "xyz", "0" * 32, "0" * 33, "%", "_", "١", "\ud800", "x" * 201])
def test_text_that_fits_no_raffle_finds_nothing(engine: RaffleEngine, text: str) -> None:
    engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(RaffleNotFound) as refusal:
        engine.find(text)

    assert str(refusal.value) == (
        f"No raffle's id begins with {text!r}, and no raffle's name contains it; 'rafflekit list' shows all raffles."
    )


def test_the_search_for_a_part_of_a_name_ignores_case(engine: RaffleEngine) -> None:
    for name in ("Straße am Fluss", "ÉCOLE", "100% win", "a_b"):
        engine.create(name, total_tickets=1, prizes=HUG)

    def found(part: str) -> list[str]:
        return [raffle.name for raffle in engine.list(name=part).items]

    assert found("STRASSE") == ["Straße am Fluss"]
    assert found("e\u0301cole") == ["ÉCOLE"]
    assert found("%") == ["100% win"]
    assert found("_") == ["a_b"]
    assert found("nowhere") == []
    assert len(found("")) == 4
