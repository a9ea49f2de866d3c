"""Six words for a closing: the list, the vectors, and what they depend on."""

from hashlib import sha256

from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.notes import Note
from rafflekit.core.protocol.words import word_list, words_of
from tests.vectors.test_vectors import vector


def test_the_list_of_words_is_that_of_bip_39() -> None:
    words = word_list()

    assert len({word[:4] for word in words}) == len(words) == 2048
    # As docs/draw-protocol.md gives it, for other implementations.
    assert sha256("".join(f"{word}\n" for word in words).encode()).hexdigest() == (
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    )


def test_the_words_are_those_of_the_vectors() -> None:
    for each in vector("words.json"):
        assert " ".join(words_of(bytes.fromhex(each["closing_hash"]))) == each["words"]


def test_cosignatures_do_not_change_the_words() -> None:
    closings = [each for each in vector("checkpoints.json") if "closed" in each]

    for each in closings:
        plain, cosigned = (Checkpoint.read(Note.read(each[name]).text) for name in ("note", "cosigned_note"))
        assert words_of(plain.closing_hash()) == words_of(cosigned.closing_hash())
    assert len({words_of(bytes.fromhex(each["closing_hash"])) for each in closings}) == len(closings)
