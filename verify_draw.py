#!/usr/bin/env python3
"""Check the proof of a raffle's draw by rafflekit's docs/draw-protocol.md, version 1 (whose sections are meant below).
Python 3.8 will do; drand's signature needs py-arkworks-bls12381, too, and a ticket's code argon2-cffi."""
import argparse, calendar, contextlib, itertools, json, re, sys, time, uuid
from base64 import b64decode, b64encode
from hashlib import sha256, sha512
from struct import pack
# What documents look like: {key: shape}, [shape of each, lengths], (shape, or shape), a range of numbers, a pattern.
ONE, COUNT, SERIAL, DELAY_S = range(1, 2), range(1, 10**12 + 1), range(10**12), range(1, 604801)
HEX, TEXT, HASH = "[0-9a-f]{64}", r"[^\ud800-\udfff]*", "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
KEY, NUMBER = "([!-*,-~]{1,200})[+]([0-9a-f]{8})[+]([A-Za-z0-9+/]{44})", "(?:0|[1-9][0-9]{0,11}|10{12})"
TIME = "(19[7-9]|[2-9][0-9]{2})[0-9](-[0-9]{2}){2}T([0-9]{2}:){2}[0-5][0-9]Z"
NAME = r"(?=.*[^ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000])[^\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}"
TERMS = {"protocol": ONE, "id": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "name": NAME, "created_at": TIME,
         "total_tickets": COUNT, "prizes": [{"name": NAME, "amount": COUNT}, range(1, 1001)]}
TICKET = {"leaf": {"serial": SERIAL, "ticket_number": COUNT, "code_hash": "[!-~]{1,1000}"}, "path": [HASH, range(65)]}
PROOF = {"protocol": ONE, "key": KEY, "closing": TEXT, "witnesses": [KEY, range(101)], "seed": HEX,
         "terms": ({"entropy": "secrets", **TERMS}, {"entropy": "drand-quicknet", "delay_s": DELAY_S, **TERMS}),
         "entropy": ({"kind": "drand-quicknet", "round": COUNT, "signature": "[0-9a-f]{96}"},
                     {"kind": "secrets", "value": HEX}, {"kind": "unbound"}),
         "draw": (TEXT, None), "winners": ([{"prize": range(1000), **TICKET}, range(1001)], None)}
CHECKPOINT = (f"(?P<origin>.+)\n(?P<size>{NUMBER})\n(?P<root>{HASH})\nterms (?P<terms>{HASH})\n"
              f"(?:closed (?P<closed>{NUMBER})\n(?:round (?P<round>{NUMBER})\n)?)?")
DRAW = f"rafflekit draw v1\n.+\nclosing {HASH}\nentropy {HEX}\nseed {HEX}\nwinners {NUMBER} (?P<digest>{HASH})\n"
GENESIS, PERIOD_S, TAG = 1692803367, 3, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"  # drand's quicknet, section 6
QUICKNET = ("83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
            "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a")
class NotProven(Exception): """The step rests on somebody's word. What is wrong is a ValueError."""
class Stop(Exception): """One of the steps 1 to 4 is wrong: the rest is not looked at."""
def need(condition, otherwise, error=ValueError):
    if not condition: raise error(otherwise)
def h(tag, data): return sha256(b"rafflekit v1 " + tag + b"\0" + data).digest()
def b64(data): return b64encode(data).decode()
def unb64(text): return need(b64(b64decode(text, validate=True)) == text, "Base64 of another form") or b64decode(text)
def fits(value, shape):
    if isinstance(shape, tuple): return any(fits(value, each) for each in shape)
    if type(value) is int: return isinstance(shape, range) and value in shape
    if type(value) is str: return isinstance(shape, str) and bool(re.fullmatch(shape, value))
    if type(value) is not type(shape): return False
    if isinstance(shape, list): return len(value) in shape[1] and all(fits(each, shape[0]) for each in value)
    return shape is None or value.keys() == shape.keys() and all(fits(value[key], shape[key]) for key in shape)
