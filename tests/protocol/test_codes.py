"""Verification codes: spelled for people, read forgivingly, stored as hashes only."""

import base64
import secrets
import sys

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import InvalidSetting, StorageUnavailable
from rafflekit.core.protocol import codes
from tests.programs import run

code_bytes = st.binary(min_size=codes.CODE_BYTES, max_size=codes.CODE_BYTES)
hasher = codes.CodeHasher()


def canonical(code: bytes) -> str:
    return codes.spell(code).replace("-", "")


@given(code=code_bytes)
def test_a_code_is_six_groups_of_four_unambiguous_characters(code: bytes) -> None:
    groups = codes.spell(code).split("-")

    assert [len(group) for group in groups] == [4] * 6
    assert not set("".join(groups)) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(one=code_bytes, other=code_bytes)
def test_different_codes_are_spelled_differently(one: bytes, other: bytes) -> None:
    assert (codes.spell(one) == codes.spell(other)) == (one == other)


@given(code=code_bytes, data=st.data())
def test_a_code_is_read_as_people_write_it(code: bytes, data: st.DataObject) -> None:
    spellings = {"0": "0Oo", "1": "1IiLl"}
    written = [
        data.draw(st.sampled_from(spellings.get(character, character + character.lower())))
        + data.draw(st.sampled_from(["", "-", " ", "\n", "–", "\u2212", "\xa0", "\u200b", "\xad"]))
        for character in canonical(code)
    ]

    opening, closing = data.draw(st.sampled_from(["", "''", '""', "“”", "„“", "‘’", "‚‘", "«»", "‹›", "``"])) or (
        "",
        "",
    )

    assert codes.read(f" {opening}{''.join(written)}{closing}\ufeff") == canonical(code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "4XK2",
        "U" * 24,
        "0" * 23,
        "0" * 25,
        "é" * 24,
        "\u0131" * 24,
        "٠" * 24,
        "0" * 23 + "\x00",
        "!" * 24,
        "0" * 12 + '"' + "0" * 12,
    ],
)
def test_text_that_is_not_a_code_is_not_read(text: str) -> None:
    assert codes.read(text) is None


@given(text=st.text())
def test_reading_never_fails_and_gives_canonical_codes_only(text: str) -> None:
    read = codes.read(text)

    assert read is None or (len(read) == 24 and codes.read(read) == read)


def new_code() -> str:
    return codes.spell(secrets.token_bytes(codes.CODE_BYTES))


def test_a_code_matches_its_own_hash_and_no_other() -> None:
    code, other = new_code(), new_code()
    stored = hasher.hash_all([code])[0]

    assert hasher.check(stored, code.lower())
    assert not hasher.check(stored, other)
    assert not hasher.check(stored, "no code at all")
    assert not hasher.check(None, code)
    assert not hasher.check(None, "no ticket")


@pytest.mark.parametrize("stored", ["$argon2id$ of a ticket", None])
@pytest.mark.parametrize("text", [codes.spell(bytes(15)), "no code at all", ""])
def test_every_check_costs_exactly_one_hash(monkeypatch: pytest.MonkeyPatch, stored: str | None, text: str) -> None:
    """The time of an answer reveals neither which numbers exist nor which texts are codes."""
    stored = stored and hasher.hash_all([new_code()])[0]
    original, hashes = PasswordHasher.verify, []

    def verify(self: PasswordHasher, phc: str, code: str) -> bool:
        hashes.append(phc.rpartition("$")[0].rpartition("$")[0])
        return original(self, phc, code)

    monkeypatch.setattr(PasswordHasher, "verify", verify)

    assert not hasher.check(stored, text)
    assert hashes == ["$argon2id$v=19$m=8,t=1,p=1"]


def test_a_stored_hash_is_salted_argon2id_in_the_phc_format() -> None:
    code = new_code()

    one, other = hasher.hash_all([code, code])

    assert one.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert one != other


def test_hashes_of_older_parameters_are_still_checked() -> None:
    code = new_code()
    stored = hasher.hash_all([code])[0]

    assert codes.CodeHasher(time_cost=2, memory_kib=64).check(stored, code)


def test_parameters_that_argon2_refuses_give_its_reason() -> None:
    refused = r"Argon2's cost is 'time 1, memory 7 KiB, parallelism 1': Memory cost is too small\."

    with pytest.raises(InvalidSetting, match=refused):
        codes.CodeHasher(memory_kib=7)


def test_a_hash_is_as_cheap_as_argon2_allows_by_default() -> None:
    stored = codes.CodeHasher().hash_all([new_code()])[0]

    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_codes_are_hashed_in_order() -> None:
    several = [new_code() for _ in range(5)]

    stored = hasher.hash_all(several)

    assert all(hasher.check(phc, code) for phc, code in zip(stored, several, strict=True))
    assert hasher.hash_all([]) == []


# Made while there is memory, used when there is none left.
WITHOUT_MEMORY = """
import resource
from rafflekit import StorageUnavailable
from rafflekit.core.protocol.codes import CodeHasher, spell
hasher = CodeHasher(memory_kib=128 * 1024)
code = spell(bytes(15))
stored = hasher.hash_all([code])[0]
with open("/proc/self/statm") as sizes:
    used = int(sizes.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
for work in (lambda: hasher.hash_all([code]), lambda: hasher.check(stored, code)):
    try:
        work()
    except StorageUnavailable as error:
        print(error)
"""


def test_missing_memory_is_not_mistaken_for_a_damaged_hash() -> None:
    done = run([sys.executable, "-c", WITHOUT_MEMORY], text=True, check=True)

    assert done.stdout.count("There is not enough memory to hash a verification code") == 2


def test_a_damaged_hash_is_blamed_on_the_database() -> None:
    with pytest.raises(StorageUnavailable, match="damaged"):
        hasher.check("$argon2id$nonsense", codes.spell(bytes(codes.CODE_BYTES)))


@given(key=st.binary(min_size=32, max_size=32), repeat=st.text(min_size=16, max_size=255))
def test_a_derived_code_depends_on_raffle_participant_and_key(key: bytes, repeat: str) -> None:
    who, another = bytes(16), bytes([1] * 16)
    other_key = bytes(32) if key != bytes(32) else bytes([1] * 32)

    code = codes.derive_code(key, who, repeat)

    assert len(code) == codes.CODE_BYTES
    assert code == codes.derive_code(key, who, repeat)
    assert len({code, codes.derive_code(key, another, repeat), codes.derive_code(other_key, who, repeat)}) == 3
    assert code != codes.derive_code(key, who, repeat + "x")


def test_the_code_of_a_request_never_changes() -> None:
    """A request can be repeated at any later time: this code is frozen."""
    code = codes.derive_code(bytes(range(codes.KEY_BYTES)), bytes(16), "k" * 16)

    assert codes.spell(code) == "EJ1S-BTZ8-WMD4-8QDJ-AYCX-V8QT"


def test_a_hash_is_the_string_that_argon2_itself_would_write() -> None:
    argon2 = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1, hash_len=16, salt_len=16)

    stored = codes.CodeHasher(time_cost=2, memory_kib=16).hash_all([codes.spell(bytes(codes.CODE_BYTES))])[0]

    salt = base64.b64decode(f"{stored.split('$')[4]}==")
    assert stored == argon2.hash(canonical(bytes(codes.CODE_BYTES)), salt=salt)
    assert not argon2.check_needs_rehash(stored)
