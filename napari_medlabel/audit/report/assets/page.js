// Starts the page: unpacks the log, fills the list of events, wakes the buttons.

/** Unpack the log and make everything that needs it. */
async function wake(room, facts) {
  const log = unpackLog();
  log.catch(() => {}); // told where it is awaited: below, and by the check
  watchCheck(log, facts);
  room.textContent = "Reading the log …";
  try {
    const index = new EventIndex((await log).filter(isSession));
    await index.fill();
    const filters = new EventFilters(index, facts);
    filters.apply();
    room.replaceChildren(filters.element);
    watchPatient(index, facts);
    watchDownloads(log, index, facts);
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    room.replaceChildren(chip("The log inside this page cannot be read", "red"));
    turnRed(UNREADABLE);
    stopDownloads();
  }
}

async function start() {
  const room = byId("all-events");
  if (canUnpack()) await wake(room, jsonBlock("facts"));
  else {
    byId("check").disabled = true;
    stopDownloads();
    room.replaceChildren(
      "This browser is too old to unpack the log in this page. Nothing is wrong with the log; "
      + "take a browser of 2023 or later.");
  }
  room.setAttribute("aria-busy", "false");
  // For whoever measures: milliseconds from the begin of loading until all can be used.
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

document.documentElement.classList.add("scripted");
start();
