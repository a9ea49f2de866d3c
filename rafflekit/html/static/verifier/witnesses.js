// Steps 5 and 7: who else signed the closing or kept a copy of it, and when.

function readWitnessKeys(texts) {
  const keys = texts.map((text) => mistaken("A witness key that you entered is wrong", () => readKey(text, WITNESS, "the key")));
  return [...new Map(keys.map((key) => [key.text, key])).values()];
}

// Turns what is wrong into a mistake of the person who entered it.
function mistaken(what, action) {
  try {
    return action();
  } catch (error) {
    if (error instanceof Wrong) throw new Mistaken(`${what}: ${error.message}.`);
    throw error;
  }
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

function checkWitnesses(cosignatures, vouched) {
  if (!vouched.length) {
    const names = cosignatures.map((each) => each.key.name).join(", ");
    if (!names) throw new Unproven("No one else signed the closed list.");
    throw new Unproven(
      `Others signed the closed list too: ${names}. The operator may have made these signatures, unless you know the witnesses' keys (below).`,
    );
  }
  const share = shareOf(vouched, cosignatures.filter((each) => each.vouched), "signed the closed list");
  if (share.isMost) return share.sentence;
  throw new Unproven(`${share.sentence} The operator may have shown the others another list: more than half are needed.`);
}

// Which of the witnesses that the verifier named did something, as {isMost, sentence}. `sightings` are {key, time}. Two
// closings cannot both have more than half of the witnesses, because each witness signs only one.
function shareOf(vouched, sightings, what) {
  const those = new Map(sightings.map(({ key, time }) => [key.text, `${key.name} (${timeText(time)})`]));
  const missing = vouched.filter((each) => !those.has(each.text)).map((each) => each.name);
  let sentence = `Of the witnesses that you named (${counted(vouched.length)}), ${counted(those.size)} ${what}`;
  if (those.size) sentence += `: ${[...those.values()].join(", ")}`;
  if (missing.length) sentence += `; missing: ${missing.join(", ")}`;
  return { isMost: 2 * those.size > vouched.length, sentence: `${sentence}.` };
}

function checkWitnessed(parts, cosignatures, vouched, copies) {
  const { terms, closing } = parts;
  const beacon = closing.round === null ? Infinity : timeOfRound(closing.round);
  const late = cosignatures.find((each) => each.time >= beacon);
  if (late) {
    throw new Wrong(`The witness ${late.key.name} signed the closing at ${timeText(late.time)}, but the random number was public from ${timeText(beacon)}.`);
  }
  const kept = readCopies(parts, copies, vouched);
  if (terms.entropy === ANNOUNCED) {
    throw new Unproven(
      `${kept.fit}The list is dated ${timeText(closing.closed)}. Compare this with the moment when ${quoted(terms.source)} gave the value.${kept.useless}`,
    );
  }
  if (terms.entropy === SECRETS) {
    throw new Unproven(
      `${kept.fit}The random number is the operator's own. No date can show that it was unknown before the closing.${kept.useless}`,
    );
  }
  const existed = `${kept.fit}The closing existed before the random number was public (${timeText(beacon)})`;
  const isEarly = (time) => terms.created <= time && time < beacon;
  const date = kept.dates.find(isEarly);
  if (date !== undefined) return `${existed}: your copy, as you say, is dated ${timeText(date)}.${kept.useless}`;
  const early = [...cosignatures.filter((each) => each.vouched), ...kept.cosignatures].filter((each) => isEarly(each.time));
  const share = shareOf(vouched, early, "signed it before that");
  if (share.isMost) return `${existed}. ${share.sentence}${kept.useless}`;
  const why = vouched.length ? share.sentence : "You named no witness, and entered no copy with a date.";
  throw new Unproven(
    `${kept.fit}You have to trust the operator that the list was closed before the random number was public (${timeText(beacon)}). ${why}${kept.useless}`,
  );
}

// What the copies of the closing show: sentences that they `fit` and about those that are `useless`, the `dates` of those
// with one, and `cosignatures` as {key, time}.
function readCopies(parts, copies, vouched) {
  const found = { fit: "", dates: [], cosignatures: [], useless: "" };
  if (copies.length) found.fit = `Your ${copies.length === 1 ? "copy is" : "copies are"} this closing. `;
  let mistake = null;
  for (const copy of copies) {
    try {
      const { note } = readCopy(parts, copy);
      const cosigned = explained("A witness's signature does not match a copy that you entered", () =>
        vouched.flatMap((key) => timesOf(note, key).map((time) => ({ key, time }))),
      );
      found.cosignatures.push(...cosigned);
      if (copy.at != null) found.dates.push(copy.at);
    } catch (error) {
      if (!(error instanceof Wrong) || error instanceof Evidence) throw error;
      // Another copy may be evidence, which matters more.
      if (error instanceof Mistaken) mistake = error;
      else found.useless = ` ${error.message}`;
    }
  }
  if (mistake !== null) throw mistake;
  return found;
}

class Evidence extends Wrong {} // Against the operator.

// Returns the checkpoint in a copy, if it is the proof's closing.
function readCopy({ closing, key }, { note }) {
  const what = "A copy that you entered is not a copy of a closing (copy all of it, from rafflekit/ to the last line with —)";
  const kept = mistaken(what, () => readCheckpoint(asSigned(decodedText(withoutMark(note)))));
  if (kept.note.text === closing.note.text) return kept;
  if (kept.origin !== closing.origin) throw new Mistaken("A copy that you entered is for another raffle.");
  if (!isSigned(kept.note, key)) {
    throw new Mistaken(
      "A copy that you entered is another text than the closing, and this operator did not sign it. " +
        "If it was published as the closing of this raffle, it and the proof contradict each other; keep both.",
    );
  }
  if (kept.cancelled !== null) {
    throw new Evidence(`The operator cancelled this raffle, as a copy that you entered shows: ${quoted(kept.reason)}. Keep it.`);
  }
  if (kept.closed === null) throw new Mistaken("A copy that you entered was signed before the closing.");
  throw new Evidence("The operator signed two closings for this raffle: the one in the proof and your copy. Keep both.");
}

// A note without what chats and editors change: the ends of its lines, and empty lines around it. Only a reason may have
// been signed with a blank at its end.
function asSigned(note) {
  const lines = note.split("\n").map((line) => withoutEnd(line, line.startsWith("reason ") ? "\r" : " \t\r"));
  return `${withoutEnd(lines.join("\n"), "\n").replace(/^\n+/, "")}\n`;
}

function withoutEnd(text, characters) {
  let { length } = text;
  while (length && characters.includes(text[length - 1])) length--;
  return text.slice(0, length);
}

const isCopy = (parts, copy) => holds(() => readCopy(parts, copy));
