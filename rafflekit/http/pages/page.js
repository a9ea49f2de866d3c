// The page: fetches the proof, checks it and shows the result. Texts by others are inserted as text, never as HTML.

const byId = (id) => document.getElementById(id);
const MOST_FETCHED = 1_000_000; // A browser has no room for the lines of more tickets.
const MARKS = { ok: ["✓", "holds", "ok"], wrong: ["✗", "wrong", "wrong"], "not proven": ["?", "not proven", "open"] };
const WITHOUT_PROOF = ["urn:rafflekit:problem:not-drawn-yet", "urn:rafflekit:problem:cancelled"];

const isServed = location.protocol !== "file:";
const ownAddress = `${location.pathname.replace(/\/+$/, "")}/`;
const raffleAddress = ownAddress.replace(/proof\/$/, "");
const raffleInAddress = isServed ? (ownAddress.match(/\/raffles\/([0-9a-f-]{36})\/proof\/$/)?.[1] ?? null) : null;

// What the check is given; it never leaves the page.
const given = { proof: null, receipt: null, number: null, leaves: null, consistency: null, closing: null };

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Until there is something to say, the page shows only its heading, so that nothing moves afterwards.
const GETTING = "Getting the proof …";
const nameless = byId("name").textContent;
byId("name").textContent = GETTING;
byId("verdict").className = "";
byId("trust").hidden = true;

function say(tone, sentence, { open = [], more = "" } = {}) {
  if (byId("name").textContent === GETTING) byId("name").textContent = nameless;
  byId("trust").hidden = false;
  byId("verdict").className = `card ${tone}`;
  byId("summary").textContent = sentence;
  byId("open").hidden = open.length === 0;
  byId("open-list").replaceChildren(...open.map((each) => element("li", "", each)));
  byId("more").textContent = more;
  byId("more").hidden = more === "";
}

const filled = (id) => byId(id).value.trim() || null;

function auditGiven() {
  return audit(given.proof, {
    key: filled("key"),
    raffle: filled("raffle-id")?.toLowerCase() ?? null,
    served_id: raffleInAddress,
    witnesses: byId("witness-keys").value.split("\n").map((line) => line.trim()).filter(Boolean),
    witnessed: copiesIn(byId("copies").value),
    leaves: given.leaves,
    receipt: given.receipt,
    consistency: given.consistency,
    now: Math.floor(Date.now() / 1000),
  });
}

// Every copy begins with its origin. A text field drops the last newline of a note.
function copiesIn(text) {
  const notes = text.split(/^(?=rafflekit\/)/m).map((each) => each.trim());
  return notes.filter(Boolean).map((note) => ({ note: `${note}\n`, at: null }));
}

async function check() {
  if (given.proof === null) return;
  if (given.leaves !== null) await painted("Checking …");
  const report = auditGiven();
  const { tone, sentence, ...rest } = summaryOf(report);
  say(tone, sentence, rest);
  showSteps(report);
  showRaffle(report);
  showTicket(report);
}

// Lets the browser show the sentence before the work starts.
async function painted(sentence) {
  say("waiting", sentence);
  await new Promise((go) => setTimeout(go, 50));
}

function showSteps({ parts, steps }) {
  byId("checked").hidden = false;
  byId("steps").replaceChildren(...steps.map(stepItem));
  byId("stopped").hidden = steps.some((step) => step.name === "winners");
  const needed = parts !== null && given.leaves === null;
  byId("all").hidden = !needed;
  byId("fetch-leaves").hidden = !isServed || raffleInAddress === null || (needed && parts.closing.size > MOST_FETCHED);
}

function stepItem({ name, outcome, sentence }) {
  const [mark, said, className] = MARKS[outcome];
  const sign = element("span", "mark", mark);
  sign.setAttribute("aria-hidden", "true");
  const heading = element("div", "", element("span", "title", TITLES[name]), " ", element("span", "said", said), " ");
  heading.append(element("span", "step", `step ${STEPS.indexOf(name) + 1}, ${name}`));
  return element("li", className, sign, element("div", "", heading, element("p", "sentence", sentence)));
}

