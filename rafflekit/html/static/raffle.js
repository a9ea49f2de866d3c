// A raffle's page: shows the tickets that this browser keeps and what they won, follows the raffle, and is a witness.

const byId = (id) => document.getElementById(id);
const page = byId("raffle").dataset;
const inLanguage = new Intl.NumberFormat(document.documentElement.lang);
const now = () => byId("now").dataset;
// About how many phones a small server answers per second when all of them learn of a draw.
const PHONES_PER_S = 100;
const LONGEST_WAIT_S = 20;

let pollS = Number(page.poll);
let linked = []; // A ticket from the address, which this browser does not keep.
let isMistaken = false; // The address looked like a ticket's, but no ticket of this raffle can look like that.
const denied = new Set(); // The numbers of tickets whose codes are wrong, as the server says.
let isSettling = false;
let isAskedAgain = false; // While it was settling.
let isBehind = false; // What the raffle's state says about the tickets is not shown yet.
let settlesSoon = null;
const tickets = () => {
  const kept = keptOf(page.id).tickets;
  return [...kept, ...linked.filter((each) => kept.every((other) => other.number !== each.number))];
};

// The fragment of the address is never sent: it has a ticket (from its QR code) or an invitation (from its link).
function takeFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("i") && !(given.has("t") && given.has("c"))) return;
  // The form comes when the raffle opens, perhaps after the page was loaded again.
  if (given.has("i") && now().state === "upcoming") return;
  history.replaceState(null, "", location.pathname + location.search);
  if (given.has("i") && byId("invitation") !== null) byId("invitation").value = given.get("i");
  if (!given.has("t")) return;
  const number = given.get("t");
  const isTicket = /^[1-9][0-9]{0,12}$/.test(number) && Number(number) <= Number(now().total) && isCode(given.get("c") ?? "");
  linked = isTicket ? [{ number: Number(number), code: given.get("c"), receipt: null, qr: null }] : [];
  isMistaken = !isTicket;
}

// As the server reads codes: letter case, spaces and dashes do not matter; O counts as 0, I and L as 1.
function isCode(text) {
  const code = text.replace(/[\s\p{Pd}\p{Cf}]/gu, "");
  return /^[0-9a-z]{24}$/i.test(code) && !/u/i.test(code);
}

function cloned(template, slots = {}) {
  const part = byId(template).content.cloneNode(true);
  for (const element of part.querySelectorAll("[data-slot]")) element.textContent = slots[element.dataset.slot] ?? "";
  return part;
}

function showTickets() {
  byId("mine").replaceChildren(...(isMistaken ? [cloned("not-a-ticket")] : []), ...tickets().map(cardOf));
  const form = byId("take");
  // Where each address counts, one who has all tickets that one can have needs no button for another one.
  if (form?.dataset.each) form.hidden = keptOf(page.id).tickets.length >= Number(form.dataset.each);
}

function cardOf(ticket) {
  const isKept = keptOf(page.id).tickets.some((each) => each.number === ticket.number);
  const card = cloned("ticket-card", { number: inLanguage.format(ticket.number), code: ticket.code }).firstElementChild;
  card.dataset.number = ticket.number;
  const part = (name) => card.querySelector(`[data-part="${name}"]`);
  const button = (name) => card.querySelector(`[data-do="${name}"]`);
  const isDrawn = now().state === "drawn";
  // After the draw, the server is asked first whether it is a ticket.
  part("linked").hidden = button("keep").hidden = isKept || isDrawn;
  // A ticket from a link may be invented. Only one that was kept on its own page has its QR code.
  part("unchecked").hidden = Boolean(ticket.qr) || !["upcoming", "open", "closed"].includes(now().state);
  button("forget").hidden = !isKept;
  if (ticket.qr) {
    part("qr").src = `data:image/svg+xml,${encodeURIComponent(ticket.qr)}`;
    part("qr").hidden = false;
  }
  const redeem = part("redeem");
  if (redeem !== null) redeem.hidden = !isDrawn;
  // A link that was just taken from a template has no URL yet, of which one could set a part.
  if (redeem !== null) redeem.href += `#${new URLSearchParams({ t: ticket.number, c: ticket.code })}`;
  button("keep").addEventListener("click", () => {
    if (!keepTicket(page.id, ticket, page.key)) return card.append(cloned("cannot-keep"));
    showTickets();
    return settle();
  });
  button("forget").addEventListener("click", () => {
    button("forget").hidden = true;
    button("really-forget").hidden = false;
    button("really-forget").focus();
  });
  button("really-forget").addEventListener("click", () => {
    forgetTicket(page.id, ticket.number);
    linked = linked.filter((each) => each.number !== ticket.number);
    showTickets();
    settle();
  });
  return card;
}

