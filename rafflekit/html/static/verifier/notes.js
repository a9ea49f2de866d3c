// Signed notes (https://c2sp.org/signed-note), verifier keys, checkpoints, and what the operator states about the draw and
// about forfeits (sections 4 and 7).

const OPERATOR = 1;
const WITNESS = 4;
const NOTE_BYTES = 64 * 1024;
const SIGNATURES = 100;
const LINE = "— ";
const KEY_NAME = /^[!-*,-~]{1,200}$/;
// Under these keys, one signature matches every text: the points of small order in every spelling, without the highest
// bit.
const NO_KEYS = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
];

// Reads a verifier key, <name>+<hex of key id>+<b64 of type and public key>, of type OPERATOR or WITNESS.
function readKey(text, kind, place) {
  const [name, idHex, ...rest] = text.split("+");
  const content = within(place, () => readBase64(rest.join("+")));
  if (content.length !== 33 || !KEY_NAME.test(name)) throw new Wrong(`${place}: this is not a public key`);
  if (content[0] !== kind) throw new Wrong(`${place}: the key has type ${content[0]} instead of ${kind}`);
  const publicKey = content.slice(1);
  const cleared = joined(publicKey.slice(0, 31), [publicKey[31] & 0x7f]);
  if (NO_KEYS.includes(hexOf(cleared))) {
    throw new Wrong(`${place}: this key is not valid: one signature would match every text`);
  }
  const id = sha256(joined(utf8(`${name}\n`), content)).slice(0, 4);
  if (hexOf(id) !== idHex) throw new Wrong(`${place}: the key's id does not match; there is a mistake in the copy`);
  return { name, kind, publicKey, id, text };
}

const readOperatorKey = (text) => readKey(text, OPERATOR, "key");

function within(place, action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Wrong) throw new error.constructor(`${place}: ${error.message}`);
    throw error;
  }
}

function readNote(written) {
  if (utf8(written).length > NOTE_BYTES) throw new Wrong(`a note has at most ${counted(NOTE_BYTES)} bytes`);
  if (/[\u0000-\u0009\u000b-\u001f]/.test(written) || LONE_SURROGATE.test(written)) {
    throw new Wrong("a note must not have control characters (lines end with a newline only)");
  }
  const division = written.lastIndexOf("\n\n");
  const lines = written.slice(division + 2);
  if (division < 0 || !lines.endsWith("\n")) {
    throw new Wrong("a note must be a text, an empty line and signature lines, each line with a newline at its end");
  }
  const signatures = lines.slice(0, -1).split("\n").map(readSignatureLine);
  if (signatures.length > SIGNATURES) throw new Wrong(`a note has at most ${SIGNATURES} signatures`);
  return { text: written.slice(0, division + 1), signatures };
}

function readSignatureLine(line) {
  const [name, ...rest] = line.slice(LINE.length).split(" ");
  const content = readBase64(rest.join(" "));
  if (!line.startsWith(LINE) || content.length <= 4 || !KEY_NAME.test(name)) {
    throw new Wrong("a signature line must be: — <name> <Base64>");
  }
  return { name, id: content.slice(0, 4), content: content.slice(4) };
}

// Checks all signatures of a note by a key; returns their times (0 for an operator's).
function timesOf(note, key) {
  return note.signatures
    .filter((each) => each.name === key.name && sameBytes(each.id, key.id))
    .map(({ content }) => {
      const stamp = content.slice(0, key.kind === WITNESS ? 8 : 0);
      const signature = content.slice(stamp.length);
      const before = key.kind === WITNESS ? `cosignature/v1\ntime ${numberOf(stamp)}\n` : "";
      if (signature.length !== 64 || !isSignature(key.publicKey, signature, utf8(before + note.text))) {
        throw new Wrong(`the signature by ${key.name} does not match this text`);
      }
      return Number(numberOf(stamp));
    });
}

