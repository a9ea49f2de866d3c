// What the audit found, in words for participants.

const TITLES = {
  form: "The proof is complete",
  terms: "The announcement was not changed",
  key: "The signatures are the operator's",
  closing: "The list of tickets was closed and signed",
  witnesses: "Someone else saw the closed list",
  entropy: "No one chose the random number",
  witnessed: "The list was closed before the random number was known",
  seed: "The draw started from the list and the random number",
  winners: "The winners follow from both",
  leaves: "Every ticket is in the list, and each number once",
  receipt: "Your ticket is in the draw",
  code: "Your code matches your ticket",
};

const NOT_PROVEN = {
  key: "whose key signed it",
  witnesses: "that anyone except the operator saw the closed list",
  entropy: "that no one chose the random number",
  witnessed: "that the list was closed before the random number was known",
  winners: "who holds the winning tickets",
  leaves: "that every ticket is in the list",
  receipt: "that the closed list contains your ticket as your receipt shows it",
  code: "that your code matches",
};

// Section 10 of the protocol.
const FITS =
  "This shows only that the documents agree with each other. Anyone could make such documents afterwards, with their own " +
  "key. Add what you know from elsewhere (below) to check more.";

// Returns {tone, sentence, more}: the summary of a report of audit; the tone is "ok", "part" (not all is proven) or "wrong".
function summaryOf({ parts, wins, steps }) {
  const wrong = steps.find((step) => step.outcome === "wrong");
  if (wrong) {
    const isOurs = wrong.name === "receipt" || wrong.name === "code";
    const what = isOurs ? "Your receipt does not match this draw" : "This proof is not valid";
    return { tone: "wrong", sentence: `${what}. ${wrong.sentence}`, more: "Keep the documents: they are your evidence." };
  }
  const source = "the closed list of tickets and the random number";
  const holds =
    wins === null
      ? `The places of the ${counted(parts.terms.wins)} winners in the list follow from ${source}, by the announced rules.`
      : `${wins.length === 1 ? "The winner follows" : `The ${counted(wins.length)} winners follow`} from ${source}, by the announced rules.`;
  const open = steps.filter((step) => step.outcome === "not proven").map((step) => step.name);
  if (!open.length) return { tone: "ok", sentence: holds, more: "" };
  const more = open.includes("key") && open.includes("witnessed") ? FITS : "";
  return { tone: "part", sentence: `${holds} Not proven here: ${open.map((name) => NOT_PROVEN[name]).join("; ")}.`, more };
}

// The summary for one ticket: {tone: "ok" | "wrong" | "not proven", sentence}. `number` is that of a ticket
// without a receipt, or null.
function ticketSummaryOf({ parts, wins, leaf, steps }, number) {
  const receipt = steps.find((step) => step.name === "receipt");
  if (receipt?.outcome === "wrong") return { tone: "wrong", sentence: receipt.sentence };
  if (steps.some((step) => step.outcome === "wrong")) {
    return { tone: "wrong", sentence: "The proof is not valid, so it says nothing about a ticket." };
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
  if (allSeen) return { tone: "ok", sentence: `Ticket ${counted(ours)} is in the draw. ${result}` };
  return { tone: "not proven", sentence: `${result} Only a receipt shows that the ticket is yours, and that it is in the draw unchanged.` };
}

function resultOf(parts, wins, number, subject) {
  if (wins === null) return "The proof does not list the winners. Check all tickets to see what it won.";
  const win = wins.find((each) => each.number === number);
  if (!win) return `${subject} won nothing.`;
  return `${subject} won ${quoted(parts.terms.prizes[win.prize].name)}.`;
}
