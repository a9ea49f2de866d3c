// The steps about tickets: winners (9), all leaves (10), a receipt (11) and its code (12); and the tree.

const COUNTED = 10 ** 6; // Every verifier counts the numbers of this many tickets, however many were announced.
const IN_BYTES = 10 ** 7; // Up to this highest number, one byte per number is enough for any number of tickets.

function leafHash(raffle, leaf) {
  const codeHash = utf8(leaf.codeHash);
  const id = bytesOfHex(raffle.replaceAll("-", ""));
  const numbers = [bigEndian(leaf.serial, 8), bigEndian(leaf.number, 8), bigEndian(codeHash.length, 2)];
  return sha256(joined([0, 1], id, ...numbers, codeHash));
}

const nodeHash = (left, right) => sha256(joined([1], left, right));
const half = (number) => Math.floor(number / 2); // Sizes have more than 32 bits.
const isOdd = (number) => number % 2 === 1;

// RFC 9162, 2.1.3.2.
function checkInclusion(leaf, index, size, path, root) {
  if (index >= size) throw new Wrong(`there is no leaf ${index} in a tree of ${size}`);
  let [fn, sn, found] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (sn === 0) throw new Wrong("the path does not have the length for this tree");
    if (isOdd(fn) || fn === sn) {
      found = nodeHash(sibling, found);
      while (!isOdd(fn) && fn) [fn, sn] = [half(fn), half(sn)];
    } else {
      found = nodeHash(found, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn) throw new Wrong("the path does not have the length for this tree");
  if (!sameBytes(found, root)) throw new Wrong("the path does not lead to the root");
}

// RFC 9162, 2.1.4.2. With an empty tree, every tree is consistent.
function checkConsistency(oldSize, newSize, proof, oldRoot, newRoot) {
  const otherLength = "the proof does not have the length for these trees";
  if (oldSize > newSize) throw new Wrong(`a tree of ${newSize} leaves cannot continue one of ${oldSize}`);
  if (oldSize === 0 || oldSize === newSize) {
    if (proof.length) throw new Wrong(otherLength);
    if (!sameBytes(oldRoot, oldSize === newSize ? newRoot : sha256(new Uint8Array()))) {
      throw new Wrong("the roots are not the same");
    }
    return;
  }
  const isWhole = Number.isInteger(Math.log2(oldSize)) && 2 ** Math.log2(oldSize) === oldSize;
  const [first, ...rest] = isWhole ? [oldRoot, ...proof] : proof;
  if (first === undefined) throw new Wrong(otherLength);
  let [fn, sn, foundOld, foundNew] = [oldSize - 1, newSize - 1, first, first];
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  for (const sibling of rest) {
    if (sn === 0) throw new Wrong(otherLength);
    if (isOdd(fn) || fn === sn) {
      [foundOld, foundNew] = [nodeHash(sibling, foundOld), nodeHash(sibling, foundNew)];
      while (!isOdd(fn) && fn) [fn, sn] = [half(fn), half(sn)];
    } else {
      foundNew = nodeHash(foundNew, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn) throw new Wrong(otherLength);
  if (!sameBytes(foundOld, oldRoot) || !sameBytes(foundNew, newRoot)) throw new Wrong("the proof does not lead to the roots");
}

// Keeps one hash per power of two while the leaves are read.
class RunningRoot {
  count = 0;
  #whole = [];

  add(leaf) {
    this.count += 1;
    let found = leaf;
    for (let rest = this.count; !isOdd(rest); rest = half(rest)) found = nodeHash(this.#whole.pop(), found);
    this.#whole.push(found);
  }
  root() {
    if (!this.#whole.length) return sha256(new Uint8Array());
    return this.#whole.reduceRight((right, left) => nodeHash(left, right));
  }
}

const seedOf = (closingHash, entropy) => taggedHash("seed", joined(closingHash, entropy));

function uniform(n, nextBlock) {
  const bound = n * ((1n << 256n) / n);
  let value;
  do value = nextBlock();
  while (value >= bound);
  return Number(value % n);
}

// Section 7: the first serials of the shuffle: those that win, in draw order, and then those that are next. Only displaced
// slots are kept.
function winningSerials(seed, tickets, wins) {
  let block = 0;
  const nextBlock = () => numberOf(sha256(joined(seed, bigEndian(block++, 8))));
  const slot = new Map();
  const serials = [];
  for (let k = 0; k < wins; k++) {
    const j = k + uniform(BigInt(tickets - k), nextBlock);
    const displaced = slot.get(k) ?? k;
    serials.push(j === k ? displaced : (slot.get(j) ?? j));
    slot.delete(k);
    if (j !== k) slot.set(j, displaced);
  }
  return serials;
}

function winnersDigest(wins) {
  const rows = wins.map((win) => joined(bigEndian(win.serial, 8), bigEndian(win.number, 8), bigEndian(win.prize, 4)));
  return taggedHash("winners", joined(...rows));
}

// The wins as {serial, number, prize}, or null if only the leaves could show the numbers. `seen` is what was found in the
// leaves, if they were given and are the closing's.
function winsOf(parts, serials, seen) {
  const { proof, terms } = parts;
  const listed = proof.winners;
  if ((listed === null) !== (terms.wins > WINNERS_IN_A_PROOF) || (listed !== null && listed.length !== terms.wins)) {
    const what = listed === null ? "no list of winners" : `${counted(listed.length)} winners`;
    throw new Wrong(`The proof has ${what}, but the terms announce ${counted(terms.wins)} wins.`);
  }
  const prizes = terms.prizes.flatMap((prize, number) => Array(prize.amount).fill(number));
  if (listed !== null) return provenWins(parts, serials, prizes);
  if (seen === null) return null;
  return serials.map((serial, place) => ({ serial, number: seen.numbers.get(serial), prize: prizes[place] }));
}

function checkWinners(parts, wins) {
  const { terms, draw, latest } = parts;
  checkStatement(parts, wins);
  if (wins === null) {
    throw new Unproven(
      `There are ${counted(terms.wins)} wins. A proof lists at most 1,000. Check all tickets (below) to see who won.`,
    );
  }
  const follow = `The seed gives exactly these ${counted(wins.length)} wins, each for a different ticket in the closed list.`;
  return dated(`${follow} The operator signed this result.`, draw.drawn, latest);
}

function provenWins({ proof, terms, closing }, serials, prizes) {
  const numbers = new Set();
  return proof.winners.map(({ leaf, prize, path }, place) => {
    const which = `Win ${counted(place + 1)}`;
    if (leaf.serial !== serials[place] || prize !== prizes[place]) {
      throw new Wrong(`${which} has another ticket or prize in the proof than the seed gives.`);
    }
    if (leaf.number > terms.total_tickets) throw new Wrong(`${which} has a ticket number that this raffle does not have.`);
    if (numbers.has(leaf.number)) throw new Wrong(`Ticket number ${counted(leaf.number)} wins twice.`);
    numbers.add(leaf.number);
    explained(`The ticket of win ${counted(place + 1)} is not in the closed list`, () =>
      checkInclusion(leafHash(terms.id, leaf), leaf.serial, closing.size, path, closing.root),
    );
    return { serial: leaf.serial, number: leaf.number, prize };
  });
}

function checkStatement({ proof, terms, closing, key, draw }, wins) {
  checkOperator(draw.note, key, "draw");
  const lines = {
    raffle: draw.origin === closing.origin,
    closing: sameBytes(draw.closingHash, closing.hash),
    date: closing.closed <= draw.drawn,
    "random number": sameBytes(draw.entropy, proof.entropy.value),
    seed: sameBytes(draw.seed, proof.seed),
    "number of winners": draw.wins === terms.wins,
    "list of winners": wins === null || sameBytes(draw.digest, winnersDigest(wins)),
  };
  for (const [name, holds] of Object.entries(lines)) {
    if (!holds) throw new Wrong(`The operator signed a draw with another ${name}.`);
  }
}

// Reads all leaves. Keeps the numbers of winners that the proof does not list, the leaf at the receipt's serial, and the
// root at the receipt's size.
function seeLeaves({ proof, terms, closing }, lines, serials, ours) {
  const { size } = closing;
  const wanted = new Set(proof.winners === null ? serials : []);
  const numbers = new Map();
  const used = new NumbersUsed(size, terms.total_tickets);
  const tree = new RunningRoot();
  const seen = { numbers, used, leaf: null, rootAt: null };
  for (const line of lines) {
    const place = tree.count;
    if (place >= size) throw new Wrong(`There are more tickets than the ${counted(size)} in the closing.`);
    const leaf = readLine(line, place);
    if (leaf.serial !== place) throw new Wrong(`Line ${counted(place + 1)} of the tickets is out of order.`);
    if (leaf.number > terms.total_tickets) {
      throw new Wrong(`A ticket has the number ${counted(leaf.number)}, but the last one is ${counted(terms.total_tickets)}.`);
    }
    if (!used.add(leaf.number)) throw new Wrong(`Ticket number ${counted(leaf.number)} exists twice.`);
    if (wanted.has(leaf.serial)) numbers.set(leaf.serial, leaf.number);
    tree.add(leafHash(terms.id, leaf));
    if (leaf.serial === ours?.leaf.serial) seen.leaf = leaf;
    if (tree.count === ours?.checkpoint.size) seen.rootAt = tree.root();
  }
  if (!tree.count) throw new Mistaken("The file of tickets is empty.");
  if (tree.count < size) throw new Wrong(`There are fewer tickets than the ${counted(size)} in the closing.`);
  if (!sameBytes(tree.root(), closing.root)) throw new Wrong("The tickets are not those of the closed list.");
  return seen;
}

function readLine(line, place) {
  const read = () => readLeafLine(place ? line : withoutMark(line));
  // If not even the first line is a ticket, this is probably another file.
  if (!place) return mistaken("The first line is not a ticket", read);
  return explained(`Line ${counted(place + 1)} is not a ticket`, read);
}

// Which numbers tickets have, if the browser has room for that.
class NumbersUsed {
  #seen;

  constructor(tickets, most) {
    if (most <= IN_BYTES) this.#seen = new Uint8Array(most + 1);
    else this.#seen = tickets <= COUNTED ? new Set() : null;
  }
  // Returns whether the number is new, as far as that is known.
  add(number) {
    if (this.#seen === null) return true;
    if (this.#seen instanceof Set) return this.#seen.size < this.#seen.add(number).size;
    return this.#seen[number]++ === 0;
  }
  has(number) {
    return this.#seen instanceof Set ? this.#seen.has(number) : Boolean(this.#seen?.[number]);
  }
  get areCounted() {
    return this.#seen !== null;
  }
}

function checkedLeaves({ closing: { size }, terms }, seen) {
  const all = `All ${counted(size)} tickets are those of the closed list`;
  if (!seen.used.areCounted) throw new Unproven(`${all}. There are too many to check that no number exists twice.`);
  if (size < terms.total_tickets) return `${all}, each with a different number from 1 to ${counted(terms.total_tickets)}.`;
  return `${all}, and each number from 1 to ${counted(size)} exists once.`;
}

function readReceiptParts(document) {
  return mistaken("This is not a receipt", () => {
    const receipt = readReceipt(document);
    return { ...receipt, checkpoint: readCheckpoint(receipt.checkpoint) };
  });
}

// Whether a receipt shows that the id of the proof's raffle was known before the closing. Anyone can fetch a receipt that
// has the closing, also after the draw.
function isReceiptOf({ terms, key }, document) {
  return holds(() => {
    const { checkpoint } = readReceiptParts(document ?? "");
    checkOperator(checkpoint.note, key, "receipt");
    if (checkpoint.origin !== `rafflekit/${terms.id}`) throw new Wrong("It is for another raffle.");
    if (checkpoint.closed !== null || checkpoint.cancelled !== null) throw new Wrong("It may be from after the draw.");
  });
}

function checkReceipt(parts, ours, seen, consistency) {
  const { terms, closing, proof } = parts;
  const { leaf, checkpoint } = ours;
  checkSignedState(parts, checkpoint);
  if (leaf.number > terms.total_tickets) throw new Wrong(`This raffle has no ticket number ${counted(leaf.number)}.`);
  explained("The receipt's ticket is not in the receipt's own list", () =>
    checkInclusion(leafHash(terms.id, leaf), leaf.serial, checkpoint.size, ours.path, checkpoint.root),
  );
  for (const { leaf: other } of [...(proof.winners ?? []), ...(proof.forfeits ?? [])]) {
    if ((other?.serial === leaf.serial || other?.number === leaf.number) && !sameLeaf(other, leaf)) {
      throw new Wrong("A winner in the proof has your ticket's place or number, but is another ticket.");
    }
  }
  if (seen !== null) {
    if (!sameLeaf(seen.leaf, leaf)) throw new Wrong("The closed list has another ticket in the place of yours.");
    if (!sameBytes(seen.rootAt, checkpoint.root)) {
      throw new Wrong("The list was rewritten after you got your receipt. Keep the receipt and the proof.");
    }
  }
  if (checkpoint.size < closing.size) {
    if (consistency !== null) checkGrowth(checkpoint, closing, consistency);
    else if (seen === null) {
      throw new Unproven(
        `The receipt is genuine for the list of the first ${counted(checkpoint.size)} tickets. Whether the closed list continues that list has not been checked yet.`,
      );
    }
  }
  return `Your ticket, number ${counted(leaf.number)}, is in the draw.`;
}

const sameLeaf = (one, other) =>
  one.serial === other.serial && one.number === other.number && one.codeHash === other.codeHash;

function checkSignedState({ terms, closing, key }, checkpoint) {
  if (checkpoint.origin !== closing.origin) {
    if (!isSigned(checkpoint.note, key)) throw new Mistaken("The receipt is for another raffle.");
    throw new Wrong("The receipt is for another raffle that this operator ran with the same key. Keep the receipt and the proof.");
  }
  checkOperator(checkpoint.note, key, "receipt");
  if (!sameBytes(checkpoint.terms, closing.terms)) {
    throw new Wrong("The receipt was signed for other terms: the announcement has changed since then.");
  }
  if (checkpoint.size > closing.size) throw new Wrong("The receipt's list has more tickets than the closed list.");
  if (checkpoint.cancelled !== null) throw new Wrong("The operator cancelled this raffle, as your receipt shows. Keep it.");
  const isClosing = checkpoint.size === terms.total_tickets || checkpoint.closed !== null;
  if (isClosing && checkpoint.note.text !== closing.note.text) {
    throw new Wrong("The closing in your receipt is not the one in the proof. The operator signed both. Keep both.");
  }
  if (checkpoint.size === closing.size && !sameBytes(checkpoint.root, closing.root)) {
    throw new Wrong("The list was rewritten after you got your receipt. Keep the receipt and the proof.");
  }
}

function checkGrowth(checkpoint, closing, document) {
  const given = explained("This is not a consistency proof", () => readConsistency(document));
  if (given.oldSize !== checkpoint.size || given.newSize !== closing.size) {
    throw new Wrong("The consistency proof is not for the receipt's list and the closed list.");
  }
  explained("The closed list does not continue the receipt's list", () =>
    checkConsistency(given.oldSize, given.newSize, given.proof, checkpoint.root, closing.root),
  );
}

// Returns the 24 characters of a code as they are hashed, or null (section 3).
function readCode(text) {
  const letters = text.replace(/[\p{White_Space}\p{Cf}\p{Pd}\u2212]/gu, "").replace(/^['"“”„‘’‚«»‹›`]+|['"“”„‘’‚«»‹›`]+$/g, "");
  if (!/^[0-9A-TV-Za-tv-z]{24}$/.test(letters)) return null;
  return letters.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
}

// Returns the whole number that a person typed, as core/written_numbers.py reads it; null if it could be another one.
function readWholeNumber(typed) {
  const isWhole = /^(?:[0-9]+|[1-9][0-9]{0,2}([ \u00a0\u2007\u2009\u202f,.'’])[0-9]{3}(?:\1[0-9]{3})*)$/.test(typed.trim());
  return isWhole ? Number(typed.replace(/[^0-9]/g, "")) : null;
}

function checkCode({ leaf }, code) {
  const argon2 =
    /^\$argon2id\$v=19\$m=[1-9][0-9]{0,9},t=[1-9][0-9]{0,9},p=[1-9][0-9]{0,2}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}$/;
  if (!argon2.test(leaf.codeHash)) throw new Wrong("No code can match the receipt: its ticket has no Argon2id hash.");
  if (readCode(code) === null) throw new Mistaken("A code has 24 letters and digits.");
  throw new Unproven("Browsers cannot check a code, because they have no Argon2; rafflekit audit can.");
}
