// The desk: what the pages of managers do more comfortably with a script.

// A second press of a button that is being answered could be taken for a second request.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    // The answer may be a file, after which this page stays.
    setTimeout(() => { delete form.dataset.sent; }, 2000);
  });
}

// Fields for times: shown in the browser's zone. Next to each is the offset from UTC of the time that is in it.
const offsetAt = (moment) => {
  const minutes = -moment.getTimezoneOffset();
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
};
const localText = (moment) => {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60000).toISOString();
  return shifted.slice(0, moment.getSeconds() ? 19 : 16);
};
for (const part of document.querySelectorAll("[data-time]")) {
  const time = part.querySelector("input[type=datetime-local]");
  const offset = part.querySelector("input[type=hidden]");
  const hint = part.querySelector("[data-zone]");
  const moment = new Date(time.value + offset.value);
  if (time.value && !Number.isNaN(moment.getTime())) [time.value, offset.value] = [localText(moment), offsetAt(moment)];
  // JavaScript makes another time of one that the clocks skip, when summer time begins.
  const exists = () => {
    const clock = /(\d\d):(\d\d)/.exec(time.value);
    const moment = new Date(time.value);
    if (!clock || Number.isNaN(moment.getTime())) return true;
    return moment.getHours() === Number(clock[1]) && moment.getMinutes() === Number(clock[2]);
  };
  // When summer time ends, an hour comes twice. So the offset of a time that no one changed stays.
  let noted = time.value;
  const note = () => {
    if (!time.value || time.value === noted) return;
    noted = time.value;
    offset.value = exists() ? offsetAt(new Date(noted)) : "skipped";
  };
  time.addEventListener("input", note);
  time.form.addEventListener("submit", note);
  hint.textContent = hint.dataset.zone.replace("{zone}", Intl.DateTimeFormat().resolvedOptions().timeZone);
}

for (const element of document.querySelectorAll("[data-countdown]")) {
  const until = new Date(element.dataset.countdown).getTime();
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    element.textContent = left > 0 ? element.dataset.running.replace("{time}", time) : element.dataset.over;
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}

// Secrets in the fragment of a link move into a form, and out of the address bar and the history.
const forget = () => history.replaceState(null, "", location.pathname + location.search);

const passForm = document.querySelector("[data-pass]");
const useToken = () => {
  // Other fragments are places on the page, or links that were copied wrong.
  if (!/^#rkp_[0-9a-f]{32}$/.test(location.hash)) return;
  passForm.querySelector("[name=token]").value = location.hash.slice(1);
  passForm.querySelector("[data-pass-field]").hidden = true;
  passForm.querySelector("[data-pass-found]").hidden = false;
  passForm.querySelector("button").focus();
  forget();
};
if (passForm) {
  useToken();
  window.addEventListener("hashchange", useToken);
}

const isTicket = () => /[#&]t=\d+&c=./.test(location.hash);
const ticketForm = document.querySelector("[data-ticket]");
const lookAtTicket = () => {
  if (!isTicket()) return;
  const scan = ticketForm.querySelector("[name=scan]");
  scan.value = location.hash;
  forget();
  ticketForm.requestSubmit();
};
if (ticketForm) {
  // What is scanned next replaces what was wrong.
  const scan = ticketForm.querySelector("[name=scan]");
  scan.setSelectionRange(0, scan.value.length);
  lookAtTicket();
  window.addEventListener("hashchange", lookAtTicket);
}
