// The page of a new ticket: copies the code, prints, and keeps the ticket in this browser.

const byId = (id) => document.getElementById(id);
const answer = JSON.parse(byId("document").textContent);

function say(place, sentence) {
  byId(place).replaceChildren(byId(sentence).content.cloneNode(true));
}

async function copied(text) {
  // Over plain HTTP there is no clipboard, but a selected text can be copied.
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  getSelection().selectAllChildren(byId("code"));
  return document.execCommand("copy");
}

byId("copy").addEventListener("click", async () => {
  say("copied", (await copied(answer.verification_code)) ? "say-copied" : "say-not-copied");
});
byId("print").addEventListener("click", () => print());
// At the desk, the browser is not the holder's.
byId("keep")?.addEventListener("click", () => {
  const qr = new XMLSerializer().serializeToString(document.querySelector("svg.qr"));
  const { ticket_number: number, verification_code: code, receipt } = answer;
  const isKept = keepTicket(byId("ticket").dataset.id, { number, code, receipt, qr }, byId("ticket").dataset.key);
  byId("keep").hidden = isKept;
  say("kept", isKept ? "say-kept" : "say-not-kept");
});
