// What the audit says, in words for people who are no programmers.

const TITLES = {
  form: "The proof is complete",
  terms: "The announcement was not changed",
  key: "The signatures are the operator's",
  closing: "The list of tickets was closed and signed",
  witnesses: "Somebody else saw the closed list",
  entropy: "The random number was nobody's choice",
  witnessed: "The list was closed before the random number was known",
  seed: "The draw began from the list and the random number",
  winners: "The winners follow from that",
  leaves: "Every ticket is in the list, each number once",
  receipt: "Your ticket is in the draw",
  code: "Your code fits your ticket",
};

const NOT_PROVEN = {
  key: "whose key signed it",
  witnesses: "that anybody but the operator saw the closed list",
  entropy: "that the random number was nobody's choice",
  witnessed: "that the list was closed before the random number was known",
  winners: "who holds the winning tickets",
  leaves: "that every ticket is in the list",
  receipt: "that the closed list goes on from your receipt",
  code: "that your code fits",
};

// Section 10 of the protocol.
const FITS =
  "That the documents fit each other is all that this shows by itself: with a key of their own, anybody could make such " +
  "documents afterwards. What you know from elsewhere (below) shows more.";

// Returns {tone, sentence, more}: what a report (of audit) comes to; the tone is "ok", "part" (not all is proven) or "wrong".
function summaryOf({ parts, wins, steps }) {
  const wrong = steps.find((step) => step.outcome === "wrong");
  if (wrong) {
    const isOurs = wrong.name === "receipt" || wrong.name === "code";
    const what = isOurs ? "Your receipt does not fit this draw" : "This proof does not hold";
    return { tone: "wrong", sentence: `${what}. ${wrong.sentence}`, more: "Keep the documents: they are your evidence." };
  }
  const source = "the closed list of tickets and the random number";
  const holds =
    wins === null
      ? `The places of the ${counted(parts.terms.wins)} winners follow from ${source}, by the announced rules.`
      : `${wins.length === 1 ? "The winner follows" : `The ${counted(wins.length)} winners follow`} from ${source}, by the announced rules.`;
  const open = steps.filter((step) => step.outcome === "not proven").map((step) => step.name);
  if (!open.length) return { tone: "ok", sentence: holds, more: "" };
  const more = open.includes("key") && open.includes("witnessed") ? FITS : "";
  return { tone: "part", sentence: `${holds} Not proven here: ${open.map((name) => NOT_PROVEN[name]).join("; ")}.`, more };
}

// What a participant is told about a ticket: {tone: "ok" | "wrong" | "not proven", sentence}. `number` is that of a ticket
// without a receipt, or null.
function ticketSummaryOf({ parts, wins, leaf, steps }, number) {
  const receipt = steps.find((step) => step.name === "receipt");
  if (receipt?.outcome === "wrong") return { tone: "wrong", sentence: receipt.sentence };
  if (steps.some((step) => step.outcome === "wrong")) {
    return { tone: "wrong", sentence: "The proof itself does not hold, so it says nothing about a ticket." };
  }
  if (receipt && number !== null && number !== leaf.number) {
    return { tone: "wrong", sentence: `The receipt is of the ticket ${counted(leaf.number)}, not ${counted(number)}.` };
  }
  const ours = leaf?.number ?? number;
  if (ours > parts.terms.total_tickets) {
    return { tone: "wrong", sentence: `This raffle has the ticket numbers 1 to ${counted(parts.terms.total_tickets)}.` };
  }
  const result = resultOf(parts, wins, ours, receipt ? "It" : `The ticket ${counted(ours)}`);
  if (receipt?.outcome === "ok") return { tone: "ok", sentence: `${receipt.sentence} ${result}` };
  if (receipt) return { tone: "not proven", sentence: receipt.sentence };
  const allSeen = steps.some((step) => step.name === "leaves" && step.outcome === "ok");
  if (allSeen) return { tone: "ok", sentence: `The ticket ${counted(ours)} is in the draw. ${result}` };
  return { tone: "not proven", sentence: `${result} That it is yours, and in the draw as you got it, only a receipt shows.` };
}

function resultOf(parts, wins, number, subject) {
  if (wins === null) return "What it won does not stand in the proof: all tickets show it.";
  const win = wins.find((each) => each.number === number);
  if (!win) return `${subject} won nothing.`;
  return `${subject} won ${quoted(parts.terms.prizes[win.prize].name)}.`;
}
