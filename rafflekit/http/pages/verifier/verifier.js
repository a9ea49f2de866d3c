// The audit of a draw: the steps of section 9 of docs/draw-protocol.md, each a small function that returns its sentence,
// or throws Wrong or Unproven. It cannot compute drand's BLS signatures and Argon2: steps that need them are not proven.

const STEPS = ["form", "terms", "key", "closing", "witnesses", "entropy", "witnessed", "seed", "winners", "leaves"];
STEPS.push("receipt", "code");
const COUNTED = 10 ** 7; // Up to this many tickets, every number is counted.
const A_DAY_S = 86_400;

// Checks a proof (text or bytes) and what else is given: `key` and `raffle` as the verifier knows them, the keys of
// `witnesses` that the verifier vouches for, `witnessed` {note, at} (a copy of the closing), `leaves` (an iterable of
// lines), `receipt`, `consistency`, `code`, `now` (seconds since 1970). Returns the steps in order, as
// {name, outcome, sentence}, and what was found: the `parts` of the proof, the `wins` in draw order, and the receipt's
// `leaf` if it is in the draw.
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
      if (given.leaves == null) throw new Unproven("Only the winning tickets were checked, not all tickets.");
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
    take("form", () => "The document is complete and follows the protocol, version 1.");
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
  return explained("This is not a proof", () => {
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
      throw new Wrong(`witnesses has more than ${SIGNATURES} keys, or one of them twice`);
    }
    return parts;
  });
}

function checkTerms({ terms, closing }, raffle) {
  if (raffle !== null && raffle !== terms.id) {
    throw new Wrong(`The proof is for the raffle ${terms.id}, not for ${shown(raffle.slice(0, 100))}.`);
  }
  if (!sameBytes(closing.terms, termsHash(terms))) {
    throw new Wrong("The closing was signed for other terms: the name, the tickets, the prizes or the rules were changed.");
  }
  return (
    `The signed terms are those announced: ${quoted(terms.name)}, ${counted(terms.total_tickets)} tickets, ` +
    `${counted(terms.wins)} wins, with the prizes in this order.`
  );
}

function checkKey({ key }, known) {
  if (known === null) {
    throw new Unproven(`The signatures are by the key ${key.text}. Compare it with the operator's key from another source, below.`);
  }
  if (known !== key.text) throw new Wrong(`The proof was signed with the key ${key.text}, not with the key that you entered.`);
  return `The operator's key is the one that you entered: ${key.text}.`;
}

function checkClosing({ terms, closing, key }, now) {
  checkOperator(closing.note, key, "closing");
  if (closing.origin !== `rafflekit/${terms.id}`) throw new Wrong("The closing is for another raffle.");
  if (closing.size !== terms.total_tickets) {
    throw new Wrong(`The closing has ${counted(closing.size)} tickets, but the raffle has ${counted(terms.total_tickets)}.`);
  }
  const date = timeText(closing.closed);
  if (closing.closed < terms.created) throw new Wrong(`The closing is dated ${date}, before the raffle was created.`);
  if (now !== null && closing.closed > now + A_DAY_S) {
    throw new Wrong(`The closing is dated ${date}, in the future of this device's clock.`);
  }
  const round = terms.delay_s === undefined ? null : roundOf(closing.closed, terms.delay_s);
  if (closing.round !== round) throw new Wrong("The closing's round does not follow from the terms and its date.");
  return `The operator signed the closed list of all ${counted(closing.size)} tickets. It is dated ${date}.`;
}

function checkOperator(note, key, what) {
  const signed = explained(`The operator's signature does not match the ${what}`, () => timesOf(note, key).length);
  if (signed !== 1) throw new Wrong(`The ${what} has ${signed} signatures by the operator instead of one.`);
}

function readWitnessKeys(texts) {
  const keys = texts.map((text) => explained("A witness key that you entered", () => readKey(text, WITNESS, "the key")));
  return [...new Map(keys.map((key) => [key.text, key])).values()];
}

