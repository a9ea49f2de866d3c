// The audit of a draw: the steps of section 9 of docs/draw-protocol.md, each a small function that returns its sentence,
// or throws Wrong or Unproven. Drand's BLS signatures and Argon2 are not computed here: what rests on them is not proven.

const STEPS = ["form", "terms", "key", "closing", "witnesses", "entropy", "witnessed", "seed", "winners", "leaves"];
STEPS.push("receipt", "code");
const COUNTED = 10 ** 7; // Of so many tickets every number is noted.
const A_DAY_S = 86_400;

// Checks a proof (text or bytes), and what else is given with it: `key` and `raffle` as the verifier knows them, keys of
// `witnesses` for whom the verifier vouches, `witnessed` {note, at} (a copy of the closing), `leaves` (an iterable of
// lines), `receipt`, `consistency`, `code`, `now` (seconds since 1970). Returns the steps that were taken, in order, as
// {name, outcome, sentence}, and what holds of the rest: the `parts` of the proof, the `wins` in draw order, and whether the
// receipt's `leaf` is in the draw.
function audit(proof, given = {}) {
  const taken = new Map();
  const known = { parts: null, wins: null, leaf: null };

  function value(name, step) {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Wrong || error instanceof Unproven)) throw error;
      taken.set(name, { name, outcome: error instanceof Wrong ? "wrong" : "not proven", sentence: error.message });
      return null;
    }
  }
  function take(name, step) {
    const sentence = value(name, step);
    if (sentence !== null) taken.set(name, { name, outcome: "ok", sentence });
    return taken.get(name).outcome !== "wrong";
  }
  function takeWitnesses(parts) {
    const vouched = value("witnesses", () => readWitnessKeys(given.witnesses ?? []));
    const found = vouched && value("witnesses", () => cosignaturesOf(parts, vouched));
    if (found) take("witnesses", () => checkWitnesses(found));
    take("entropy", () => checkEntropy(parts));
    take("witnessed", () => checkWitnessed(parts, found ?? [], vouched ?? [], given.witnessed ?? null));
    take("seed", () => checkSeed(parts));
  }
  function takeTickets(parts) {
    const ours = given.receipt == null ? null : value("receipt", () => readReceiptParts(given.receipt));
    const needed = parts.proof.winners !== null || given.leaves != null;
    const serials = needed ? winningSerials(parts.proof.seed, parts.terms.total_tickets, parts.terms.wins) : [];
    let seen = null;
    take("leaves", () => {
      if (given.leaves == null) throw new Unproven("Not all tickets were looked at, only those that won.");
      seen = seeLeaves(parts, given.leaves, serials, ours);
      return checkedLeaves(parts);
    });
    let wins = null;
    const winnersHold = take("winners", () => {
      wins = winsOf(parts, serials, seen);
      return checkWinners(parts, wins);
    });
    if (winnersHold) known.wins = wins;
    if (ours === null) return;
    const receiptHolds = take("receipt", () => checkReceipt(parts, ours, seen, given.consistency ?? null));
    if (receiptHolds) known.leaf = ours.leaf;
    if (given.code != null) take("code", () => checkCode(ours));
  }

  known.parts = value("form", () => readParts(proof));
  const { parts } = known;
  if (parts !== null) {
    take("form", () => "The document is complete and written as the protocol (version 1) wants it.");
    if (
      take("terms", () => checkTerms(parts, given.raffle ?? null)) &&
      take("key", () => checkKey(parts, given.key ?? null)) &&
      take("closing", () => checkClosing(parts, given.now ?? null))
    ) {
      takeWitnesses(parts);
      takeTickets(parts);
    }
  }
  return { ...known, steps: STEPS.filter((name) => taken.has(name)).map((name) => taken.get(name)) };
}

function explained(what, action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Wrong) throw new Wrong(`${what}: ${error.message}.`);
    throw error;
  }
}

