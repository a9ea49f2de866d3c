"""Refusals as pages show them: translated with their values, or marked as English."""

import pytest

from rafflekit.core.errors import InvalidVerificationCode
from rafflekit.html.refusals import SENTENCES
from rafflekit.html.rendering import _environment


def shown(sentence: str, subject: str | None = None, *, language: str = "de") -> str:
    template = _environment(language).from_string("{{ refusal(sentence, subject) }}")
    return template.render(sentence=sentence, subject=subject)


def test_numbers_times_and_texts_are_those_of_the_page() -> None:
    assert shown("must be at most 1,000.", "„Lose“") == "„Lose“ darf höchstens 1\u202f000 sein."
    assert '<time datetime="2026-12-05T18:00:01Z">05.12.2026, 18:00 UTC</time>' in shown(
        "This prize has already been redeemed, on 2026-12-05 18:00:01 UTC."
    )
    passed = shown("This prize was forfeited on 2026-12-05 18:00:01 UTC: “<b>late</b> 1,000”")
    assert passed.endswith("„<bdi>&lt;b&gt;late&lt;/b&gt; 1,000</bdi>“")


def test_a_quoted_text_has_the_quotation_marks_of_the_language() -> None:
    sentence = "'tea: -1' has no whole number after its last colon; write 'tea: -1:1' if all of it is the name."

    assert "„<bdi>tea: -1</bdi>“" in shown(sentence)
    assert "&#39;" not in shown(sentence)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_refusal_ends_like_a_sentence(language: str) -> None:
    assert shown(str(InvalidVerificationCode()), language=language).endswith(".")
    assert not shown("Try again later.", language=language).endswith("..")


@pytest.mark.parametrize("sentence", ["Something new.", "Try again later. Something new.", "x. " * 2_000, ""])
def test_an_unknown_sentence_is_marked_as_english(sentence: str) -> None:
    assert shown(sentence) == (f'<span lang="en">{sentence}</span>' if sentence else "")


def test_an_unknown_sentence_keeps_its_subject() -> None:
    assert shown("is <new>.", "„Lose“") == '„Lose“: <span lang="en">is &lt;new&gt;.</span>'


def test_english_refusals_are_as_the_core_says_them() -> None:
    assert shown("Try <again> later.", "Prizes", language="en") == "Try &lt;again&gt; later."
    assert shown("is missing.", "Prizes", language="en") == "Prizes is missing."


def test_the_list_has_no_sentence_twice() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES)
