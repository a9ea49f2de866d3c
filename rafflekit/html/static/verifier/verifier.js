// The audit of a draw: the steps of section 9 of docs/draw-protocol.md, each a small function that returns its sentence,
// or throws Wrong or Unproven. It cannot compute drand's BLS signatures and Argon2: steps that need them are not proven.

const STEPS = ["form", "terms", "key", "closing", "witnesses", "entropy", "witnessed", "seed", "winners", "leaves"];
STEPS.push("receipt", "code", "forfeits");
const A_DAY_S = 86_400;

// Checks a proof (text or bytes) and what else is given: `key` and `raffle` as the verifier knows them, `served_id` (the
// id in the proof's own address), the keys of `witnesses` that the verifier vouches for, `witnessed` (copies of the
// closing, as [{note, at}]), `leaves` (an iterable of lines), `receipt`, `consistency`, `code`, `now` (seconds since 1970).
// Returns the steps in order, as {name, outcome, sentence, isMistaken}, and what was found: the `parts` of the proof, the
// `wins` (see winsInTheEnd) and `forfeits`, null if they are wrong or not known, the receipt's `leaf` if it is in the draw,
// and the `numbers` of all tickets if their leaves are good.
function audit(proof, given = {}) {
  const taken = new Map();
  const known = { parts: null, wins: null, forfeits: null, leaf: null, numbers: null };
  const copies = given.witnessed ?? [];

  function value(name, step) {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Wrong || error instanceof Unproven)) throw error;
      const outcome = error instanceof Wrong ? "wrong" : "not proven";
      taken.set(name, { name, outcome, sentence: error.message, isMistaken: error instanceof Mistaken });
      return null;
    }
  }
  function take(name, step) {
    const sentence = value(name, step);
    if (sentence !== null) taken.set(name, { name, outcome: "ok", sentence, isMistaken: false });
    return taken.get(name).outcome !== "wrong";
  }
  function takeWitnesses(parts) {
    const vouched = value("witnesses", () => readWitnessKeys(given.witnesses ?? []));
    const found = vouched && value("witnesses", () => cosignaturesOf(parts, vouched));
    if (found) take("witnesses", () => checkWitnesses(found, vouched));
    take("entropy", () => checkEntropy(parts));
    take("witnessed", () => checkWitnessed(parts, found ?? [], vouched ?? [], copies));
    take("seed", () => checkSeed(parts));
  }
  function takeTickets(parts) {
    const ours = given.receipt == null ? null : value("receipt", () => readReceiptParts(given.receipt));
    const serials = serialsOf(parts, given.leaves != null);
    const queue = serials.splice(parts.terms.wins);
    let seen = null;
    take("leaves", () => {
      if (given.leaves == null) throw new Unproven("Only the winning tickets were checked, not all tickets.");
      seen = seeLeaves(parts, given.leaves, serials, ours);
      known.numbers = seen.used;
      return checkedLeaves(parts, seen);
    });
    let wins = null;
    const winnersHold = take("winners", () => {
      wins = winsOf(parts, serials, seen);
      return checkWinners(parts, wins);
    });
    const forfeitsHold = take("forfeits", () => checkForfeits(parts, queue));
    if (forfeitsHold) known.forfeits = parts.forfeits;
    if (winnersHold && forfeitsHold && wins !== null) known.wins = winsInTheEnd(wins, parts.forfeits ?? []);
    if (ours === null) return;
    const receiptHolds = take("receipt", () => checkReceipt(parts, ours, seen, given.consistency ?? null));
    if (receiptHolds) known.leaf = ours.leaf;
    if (given.code != null) take("code", () => checkCode(ours, given.code));
  }

  known.parts = value("form", () => readParts(proof, given.now ?? Infinity));
  const { parts } = known;
  if (parts !== null) {
    take("form", () => "The document is a proof of protocol 1.");
    if (
      take("terms", () => checkTerms(parts, given, copies)) &&
      take("key", () => checkKey(parts, given.key ?? null)) &&
      take("closing", () => checkClosing(parts))
    ) {
      takeWitnesses(parts);
      takeTickets(parts);
    }
  }
  return { ...known, steps: STEPS.filter((name) => taken.has(name)).map((name) => taken.get(name)) };
}

// The serials that win, and those that are next, as far as anything needs them: a million take seconds.
function serialsOf({ proof, terms, closing, forfeits }, haveLeaves) {
  const passedOn = (forfeits ?? []).length;
  if (proof.winners === null && !haveLeaves && !passedOn) return [];
  return winningSerials(proof.seed, closing.size, Math.min(closing.size, terms.wins + passedOn));
}

function explained(what, action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Wrong) throw new error.constructor(`${what}: ${error.message}.`);
    throw error;
  }
}

function readParts(document, now = Infinity) {
  return explained("This is not a proof", () => {
    const proof = readProof(document);
    const parts = {
      proof,
      terms: proof.terms,
      key: readOperatorKey(proof.key),
      closing: within("closing", () => readClosing(proof.closing)),
      witnesses: proof.witnesses.map((each) => readKey(each, WITNESS, "witnesses")),
      draw: within("draw", () => readStatement(proof.draw)),
      latest: now + A_DAY_S, // A later date is in the future.
      forfeits: proof.forfeits?.map((each) => within("forfeits", () => readForfeit(each))) ?? null,
    };
    const publicKeys = new Set(parts.witnesses.map((each) => hexOf(each.publicKey)));
    if (publicKeys.size < parts.witnesses.length || publicKeys.size > SIGNATURES) {
      throw new Wrong(`witnesses has more than ${SIGNATURES} keys, or one of them twice`);
    }
    return parts;
  });
}

