// What the audit found, in words for participants. The sentences are in SENTENCES, in the language of the page. Those of the
// audit's steps are the protocol's, in English: a summary is a list of sentences, and such a one is {step: sentence}.

// Returns a sentence of SENTENCES, with values in place of the names in braces.
const text = (name, values = {}) => SENTENCES[name].replace(/\{(\w+)\}/g, (mark, key) => values[key] ?? mark);
const figure = (number) => counted(number).replaceAll(",", SENTENCES.thousands);
// As the reader's language has it; the steps of the verifier are in English.
const inQuotes = (each) => text("in_quotes", { text: quotable(each) });
const why = (forfeit) => text(forfeit.why);

// Returns {tone, results, sentences, open, more}: the summary of a report of audit. The tone is "ok", "part" (not all is
// proven) or "wrong"; `results` says who won, `open` lists what is not proven.
function summaryOf({ parts, wins, steps }) {
  const wrong = steps.filter((step) => step.outcome === "wrong");
  const worst = wrong.find((step) => !step.isMistaken) ?? wrong[0];
  if (worst) return { tone: "wrong", results: [], open: [], ...wrongSummaryOf(worst) };
  const open = steps.filter((step) => step.outcome === "not proven").map((step) => step.name);
  const right = text(open.length ? "no_error" : "right");
  const count = figure(parts.terms.wins);
  const follow = wins === null ? "places_follow" : parts.terms.wins === 1 ? "winner_follows" : "winners_follow";
  // Section 10 of the protocol.
  const more = open.includes("key") && open.includes("witnessed") ? text("fits") : "";
  return {
    tone: open.length ? "part" : "ok",
    results: wins === null ? [] : resultsOf(parts, wins),
    sentences: [right, text(follow, { count })],
    open: open.map((name) => text(`open_${name}`)),
    more,
  };
}

const RESULTS = 5;

// The first prizes, and who has them in the end.
function resultsOf(parts, wins) {
  const holders = wins.filter((win) => win.lost === null);
  holders.sort((one, other) => one.prize - other.prize);
  const results = holders.slice(0, RESULTS).map((win) => resultOf(parts, wins, win.number));
  if (holders.length > RESULTS) results.push(text("more_winners", { count: figure(holders.length - RESULTS) }));
  return results;
}

function wrongSummaryOf({ name, sentence, isMistaken }) {
  if (!isMistaken) {
    const what = text(name === "receipt" || name === "code" ? "receipt_wrong" : "proof_wrong");
    return { sentences: [what, { step: sentence }], more: text("keep_evidence") };
  }
  const more = text(STEPS.indexOf(name) < 4 ? "shows_nothing" : "others_count");
  return { sentences: [text("mistaken"), { step: sentence }], more };
}

// The summary for one ticket: {tone: "ok" | "wrong" | "not proven", sentences}. `number` is that of a ticket without a
// receipt, or null.
function ticketSummaryOf({ parts, wins, leaf, numbers, steps }, number) {
  const receipt = steps.find((step) => step.name === "receipt");
  if (receipt?.outcome === "wrong") return { tone: "wrong", sentences: [{ step: receipt.sentence }] };
  const says = (tone, name, values) => ({ tone, sentences: [text(name, values)] });
  if (steps.some((step) => step.outcome === "wrong" && !step.isMistaken)) return says("wrong", "ticket_unknown");
  if (!steps.some((step) => step.name === "winners")) return says("wrong", "ticket_stopped");
  if (receipt && number !== null && number !== leaf.number) {
    return says("wrong", "other_receipt", { number: figure(leaf.number), other: figure(number) });
  }
  const ours = leaf?.number ?? number;
  if (ours > parts.terms.total_tickets) return says("wrong", "no_such_number", { count: figure(parts.terms.total_tickets) });
  const results = ticketResultsOf(parts, wins, ours);
  if (receipt?.outcome === "ok") return { tone: "ok", sentences: [...results, { step: receipt.sentence }] };
  if (receipt) return { tone: "not proven", sentences: [{ step: receipt.sentence }] };
  const allSeen = steps.some((step) => step.name === "leaves" && step.outcome === "ok");
  if (allSeen && !numbers.has(ours)) return says("wrong", "not_handed_out", { number: figure(ours) });
  if (allSeen) return { tone: "ok", sentences: [...results, text("in_the_draw", { number: figure(ours) })] };
  return { tone: "not proven", sentences: [...results, text("needs_receipt")] };
}

function ticketResultsOf(parts, wins, number) {
  if (wins === null) return [text("winners_not_listed")];
  return [resultOf(parts, wins, number), ...(parts.forfeits === null ? [text("forfeits_not_listed")] : [])];
}

function resultOf(parts, wins, number) {
  const win = wins.find((each) => each.number === number);
  if (!win) return text("won_nothing", { number: figure(number) });
  const values = { number: figure(number), prize: inQuotes(parts.terms.prizes[win.prize].name) };
  if (win.from !== null) values.from = figure(win.from);
  if (win.lost !== null) Object.assign(values, { why: why(win.lost), reason: inQuotes(win.lost.reason) });
  return text(`${win.from === null ? "won" : "took_over"}${win.lost === null ? "" : "_lost"}`, values);
}