// Puts something into a live region, unless it is there already and would be read aloud again.
function say(region, ...parts) {
  const said = document.createElement("div");
  said.append(...parts);
  if (region.textContent.replace(/\s+/g, " ") !== said.textContent.replace(/\s+/g, " ")) region.replaceChildren(...said.childNodes);
}

// The server's page about a ticket says in words what it won. Returns whether the server could say it.
async function showResult(ticket) {
  const card = document.querySelector(`.mine[data-number="${ticket.number}"]`);
  const region = card.querySelector(".result");
  try {
    const answer = await fetch(`${page.address}verify-ticket/`, {
      method: "POST",
      headers: { Accept: "text/html" },
      body: new URLSearchParams({ ticket_number: ticket.number, verification_code: ticket.code }),
    });
    const result = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = result.getElementById("result");
    if (found === null) {
      const isWrong = result.getElementById("verification_code-error") !== null;
      if (isWrong) denied.add(ticket.number);
      say(region, cloned(isWrong ? "not-yours" : "ticket-problem"));
      return isWrong;
    }
    denied.delete(ticket.number);
    showTimesIn(found);
    card.dataset.outcome = found.dataset.outcome;
    if (linked.includes(ticket)) for (const part of card.querySelectorAll('[data-part="linked"], [data-do="keep"]')) part.hidden = false;
    say(region, ...found.childNodes);
    return true;
  } catch {
    say(region, cloned("ticket-problem"));
    return false;
  }
}

// A part of the page for each claim: those stay that the witness makes.
function clonedClaims({ template, slots, claims }) {
  const part = cloned(template, slots);
  for (const element of part.querySelectorAll("[data-claim]")) if (!claims.includes(element.dataset.claim)) element.remove();
  return part;
}

// Returns whether there is something to say that needs no other try.
async function showTestimony() {
  const { state } = now();
  const own = keptOf(page.id).tickets.map((each) => ({ ...each, isDenied: denied.has(each.number) }));
  const said = await testimony({ ...page, state, tickets: own });
  const place = byId("testimony");
  const isAlarm = said?.template === "two-closings";
  document.documentElement.classList.toggle("alarm", isAlarm);
  if (said !== null && !isAlarm) say(place, clonedClaims(said));
  else place.replaceChildren();
  if (isAlarm) {
    const warning = cloned(said.template, said.slots);
    const evidence = `${warning.querySelector("[data-part=about]").textContent}\n\n${said.evidence}`;
    warning.querySelector("[data-part=evidence]").href = `data:text/plain;charset=utf-8,${encodeURIComponent(evidence)}`;
    say(byId("alarm"), warning);
  }
  return said !== null && said.template !== "witness-unchecked";
}

// A ticket that came from a link has no receipt. The server gives everyone each of them, as the ledger is public. One from
// before the closing proves most. Returns whether another try could find more.
async function fetchReceipts() {
  let isComplete = true;
  for (const { number } of keptOf(page.id).tickets.filter((each) => !each.receipt)) {
    try {
      const found = await getText(`${page.address}ledger/proof/?ticket_number=${number}`, "application/json");
      const receipt = JSON.parse(found);
      const kept = keptOf(page.id).tickets;
      // Meanwhile, the ticket may have been forgotten.
      if (receipt?.leaf.ticket_number !== number || !kept.some((each) => each.number === number)) continue;
      keep(page.id, { tickets: kept.map((each) => (each.number === number ? { ...each, receipt } : each)) });
    } catch {
      isComplete = false;
    }
  }
  return isComplete;
}