def read_json(document, limit, shape):  # section 1
    def once(pairs): return need(len(dict(pairs)) == len(pairs), "a key is there twice") or dict(pairs)
    def digits(text): return int(text) if text.isdigit() and len(text) < 14 else ()  # which fits no shape
    need(len(document) <= limit, "the document is too long")
    options = {"object_pairs_hook": once, "parse_int": digits, "parse_float": digits, "parse_constant": digits}
    value = json.loads(document.decode(), **options)
    return need(fits(value, shape), "a key is missing, too many, or not of its form") or value
def read_note(text, form):  # section 4: the parts of the text, and the signatures of each (name, key id)
    parts = re.fullmatch(form + r"\n(?P<lines>(— [!-*,-~]{1,200} [A-Za-z0-9+/=]{8,}\n){1,100})", text)
    need(parts and len(text.encode()) <= 65536 and not re.search("[\0-\x09\x0b-\x1f]", text), "a note of another form")
    note = {**parts.groupdict(), "text": text[:parts.start("lines") - 1], "signatures": {}}
    for name, data in [(name, unb64(data)) for name, data in re.findall("— (.*) (.*)", parts["lines"])]:
        need(len(data) > 4, "a signature line without a signature")
        note["signatures"].setdefault((name, data[:4]), []).append(data[4:])
    return note
def read_key(text, kind):  # section 4: (name, key id) and the public key; kind is 1 for the operator, 4 for a witness
    name, key_id, data = (re.fullmatch(KEY, text) or need(False, "that is no verifier key")).groups()
    good = sha256(name.encode() + b"\n" + unb64(data)).hexdigest()[:8] == key_id and unb64(data)[0] == kind
    need(good and int.from_bytes(unb64(data)[1:], "little") % 2**255 not in SMALL_ORDER, f"no key of type {kind}")
    return (name, bytes.fromhex(key_id)), unb64(data)[1:]
def check_signed(note, key):
    found = note["signatures"].get(key[0], [])
    need(len(found) == 1 and signed(key[1], found[0], note["text"]), "the operator's signature is missing or wrong")
def cosigned_at(note, key):  # in seconds since 1970; None if the witness did not sign
    found = note["signatures"].get(key[0], [])
    at = int.from_bytes(found[0][:8], "big") if found else None
    good = not found or signed(key[1], found[0][8:], f"cosignature/v1\ntime {at}\n{note['text']}")
    return need(good and len(found) < 2, "a cosignature is wrong, or there twice") or at
# Ed25519 by RFC 8032, section 5.1, with points as (x, y).
P, ORDER, BASE = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, bytes.fromhex("58" + 31 * "66")
D, EIGHTH = -121665 * pow(121666, -1, P) % P, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
SMALL_ORDER = {0, 1, P - 1, P, P + 1, *(abs(each - int.from_bytes(bytes.fromhex(EIGHTH), "little")) for each in (0, P))}
def add(p, q):
    t = D * p[0] * q[0] * p[1] * q[1] % P
    return (p[0] * q[1] + p[1] * q[0]) * pow(1 + t, -1, P) % P, (p[1] * q[1] + p[0] * q[0]) * pow(1 - t, -1, P) % P
def point(data):
    y, odd = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    x = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
    need(y < P and x * x % P == square, "a public key is no point of the curve")
    return x if x % 2 == odd else P - x, y
def times(n, p): return add(times(n >> 1, add(p, p)), p if n & 1 else (0, 1)) if n else (0, 1)
def signed(public, signature, text):  # is [S]B - [k]A, encoded, the first half of the signature?
    s, (x, y) = int.from_bytes(signature[32:], "little"), point(public)
    k = int.from_bytes(sha512(signature[:32] + public + text.encode()).digest(), "little") % ORDER
    if len(signature) != 64 or s >= ORDER: return False
    x, y = add(times(s, point(BASE)), times(k, (P - x, y)))
    return signature[:32] == (y | x % 2 << 255).to_bytes(32, "little")
