// The phone as a witness: it keeps the closed list from before the draw, notices if another one is shown, and recomputes
// the draw. The verifier is loaded only then.

// What must be proven, besides that nothing is wrong, for "it is right". What else is open, the page of the proof says.
const MUST_HOLD = ["closing", "seed", "winners", "receipt"];

const witnessed = { documents: null, verdict: null };
let failedLoads = 0;

// Returns null if there is nothing at the address. Throws if that cannot be known now.
async function getText(address, accept, cache = "no-cache") {
  const answer = await fetch(address, { headers: { Accept: accept }, cache });
  if (answer.status >= 500) throw new Error(answer.status);
  return answer.ok ? answer.text() : null;
}

// Browsers remember that a module could not be loaded, even if the network is back. For them, the fragment makes it another.
async function load(module) {
  try {
    return await import(failedLoads ? `${module}#${failedLoads}` : module);
  } catch (error) {
    failedLoads += 1;
    throw error;
  }
}

// Returns what a witness has to say, as {template, slots, evidence}, or null. `state` is that of the raffle.
async function testimony({ id, address, verifier, words: wordList, state, tickets }) {
  const { readClosing, wordsOf, audit, readReceiptParts } = await load(verifier);
  const list = await getText(wordList, "text/plain", "default");
  // Returns this raffle's closing in a note. Null: it is not closed yet, it was cancelled, or what is stored here is broken.
  function read(note) {
    try {
      const closing = readClosing(note);
      return closing.origin === `rafflekit/${id}` ? closing : null;
    } catch {
      return null;
    }
  }
  function stored() {
    const { closing, other } = keptOf(id);
    if (read(closing?.note) === null) return { closing: null, other: null };
    return { closing, other: read(other) === null ? null : other };
  }
  const inWords = (note) => wordsOf(read(note).hash, list).join(" ");

  // Compares whole texts, not words: an operator could prepare two lists with the same words.
  function meet(note) {
    const met = read(note);
    const { closing } = stored();
    if (met === null) return;
    if (closing !== null) {
      if (read(closing.note).note.text !== met.note.text) keep(id, { other: note });
    } else if (state === "closed") {
      keep(id, { closing: { note, at: Math.floor(Date.now() / 1000) }, other: null });
    }
  }

  async function verdictOn(proof, ticket) {
    const receipt = ticket.receipt ? JSON.stringify(ticket.receipt) : null;
    const { closing } = stored();
    const given = { served_id: id, receipt, witnessed: closing === null ? [] : [closing], now: Date.now() / 1000 };
    if (receipt !== null) given.consistency = await consistencyOf(receipt, proof);
    const { steps } = audit(proof, given);
    const outcomes = Object.fromEntries(steps.map((step) => [step.name, step.outcome]));
    if (steps.some((step) => step.outcome === "wrong" && !step.isMistaken)) return "wrong";
    return closing !== null && MUST_HOLD.every((name) => outcomes[name] === "ok") ? "right" : "unproven";
  }

  async function consistencyOf(receipt, proof) {
    let from, to;
    try {
      [from, to] = [readReceiptParts(receipt).checkpoint.size, readClosing(JSON.parse(proof).closing).size];
    } catch {
      return null; // Then the audit says what is wrong with them.
    }
    return from < to ? getText(`${address}ledger/consistency/?from=${from}&to=${to}`, "application/json") : null;
  }

  async function judge() {
    const proof = await getText(`${address}proof/`, "application/json");
    if (proof === null) throw new Error("The winners are drawn, but there is no proof.");
    const documents = JSON.stringify([proof, ...tickets.map(({ number, receipt }) => [number, receipt])]);
    if (documents === witnessed.documents) return;
    try {
      meet(JSON.parse(proof).closing);
    } catch {
      // It is not a proof, as the audit finds.
    }
    const verdicts = [];
    for (const ticket of tickets) verdicts.push(await verdictOn(proof, ticket));
    const verdict = ["wrong", "unproven", "right"].find((each) => verdicts.includes(each));
    Object.assign(witnessed, { documents, verdict });
  }

  const served = await getText(`${address}ledger/`, "text/plain");
  if (served !== null) meet(served);
  if (state === "drawn") await judge();
  const { closing, other } = stored();
  if (other !== null) {
    const evidence = `${closing.note}\n${other}`;
    return { template: "two-closings", slots: { first: inWords(closing.note), second: inWords(other) }, evidence };
  }
  const slots = closing === null ? {} : { words: inWords(closing.note) };
  if (state === "drawn" && witnessed.verdict !== null) return { template: `witness-${witnessed.verdict}`, slots };
  return closing === null || state !== "closed" ? null : { template: "witness-waits", slots };
}