// Shows all that follows from the raffle's state for the tickets in this browser; returns whether nothing is missing.
async function showAll() {
  let isComplete = await fetchReceipts();
  const { state } = now();
  if (state === "drawn") for (const ticket of tickets()) isComplete = (await showResult(ticket)) && isComplete;
  const kept = keptOf(page.id);
  const isWitness = kept.tickets.length > 0 && ["closed", "drawn"].includes(state);
  // That there were two closings is said in every state: the raffle may be cancelled to hide it.
  if (isWitness || kept.other !== null) return (await showTestimony()) && isComplete;
  byId("testimony").replaceChildren();
  return isComplete;
}

async function settle() {
  // The one that runs may have begun before the draw, or before a ticket was forgotten, so that it has to be repeated.
  isAskedAgain = isSettling;
  if (isSettling) return;
  isSettling = true;
  isBehind = false; // A draw that is noticed meanwhile sets it.
  try {
    if (!(await showAll())) isBehind = true;
  } catch {
    isBehind = true; // Without a connection.
  } finally {
    isSettling = false;
  }
  if (isAskedAgain) await settle();
}

// All phones learn of a draw within seconds. The more of them there may be, the longer each one waits, at random.
function settleSoon(live) {
  isBehind = true;
  settlesSoon ??= setTimeout(() => {
    settlesSoon = null;
    if (isBehind) settle();
  }, 1000 * Math.random() * Math.min(live.handed_out / PHONES_PER_S, LONGEST_WAIT_S));
}

// Takes what has changed from the page as it is now.
async function change() {
  const html = await getText(page.address, "text/html");
  if (html === null) return;
  const found = partOf(html, "now");
  replace(byId("now"), found);
  takeFragment();
  showTimesIn(found);
  showDue();
  showTickets();
}

// Puts the new part of the page into the place of the old one. What a visitor types stays, and so does the cursor.
function replace(before, found) {
  const focused = document.activeElement;
  before.replaceWith(found);
  for (const field of before.querySelectorAll("input[id]")) {
    const same = byId(field.id);
    if (same === null) continue;
    same.value = field.value;
    if (field !== focused) continue;
    same.focus();
    same.setSelectionRange(field.selectionStart, field.selectionEnd);
  }
}

// What was planned for a time that is over is not planned any more, as the wall says, too.
function showDue() {
  const waiting = byId("waiting");
  if (waiting === null) return;
  waiting.hidden = Date.parse(waiting.dataset.until) <= Date.now();
  byId("due").hidden = !waiting.hidden;
}

async function look() {
  const found = await getText(`${page.address}live/`, "application/json");
  if (found === null) return;
  const live = JSON.parse(found);
  pollS = live.poll_s;
  if (now().now !== standingOf(live)) {
    await change();
    return settleSoon(live);
  }
  for (const element of byId("now").querySelectorAll("[data-number]")) element.textContent = inLanguage.format(live[element.dataset.number]);
  const bar = byId("now").querySelector("progress");
  if (bar !== null) bar.value = live.available_tickets;
  if (isBehind) settleSoon(live);
}

const isOver = () => now().state === "cancelled" || (now().state === "drawn" && !tickets().length);

async function lookIfNeeded() {
  try {
    if (!document.hidden && !isOver()) await look();
  } catch {
    // Without a connection; the next look tries again.
  }
}

async function poll() {
  showDue();
  await lookIfNeeded();
  // A little more or less, so that not all phones ask at the same moment.
  setTimeout(poll, pollS * 1000 * (0.8 + 0.4 * Math.random()));
}

// Someone looks at the phone again, perhaps because the prize was handed out, which the raffle's state does not show.
document.addEventListener("visibilitychange", async () => {
  await lookIfNeeded();
  if (!document.hidden) await settle();
});
addEventListener("hashchange", () => {
  takeFragment();
  showTickets();
  settle();
});
// A ticket that was kept on another page, before the visitor went back to this one.
addEventListener("pageshow", async (event) => {
  if (!event.persisted) return;
  showTickets();
  await lookIfNeeded();
  await settle();
});

takeFragment();
showDue();
showTickets();
settle();
setTimeout(poll, pollS * 1000 * Math.random());
