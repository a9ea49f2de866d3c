"""Whether the first line of a list is a header: a ticket for "Name" could win (pure).

In doubt, a text is a header: a question too many costs little. A word counts if no other line of the list has it, so
that the members of a club may be "Member 1", "Member 2".
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rafflekit.cli.lists.reading.columns import without_case
from rafflekit.core.characters import DASHES, without_invisible

_WORDS = {
    # What lists are about …
    "subject": """
        name names namens mail mails mél phone phones tel instagram fullname forename surname attendee attendees
        entrant entrants customer customers employee employees staff user users namen zuname teilnehmende
        mitwirkende nom noms personnes people personne pessoa pessoas nombre nombres socio socios sócio sócios
        nomi cognome cognomi persone membri nomes sobrenome móvil movil celular cellulare naam mobiel etunimi
        sukunimi nimet imiona członek członkowie osoba osoby jméno jména jméná jmeno priezvisko nevek nume prenume
        prezime mbiemri pavardė vārds uzvārds isim soyad soyadı üye üyeler eposta epost όνομα имя име имени имена
        фио имейл почта почты член члены список пошта שמות דואל اسم الاسم الأسماء هاتف الهاتف імя نام ایمیل नाम
        ชื่อ tên peserta tombola raffle verlosung sorteo lotteria soyisim household households attendance номер
        column spalte colonne columna coluna colonna kolom kolonne kolumn kolumna sloupec stĺpec oszlop sarake
        sütun столбец стовпець bewohner nutzer
    """,
    # … also within longer words, and in languages without spaces, within sentences …
    "part": """
        ^email particip partecip teilnehm mitglied member membre miembro membro student telefo teléfo telepho
        téléphon telemóvel apelid apellid medlem ^mobil addres adres dirección direccion indirizz endereço
        correo correio courriel gäste angemeld anmeld registr inscri iscritt aangemeld zapisan ticketholder
        mitarbeit abonnent bewerb besucher benutz subscri recipient applicant invitee respondent
        timestamp zeitstempel
        firstname lastname vorname nachname prénom prenom adhérent achternaam deelnem deltag deltak sudionik
        udeležen osallistu jäsen puhelin sähköposti imię nazwisk uczestni příjmení účastn priimek katılımcı
        résztvevő участни фамили отчеств телефон электронн учасник прізвищ συμμετ τηλέφ ονοματ επώνυμ משתתף
        משתתפ טלפון مشارك البريد ईमेल โทรศัพท์ อีเมล
        姓名 名字 名前 氏名 名称 名单 名單 名簿 参加者 參加者 参与者 參與者 参与人
        成员 成員 会员 会員 會員
        邮箱 郵箱 邮件 郵件 电话 電話 手机 手機 メール 이름 성명 이메일 참가자 명단 전화 휴대폰
    """,
    # … or what people are called, too: these count in a line without any other word.
    "also a name": """
        person persons personen persona personas guest guests gast gasten player players contact contacts handy
        kunde kunden buyer buyers holder holders child children kinder kid kids parent parents pupil pupils friend
        friends colleague colleagues helper helpers volunteer volunteers donor donors sponsor sponsors winner
        winners candidate candidates team teams company field contestant contestants supporter supporters ticket
        tickets entry entries feld klasse tn käufer schüler spieler spender helfer gewinner eltern freunde kollege
        kollegen mieter nachbar nachbarn sänger firma verein lose loskäufer invité invités joueur joueurs élève
        élèves client clients cliente clientes invitado invitados jugador alumno alumnos invitato invitati ospite
        ospiti giocatore alunno alunni elenco portable posta lid leden speler gość goście klient klienci lista
        гость гости игрок ученик שם ad jina nama meno ime nome nimi člen emri vardas adı kontakt kontakte account
        accounts lehrer schülerinnen id ids code codes list liste numéro número numero number numbers nr 编号 番号 번호
    """,
    # These may be there as well.
    "further": """
        a an and full first last given family your of the no e s n des der die das und vor in innen de du la le
        les el los del di da do dos et y o i en van voller vollständiger complet completo electrónico eletrônico
        elettronica électronique elektronische электронная الإلكتروني الكامل
        מלא lengkap kamili
    """,
}
_ENDINGS = ("name", "names", "namen", "naam", "namn", "navn", "név", "nr", "nummer", "liste", "lijst")
# "Kaname" and "Caliste" are first names.
_BEFORE_ENDING = 3
_SUBJECTS, _ALSO_NAMES, _FURTHER = (
    frozenset(without_case(_WORDS[group]).split()) for group in ("subject", "also a name", "further")
)
_PARTS = re.compile("|".join(without_case(_WORDS["part"]).split()))
_CAMEL_CASE = re.compile("(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_JOINERS = re.compile(f"[{DASHES}.’']")
_BETWEEN_WORDS = re.compile(r"[\s\d!-/:-@\[-`{-~¡¿«»“”„、。・「」【】]+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"[\d\s+()/.-]+")
_A_WORD = "a word for the column"
_ENDS = (":", "?", "：", "？")


class _Suspicion(NamedTuple):
    """A reason why the first line may be a header; it must hold for the text of every other line."""

    reason: str
    holds: Callable[[str], bool]


def header_suspected(first: str, rest: Iterable[str]) -> str | None:
    """Return why the first text of a list does not look like the `rest`, or None; it says what they have in common."""
    # "Guest 1" is a guest if there are others.
    if _has_words_only(first):
        return _A_WORD
    words = _words(first)
    all_known = _all_known(words)
    if (text := first.rstrip()).endswith(_ENDS):
        return f"with {text[-1]!r} at its end"
    suspicions = []
    subjects = {word for word in words if _is_subject(word) or (all_known and word in _ALSO_NAMES)}
    if subjects:
        suspicions.append(_Suspicion(_A_WORD, lambda text: subjects.isdisjoint(_words(text))))
    if "@" not in first:
        suspicions.append(_Suspicion("without the '@' that all other lines have", lambda text: "@" in text))
    if not any(map(str.isdigit, first)):
        suspicions.append(_Suspicion("not a number, as all other lines are", _is_number))
    if not _has_characters(first):
        suspicions.append(_Suspicion("without the letters or digits that all other lines have", _has_characters))
    others = False
    for other in filter(str.strip, rest):
        others = True
        suspicions = [suspicion for suspicion in suspicions if suspicion.holds(other)]
        if not suspicions:
            return None
    return suspicions[0].reason if others or subjects else None


def is_surely_header(text: str) -> bool:
    """Return whether a text has only words for a column, and not only such as are names of people, too."""
    return _has_words_only(text) and any(map(_is_subject, _words(text)))


def is_perhaps_header(text: str) -> bool:
    """Return whether a text is a single word for a column. With two, it may be a full name: "Ad Person"."""
    return _has_words_only(text) and len(_words(text)) == 1


def participant_suspected(first: Sequence[str], rest: Iterable[Sequence[str]]) -> str | None:
    """Return a text of a first row that should have the names of columns, but looks like a text below it."""
    suspects = {column: kind for column, text in enumerate(first) if (kind := _kind_of(text)) is not None}
    if not suspects:
        return None
    for row in rest:
        for column, kind in suspects.items():
            if column < len(row) and _kind_of(row[column]) is kind:
                return first[column]
    return None


def _is_number(text: str) -> bool:
    """Return whether a text is a number, such as one of a telephone."""
    return _NUMBER.fullmatch(text) is not None and any(map(str.isdigit, text))


def _has_characters(text: str) -> bool:
    """Return whether a text has a letter or a digit."""
    return any(map(str.isalnum, text))


def _kind_of(text: str) -> Callable[[str], bool] | None:
    """Return how an address or a number is recognised; None for another text, or a year."""
    for kind in (_is_address, _is_number):
        if kind(text) and not _YEAR.fullmatch(text.strip()):
            return kind
    return None


def _is_address(text: str) -> bool:
    return "@" in text and len(text.split()) == 1


def _words(text: str) -> list[str]:
    """Return the words of a text as the tables above have them; none of an email address."""
    if _is_address(text):
        return []
    plain = unicodedata.normalize("NFKC", without_invisible(text))
    plain = unicodedata.normalize("NFKC", without_case(_CAMEL_CASE.sub(" ", plain)))
    return list(filter(None, _BETWEEN_WORDS.split(_JOINERS.sub("", plain))))


def _is_subject(word: str) -> bool:
    if word in _ALSO_NAMES:
        return False
    return word in _SUBJECTS or word[_BEFORE_ENDING:].endswith(_ENDINGS) or _PARTS.search(word) is not None


def _all_known(words: Sequence[str]) -> bool:
    """Return whether all words are known, and one says what a list is about."""
    is_about = [word in _ALSO_NAMES or _is_subject(word) for word in words]
    return any(is_about) and all(about or word in _FURTHER for about, word in zip(is_about, words, strict=True))


def _has_words_only(text: str) -> bool:
    """Return whether a text has only words for a column, and no number but a year."""
    return _all_known(_words(text)) and not _has_number(text)


def _has_number(text: str) -> bool:
    return any(map(str.isdigit, _YEAR.sub("", text)))
