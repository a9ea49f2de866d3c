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

// The steps of the audit are the protocol's, in English.
const TITLES = {
  form: "The document is a proof",
  terms: "This is the raffle that you know",
  key: "The signatures are the operator's",
  closing: "The list of tickets was closed and signed",
  witnesses: "Others saw the closed list",
  entropy: "No one chose the random number",
  witnessed: "The list was closed before the random number was known",
  seed: "The draw started from the list and the random number",
  winners: "The winners follow from both",
  leaves: "The tickets are those of the closed list, and no number occurs twice",
  receipt: "Your ticket is in the draw",
  code: "Your code matches your ticket",
  forfeits: "Prizes passed on only by the rules",
};

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// The protocol's sentences are in English, in a page of any language.
function nodesOf(sentences) {
  return sentences.flatMap((each) => {
    if (typeof each === "string") return [each, " "];
    const step = element("span", "", each.step);
    step.lang = "en";
    return [step, " "];
  });
}

function say(tone, sentences, { results = [], open = [], more = "" } = {}) {
  document.querySelector(".proof").classList.add("done");
  byId("verdict").className = `card ${tone}`;
  byId("results").replaceChildren(...results.map((each) => element("li", "", each)));
  byId("summary").replaceChildren(...nodesOf(sentences));
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

// Every copy begins with its origin.
function copiesIn(text) {
  const notes = text.split(/^(?=rafflekit\/)/m).map((each) => each.trim());
  return notes.filter(Boolean).map((note) => ({ note, at: null }));
}

async function check() {
  if (given.proof === null) return;
  if (given.leaves !== null) await painted("checking");
  const report = auditGiven();
  const { tone, sentences, ...rest } = summaryOf(report);
  say(tone, sentences, rest);
  showSteps(report);
  showRaffle(report);
  showTicket(report);
}

// Lets the browser show the sentence before the work starts.
async function painted(name) {
  say("waiting", [text(name)]);
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
  byId("save-leaves").hidden = given.leaves === null;
  byId("saving").hidden = false;
  if (parts === null) return;
  const { terms, closing } = parts;
  const facts = {
    handed_out: figure(closing.size),
    total: figure(terms.total_tickets),
    wins: figure(terms.wins),
    created: timeText(terms.created),
    closed: timeText(closing.closed),
  };
  showName(terms.name, text(closing.size < terms.total_tickets ? "facts_early" : "facts", facts));
  showTerms(terms);
  showClosing(parts.proof.closing);
  byId("draw-part").hidden = false;
  byId("draw").textContent = shown(parts.proof.draw);
  showValues(parts, steps.every((step) => step.outcome !== "wrong"));
  showWinners(parts, wins);
  showForfeits(parts, wins, forfeits);
}

// What SENTENCES says of a term: `rule_<its name>`, with its value in this form.
const RULES = {
  source: (each) => ({ text: inQuotes(each) }),
  entry: () => ({}),
  tickets_each: (each) => ({ number: figure(each) }),
  opens_at: (each) => ({ moment: momentText(each) }),
  closes_at: (each) => ({ moment: momentText(each) }),
  draw_at: (each) => ({ moment: momentText(each) }),
  claim_days: (each) => ({ number: figure(each) }),
};
for (const name of ["collection", "promoter", "address", "price", "licence", "note"]) RULES[name] = RULES.source;
const momentText = (text) => timeText(Date.parse(text) / 1000);

function showTerms(terms) {
  const prizes = terms.prizes.map(({ name, amount }) => element("li", "", `${figure(amount)} × ${inQuotes(name)}`));
  byId("prizes").replaceChildren(...prizes);
  const rules = Object.keys(RULES).filter((name) => terms[name] !== undefined);
  const said = (name) => text(`rule_${name === "entry" ? terms.entry : name}`, RULES[name](terms[name]));
  byId("rules").replaceChildren(...rules.map((name) => element("li", "", said(name))));
  byId("id").textContent = terms.id;
}

// With its signatures: they make a copy worth keeping.
function showClosing(note) {
  given.closing = note;
  byId("closing").textContent = shown(note);
}

function showValues({ proof, closing, draw }, areRight) {
  byId("values").hidden = !areRight;
  byId("value-list").textContent = base64Of(closing.hash);
  const { random } = proof.entropy; // An announced value is a text.
  byId("random").hidden = byId("random").nextElementSibling.hidden = random === undefined;
  byId("value-random").textContent = random === undefined ? "" : hexOf(random);
  byId("value-seed").textContent = hexOf(proof.seed);
  byId("value-digest").textContent = base64Of(draw.digest);
  byId("value-key").textContent = shown(proof.key);
}

function showName(name, facts) {
  byId("name").textContent = inQuotes(name);
  document.title = text("title", { name: inQuotes(name) });
  byId("facts").textContent = facts;
}

function showWinners({ terms, draw }, wins) {
  const about = [];
  if (wins === null) about.push(text("too_many_wins", { count: figure(terms.wins), digest: base64Of(draw.digest) }));
  else about.push(text("in_draw_order"), ...(wins.length > terms.wins ? [text("last_rows")] : []));
  if (wins !== null && terms.wins > WINNERS_IN_A_PROOF) {
    about.push(text("first_wins", { most: figure(WINNERS_IN_A_PROOF), count: figure(terms.wins) }));
  }
  byId("won-about").textContent = about.join(" ");
  byId("winners").hidden = wins === null;
  const rows = (wins ?? []).flatMap((win, place) => {
    const isListed = place < WINNERS_IN_A_PROOF || place >= terms.wins;
    return isListed ? [winnerRow(terms, win, place + 1)] : [];
  });
  byId("winners").tBodies[0].replaceChildren(...rows);
}

function winnerRow(terms, win, ordinal) {
  const row = element("tr", "", ...[ordinal, win.number].map((each) => element("td", "", figure(each))));
  const prize = element(win.lost === null ? "span" : "s", "", inQuotes(terms.prizes[win.prize].name));
  const from = win.from === null ? "" : ` (${text("taken_over", { number: figure(win.from) })})`;
  const lost = win.lost === null ? "" : ` (${lostText(win.lost)})`;
  row.append(element("td", "", prize, from, lost));
  row.dataset.number = win.number;
  return row;
}

const lostText = ({ next }) => (next === null ? text("lost_to_none") : text("lost_to", { number: figure(next.number) }));

function showForfeits({ terms }, wins, forfeits) {
  byId("passed-on").hidden = !forfeits?.length;
  const items = (forfeits ?? []).map((forfeit) => {
    // Without the winners, only the ordinal of a win is known.
    const win = wins?.[forfeit.win - 1];
    const values = { time: timeText(forfeit.time), why: why(forfeit), reason: inQuotes(forfeit.reason), win: figure(forfeit.win) };
    if (win) Object.assign(values, { prize: inQuotes(terms.prizes[win.prize].name), number: figure(win.number) });
    if (forfeit.next !== null) values.next = figure(forfeit.next.number);
    const item = element("li", "", text(`${win ? "" : "win_"}passed${forfeit.next === null ? "_to_none" : ""}`, values));
    if (forfeit.next !== null) item.dataset.number = forfeit.next.number;
    return item;
  });
  byId("forfeits").replaceChildren(...items);
}

function showTicket(report) {
  const isAsked = given.receipt !== null || given.number !== null;
  const { tone, sentences } = isAsked ? ticketSummaryOf(report, given.number) : { tone: "ok", sentences: [] };
  sayTicket(tone, sentences);
  const step = report.steps.find((each) => each.name === "receipt");
  byId("further").hidden = step?.outcome !== "not proven";
  byId("ask").hidden = byId("further-served").hidden = !isServed || raffleInAddress === null;
  const ours = report.leaf?.number ?? given.number;
  for (const row of document.querySelectorAll("[data-number]")) row.className = Number(row.dataset.number) === ours ? "mine" : "";
}

function sayTicket(tone, sentences) {
  byId("ticket").className = `outcome ${MARKS[tone][2]}`;
  byId("ticket").replaceChildren(...(sentences.length ? [`${MARKS[tone][0]} `, ...nodesOf(sentences)] : []));
}

async function checkTicket() {
  const receipt = filled("receipt");
  const typed = filled("number");
  const number = typed === null ? null : readWholeNumber(typed);
  if (receipt === null && typed === null) return sayTicket("not proven", [text("enter_something")]);
  if (typed !== null && !number) return sayTicket("wrong", [text("whole_number")]);
  if (receipt !== given.receipt) given.consistency = null;
  Object.assign(given, { receipt, number });
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
  return say("wrong", [text("no_proof_sent"), { step: inQuotes(String(problem.detail)) }]);
}

// The raffle before its draw, or cancelled.
async function showState() {
  const raffle = await (await fetched(raffleAddress, "application/json")).json();
  const note = raffle.state === "closed" ? await (await fetched(`${raffleAddress}ledger/`, "text/plain")).text() : null;
  const total = figure(raffle.total_tickets);
  showName(String(raffle.name), text("facts_before", { total, created: momentText(raffle.created_at) }));
  showTerms(raffle);
  byId("announced").hidden = byId("saving").hidden = false;
  if (raffle.state === "cancelled") return say("waiting", [text("cancelled", { reason: inQuotes(String(raffle.reason)) })]);
  const keep = { more: text("keep_receipt") };
  if (raffle.state === "upcoming") return say("waiting", [text("upcoming", { moment: momentText(raffle.opens_at) })], keep);
  if (note !== null) return showClosed(raffle, note);
  return say("waiting", [text("still_open", { left: figure(raffle.available_tickets), total })], keep);
}

function showClosed(raffle, note) {
  const closing = readClosing(note);
  byId("documents").hidden = false;
  byId("draw-part").hidden = true;
  showClosing(note);
  const handedOut = { handed_out: figure(closing.size), total: figure(raffle.total_tickets) };
  const sentences = [
    text("closed", { moment: timeText(closing.closed) }),
    text(closing.size < raffle.total_tickets ? "some_handed_out" : "all_handed_out", handedOut),
  ];
  if (closing.round !== null) sentences.push(text("beacon_decides", { moment: timeText(timeOfRound(closing.round)) }));
  if (raffle.source !== undefined) sentences.push(text("source_decides", { source: inQuotes(raffle.source) }));
  say("waiting", sentences, { more: text("keep_closing") });
}

function offerFiles() {
  byId("choose").hidden = false;
  say("waiting", [text("nothing_chosen")]);
}

// Recognises a file by its content.
// Takes files in any order: what belongs to a proof comes after it.
async function takeFiles(files) {
  const contents = await Promise.all([...files].map(async (file) => withoutMark(new Uint8Array(await file.arrayBuffer()))));
  const ofKind = (kind) => contents.filter((content) => kindOf(content) === kind);
  for (const content of ofKind("proof")) Object.assign(given, { proof: content, leaves: null, consistency: null });
  for (const content of ofKind("leaves")) given.leaves = linesOf(new TextDecoder().decode(content));
  if (contents.some((content) => kindOf(content) !== "receipt")) await check();
  for (const content of ofKind("receipt")) await takeReceipt(content);
}

function kindOf(content) {
  const start = new TextDecoder().decode(content.slice(0, 4096));
  if (/^\s*\{\s*"serial"/.test(start)) return "leaves";
  return /"leaf"\s*:/.test(start) && !/"terms"\s*:/.test(start) ? "receipt" : "proof";
}

async function takeReceipt(content) {
  byId("receipt").value = new TextDecoder().decode(content);
  return checkTicket();
}

// Splits all leaves into lines, each with its newline, which counts; the last one may be missing.
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

async function fetchLeaves() {
  await painted("fetching");
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
      if (error instanceof Wrong) return say("waiting", [text("unreadable"), { step: `${error.message}.` }]);
      say("wrong", [text("failed"), { step: inQuotes(String(error.message)) }]);
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
  "save-leaves": () => save("leaves.jsonl", new Blob(given.leaves, { type: "application/jsonl" })),
  "save-proof": () => save("proof.json", new Blob([given.proof], { type: "application/json" })),
})) {
  byId(id).addEventListener("click", doing(action));
}
for (const id of ["proof-file", "receipt-file", "leaves-file"]) {
  byId(id).addEventListener("change", doing((event) => takeFiles(event.target.files)));
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", doing((event) => {
  event.preventDefault();
  return takeFiles(event.dataTransfer.files);
}));
// A saved copy has no other pages.
for (const link of document.querySelectorAll(".site-head a, .site-foot a")) link.hidden = !isServed;
doing(isServed ? load : offerFiles)();
