// The documents of the protocol, read strictly: JSON (section 1), terms (2), leaves (3), receipts (5), proofs (8).
// Reading checks only the form; verifier.js checks the content.

const PROTOCOL = 1;
const MOST = 10 ** 12; // Tickets, rounds, every number.
const MOST_WINS = 1_000_000;
const PROOF_BYTES = 8 * 1024 * 1024;
const RECEIPT_BYTES = 128 * 1024;
const LEAF_LINE_BYTES = 8 * 1024;
const WINNERS_IN_A_PROOF = 1_000;
const FORFEITS_IN_A_PROOF = 1_000;
const PATH_HASHES = 64;
const NESTING = 500; // The protocol needs 6 levels, but next to a receipt there may be anything.
const NO_DOCUMENT = "it is not JSON of the form that the protocol requires";

const LONE_SURROGATE = /\p{Cs}/u;
// What controls the text around it, or cannot be seen, except newlines and two characters that scripts and emoji need.
const HIDDEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const BLANKS = /[\p{White_Space}\u115f\u1160\u2800\u3164\uffa0]+/gu; // White space, and letters that look like it.
const QUOTATION_MARKS = /["«»‘-‟‹›⹂〝-〟＂＇❛-❠🙶-🙸″‶ʺˮ]/gu;
const CHECK_MARKS = /[✓✔✅☑✗✘✕✖❌❎☒☓⍻√🗙🗴-🗸🗹]/gu;

// Makes a note by others safe to show: hidden characters are spelled out.
function shown(text) {
  return text.replace(HIDDEN, (each) => `‹U+${each.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}
// The same for names and all other texts, which must not look like a part of the page. U+2068 and U+2069 keep the
// direction of the text around them.
function quotable(text) {
  const plain = text.replace(BLANKS, " ").replace(QUOTATION_MARKS, "'").replace(CHECK_MARKS, "*");
  return `\u2068${shown(plain)}\u2069`;
}
const quoted = (text) => `“${quotable(text)}”`;
const counted = (number) => number.toLocaleString("en");

// Returns a document (text or bytes) without the byte order mark that some programs write before it.
function withoutMark(content) {
  if (typeof content === "string") return content.replace(/^\ufeff/, "");
  const start = content.slice(0, 2);
  if (start.includes(0) || ["feff", "fffe"].includes(hexOf(start))) throw new Mistaken("it is text in UTF-16; save it as UTF-8");
  return hexOf(content.slice(0, 3)) === "efbbbf" ? content.slice(3) : content;
}

// Reads JSON that has only one reading: JSON.parse accepts keys that appear twice, 1.0 and -0.
function readJson(content, mostBytes) {
  const text = decodedText(content);
  const bytes = typeof content === "string" ? utf8(content).length : content.length;
  if (bytes > mostBytes) throw new Wrong(`it has ${counted(bytes)} bytes; at most ${counted(mostBytes)} are allowed`);
  const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/.source;
  const number = /0|[1-9][0-9]{0,29}/.source;
  const token = new RegExp(`[ \\t\\n\\r]*(?:([{}[\\],:])|(${string})|(${number})|(true|false|null))`, "y");
  let at = 0;

  function next() {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) throw new Wrong(`${NO_DOCUMENT} (at character ${counted(at + 1)})`);
    at = token.lastIndex;
    return found;
  }
  function expect(...marks) {
    const found = next()[1];
    if (!marks.includes(found)) throw new Wrong(`${NO_DOCUMENT}: ${marks.join(" or ")} is missing`);
    return found;
  }
  function closes(mark) {
    const before = at;
    if (next()[1] === mark) return true;
    at = before;
    return false;
  }
  function value(depth) {
    const [, mark, string, digits, word] = next();
    if (string !== undefined) return JSON.parse(string);
    if (digits !== undefined) return Number(digits);
    if (word !== undefined) return JSON.parse(word);
    if (depth === NESTING) throw new Wrong(`${NO_DOCUMENT}: it is nested too deeply`);
    if (mark === "[") return list(depth + 1);
    if (mark === "{") return object(depth + 1);
    throw new Wrong(`${NO_DOCUMENT}: a value is missing`);
  }
  function list(depth) {
    const items = [];
    if (closes("]")) return items;
    do items.push(value(depth));
    while (expect(",", "]") === ",");
    return items;
  }
  function object(depth) {
    const fields = new Map();
    if (closes("}")) return fields;
    do {
      const key = next()[2];
      if (key === undefined) throw new Wrong(`${NO_DOCUMENT}: a key is missing`);
      const name = JSON.parse(key);
      if (fields.has(name)) throw new Wrong(`${NO_DOCUMENT}: ${quoted(name.slice(0, 40))} appears more than once`);
      expect(":");
      fields.set(name, value(depth));
    } while (expect(",", "}") === ",");
    return fields;
  }

  const found = value(0);
  if (!/^[ \t\n\r]*$/.test(text.slice(at))) throw new Wrong(`${NO_DOCUMENT}: there is something after its end`);
  return found;
}

function decodedText(content) {
  if (typeof content === "string") return content;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new Wrong("it is not text in UTF-8");
  }
}

// Objects are Maps, so that no key ("__proto__") means anything to the language.
function fieldsOf(value, place, ...names) {
  if (!(value instanceof Map)) throw new Wrong(`${place} is not a JSON object`);
  for (const name of names) if (!value.has(name)) throw new Wrong(`${place}.${name} is missing`);
  for (const name of value.keys()) {
    if (!names.includes(name)) throw new Wrong(`${place} has no field ${quoted(name.slice(0, 40))}`);
  }
  return Object.fromEntries(value);
}

function listOf(value, place, most = Infinity) {
  if (!Array.isArray(value)) throw new Wrong(`${place} is not a list`);
  if (value.length > most) throw new Wrong(`${place} has more than ${counted(most)} items`);
  return value;
}

function textOf(value, place) {
  if (typeof value !== "string" || LONE_SURROGATE.test(value)) throw new Wrong(`${place} is not text`);
  return value;
}

function wholeNumber(value, place, least, most) {
  if (typeof value !== "number" || value < least || value > most) {
    throw new Wrong(`${place} is not a whole number from ${counted(least)} to ${counted(most)}`);
  }
  return value;
}

function hexBytes(value, place, length) {
  if (textOf(value, place).length !== 2 * length || !/^[0-9a-f]*$/.test(value)) {
    throw new Wrong(`${place} is not ${2 * length} hexadecimal digits in lower case`);
  }
  return bytesOfHex(value);
}

function ofThisProtocol(document) {
  // First, because everything else may differ in another version.
  if (!(document instanceof Map) || document.get("protocol") !== PROTOCOL) {
    throw new Wrong(`it is not a JSON object with protocol ${PROTOCOL}, the only supported version`);
  }
  return document;
}

function readProof(content) {
  const document = ofThisProtocol(readJson(withoutMark(content), PROOF_BYTES));
  const names = ["protocol", "terms", "key", "closing", "witnesses", "entropy", "seed", "draw", "winners", "forfeits"];
  const fields = fieldsOf(document, "proof", ...names);
  return {
    terms: readTerms(fields.terms),
    key: textOf(fields.key, "key"),
    closing: textOf(fields.closing, "closing"),
    witnesses: listOf(fields.witnesses, "witnesses").map((each) => textOf(each, "witnesses")),
    entropy: readEntropy(fields.entropy),
    seed: hexBytes(fields.seed, "seed", HASH_BYTES),
    draw: textOf(fields.draw, "draw"),
    winners: fields.winners === null ? null : readWinners(fields.winners),
    forfeits: fields.forfeits === null ? null : readForfeits(fields.forfeits),
  };
}

// Reads a receipt, or the server's whole answer with ticket and code, which has the receipt in it.
function readReceipt(content) {
  const document = readJson(withoutMark(content), RECEIPT_BYTES);
  const isAnswer = document instanceof Map && document.has("receipt") && !document.has("protocol");
  const receipt = ofThisProtocol(isAnswer ? document.get("receipt") : document);
  const fields = fieldsOf(receipt, "receipt", "protocol", "leaf", "path", "checkpoint");
  return {
    leaf: readLeaf(fields.leaf, "leaf"),
    path: readPath(fields.path, "path"),
    checkpoint: textOf(fields.checkpoint, "checkpoint"),
  };
}

function readConsistency(content) {
  const fields = fieldsOf(readJson(withoutMark(content), RECEIPT_BYTES), "consistency", "old", "new", "proof");
  return {
    oldSize: wholeNumber(fields.old, "old", 0, MOST),
    newSize: wholeNumber(fields.new, "new", 0, MOST),
    proof: readPath(fields.proof, "proof"),
  };
}

const readLeafLine = (line) => readLeaf(readJson(line, LEAF_LINE_BYTES), "leaf");

const TEXTS = ["collection", "promoter", "address", "price", "licence", "note"];
const OPTIONS = ["delay_s", "source", "entry", "tickets_each", "opens_at", "closes_at", "draw_at", "claim_days", ...TEXTS];

function readTerms(value) {
  const names = ["protocol", "id", "name", "created_at", "total_tickets", "prizes", "entropy"];
  const options = OPTIONS.filter((name) => value instanceof Map && value.has(name));
  const fields = fieldsOf(value, "terms", ...names, ...options);
  wholeNumber(fields.protocol, "terms.protocol", PROTOCOL, PROTOCOL);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(textOf(fields.id, "terms.id"))) {
    throw new Wrong("terms.id is not the id of a raffle");
  }
  checkName(fields.name, "terms.name");
  const tickets = wholeNumber(fields.total_tickets, "terms.total_tickets", 1, MOST);
  const prizes = listOf(fields.prizes, "terms.prizes", 1_000).map((each) => {
    const prize = fieldsOf(each, "terms.prizes", "name", "amount");
    checkName(prize.name, "terms.prizes.name");
    wholeNumber(prize.amount, "terms.prizes.amount", 1, MOST_WINS);
    return prize;
  });
  const wins = prizes.reduce((sum, prize) => sum + prize.amount, 0);
  wholeNumber(wins, "the sum of terms.prizes", 1, Math.min(tickets, MOST_WINS));
  const created = readTime(fields.created_at, "terms.created_at");
  checkOptions(fields, created);
  return { ...fields, prizes, wins, created };
}

// An option that a raffle does not have is not among the fields: equal terms have only one spelling.
function checkOptions(fields, created) {
  const { entropy, delay_s, source, entry, tickets_each, claim_days } = fields;
  if (![DRAND, SECRETS, ANNOUNCED].includes(entropy)) throw new Wrong(`terms.entropy is not ${SECRETS}, ${DRAND} or ${ANNOUNCED}`);
  if ((delay_s !== undefined) !== (entropy === DRAND)) throw new Wrong(`terms.delay_s is missing, or not for ${entropy}`);
  if ((source !== undefined) !== (entropy === ANNOUNCED)) throw new Wrong(`terms.source is missing, or not for ${entropy}`);
  if (delay_s !== undefined) wholeNumber(delay_s, "terms.delay_s", 1, 604_800);
  if (source !== undefined) checkName(source, "terms.source");
  if (entry !== undefined && !["invitation", "desk"].includes(entry)) throw new Wrong("terms.entry is not invitation or desk");
  if (tickets_each !== undefined) wholeNumber(tickets_each, "terms.tickets_each", 2, 1_000);
  if (claim_days !== undefined) wholeNumber(claim_days, "terms.claim_days", 1, 3_650);
  checkTimes(fields, created);
  for (const name of TEXTS.filter((each) => fields[each] !== undefined)) checkName(fields[name], `terms.${name}`);
  if (fields.price !== undefined && (fields.promoter === undefined || fields.draw_at === undefined)) {
    throw new Wrong("terms.price needs terms.promoter and terms.draw_at");
  }
}

function checkTimes({ opens_at, closes_at, draw_at }, created) {
  const opens = opens_at === undefined ? -Infinity : readTime(opens_at, "terms.opens_at");
  const closes = closes_at === undefined ? Infinity : readTime(closes_at, "terms.closes_at");
  const draw = draw_at === undefined ? Infinity : readTime(draw_at, "terms.draw_at");
  if (closes <= created || closes <= opens) throw new Wrong("terms.closes_at is before the raffle is created or opens");
  if (draw <= created || draw <= opens) throw new Wrong("terms.draw_at is before the raffle is created or opens");
  if (draw_at !== undefined && closes_at !== undefined && draw < closes) throw new Wrong("terms.draw_at is before the raffle closes");
}

function checkName(value, place) {
  const characters = Array.from(textOf(value, place)).length;
  if (characters > 200 || /[\p{Cc}\u2028\u2029]/u.test(value) || /^\p{Zs}*$/u.test(value)) {
    throw new Wrong(`${place} must have 1 to 200 characters and no control characters`);
  }
}

// Seconds since 1970.
function readTime(value, place) {
  const text = textOf(value, place);
  const found = /^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text);
  const time = found ? Date.parse(text) : NaN;
  // Date.parse takes February 30 for March 2 in some browsers.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text.replace("Z", ".000Z")) {
    throw new Wrong(`${place} is not a time YYYY-MM-DDThh:mm:ssZ from 1970 on`);
  }
  return time / 1000;
}

const SECRETS = "secrets";
const DRAND = "drand-quicknet";
const ANNOUNCED = "announced";

function readEntropy(value) {
  const kind = value instanceof Map ? value.get("kind") : null;
  if (kind === SECRETS) {
    const fields = fieldsOf(value, "entropy", "kind", "value");
    const random = hexBytes(fields.value, "entropy.value", HASH_BYTES);
    return { kind, value: random, random, round: null };
  }
  if (kind === DRAND) {
    const fields = fieldsOf(value, "entropy", "kind", "round", "signature");
    const signature = hexBytes(fields.signature, "entropy.signature", 48);
    return { kind, value: sha256(signature), random: signature, round: wholeNumber(fields.round, "entropy.round", 1, MOST) };
  }
  if (kind === ANNOUNCED) {
    const fields = fieldsOf(value, "entropy", "kind", "value");
    const text = textOf(fields.value, "entropy.value");
    if (!/^[^\p{Z}\p{Cc}]+( [^\p{Z}\p{Cc}]+)*$/u.test(text) || Array.from(text).length > 1_000) {
      throw new Wrong("entropy.value must have 1 to 1,000 characters, in words with one space between them");
    }
    return { kind, value: sha256(utf8(text)), text, round: null };
  }
  throw new Wrong(`entropy.kind is not ${SECRETS}, ${DRAND} or ${ANNOUNCED}`);
}

function readWinners(value) {
  return listOf(value, "winners", WINNERS_IN_A_PROOF).map((each) => {
    const win = fieldsOf(each, "winners", "prize", "leaf", "path");
    return {
      prize: wholeNumber(win.prize, "winners.prize", 0, 999),
      leaf: readLeaf(win.leaf, "winners.leaf"),
      path: readPath(win.path, "winners.path"),
    };
  });
}

function readForfeits(value) {
  return listOf(value, "forfeits", FORFEITS_IN_A_PROOF).map((each) => {
    const forfeit = fieldsOf(each, "forfeits", "note", "leaf", "path");
    return {
      note: textOf(forfeit.note, "forfeits.note"),
      leaf: forfeit.leaf === null ? null : readLeaf(forfeit.leaf, "forfeits.leaf"),
      path: readPath(forfeit.path, "forfeits.path"),
    };
  });
}

function readLeaf(value, place) {
  const fields = fieldsOf(value, place, "serial", "ticket_number", "code_hash");
  if (!/^[!-~]{1,1000}$/.test(textOf(fields.code_hash, `${place}.code_hash`))) {
    throw new Wrong(`${place}.code_hash must be 1 to 1,000 printable ASCII characters without spaces`);
  }
  return {
    serial: wholeNumber(fields.serial, `${place}.serial`, 0, MOST - 1),
    number: wholeNumber(fields.ticket_number, `${place}.ticket_number`, 1, MOST),
    codeHash: fields.code_hash,
  };
}

function readPath(value, place) {
  const path = listOf(value, place, PATH_HASHES).map((each) => readBase64(textOf(each, place)));
  if (path.some((hash) => hash.length !== HASH_BYTES)) throw new Wrong(`${place} has a hash that is not 32 bytes long`);
  return path;
}

// RFC 8785. The keys of terms are ASCII, and JSON.stringify writes their texts and numbers as the RFC has them.
function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const fields = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${fields.join(",")}}`;
}

function termsHash({ wins, created, ...terms }) {
  return taggedHash("terms", utf8(canonicalJson(terms)));
}