function readParts(document) {
  return explained("This is no proof", () => {
    const proof = readProof(document);
    const parts = {
      proof,
      terms: proof.terms,
      key: readKey(proof.key, OPERATOR, "key"),
      closing: within("closing", () => readClosing(proof.closing)),
      witnesses: proof.witnesses.map((each) => readKey(each, WITNESS, "witnesses")),
      draw: within("draw", () => readStatement(proof.draw)),
    };
    const publicKeys = new Set(parts.witnesses.map((each) => hexOf(each.publicKey)));
    if (publicKeys.size < parts.witnesses.length || publicKeys.size > SIGNATURES) {
      throw new Wrong(`witnesses are at most ${SIGNATURES} keys, each once`);
    }
    return parts;
  });
}

function checkTerms({ terms, closing }, raffle) {
  if (raffle !== null && raffle !== terms.id) {
    throw new Wrong(`The proof is of the raffle ${terms.id}, not of ${shown(raffle.slice(0, 100))}.`);
  }
  if (!sameBytes(closing.terms, termsHash(terms))) {
    throw new Wrong("The closing was signed for other terms than these: name, tickets, prizes or rules were changed.");
  }
  return (
    `What was announced is what was signed: ${quoted(terms.name)}, ${counted(terms.total_tickets)} tickets, ` +
    `${counted(terms.wins)} wins, in this order of prizes.`
  );
}

function checkKey({ key }, known) {
  if (known === null) {
    throw new Unproven(`The signatures are of the key ${key.text}. Whose key that is, only somebody else can tell you.`);
  }
  if (known !== key.text) throw new Wrong(`The proof is by the key ${key.text}, not by the one that you gave.`);
  return `The operator's key is the one that you gave: ${key.text}.`;
}

function checkClosing({ terms, closing, key }, now) {
  checkOperator(closing.note, key, "closing");
  if (closing.origin !== `rafflekit/${terms.id}`) throw new Wrong("The closing is of another raffle.");
  if (closing.size !== terms.total_tickets) {
    throw new Wrong(`The closing has ${counted(closing.size)} tickets, the raffle ${counted(terms.total_tickets)}.`);
  }
  const date = timeText(closing.closed);
  if (closing.closed < terms.created) throw new Wrong(`The closing is dated ${date}, before the raffle was created.`);
  if (now !== null && closing.closed > now + A_DAY_S) {
    throw new Wrong(`The closing is dated ${date}, in the future of this device's clock.`);
  }
  const round = terms.delay_s === undefined ? null : roundOf(closing.closed, terms.delay_s);
  if (closing.round !== round) throw new Wrong("The closing's round is not the one that the terms and its date give.");
  return `The operator signed the closed list of all ${counted(closing.size)} tickets, dated ${date}.`;
}

function checkOperator(note, key, what) {
  const signed = explained(`The operator's signature does not fit the ${what}`, () => timesOf(note, key).length);
  if (signed !== 1) throw new Wrong(`The ${what} has ${signed} signatures of the operator, where one belongs.`);
}

function readWitnessKeys(texts) {
  const keys = texts.map((text) => explained("A witness that you named", () => readKey(text, WITNESS, "its key")));
  return [...new Map(keys.map((key) => [key.text, key])).values()];
}

function cosignaturesOf({ witnesses, closing, key }, vouched) {
  const known = [...new Map([...witnesses, ...vouched].map((each) => [each.text, each])).values()];
  if (known.some((each) => sameBytes(each.publicKey, key.publicKey))) {
    throw new Wrong("A witness has the operator's own key, and witnesses nothing.");
  }
  const found = known.flatMap((each) => {
    const times = explained("A cosignature does not fit the closing", () => timesOf(closing.note, each));
    if (times.length > 1) throw new Wrong(`The witness ${each.name} cosigned the closing ${times.length} times.`);
    return times.map((time) => ({ key: each, time, vouched: vouched.some((one) => one.text === each.text) }));
  });
  for (const { text } of witnesses) {
    if (!found.some((each) => each.key.text === text)) {
      throw new Wrong(`The proof names the witness ${text}, whose cosignature is not there.`);
    }
  }
  return found;
}