function showRaffle({ parts, wins, forfeits, steps }) {
  byId("yours").hidden = byId("documents").hidden = byId("announced").hidden = parts === null;
  const outcomes = new Map(steps.map((step) => [step.name, step.outcome]));
  const isDrawn = outcomes.has("winners") && outcomes.get("winners") !== "wrong" && outcomes.get("forfeits") !== "wrong";
  byId("won").hidden = !isDrawn;
  byId("save-proof").hidden = false;
  byId("saving").hidden = false;
  if (parts === null) return;
  const { terms, closing } = parts;
  const handedOut = closing.size < terms.total_tickets ? `${counted(closing.size)} of ${counted(terms.total_tickets)}` : counted(closing.size);
  showName(terms.name, `${handedOut} tickets, ${counted(terms.wins)} wins. Created ${timeText(terms.created)}, closed ${timeText(closing.closed)}.`);
  showTerms(terms);
  showClosing(parts.proof.closing);
  byId("draw-part").hidden = false;
  byId("draw").textContent = shown(parts.proof.draw);
  showWinners(parts, wins);
  showForfeits(parts, wins, forfeits);
}

const RULES = {
  source: (each) => `Winners are drawn from what everyone can see here: ${quoted(each)}`,
  entry: (each) => (each === "desk" ? "The organisers hand out the tickets" : "A ticket needs an invitation"),
  tickets_each: (each) => `At most ${counted(each)} tickets for each participant`,
  opens_at: (each) => `Tickets from ${momentText(each)}`,
  closes_at: (each) => `Tickets until ${momentText(each)}`,
  draw_at: (each) => `The draw is planned for ${momentText(each)}`,
  claim_days: (each) => `Prizes can be collected for ${counted(each)} days`,
  collection: (each) => `Prizes are collected here: ${quoted(each)}`,
  promoter: (each) => `Run by ${quoted(each)}`,
  address: (each) => `Address: ${quoted(each)}`,
  price: (each) => `Price of a ticket: ${quoted(each)}`,
  licence: (each) => `Licence: ${quoted(each)}`,
  note: (each) => `Note: ${quoted(each)}`,
};
const momentText = (text) => timeText(Date.parse(text) / 1000);

function showTerms(terms) {
  const prizes = terms.prizes.map(({ name, amount }) => element("li", "", `${counted(amount)} × ${quoted(name)}`));
  byId("prizes").replaceChildren(...prizes);
  const rules = Object.keys(RULES).filter((name) => terms[name] !== undefined);
  byId("rules").replaceChildren(...rules.map((name) => element("li", "", RULES[name](terms[name]))));
  byId("id").textContent = terms.id;
}

// With its signatures: they make a copy worth keeping.
function showClosing(note) {
  given.closing = note;
  byId("closing").textContent = shown(note);
}

function showName(name, facts) {
  byId("name").textContent = quoted(name);
  document.title = `${quoted(name)}: proof of the draw`;
  byId("facts").textContent = facts;
}

function showWinners({ terms, draw }, wins) {
  let about = "In draw order.";
  if (wins === null) {
    about =
      `${counted(terms.wins)} wins are too many for a proof. Check all tickets (below) to see them. ` +
      `The operator signed a hash of the wins: ${base64Of(draw.digest)}.`;
  } else if (wins.length > terms.wins) {
    about += " The last rows are tickets that took over a prize.";
  }
  if (wins !== null && terms.wins > WINNERS_IN_A_PROOF) {
    about += ` The table shows the first ${counted(WINNERS_IN_A_PROOF)} of ${counted(terms.wins)} drawn wins. All of them were checked.`;
  }
  byId("won-about").textContent = about;
  byId("winners").hidden = wins === null;
  const rows = (wins ?? []).flatMap((win, place) => {
    const isListed = place < WINNERS_IN_A_PROOF || place >= terms.wins;
    return isListed ? [winnerRow(terms, win, place + 1)] : [];
  });
  byId("winners").tBodies[0].replaceChildren(...rows);
}

function winnerRow(terms, win, ordinal) {
  const row = element("tr", "", ...[ordinal, win.number].map((each) => element("td", "", counted(each))));
  const prize = element(win.lost === null ? "span" : "s", "", quoted(terms.prizes[win.prize].name));
  const from = win.from === null ? "" : ` (taken over from ticket ${counted(win.from)})`;
  const lost = win.lost === null ? "" : ` (lost: ${heirText(win.lost)})`;
  row.append(element("td", "", prize, from, lost));
  row.dataset.number = win.number;
  return row;
}