function cosignaturesOf({ witnesses, closing, key }, vouched) {
  const known = [...new Map([...witnesses, ...vouched].map((each) => [each.text, each])).values()];
  if (known.some((each) => sameBytes(each.publicKey, key.publicKey))) {
    throw new Wrong("A witness has the operator's own key, so it proves nothing.");
  }
  const found = known.flatMap((each) => {
    const times = explained("A witness's signature does not match the closing", () => timesOf(closing.note, each));
    if (times.length > 1) throw new Wrong(`The witness ${each.name} signed the closing ${times.length} times.`);
    return times.map((time) => ({ key: each, time, vouched: vouched.some((one) => one.text === each.text) }));
  });
  for (const { text } of witnesses) {
    if (!found.some((each) => each.key.text === text)) {
      throw new Wrong(`The proof names the witness ${text}, but that witness's signature is missing.`);
    }
  }
  return found;
}

function checkWitnesses(cosignatures) {
  const ours = cosignatures.filter((each) => each.vouched);
  if (ours.length) {
    return `The witnesses that you named signed the closing: ${ours.map((each) => `${each.key.name}, ${timeText(each.time)}`).join("; ")}.`;
  }
  if (!cosignatures.length) throw new Unproven("No one else signed the closed list, or no one that you named.");
  const names = cosignatures.map((each) => each.key.name).join(", ");
  throw new Unproven(
    `Others signed the closed list too: ${names}. The operator may have made these signatures, unless you know the witnesses' keys (below).`,
  );
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
  if (round !== closing.round) {
    throw new Wrong(`The random number is from drand's round ${counted(round)}, but the closing announces another round.`);
  }
  throw new Unproven(
    `The proof gives drand's public random number of round ${counted(round)}, ${timeText(timeOfRound(round))}. Browsers cannot check drand's signature; rafflekit audit can.`,
  );
}

function checkWitnessed({ proof, terms, closing, key }, cosignatures, vouched, copy) {
  let why = "You named no witness who signed it, and entered no copy.";
  const sightings = cosignatures.filter((each) => each.vouched).map((each) => [`the witness ${each.key.name}`, each.time]);
  if (copy !== null) {
    why = "The copy that you entered has no date.";
    try {
      sightings.push(...sightingsOf({ closing, key }, copy, vouched));
    } catch (error) {
      if (!(error instanceof Unproven)) throw error;
      why = error.message;
    }
  }
  if (terms.entropy !== DRAND || closing.round === null) {
    throw new Unproven("The random number is the operator's own. No date can show that it was unknown before the closing.");
  }
  const beacon = timeOfRound(closing.round);
  const late = cosignatures.find((each) => each.time >= beacon);
  if (late) {
    throw new Wrong(`The witness ${late.key.name} signed the closing at ${timeText(late.time)}, but the random number was public from ${timeText(beacon)}.`);
  }
  const early = sightings.filter(([, time]) => terms.created <= time && time < beacon).sort((a, b) => a[1] - b[1]);
  if (early.length) {
    const [who, time] = early[0];
    return `The closing existed before the random number was public (${timeText(beacon)}): ${who} is dated ${timeText(time)}.`;
  }
  if (sightings.length) why = "No date that you entered is in that time.";
  throw new Unproven(`You have to trust the operator that the list was closed before the random number was public (${timeText(beacon)}). ${why}`);
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
  const kept = unproven("The copy that you entered is not a closing", () => readClosing(copy.note));
  if (kept.note.text !== closing.note.text) {
    if (kept.origin !== closing.origin) throw new Unproven("The copy that you entered is for another raffle.");
    const signed = unproven("The copy that you entered is not signed by this operator", () => timesOf(kept.note, key));
    if (!signed.length) throw new Unproven("The copy that you entered is another closing, and this operator did not sign it.");
    throw new Wrong("The operator signed two closings for this raffle: the one in the proof and your copy. Keep both.");
  }
  const found = unproven("A witness's signature does not match the copy that you entered", () =>
    vouched.flatMap((each) => timesOf(kept.note, each).map((time) => [`the witness ${each.name}, on your copy,`, time])),
  );
  return copy.at == null ? found : [...found, ["your copy, as you say,", copy.at]];
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