function checkWitnesses(cosignatures) {
  const ours = cosignatures.filter((each) => each.vouched);
  if (ours.length) {
    return `Witnesses that you named saw the closing: ${ours.map((each) => `${each.key.name}, ${timeText(each.time)}`).join("; ")}.`;
  }
  if (!cosignatures.length) throw new Unproven("Nobody else signed the closed list, or nobody whom you named.");
  const names = cosignatures.map((each) => each.key.name).join(", ");
  throw new Unproven(
    `Others signed the closed list too: ${names}. Whether they are independent, only you can know: the operator may be all of them.`,
  );
}

function checkEntropy({ proof, terms, closing }) {
  const { kind, round } = proof.entropy;
  if (kind !== terms.entropy) {
    throw new Wrong(`The terms announce entropy from ${terms.entropy}, the proof has ${kind}.`);
  }
  if (kind === SECRETS) {
    throw new Unproven(
      "The random number came from the operator's own server. That it was made only once, and after the closing, is the operator's word.",
    );
  }
  if (round !== closing.round) {
    throw new Wrong(`The beacon is of round ${counted(round)}, the closing announces another.`);
  }
  throw new Unproven(
    `The random number is said to be drand's public beacon of round ${counted(round)}, ${timeText(timeOfRound(round))}. Browsers cannot check drand's signature: rafflekit audit does.`,
  );
}

function checkWitnessed({ proof, terms, closing, key }, cosignatures, vouched, copy) {
  let why = "You named no witness who signed it, and gave no copy of your own.";
  const sightings = cosignatures.filter((each) => each.vouched).map((each) => [`the witness ${each.key.name}`, each.time]);
  if (copy !== null) {
    why = "The copy that you kept tells no date.";
    try {
      sightings.push(...sightingsOf({ closing, key }, copy, vouched));
    } catch (error) {
      if (!(error instanceof Unproven)) throw error;
      why = error.message;
    }
  }
  if (terms.entropy !== DRAND || closing.round === null) {
    throw new Unproven("With a random number of the operator's own, no date can show that it was not known before the closing.");
  }
  const beacon = timeOfRound(closing.round);
  const late = cosignatures.find((each) => each.time >= beacon);
  if (late) {
    throw new Wrong(`The witness ${late.key.name} saw the closing at ${timeText(late.time)}; its beacon was known from ${timeText(beacon)}.`);
  }
  const early = sightings.filter(([, time]) => terms.created <= time && time < beacon).sort((a, b) => a[1] - b[1]);
  if (early.length) {
    const [who, time] = early[0];
    return `The closing was there before its beacon (${timeText(beacon)}): ${who} is dated ${timeText(time)}.`;
  }
  if (sightings.length) why = "All that you named is dated otherwise.";
  throw new Unproven(`That the list was closed before its beacon (${timeText(beacon)}) is the operator's word. ${why}`);
}

function sightingsOf({ closing, key }, copy, vouched) {
  const unproven = (what, action) => {
    try {
      return action();
    } catch (error) {
      if (error instanceof Wrong) throw new Unproven(`${what}: ${error.message}.`);
      throw error;
    }
  };
  const kept = unproven("The copy that you kept is no closing", () => readClosing(copy.note));
  if (kept.note.text !== closing.note.text) {
    if (kept.origin !== closing.origin) throw new Unproven("The copy that you kept is of another raffle.");
    const signed = unproven("The copy that you kept is not signed by this operator", () => timesOf(kept.note, key));
    if (!signed.length) throw new Unproven("The copy that you kept is not signed by this operator, and not of this closing.");
    throw new Wrong("The operator signed two closings of this raffle: the proof's and the one that you kept. Keep both.");
  }
  const found = unproven("A cosignature on the copy that you kept does not fit it", () =>
    vouched.flatMap((each) => timesOf(kept.note, each).map((time) => [`the witness ${each.name}, on your copy,`, time])),
  );
  return copy.at == null ? found : [...found, ["your copy, by your own word,", copy.at]];
}

function checkSeed({ proof, closing }) {
  if (!sameBytes(proof.seed, seedOf(closing.hash, proof.entropy.value))) {
    throw new Wrong("The seed is not the one that the closed list and the random number give.");
  }
  return `The closed list and the random number give the seed ${hexOf(proof.seed)}.`;
}

function timeText(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} s after 1970`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