const heirText = ({ next }) => (next === null ? "no ticket was left to take it over" : `passed to ticket ${counted(next.number)}`);

function showForfeits({ terms }, wins, forfeits) {
  byId("passed-on").hidden = !forfeits?.length;
  const items = (forfeits ?? []).map((forfeit) => {
    // Without the winners, only the ordinal of a win is known.
    const win = wins?.[forfeit.win - 1];
    const what = win ? `${quoted(terms.prizes[win.prize].name)}, won by ticket ${counted(win.number)}` : `Win ${counted(forfeit.win)}`;
    const item = element("li", "", `${what}: ${heirText(forfeit)}. ${timeText(forfeit.time)}, ${WHY[forfeit.why]}: ${quoted(forfeit.reason)}.`);
    if (forfeit.next !== null) item.dataset.number = forfeit.next.number;
    return item;
  });
  byId("forfeits").replaceChildren(...items);
}

function showTicket(report) {
  const isAsked = given.receipt !== null || given.number !== null;
  const { tone, sentence } = isAsked ? ticketSummaryOf(report, given.number) : { tone: "ok", sentence: "" };
  sayTicket(tone, sentence);
  const step = report.steps.find((each) => each.name === "receipt");
  byId("further").hidden = step?.outcome !== "not proven";
  byId("ask").hidden = byId("further-served").hidden = !isServed || raffleInAddress === null;
  const ours = report.leaf?.number ?? given.number;
  for (const row of document.querySelectorAll("[data-number]")) row.className = Number(row.dataset.number) === ours ? "mine" : "";
}

function sayTicket(tone, sentence) {
  byId("ticket").className = `outcome ${MARKS[tone][2]}`;
  byId("ticket").textContent = sentence && `${MARKS[tone][0]} ${sentence}`;
}

