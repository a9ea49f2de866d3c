"""Texts in several scripts, with letters of every width."""

from random import Random

WORDS = {
    "small letters": "ein illustrer Wein vom Förderverein mit Übernachtung, 2 × 50 € & mehr: fffit, Ölbild <neu>",
    "capitals": "SOMMERFEST WASSERWACHT MURNAU AM SEE WM GROSSE TOMBOLA MWWM Wow!",
    "one word": "Donaudampfschifffahrtsgesellschaftskapitänswitwenverein a",
    "hyphens": "Garmisch-Partenkirchen KFZ-Öl-Wechsel E-10-Tank 12-Monats-Abo -rad Über-Ü-Fest x-y- Café--Bar",
    "greek and cyrillic": "καλοκαιρινή ΓΙΟΡΤΗ Летний ПРАЗДНИК Щедрый ЖЮЩШ",
    "wide letters": "ÆŒ ŒÆŒŒÆ ŒUVRES Æble ЩЮЖШЫМФ ЖМЫ Ⅷ ⅧⅯⅧ ﬃﬄ ½ → № ‰ ǼǄǱ",
    "wide": "夏祭り抽選会 一等賞 ハワイ旅行、二名様。 a",
    "right to left": "قرعة الصيف في القرية הגרלה גדולה",
    "emoji": "🎉👨‍👩‍👧 🎁🎁🎁",
}


def of_words(words: str, characters: int, random: Random) -> str:
    """Return a text of about so many characters."""
    chosen = random.choices(words.split(), k=characters)
    return " ".join(chosen)[:characters].strip()
