// What the audit found, in words for participants.

const TITLES = {
  form: "The proof is complete",
  terms: "This is the raffle that you know",
  key: "The signatures are the operator's",
  closing: "The list of tickets was closed and signed",
  witnesses: "Others saw the closed list",
  entropy: "No one chose the random number",
  witnessed: "The list was closed before the random number was known",
  seed: "The draw started from the list and the random number",
  winners: "The winners follow from both",
  leaves: "Every ticket is in the list, and each number once",
  receipt: "Your ticket is in the draw",
  code: "Your code matches your ticket",
  forfeits: "Prizes passed on only by the rules",
};

const NOT_PROVEN = {
  terms: "that this is the raffle that was announced, and not another one with the same name",
  key: "whose key signed it",
  closing: "when the list was closed",
  witnesses: "that most of the witnesses that you know saw the closed list",
  entropy: "that no one chose the random number",
  witnessed: "that the list was closed before the random number was known",
  winners: "who holds the winning tickets, or when they were drawn",
  leaves: "that every ticket is in the list",
  receipt: "that the closed list contains your ticket as your receipt shows it",
  code: "that your code matches",
  forfeits: "which prizes passed on to other tickets, and why",
};

const WHY = { unclaimed: "not collected", renounced: "given up by the winner", disqualified: "winner disqualified" };

// Section 10 of the protocol.
const FITS =
  "This shows only that the documents agree with each other. Anyone could make such documents afterwards, with their own " +
  "key. Add what you know from elsewhere (below) to check more.";

// Returns {tone, sentence, open, more}: the summary of a report of audit. The tone is "ok", "part" (not all is proven) or
// "wrong"; `open` lists what is not proven.
function summaryOf({ parts, wins, steps }) {
  const wrong = steps.filter((step) => step.outcome === "wrong");
  const worst = wrong.find((step) => !step.isMistaken) ?? wrong[0];
  if (worst) return { tone: "wrong", open: [], ...wrongSummaryOf(worst) };
  const count = parts.terms.wins;
  const source = "the closed list of tickets and the random number";
  const follow = count === 1 ? "The winner follows" : `The ${counted(count)} winners follow`;
  const open = steps.filter((step) => step.outcome === "not proven").map((step) => step.name);
  const holds = wins === null
    ? `The places of the ${counted(count)} winners in the list follow from ${source}, by the announced rules.`
    : `${follow} from ${source}, by the announced rules.`;
  const more = open.includes("key") && open.includes("witnessed") ? FITS : "";
  return { tone: open.length ? "part" : "ok", sentence: holds, open: open.map((name) => NOT_PROVEN[name]), more };
}

function wrongSummaryOf({ name, sentence, isMistaken }) {
  if (!isMistaken) {
    const isOurs = name === "receipt" || name === "code";
    const what = isOurs ? "Your receipt does not match this draw" : "This proof is not valid";
    return { sentence: `${what}. ${sentence}`, more: "Keep the documents: they are your evidence." };
  }
  const more = STEPS.indexOf(name) < 4 ? "This shows nothing for or against the draw." : "The other steps still count.";
  return { sentence: `Something that you entered or chose does not fit. ${sentence}`, more };
}

// The summary for one ticket: {tone: "ok" | "wrong" | "not proven", sentence}. `number` is that of a ticket
// without a receipt, or null.
function ticketSummaryOf({ parts, wins, leaf, numbers, steps }, number) {
  const receipt = steps.find((step) => step.name === "receipt");
  if (receipt?.outcome === "wrong") return { tone: "wrong", sentence: receipt.sentence };
  if (steps.some((step) => step.outcome === "wrong" && !step.isMistaken)) {
    return { tone: "wrong", sentence: "The proof is not valid, so it says nothing about a ticket." };
  }
  if (!steps.some((step) => step.name === "winners")) {
    return { tone: "wrong", sentence: "The check stopped before the tickets." };
  }
  if (receipt && number !== null && number !== leaf.number) {
    return { tone: "wrong", sentence: `The receipt is for ticket ${counted(leaf.number)}, not for ticket ${counted(number)}.` };
  }
  const ours = leaf?.number ?? number;
  if (ours > parts.terms.total_tickets) {
    return { tone: "wrong", sentence: `This raffle has the ticket numbers 1 to ${counted(parts.terms.total_tickets)}.` };
  }
  const result = resultOf(parts, wins, ours, receipt ? "It" : `Ticket ${counted(ours)}`);
  if (receipt?.outcome === "ok") return { tone: "ok", sentence: `${receipt.sentence} ${result}` };
  if (receipt) return { tone: "not proven", sentence: receipt.sentence };
  const allSeen = steps.some((step) => step.name === "leaves" && step.outcome === "ok");
  if (allSeen && !numbers.has(ours)) return { tone: "wrong", sentence: `Ticket ${counted(ours)} was not handed out.` };
  if (allSeen) return { tone: "ok", sentence: `Ticket ${counted(ours)} is in the draw. ${result}` };
  return { tone: "not proven", sentence: `${result} Only a receipt shows that the ticket is yours, and that it is in the draw unchanged.` };
}

function resultOf(parts, wins, number, subject) {
  if (wins === null) return "The proof does not list the winners. Check all tickets to see what it won.";
  const inTheEnd = parts.forfeits === null ? " The proof does not list the prizes that passed on." : "";
  const win = wins.find((each) => each.number === number);
  if (!win) return `${subject} won nothing.${inTheEnd}`;
  const prize = quoted(parts.terms.prizes[win.prize].name);
  const gained = win.from === null ? `won ${prize}` : `took over ${prize} from ticket ${counted(win.from)}`;
  const lost = win.lost === null ? "" : ` and lost it (${WHY[win.lost.why]}: ${quoted(win.lost.reason)})`;
  return `${subject} ${gained}${lost}.${inTheEnd}`;
}