function readDecimal(digits) {
  if (!/^(0|[1-9][0-9]{0,12})$/.test(digits) || Number(digits) > MOST) {
    throw new Wrong("a number must be from 0 to 10¹², in decimal digits");
  }
  return Number(digits);
}

function readHash(text) {
  const hash = readBase64(text);
  if (hash.length !== HASH_BYTES) throw new Wrong("a hash must have 32 bytes");
  return hash;
}

function readCheckpoint(written) {
  const note = readNote(written);
  const found = note.text.match(
    /^([^\n]+)\n([0-9]+)\n([^\n]+)\nterms ([^\n]+)\n(?:closed ([0-9]+)\n(?:round ([0-9]+)\n)?|cancelled ([0-9]+)\nreason ([^\n]+)\n)?$/,
  );
  if (found === null) {
    throw new Wrong("it is not a checkpoint with origin, size, root and terms, or it does not end like one");
  }
  const [, origin, size, root, terms, closed, round, cancelled, reason] = found;
  if (reason !== undefined) checkName(reason, "reason");
  return {
    note,
    origin,
    size: readDecimal(size),
    root: readHash(root),
    terms: readHash(terms),
    closed: closed === undefined ? null : readDecimal(closed),
    round: round === undefined ? null : readDecimal(round),
    cancelled: cancelled === undefined ? null : readDecimal(cancelled),
    reason: reason ?? null,
  };
}

function readClosing(written) {
  const closing = readCheckpoint(written);
  if (closing.closed === null) throw new Wrong("the line with the closing time is missing");
  return { ...closing, hash: taggedHash("closing", utf8(closing.note.text)) };
}

function readStatement(written) {
  const note = readNote(written);
  const found = note.text.match(
    /^rafflekit draw v1\n([^\n]+)\nclosing ([^\n]+)\ndrawn ([0-9]+)\nentropy ([0-9a-f]{64})\nseed ([0-9a-f]{64})\nwinners ([0-9]+) ([^\n]+)\n$/,
  );
  if (found === null) throw new Wrong("it is not a statement of a draw with origin, closing, drawn, entropy, seed and winners");
  const [, origin, closing, drawn, entropy, seed, wins, digest] = found;
  return {
    note,
    hash: taggedHash("draw", utf8(note.text)),
    origin,
    closingHash: readHash(closing),
    drawn: readDecimal(drawn),
    entropy: bytesOfHex(entropy),
    seed: bytesOfHex(seed),
    wins: readDecimal(wins),
    digest: readHash(digest),
  };
}

// With the `leaf` and the `path` that the proof has next to the note.
function readForfeit({ note: written, leaf, path }) {
  const note = readNote(written);
  const found = note.text.match(
    /^rafflekit forfeit v1\n([^\n]+)\ndraw ([^\n]+)\nforfeit ([0-9]+)\ntime ([0-9]+)\nwin ([0-9]+)\nwhy (unclaimed|renounced|disqualified)\nreason ([^\n]+)\nnext (?:none|([0-9]+) ([0-9]+))\n$/,
  );
  if (found === null) throw new Wrong("it is not a statement of a forfeit with origin, draw, forfeit, time, win, why, reason and next");
  const [, origin, draw, place, time, win, why, reason, serial, number] = found;
  checkName(reason, "reason");
  return {
    note,
    origin,
    drawHash: readHash(draw),
    place: readDecimal(place),
    time: readDecimal(time),
    win: readDecimal(win),
    why,
    reason,
    next: serial === undefined ? null : { serial: readDecimal(serial), number: readDecimal(number) },
    leaf,
    path,
  };
}

// When a round is published, and which round decides for a closing (section 6), in seconds since 1970.
const GENESIS_S = 1_692_803_367;
const PERIOD_S = 3;
const timeOfRound = (round) => GENESIS_S + PERIOD_S * (round - 1);
const roundOf = (closed, delay) => Math.max(1, Math.ceil((closed + delay - GENESIS_S) / PERIOD_S) + 1);