async function checkTicket() {
  const receipt = filled("receipt");
  const digits = filled("number")?.replace(/[\s,.'’]/g, "") ?? null;
  if (receipt === null && digits === null) return sayTicket("not proven", "Enter your receipt or your ticket number.");
  if (digits !== null && !/^[1-9][0-9]{0,12}$/.test(digits)) return sayTicket("wrong", "A ticket number is a whole number from 1.");
  if (receipt !== given.receipt) given.consistency = null;
  Object.assign(given, { receipt, number: digits === null ? null : Number(digits) });
  await check();
}

async function fetched(address, accept) {
  const headers = { Accept: accept };
  return fetch(address, { headers, cache: "no-store" });
}

async function load() {
  const answer = await fetched(ownAddress, "application/json");
  const kind = answer.headers.get("Content-Type") ?? "";
  if (answer.ok && kind.startsWith("application/json")) {
    given.proof = new Uint8Array(await answer.arrayBuffer());
    return check();
  }
  if (!kind.startsWith("application/problem+json")) return offerFiles();
  const problem = await answer.json();
  if (WITHOUT_PROOF.includes(problem.type)) return showState();
  return say("wrong", `The server did not send a proof: ${quoted(String(problem.detail))}`);
}

// The raffle before its draw, or cancelled.
async function showState() {
  const raffle = await (await fetched(raffleAddress, "application/json")).json();
  const note = raffle.state === "closed" ? await (await fetched(`${raffleAddress}ledger/`, "text/plain")).text() : null;
  showName(String(raffle.name), `${counted(raffle.total_tickets)} tickets, created ${momentText(raffle.created_at)}.`);
  showTerms(raffle);
  byId("announced").hidden = byId("saving").hidden = false;
  if (raffle.state === "cancelled") {
    return say("waiting", `This raffle was cancelled: ${quoted(String(raffle.reason))}. There is no draw.`);
  }
  const keep = { more: "Everyone who gets a ticket also gets a receipt. Keep yours, and come back after the draw." };
  if (raffle.state === "upcoming") return say("waiting", `Tickets are handed out from ${momentText(raffle.opens_at)}.`, keep);
  if (note === null) {
    const left = Number(raffle.available_tickets);
    return say("waiting", `Open: ${counted(left)} of ${counted(raffle.total_tickets)} tickets are left, so the winners have not been drawn yet.`, keep);
  }
  return showClosed(raffle, note);
}

function showClosed(raffle, note) {
  const closing = readClosing(note);
  byId("documents").hidden = false;
  byId("draw-part").hidden = true;
  showClosing(note);
  const tickets = closing.size < raffle.total_tickets ? `${counted(closing.size)} of ${counted(raffle.total_tickets)}` : "All";
  let decides = "";
  if (closing.round !== null) decides = ` The public random number that drand publishes at ${timeText(timeOfRound(closing.round))} decides the draw.`;
  if (raffle.source !== undefined) decides = ` The draw is decided by ${quoted(raffle.source)}.`;
  const more = "Save a copy of the closing (below) before the draw. With it, you can check later that the list was not replaced.";
  say("waiting", `Closed ${timeText(closing.closed)} and waiting for the draw. ${tickets} tickets have been handed out.${decides}`, { more });
}

function offerFiles() {
  byId("choose").hidden = false;
  say("waiting", "No proof has been chosen yet.");
}

// Recognises a file by its content.
async function takeFile(file) {
  const content = withoutMark(new Uint8Array(await file.arrayBuffer()));
  const start = new TextDecoder().decode(content.slice(0, 4096));
  if (/^\s*\{\s*"serial"/.test(start)) given.leaves = linesOf(new TextDecoder().decode(content));
  else if (/"leaf"\s*:/.test(start) && !/"terms"\s*:/.test(start)) return takeReceipt(content);
  else Object.assign(given, { proof: content, leaves: null, consistency: null });
  return check();
}

async function takeReceipt(content) {
  byId("receipt").value = new TextDecoder().decode(content);
  return checkTicket();
}

// Splits all leaves into lines, each with its newline, which counts; the last one may be missing.
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

async function fetchLeaves() {
  await painted("Fetching all tickets …");
  const leaves = [];
  let address = new URL(`${raffleAddress}ledger/leaves/`, location);
  // They come in parts, each with a link to the next one. The check finds out if there are too many.
  while (address !== null && leaves.length <= MOST_FETCHED) {
    const answer = await fetched(address, "application/jsonl");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const part = linesOf(await answer.text());
    leaves.push(...part);
    const following = answer.headers.get("Link")?.match(/<([^<>]*)>; rel="next"/) ?? null;
    address = following === null || part.length === 0 ? null : new URL(following[1], address);
  }
  given.leaves = leaves;
  await check();
}

async function askForConsistency() {
  const [oldSize, newSize] = [readReceiptParts(given.receipt).checkpoint.size, readParts(given.proof).closing.size];
  const answer = await fetched(`${raffleAddress}ledger/consistency/?from=${oldSize}&to=${newSize}`, "application/json");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  given.consistency = await answer.text();
  await check();
}

function save(name, blob) {
  const link = element("a", "");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function savePage() {
  save("rafflekit-proof.html", await (await fetched(ownAddress, "text/html")).blob());
}

// Runs what a button or a file starts, and shows any failure.
function doing(action) {
  return async (event) => {
    try {
      await action(event);
    } catch (error) {
      if (error instanceof Wrong) return say("waiting", `This cannot be read: ${error.message}.`);
      say("wrong", `That did not work: ${quoted(String(error.message))}. Reload the page, or use rafflekit audit.`);
    }
  };
}

for (const [id, action] of Object.entries({
  check: checkTicket,
  recheck: check,
  ask: askForConsistency,
  "fetch-leaves": fetchLeaves,
  "save-page": savePage,
  "save-closing": () => save("closing.txt", new Blob([given.closing], { type: "text/plain" })),
  "save-proof": () => save("proof.json", new Blob([given.proof], { type: "application/json" })),
})) {
  byId(id).addEventListener("click", doing(action));
}
for (const id of ["proof-file", "receipt-file", "leaves-file"]) {
  byId(id).addEventListener("change", doing((event) => event.target.files[0] && takeFile(event.target.files[0])));
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", doing(async (event) => {
  event.preventDefault();
  for (const file of event.dataTransfer.files) await takeFile(file);
}));
doing(isServed ? load : offerFiles)();
