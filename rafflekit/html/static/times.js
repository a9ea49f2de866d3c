// Shows times in the reader's own time zone and language; without it, they are in UTC.

for (const element of document.querySelectorAll("time[datetime]")) {
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  element.textContent = shown.format(new Date(element.dateTime));
}
