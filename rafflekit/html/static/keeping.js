// What this browser keeps of a raffle, if its visitor wants that: {tickets: [{number, code, receipt, qr}], key, closing, other}.
// `key` is the operator's public key as this browser saw it with its first ticket,
// `closing` is the closed list as this browser saw it first, {note, at}, and `other` another one, which should not exist.

const keptName = (raffle) => `rafflekit ${raffle}`;

function keptOf(raffle) {
  const nothing = { tickets: [], key: null, closing: null, other: null };
  try {
    const kept = { ...nothing, ...JSON.parse(localStorage.getItem(keptName(raffle))) };
    // What else may be there was not written by this page.
    const tickets = kept.tickets.filter((each) => Number.isInteger(each?.number) && typeof each.code === "string");
    return { ...kept, tickets };
  } catch {
    return nothing;
  }
}

// Returns whether the browser really keeps it: some do not, or not in private windows.
function keep(raffle, changes) {
  try {
    localStorage.setItem(keptName(raffle), JSON.stringify({ ...keptOf(raffle), ...changes }));
    return true;
  } catch {
    return false;
  }
}

function keepTicket(raffle, ticket, key) {
  const kept = keptOf(raffle);
  const others = kept.tickets.filter((each) => each.number !== ticket.number);
  return keep(raffle, { tickets: [...others, ticket], key: kept.key ?? key });
}

function forgetTicket(raffle, number) {
  const tickets = keptOf(raffle).tickets.filter((each) => each.number !== number);
  // Evidence stays.
  if (tickets.length || keptOf(raffle).other !== null) keep(raffle, { tickets });
  else localStorage.removeItem(keptName(raffle));
}