function checkTerms(parts, { raffle, served_id: servedId, receipt }, copies) {
  const { terms, closing } = parts;
  if (!sameBytes(closing.terms, termsHash(terms))) {
    throw new Wrong("The closing was signed for other terms: the name, the tickets, the prizes or the rules were changed.");
  }
  if (servedId != null && servedId !== terms.id) throw new Wrong(`The server sent the proof of another raffle, ${terms.id}.`);
  if (raffle != null && raffle !== terms.id) {
    throw new Mistaken(`The proof is for the raffle ${terms.id}, not for ${quoted(raffle.slice(0, 100))}.`);
  }
  const which = `the raffle ${terms.id}, created ${timeText(terms.created)}`;
  if (raffle == null && !copies.some((copy) => isCopy(parts, copy)) && !isReceiptOf(parts, receipt)) {
    throw new Unproven(
      `This is ${which}. The operator may have created others like it, to show the one whose winners they like best. ` +
        "Compare the id with one from another source, or add a receipt from before the closing.",
    );
  }
  return `This is ${which}: ${quoted(terms.name)}. The closed list was signed for its prizes and rules.`;
}

function checkKey({ key }, known) {
  if (known === null) {
    throw new Unproven(`The signatures are by the key ${key.text}. Compare it with the operator's key from another source, below.`);
  }
  if (known !== key.text) throw new Mistaken(`The proof was signed with the key ${key.text}, not with the key that you entered.`);
  return `The operator's key is the one that you entered: ${key.text}.`;
}

function checkClosing({ terms, closing, key, latest }) {
  checkOperator(closing.note, key, "closing");
  if (closing.origin !== `rafflekit/${terms.id}`) throw new Wrong("The closing is for another raffle.");
  if (closing.size < terms.wins || closing.size > terms.total_tickets) {
    throw new Wrong(
      `The closing has ${counted(closing.size)} tickets, but ${counted(terms.wins)} to ${counted(terms.total_tickets)} are possible.`,
    );
  }
  const date = timeText(closing.closed);
  if (closing.closed < terms.created) throw new Wrong(`The closing is dated ${date}, before the raffle was created.`);
  const round = terms.delay_s === undefined ? null : roundOf(closing.closed, terms.delay_s);
  if (closing.round !== round) throw new Wrong("The closing's round does not follow from the terms and its date.");
  const early = closing.size < terms.total_tickets ? ` The raffle was closed before all ${counted(terms.total_tickets)} were handed out.` : "";
  const signed = `The operator signed the closed list of ${counted(closing.size)} tickets. It is dated ${date}.${early}`;
  return dated(signed, closing.closed, latest);
}

// Returns the sentence of a step that found nothing wrong with what the operator dated. A date in the future is not wrong,
// because the clock of this device may be.
function dated(sentence, time, latest) {
  if (time <= latest) return sentence;
  throw new Unproven(
    `${sentence} But by this device's clock, the date ${timeText(time)} is in the future: either the clock is wrong, or the operator signed a wrong date.`,
  );
}

// Returns whether an action finds nothing wrong.
function holds(action) {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Wrong) return false;
    throw error;
  }
}

// Whether the operator signed a note, and no signature by their key is wrong.
const isSigned = (note, key) => holds(() => timesOf(note, key)) && timesOf(note, key).length > 0;

function checkOperator(note, key, what) {
  const signed = explained(`The operator's signature does not match the ${what}`, () => timesOf(note, key).length);
  if (signed !== 1) throw new Wrong(`The ${what} has ${signed} signatures by the operator instead of one.`);
}

function checkEntropy({ proof, terms, closing }) {
  const { kind, round } = proof.entropy;
  if (kind !== terms.entropy) {
    throw new Wrong(`The terms announce randomness from ${terms.entropy}, but the proof has ${kind}.`);
  }
  if (kind === SECRETS) {
    throw new Unproven(
      "The random number came from the operator's server. You have to trust that it was generated only once, and after the closing.",
    );
  }
  if (kind === ANNOUNCED) {
    throw new Unproven(
      `The operator says that ${quoted(terms.source)} gave ${quoted(proof.entropy.text)}. Compare this with what it really gave.`,
    );
  }
  if (round !== closing.round) {
    throw new Wrong(`The random number is from drand's round ${counted(round)}, but the closing announces another round.`);
  }
  throw new Unproven(
    `The proof gives drand's public random number of round ${counted(round)}, ${timeText(timeOfRound(round))}. Browsers cannot check drand's signature; rafflekit audit can.`,
  );
}

function checkSeed({ proof, closing }) {
  if (!sameBytes(proof.seed, seedOf(closing.hash, proof.entropy.value))) {
    throw new Wrong("The seed does not follow from the closed list and the random number.");
  }
  return `The closed list and the random number give the seed ${hexOf(proof.seed)}.`;
}

function timeText(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} s after 1970`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
