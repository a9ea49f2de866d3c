// What this browser keeps of a raffle, if its visitor wants that: {tickets: [{number, code, receipt, qr}], closing, other}.
// `closing` is the closed list as this browser saw it first, {note, at}, and `other` another one, which should not exist.

const keptName = (raffle) => `rafflekit ${raffle}`;

function keptOf(raffle) {
  const nothing = { tickets: [], closing: null, other: null };
  try {
    return { ...nothing, ...JSON.parse(localStorage.getItem(keptName(raffle))) };
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

function keepTicket(raffle, ticket) {
  const others = keptOf(raffle).tickets.filter((each) => each.number !== ticket.number);
  return keep(raffle, { tickets: [...others, ticket] });
}

function forgetTicket(raffle, number) {
  const tickets = keptOf(raffle).tickets.filter((each) => each.number !== number);
  // Evidence stays.
  if (tickets.length || keptOf(raffle).other !== null) keep(raffle, { tickets });
  else localStorage.removeItem(keptName(raffle));
}
