// Step 13: if a winner does not get a prize, it passes to the next ticket of the same shuffle (section 7).

function checkForfeits(parts, queue) {
  const { terms, forfeits } = parts;
  if (forfeits === null) {
    throw new Unproven(`More than ${counted(FORFEITS_IN_A_PROOF)} prizes passed on, and a proof lists no more.`);
  }
  const numbers = new Set((parts.proof.winners ?? []).map((win) => win.leaf.number));
  // When each win was won that can still be lost.
  const wonAt = Array(1 + terms.wins).fill(parts.draw.drawn);
  wonAt[0] = null; // Wins have ordinals from 1.
  let earliest = parts.draw.drawn;
  forfeits.forEach((forfeit, index) => {
    const which = `Forfeit ${counted(index + 1)}`;
    checkLost(parts, forfeit, { which, place: index + 1, earliest, wonAt: wonAt[forfeit.win] ?? null });
    earliest = forfeit.time;
    wonAt[forfeit.win] = null;
    if (index >= queue.length) return checkLapsed(forfeit, which);
    checkNext(parts, forfeit, { which, serial: queue[index], numbers });
    numbers.add(forfeit.leaf.number);
    wonAt.push(forfeit.time);
  });
  // The last one has the latest date.
  if (forfeits.length) throw new Unproven(dated(forfeitsText(terms, forfeits), earliest, parts.latest));
  return "The proof lists no prize that passed on.";
}

// Checks that a win was lost as the rules allow it.
function checkLost({ terms, closing, key, draw }, forfeit, { which, place, earliest, wonAt }) {
  checkOperator(forfeit.note, key, "statement of a forfeit");
  if (forfeit.origin !== closing.origin) throw new Wrong(`${which} is for another raffle.`);
  if (!sameBytes(forfeit.drawHash, draw.hash)) throw new Wrong(`${which} is for another draw.`);
  if (forfeit.place !== place) throw new Wrong(`${which} has another number, ${counted(forfeit.place)}.`);
  const date = timeText(forfeit.time);
  if (forfeit.time < earliest) throw new Wrong(`${which} is dated ${date}, before the draw or the forfeit before.`);
  if (wonAt === null) throw new Wrong(`${which} takes a win that does not exist, or that was lost before.`);
  const due = wonAt + (terms.claim_days ?? 0) * A_DAY_S;
  if (forfeit.why === "unclaimed" && forfeit.time < due) {
    throw new Wrong(`${which} is dated ${date}, but the prize could be collected until ${timeText(due)}.`);
  }
}

function checkLapsed({ next, leaf, path }, which) {
  if (next !== null || leaf !== null || path.length) throw new Wrong(`${which} names a ticket, although every ticket had won.`);
}

// Checks that the prize went to the next ticket of the shuffle.
function checkNext({ terms, closing }, { next, leaf, path }, { which, serial, numbers }) {
  if (next === null || leaf === null) throw new Wrong(`${which} names no ticket, although one was next.`);
  if (leaf.serial !== serial) throw new Wrong(`${which} passes the prize to another ticket than the seed gives.`);
  if (next.serial !== leaf.serial || next.number !== leaf.number) throw new Wrong(`${which} was signed for another ticket.`);
  explained(`The ticket of forfeit ${which.slice(8)} is not in the closed list`, () =>
    checkInclusion(leafHash(terms.id, leaf), leaf.serial, closing.size, path, closing.root),
  );
  if (leaf.number > terms.total_tickets) throw new Wrong(`${which} has a ticket number that this raffle does not have.`);
  if (numbers.has(leaf.number)) throw new Wrong(`Ticket number ${counted(leaf.number)} wins twice.`);
}

function forfeitsText({ claim_days }, forfeits) {
  const lapsed = forfeits.filter((each) => each.next === null).length;
  let sentence = `Prizes that passed on (${counted(forfeits.length - lapsed)}) went to the next tickets of the same shuffle.`;
  if (lapsed) sentence += ` Prizes for which no ticket was left: ${counted(lapsed)}.`;
  // The proof shows neither whether a reason is true nor whether the last forfeits were left out.
  sentence += " Only the operator says why each was lost, and that no forfeit is missing.";
  if (claim_days === undefined && forfeits.some((each) => each.why === "unclaimed")) {
    sentence += " At least one was lost as unclaimed, although no deadline was announced.";
  }
  return sentence;
}

// All wins, first those of the draw, then those of the tickets that took a prize over, each {number, prize, lost, from}:
// the forfeit by which it was lost, and the number of the ticket that had it before; null if there is none.
function winsInTheEnd(wins, forfeits) {
  const all = wins.map(({ number, prize }) => ({ number, prize, lost: null, from: null }));
  for (const forfeit of forfeits) {
    const win = all[forfeit.win - 1];
    win.lost = forfeit;
    if (forfeit.next !== null) all.push({ number: forfeit.next.number, prize: win.prize, lost: null, from: win.number });
  }
  return all;
}
