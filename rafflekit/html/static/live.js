// The wall: asks for the state of the raffle, takes the parts that have changed from the page as the server makes it, and
// shows the winners at the presenter's pace, from the last prize to the first.

const wall = document.getElementById("wall");
const byId = (id) => document.getElementById(id);
// As the server writes numbers.
const separator = document.documentElement.lang === "en" ? "," : "\u202f";
const written = (number) => number.toLocaleString("en").replaceAll(",", separator);
const LONGEST_COUNTDOWN_S = 24 * 60 * 60;
const FORWARD = [" ", "ArrowRight", "PageDown"];
const BACK = ["ArrowLeft", "PageUp", "Backspace"];

let timer = 0;
let isAsking = false;
let pollS = Number(wall.dataset.poll);
let aheadMs = 0; // How far the server's clock is ahead of this one.
let reveal = 0; // The number of winners that appeared on this page, also again.
let shown = Number(location.hash.slice(1)) || 0; // The number of winners that are shown.

const winners = () => [...(byId("winners")?.children ?? [])];

// With `isListed`, the winner is in the list at once, else when its number has appeared: the list must not give it away.
function present(featured = winners().length - shown, isListed = false) {
  if (byId("show") === null) return;
  const all = winners();
  byId("show").hidden = false;
  all.forEach((item, place) => { item.hidden = place < all.length - shown; });
  const item = all[featured];
  const content = item === undefined ? byId("before").content : item;
  byId("spot").replaceChildren(...[...content.childNodes].map((node) => node.cloneNode(true)));
  byId("place").textContent = `${written(shown)} / ${written(all.length)}`;
  byId("back").disabled = shown === 0;
  byId("next").disabled = byId("all").disabled = shown === all.length;
  byId("past-title").parentElement.hidden = shown === 0;
  if (item !== undefined) listAfterReveal(item, isListed);
}

async function listAfterReveal(item, isListed) {
  reveal += 1;
  const own = reveal;
  item.hidden = !isListed;
  await Promise.allSettled(byId("spot").getAnimations({ subtree: true }).map((each) => each.finished));
  if (own === reveal) item.hidden = false;
}

// The stage is seen once times, winners and countdown are as they will stay.
function show(featured) {
  present(featured);
  count();
  byId("stage").classList.add("ready");
}

function go(number) {
  const next = Math.min(Math.max(number, 0), winners().length);
  if (next === shown) return;
  shown = next;
  // So that a page that is loaded again shows the same winner.
  history.replaceState(null, "", `#${shown}`);
  present(undefined, number === Infinity);
}

function count() {
  const waiting = byId("waiting");
  if (waiting === null) return;
  const leftS = Math.ceil((Date.parse(waiting.dataset.until) - Date.now() - aheadMs) / 1000);
  const [hours, minutes, seconds] = [Math.floor(leftS / 3600), Math.floor(leftS / 60) % 60, leftS % 60];
  const parts = hours > 0 ? [hours, minutes, seconds] : [minutes, seconds];
  byId("countdown").textContent = parts.map((part, place) => (place ? String(part).padStart(2, "0") : part)).join(":");
  byId("in").hidden = leftS > LONGEST_COUNTDOWN_S;
  byId("on").hidden = leftS <= LONGEST_COUNTDOWN_S;
  waiting.hidden = leftS <= 0;
  byId("due").hidden = leftS > 0;
}

// Takes the stage from the page as it is now. Of the winners that were shown already, a new one is shown at once.
async function change() {
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const stage = partOf(await answer.text(), "stage");
  const before = winners().map((item) => item.textContent);
  byId("stage").replaceWith(stage);
  showTimesIn(stage);
  const all = winners();
  const isNew = (item, place) => place < before.length && place >= all.length - shown && item.textContent !== before[place];
  const changed = all.findIndex(isNew);
  show(changed < 0 ? undefined : changed);
}

// The server wrote `date`, in whole seconds, between the question and now, however long that took.
function setClock(date, askedAt) {
  if (!Number.isNaN(date)) aheadMs = Math.min(Math.max(aheadMs, date - Date.now()), date + 1000 - askedAt);
}

async function look() {
  const askedAt = Date.now();
  const answer = await fetch(wall.dataset.live, { headers: { Accept: "application/json" }, cache: "no-cache" });
  if (!answer.ok) throw new Error(answer.status);
  const state = await answer.json();
  setClock(Date.parse(answer.headers.get("Date") ?? ""), askedAt);
  pollS = state.poll_s;
  if (byId("stage").dataset.now !== standingOf(state)) return change();
  for (const element of wall.querySelectorAll("[data-number]")) element.textContent = written(state[element.dataset.number]);
  const bar = wall.querySelector("progress");
  if (bar !== null) bar.value = state.handed_out;
}

async function poll() {
  clearTimeout(timer);
  if (document.hidden || isAsking) return;
  isAsking = true;
  try {
    await look();
    byId("unreachable").hidden = true;
  } catch {
    byId("unreachable").hidden = false;
  }
  isAsking = false;
  // A little more or less, so that not all phones ask at the same moment.
  timer = setTimeout(poll, pollS * 1000 * (0.8 + 0.4 * Math.random()));
}

function fill() {
  if (document.fullscreenElement === null) wall.requestFullscreen();
  else document.exitFullscreen();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const isPressed = event.key === " " && event.target.closest("button") !== null;
  if (event.key.toLowerCase() === "f" && document.fullscreenEnabled) fill();
  else if (byId("show") === null || isPressed) return;
  else if (FORWARD.includes(event.key)) go(shown + 1);
  else if (BACK.includes(event.key)) go(shown - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(Infinity);
  else return;
  event.preventDefault();
});
wall.addEventListener("click", (event) => {
  const button = event.target.closest("button")?.id;
  if (button === "full") fill();
  else if (button === "back") go(shown - 1);
  else if (button === "all") go(Infinity);
  else if (button === "next" || event.target.closest("#spot") !== null) go(shown + 1);
});

byId("full").hidden = !document.fullscreenEnabled;
shown = Math.min(shown, winners().length);
show();
setInterval(count, 250);
document.addEventListener("visibilitychange", poll);
timer = setTimeout(poll, Math.random() * 1000);
