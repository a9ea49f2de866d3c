// Shows times in the reader's own time zone and language; without it, they are in UTC.

function showTimesIn(part) {
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const element of part.querySelectorAll("time[datetime]")) {
    element.textContent = shown.format(new Date(element.dateTime));
  }
}

showTimesIn(document);
