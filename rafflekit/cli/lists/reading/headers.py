"""Whether the first line of a list with one column is a header: a ticket for "Name" could win (pure)."""

import re
import unicodedata
from collections.abc import Iterable

# In a header, these are what it is about …
_SUBJECTS = """
    address email emails mail mails member members name names participant participants person persons people phone
    phones mobile telephone contact attendee attendees guest guests player players user users username surname forename
    firstname lastname fullname ticketholder entrant entrants customer customers employee employees staff adresse
    mailadresse emailadresse teilnehmer teilnehmers mitglieds gastes teilnehmerin teilnehmerinnen teilnehmende
    mitglied mitglieder namen vorname
    nachname familienname telefon telefonnummer handy handynummer mobil mobilnummer gast gäste personen kunde kunden nom
    noms prénom prénoms prenom prenoms courriel courriels mél participante participantes membre membres téléphone
    portable personne personnes adhérent adhérents nombre nombres apellido apellidos correo correos persona personas
    miembro miembros teléfono telefono móvil movil dirección socio socios nome nomi cognome cognomi partecipante
    partecipanti membro membri cellulare indirizzo posta persone nomes sobrenome apelido telefone celular telemóvel
    endereço correio pessoa pessoas membros sócio naam voornaam achternaam deelnemer deelnemers lid leden telefoon
    telefoonnummer mobiel adres namn förnamn efternamn deltagare medlem medlemmar epost epostadress adress navn fornavn
    etternavn efternavn deltaker deltakere deltager deltagere medlemmer epostadresse nimi nimet etunimi sukunimi
    osallistuja osallistujat jäsen puhelin sähköposti imię imiona nazwisko nazwiska uczestnik uczestnicy członek osoba
    jméno jméná příjmení účastník účastníci člen meno priezvisko név nevek vezetéknév keresztnév résztvevő nume prenume
    participanți ime prezime priimek sudionik udeleženec isim ad soyad adı soyadı katılımcı üye eposta telefonu όνομα
    ονοματεπώνυμο επώνυμο συμμετέχων τηλέφωνο имя имена фамилия фио участник участники почта телефон член імя имейл
    прізвище учасник пошта שם שמות משתתף משתתפים דואל טלפון اسم الاسم الأسماء مشارك المشارك المشاركون البريد هاتف الهاتف
    نام ایمیل नाम ईमेल फ़ोन ชื่อ อีเมล โทรศัพท์ tên nama peserta jina 姓名 名字 名前 氏名 お名前 名称 参加者 參加者
    参与者 參與者 成员 會員 会員 邮箱 郵箱 电子邮件 電子郵件 邮件 电话 電話 手机 手機 電話番号 メール メールアドレス
    이름 성명 이메일 참가자 전화 전화번호 휴대폰
"""
# … and these may be there as well.
_FURTHER = """
    a an and full first last given family your of the list no nr number numbers id code e entry des der die das de du la
    le les el los del di da do dos und et y o vollständiger voller complet completo electrónico eletrônico elettronica
    électronique elektronische nummer numéro número numero электронная электронный الإلكتروني الكامل 番号
"""
_COLUMN_WORDS = frozenset(_SUBJECTS.split())
_ALL_WORDS = _COLUMN_WORDS.union(_FURTHER.split())
_JOINERS = re.compile(r"[-._’']+")
_BETWEEN_WORDS = re.compile(r"[\s\d!-/:-@\[-`{-~：（）]+")
_NUMBER = re.compile(r"[\d\s+()/.-]*\d[\d\s+()/.-]*")
_LETTER = re.compile(r"[^\W\d_]")


def header_suspected(first: str, rest: Iterable[str]) -> str | None:
    """Return why the first text of a list does not look like the `rest`, or None; it says what they have in common."""
    if _has_words_of_a_header(first):
        return "a word for the column"
    if first.rstrip().endswith((":", "：")):
        return "with a colon at its end"
    has_at = "@" not in first
    are_numbers = bool(_LETTER.search(first)) and not any(map(str.isdigit, first))
    others = 0
    for text in rest:
        if not text.strip():
            continue
        others += 1
        has_at = has_at and "@" in text
        are_numbers = are_numbers and bool(_NUMBER.fullmatch(text))
        if not has_at and not are_numbers:
            return None
    if not others:
        return None
    return "without the '@' that all other lines have" if has_at else "not a number, as all other lines are"


def _has_words_of_a_header(text: str) -> bool:
    if any(map(str.isdigit, text)):
        # "Guest 1" is a guest.
        return False
    plain = _JOINERS.sub("", unicodedata.normalize("NFC", text).casefold())
    words = list(filter(None, _BETWEEN_WORDS.split(plain)))
    return _ALL_WORDS.issuperset(words) and not _COLUMN_WORDS.isdisjoint(words)
