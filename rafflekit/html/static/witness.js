// The phone as a witness: it keeps the closed list from before the draw, notices if another one is shown, and recomputes
// the draw. The verifier is loaded only then.

// What this phone does not know, of all that it can check. Without these, the draw is right.
const GAPS = ["not-kept", "kept-late", "future", "winners-unchecked", "no-receipt", "receipt-unchecked"];

const witnessed = { documents: null, verdict: null, claims: [], value: "" };
let failedLoads = 0;

// Returns null if there is nothing at the address. Throws if that cannot be known now.
async function getText(address, accept, cache = "no-cache") {
  const answer = await fetch(address, { headers: { Accept: accept }, cache });
  if (answer.status >= 500) throw new Error(answer.status);
  return answer.ok ? answer.text() : null;
}

// Returns a text that is JSON. Throws if it is not, as from a hotel's network that wants a login first.
async function getJson(address) {
  const text = await getText(address, "application/json");
  if (text !== null) JSON.parse(text);
  return text;
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

// Returns what a witness has to say, as {template, slots, claims, evidence}, or null. `claims` are the parts of the template
// that are true. `state` is that of the raffle, `key` the operator's, as the page gives it.
async function testimony({ id, address, key: servedKey, verifier, words: wordList, state, tickets }) {
  const { readClosing, readOperatorKey, isSigned, wordsOf, audit, readReceiptParts } = await load(verifier);
  const list = await getText(wordList, "text/plain", "default");
  const key = operatorKey();
  const readings = new Map();

  // The key as it was when the first ticket was kept: a later page could have another one.
  function operatorKey() {
    try {
      return readOperatorKey(keptOf(id).key);
    } catch {
      return readOperatorKey(servedKey);
    }
  }
  // Returns this raffle's closing in a note that the operator signed. Null: it is not closed yet, it was cancelled, or someone
  // else wrote it.
  function read(note) {
    if (!readings.has(note)) readings.set(note, readAnew(note));
    return readings.get(note);
  }
  function readAnew(note) {
    try {
      const closing = readClosing(note);
      return closing.origin === `rafflekit/${id}` && isSigned(closing.note, key) ? closing : null;
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
    if (met !== null && closing !== null && read(closing.note).note.text !== met.note.text) keep(id, { other: note });
  }
  // The page may be older than the ledger, and `…/live/` a moment. So the raffle itself is asked whether it is drawn by now.
  async function keepFirst(note) {
    if (read(note) === null || stored().closing !== null) return;
    const raffle = JSON.parse(await getText(address, "application/json"));
    if (raffle?.state === "closed") keep(id, { closing: { note, at: Math.floor(Date.now() / 1000) }, other: null });
  }

  // Returns what the audit found with a ticket.
  async function audited(proof, ticket) {
    const receipt = ticket.receipt ? JSON.stringify(ticket.receipt) : null;
    const { closing } = stored();
    const given = { key: key.text, served_id: id, receipt, witnessed: closing === null ? [] : [closing], now: Date.now() / 1000 };
    if (receipt !== null) given.consistency = await consistencyOf(receipt, proof);
    const { parts, leaf, steps } = audit(proof, given);
    if (parts === null) throw new Error("This is not a proof.");
    const outcomes = Object.fromEntries(steps.map((step) => [step.name, step.outcome]));
    const isForOther = leaf !== null && leaf.number !== ticket.number;
    // Here, no one enters a key: the one that this phone knows is not a mistake.
    const isWrong = isForOther || steps.some((step) => step.outcome === "wrong" && (step.name === "key" || !step.isMistaken));
    // A receipt is about a number. With a code that does not belong to it, it is about another person's ticket.
    const isInList = outcomes.receipt === "ok" && !ticket.isDenied;
    return { isWrong, outcomes, parts, hasReceipt: receipt !== null, isInList };
  }

  // Returns the claims that follow from what was found with each ticket. Only the receipt differs between them.
  function claimsOf(found) {
    const [{ outcomes, parts }] = found;
    const isLate = parts.closing.round !== null && outcomes.witnessed !== "ok";
    const list = stored().closing === null ? "not-kept" : isLate ? "kept-late" : "kept";
    // What is not proven of them, besides, is only a date.
    const follow = ["closing", "seed", "winners"].every((name) => outcomes[name] === "ok") ? "winners" : "future";
    const winners = parts.proof.winners === null ? "winners-unchecked" : follow;
    if (!found.every((each) => each.hasReceipt)) return [list, winners, "no-receipt"];
    if (!found.every((each) => each.isInList)) return [list, winners, "receipt-unchecked"];
    return [list, winners, found.length > 1 ? "tickets" : "ticket"];
  }

  async function consistencyOf(receipt, proof) {
    let from, to;
    try {
      [from, to] = [readReceiptParts(receipt).checkpoint.size, readClosing(JSON.parse(proof).closing).size];
    } catch {
      return null; // Then the audit says what is wrong with them.
    }
    return from < to ? getJson(`${address}ledger/consistency/?from=${from}&to=${to}`) : null;
  }

  async function judge() {
    const proof = await getJson(`${address}proof/`);
    if (proof === null) throw new Error("The winners are drawn, but there is no proof.");
    const documents = JSON.stringify([proof, ...tickets.map(({ number, receipt, isDenied }) => [number, receipt, isDenied])]);
    if (documents === witnessed.documents) return;
    meet(JSON.parse(proof)?.closing);
    const found = [];
    for (const ticket of tickets) found.push(await audited(proof, ticket));
    const isWrong = found.some((each) => each.isWrong);
    const claims = isWrong || !found.length ? [] : claimsOf(found);
    const value = found[0]?.parts?.proof.entropy.text ?? "";
    const verdict = isWrong ? "wrong" : GAPS.some((gap) => claims.includes(gap)) ? "unproven" : "right";
    Object.assign(witnessed, { documents, verdict: found.length ? verdict : null, claims, value });
  }

  const served = await getText(`${address}ledger/`, "text/plain");
  if (served !== null) meet(served);
  if (served !== null && state === "closed") await keepFirst(served);
  if (state === "drawn") await judge().catch(() => Object.assign(witnessed, { documents: null, verdict: "unchecked", claims: [] }));
  const { closing, other } = stored();
  if (other !== null) {
    const evidence = `${closing.note}\n${other}`;
    return { template: "two-closings", slots: { first: inWords(closing.note), second: inWords(other) }, claims: [], evidence };
  }
  const { verdict, claims, value } = witnessed;
  const slots = closing === null ? { value } : { value, words: inWords(closing.note) };
  if (state === "drawn" && verdict !== null) return { template: `witness-${verdict}`, slots, claims };
  return closing === null || state !== "closed" ? null : { template: "witness-waits", slots, claims: [] };
}
