// What the pages share that follow a raffle: the one for phones, and the wall.

// As `standing` in parts.html writes it, from what `…/live/` answers.
function standingOf(live) {
  return `${live.state} ${live.wins} ${live.forfeits} ${live.closed_at ? "listed" : "unlisted"}`;
}

// Returns a part of a page as the server makes it now. Throws if it is another page, as that of a hotel's network.
function partOf(html, id) {
  const part = new DOMParser().parseFromString(html, "text/html").getElementById(id);
  if (part === null) throw new Error(`The page has no part ${id}.`);
  return part;
}
