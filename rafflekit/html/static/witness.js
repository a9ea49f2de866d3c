// The phone as a witness: it keeps the closed list from before the draw, notices if another one is shown, and recomputes
// the draw. The verifier is loaded only then.

// What must be proven, besides that nothing is wrong, for "it is right". What else is open, the page of the proof says.
const MUST_HOLD = ["closing", "seed", "winners", "receipt"];

const witnessed = { proof: null, verdict: null };

async function getText(address, accept, cache = "no-cache") {
  const answer = await fetch(address, { headers: { Accept: accept }, cache });
  return answer.ok ? answer.text() : null;
}

// Returns what a witness has to say, as {template, slots}, or null. `state` is that of the raffle.
async function testimony({ id, address, verifier, words: wordList, state, tickets }) {
  const { readClosing, wordsOf, audit, readReceiptParts } = await import(verifier);
  const list = await getText(wordList, "text/plain", "default");
  const read = (note) => {
    try {
      return readClosing(note);
    } catch {
      return null; // Not closed yet, or cancelled.
    }
  };
  const inWords = (note) => wordsOf(read(note).hash, list).join(" ");

  // Compares whole texts, not words: an operator could prepare two lists with the same words.
  function meet(note) {
    const met = read(note);
    const { closing } = keptOf(id);
    if (met === null) return;
    if (closing === null && state === "closed") keep(id, { closing: { note, at: Math.floor(Date.now() / 1000) } });
    else if (closing !== null && read(closing.note).note.text !== met.note.text) keep(id, { other: note });
  }

  async function verdictOn(proof, ticket) {
    const receipt = ticket.receipt ? JSON.stringify(ticket.receipt) : null;
    const { closing } = keptOf(id);
    const given = { served_id: id, receipt, witnessed: closing === null ? [] : [closing], now: Date.now() / 1000 };
    if (receipt !== null) given.consistency = await consistencyOf(receipt, proof);
    const { steps } = audit(proof, given);
    const outcomes = Object.fromEntries(steps.map((step) => [step.name, step.outcome]));
    if (steps.some((step) => step.outcome === "wrong" && !step.isMistaken)) return "wrong";
    return closing !== null && MUST_HOLD.every((name) => outcomes[name] === "ok") ? "right" : "unproven";
  }

  async function consistencyOf(receipt, proof) {
    try {
      const [from, to] = [readReceiptParts(receipt).checkpoint.size, readClosing(JSON.parse(proof).closing).size];
      return from < to ? await getText(`${address}ledger/consistency/?from=${from}&to=${to}`, "application/json") : null;
    } catch {
      return null; // Then the audit says what is wrong with them.
    }
  }

  async function judge() {
    const proof = await getText(`${address}proof/`, "application/json");
    if (proof === null || proof === witnessed.proof) return;
    try {
      meet(JSON.parse(proof).closing);
    } catch {
      // It is not a proof, as the audit finds.
    }
    const verdicts = [];
    for (const ticket of tickets) verdicts.push(await verdictOn(proof, ticket));
    const verdict = ["wrong", "unproven", "right"].find((each) => verdicts.includes(each));
    Object.assign(witnessed, { proof, verdict });
  }

  const served = await getText(`${address}ledger/`, "text/plain");
  if (served !== null) meet(served);
  if (state === "drawn") await judge();
  const { closing, other } = keptOf(id);
  if (other !== null) {
    const evidence = `${closing.note}\n${other}`;
    return { template: "two-closings", slots: { first: inWords(closing.note), second: inWords(other) }, evidence };
  }
  const slots = closing === null ? {} : { words: inWords(closing.note) };
  if (state === "drawn" && witnessed.verdict !== null) return { template: `witness-${witnessed.verdict}`, slots };
  return closing === null || state !== "closed" ? null : { template: "witness-waits", slots };
}