# The tree by RFC 9162, section 2.1.
def node(left, right): return sha256(b"\1" + left + right).digest()
def leaf_hash(raffle, leaf):
    code_hash, numbers = leaf["code_hash"].encode(), (leaf["serial"], leaf["ticket_number"])
    return sha256(pack(">BB16sQQH", 0, 1, uuid.UUID(raffle).bytes, *numbers, len(code_hash)) + code_hash).digest()
def root_of_all(hashes):
    while len(hashes) > 1:
        hashes = [node(*pair) for pair in zip(hashes[::2], hashes[1::2])] + hashes[len(hashes) & ~1:]
    return b64(hashes[0])
def root_over(start, index, size, path):
    need(index < size and bool(path) == (size > 1), "a ticket is not in its tree")
    if not path: return start
    left = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    if index < left: return node(root_over(start, index, left, path[:-1]), unb64(path[-1]))
    return node(unb64(path[-1]), root_over(start, index - left, size - left, path[:-1]))
def check_in_tree(ticket, raffle, note):
    root = root_over(leaf_hash(raffle, ticket["leaf"]), ticket["leaf"]["serial"], int(note["size"]), ticket["path"])
    need(b64(root) == note["root"], "a ticket is not in its tree")
def winning_serials(seed, tickets, wins):  # section 7, in draw order
    slot, blocks = {}, itertools.count()
    for k in range(wins):
        n, v = tickets - k, 2**256
        while v >= n * (2**256 // n):
            v = int.from_bytes(sha256(seed + pack(">Q", next(blocks))).digest(), "big")
        yield slot.get(k + v % n, k + v % n)
        slot[k + v % n] = slot.get(k, k)
def check_beacon(number, signature):  # section 6
    try: from py_arkworks_bls12381 import GT, G1Point, G2Point
    except ImportError: raise NotProven("skipped: drand's signature needs py-arkworks-bls12381") from None
    hashed, key = G1Point.hash_to_curve(sha256(pack(">Q", number)).digest(), TAG), bytes.fromhex(QUICKNET)
    pairs = [G1Point.from_compressed_bytes(signature), -hashed], [G2Point(), G2Point.from_compressed_bytes(key)]
    need(GT.pairing_check(*pairs), "drand did not sign the beacon")
def check_code(code, hashed):  # section 3
    code = re.sub("[- \t]", "", code).translate(str.maketrans("OoIiLl", "001111"))
    form = r"\$argon2id\$v=19\$m=N,t=N,p=[1-9][0-9]{0,2}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
    asked = re.fullmatch(form.replace("N", "([1-9][0-9]{0,9})"), hashed)
    need(asked and re.fullmatch("[0-9A-TV-Za-tv-z]{24}", code), "that is no code, or no Argon2id string")
    need(int(asked[1]) <= 2**20 >= int(asked[1]) * int(asked[2]) / 4, "skipped: the hash asks for too much", NotProven)
    try: from argon2 import exceptions, low_level
    except ImportError: raise NotProven("skipped: a code needs argon2-cffi") from None
    try: low_level.verify_secret(hashed.encode(), code.upper().encode(), low_level.Type.ID)
    except exceptions.VerifyMismatchError: raise ValueError("the code is not your ticket's") from None
    except exceptions.Argon2Error as reason: raise NotProven(f"skipped: {reason}") from None
@contextlib.contextmanager
def step(report, name, right):  # is right if nothing is raised in it
    try:
        yield
        report[name] = "ok", right
    except (NotProven, MemoryError, OSError) as reason: report[name] = "not proven", str(reason) or "no memory"
    except (ValueError, RecursionError) as reason: report[name] = "wrong", str(reason)
    if len(report) <= 4 and report[name][0] == "wrong": raise Stop

def audit(given, report):  # section 9
    with step(report, "form", "the proof is of the form of protocol 1"):
        proof = read_json(given.proof, 2**22, PROOF)
        terms, entropy, wins, seed = proof["terms"], proof["entropy"], proof["winners"], bytes.fromhex(proof["seed"])
        total, kind, amount = terms["total_tickets"], entropy["kind"], sum(prize["amount"] for prize in terms["prizes"])
        created = calendar.timegm(time.strptime(terms["created_at"], "%Y-%m-%dT%H:%M:%SZ"))
        operator, witnesses = read_key(proof["key"], 1), [read_key(key, 4) for key in proof["witnesses"]]
        need(amount <= min(total, 10**6) and len({key for _, key in witnesses}) == len(witnesses), "too many wins")
        closing = read_note(proof["closing"], CHECKPOINT)
        draw = None if kind == "unbound" else read_note(proof["draw"] or "", DRAW)
        need(closing["closed"] and (draw or proof["draw"] is None), "no time of the closing, or a draw that cannot be")
    with step(report, "terms", "the closing is of a raffle with these prizes, tickets and way to draw"):
        canonical = json.dumps(terms, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        need(given.raffle in (None, terms["id"]), "it is another raffle than yours")
        need(closing["terms"] == b64(h(b"terms", canonical)), "the closing is of other terms")
    with step(report, "key", "the key is the operator's"):
        need(given.key in (None, proof["key"]), "the key is another one than the operator's")
        need(given.key, "the proof's own word, whose key it is; give the operator's with --key", NotProven)
    with step(report, "closing", "the operator signed all tickets"):
        check_signed(closing, operator)
        need((closing["origin"], closing["size"]) == ("rafflekit/" + terms["id"], str(total)), "not all of this raffle")
        closed = int(closing["closed"])
        number = max(1, 1 - (GENESIS - closed - terms["delay_s"]) // PERIOD_S) if "delay_s" in terms else None
        need(created <= closed <= given.now + 86400, "closed before the raffle was created, or in the future")
        need(closing["round"] == (number and str(number)), "the round is not the first one after the delay")
    known, times, due = witnesses + given.witness, [], GENESIS + PERIOD_S * (number - 1) if number else 2**64
    with step(report, "witnesses", "a witness whom you trust signed the closing"):
        need(operator[1] not in [public for _, public in known], "the operator is no witness")
        found = [cosigned_at(closing, key) for key in known]
        need(None not in found[:len(witnesses)], "one of the witnesses did not sign")
        times = found  # which count in step 7
        need(set(times[len(witnesses):]) - {None}, "nobody whom you named with --witness signed", NotProven)
    with step(report, "entropy", "drand signed the beacon of the closing's round"):
        need(kind == terms["entropy"] or (kind, number) == ("unbound", None), "another entropy than the announced one")
        need(kind != "unbound", "an earlier release drew it, or the record of what decided was taken away", NotProven)
        need(number, "the operator's word that the seed was made once, and after the closing", NotProven)
        need(entropy["round"] == number, "the beacon is of another round than the closing's")
        check_beacon(number, bytes.fromhex(entropy["signature"]))
    with step(report, "witnessed", "somebody whom you trust had the closing before the beacon came"):
        need(all(at is None or at < due for at in times), "a cosignature is dated at or after the beacon")
        need(number, "the operator's word that nobody tried out draws before this one", NotProven)
        need(any(at is not None and at >= created for at in times[len(witnesses):]), "the operator's clock", NotProven)
    with step(report, "seed", "the seed is that of closing and entropy"):
        closing_hash = h(b"closing", closing["text"].encode())
        value = bytes.fromhex(entropy.get("value", "")) or sha256(bytes.fromhex(entropy.get("signature", ""))).digest()
        need(kind != "unbound", "nothing binds the seed to the closing: it is the operator's word", NotProven)
        need(seed == h(b"seed", closing_hash + value), "the seed is not that of closing and entropy")
    report["winners"], ticket, tickets = None, None, {}  # the winners, if many, need the leaves
    with step(report, "leaves", "these are all tickets that were drawn from, each number once"):
        need(given.leaves is not None, "whether a number is there twice; give all tickets with --leaves", NotProven)
        for line in given.leaves:
            leaf = read_json(line, 8192, TICKET["leaf"])
            need(leaf["serial"] == len(tickets) < total and leaf["ticket_number"] not in tickets, "too many, or twice")
            tickets[leaf["ticket_number"]] = leaf_hash(terms["id"], leaf)
        need(len(tickets) == total == max(tickets), "there are too few, or a number is too large")
        need(root_of_all([*tickets.values()]) == closing["root"], "the tickets are not those of the closing")
    all_known, numbers, hashes = report["leaves"][0] == "ok", [*tickets], [*tickets.values()]
    with step(report, "winners", "the winners are those of the seed"):
        prizes = [place for place, prize in enumerate(terms["prizes"]) for _ in range(prize["amount"])]
        serials = list(winning_serials(seed, total, amount))
        need(amount > 1000 if wins is None else len(wins) == amount <= 1000, "not as many winners as prizes")
        for win, place in zip(wins or (), zip(serials, prizes)):
            need((win["leaf"]["serial"], win["prize"]) == place, "a win is another one than that of the seed")
            check_in_tree(win, terms["id"], closing)
        won = [win["leaf"]["ticket_number"] for win in wins or ()] or [numbers[each] for each in serials if all_known]
        need(len(set(won)) == len(won) and max(won, default=1) <= total, "a number is there twice, or too large")
        if draw:
            check_signed(draw, operator)
            digest = b64(h(b"winners", b"".join(pack(">QQI", *win) for win in zip(serials, won, prizes))))
            text = f"rafflekit draw v1\n{closing['origin']}\nclosing {b64(closing_hash)}\nentropy {value.hex()}\n"
            text += f"seed {seed.hex()}\nwinners {amount} {digest if won else draw['digest']}\n"
            need(draw["text"] == text, "the operator signed another draw")
        need(wins or won and draw, "the operator's word which numbers won; give all tickets with --leaves", NotProven)
    if given.receipt is None: return
    with step(report, "receipt", "your ticket was drawn from"):
        receipt = read_json(given.receipt, 2**17, {"protocol": ONE, "checkpoint": TEXT, **TICKET})
        note, ticket = read_note(receipt["checkpoint"], CHECKPOINT), receipt["leaf"]
        size, serial, number = int(note["size"]), ticket["serial"], ticket["ticket_number"]
        check_signed(note, operator)
        need(all(note[part] == closing[part] for part in ("origin", "terms")), "the receipt is of another raffle")
        need(max(size, number) <= total, "the receipt is of more tickets than there are")
        need(note["text"] == closing["text"] or size < total and draw and not note["closed"], "it is of another draw")
        check_in_tree(receipt, terms["id"], note)
        for win in [each["leaf"] for each in wins or () if each["leaf"] != ticket]:
            need(win["serial"] != serial and win["ticket_number"] != number, "a winner has your serial or number")
        if all_known: need(root_of_all(hashes[:size]) == note["root"], "tickets before yours became others")
        need(all_known or size == total, "that the closing goes on from it; give all tickets with --leaves", NotProven)
    if ticket and given.code is not None:
        with step(report, "code", "the code is your ticket's"): check_code(given.code, ticket["code_hash"])

if __name__ == "__main__":
    options, report = argparse.ArgumentParser(description=__doc__), {}
    for name in ("proof", "--raffle", "--key", "--leaves", "--receipt", "--code"): options.add_argument(name)
    options.add_argument("--witness", metavar="KEY", action="append", default=[])
    given = options.parse_args()
    try:
        need(given.receipt or not given.code, "--code is your ticket's: it needs --receipt")
        with open(given.proof, "rb") as file: given.proof = file.read(2**22 + 1)
        given.receipt = given.receipt and open(given.receipt, "rb").read(2**17 + 1)
        given.leaves = given.leaves and iter(lambda file=open(given.leaves, "rb"): file.readline(8193), b"")
        given.witness, given.now = [read_key(key, 4) for key in given.witness], time.time()
    except (OSError, ValueError) as error: options.error(str(error))
    with contextlib.suppress(Stop): audit(given, report)
    sys.stdout.reconfigure(encoding="utf-8")
    for name, (outcome, sentence) in report.items():
        print({"ok": "✓ ", "wrong": "✗ "}.get(outcome, "– not proven: ") + name + ": " + sentence)
    sys.exit("wrong" in [outcome for outcome, _ in report.values()])
