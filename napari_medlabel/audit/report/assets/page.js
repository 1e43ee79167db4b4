// Starts the page: unpacks the log, fills the list of events, wakes the buttons.

async function start() {
  const facts = jsonBlock("facts");
  const unpacked = unpackLog();
  unpacked.catch(() => {}); // told where it is awaited: below, and by the check
  watchCheck(unpacked, facts);
  const room = byId("all-events");
  room.textContent = "Reading the log …";
  try {
    const index = new EventIndex((await unpacked).filter(isSession));
    await index.fill();
    const filters = new EventFilters(index, facts);
    filters.apply();
    room.replaceChildren(filters.element);
    watchPatient(index, facts);
  } catch (error) {
    room.replaceChildren(chip("The log inside this page cannot be read", "red"));
    turnRed("The log inside this page cannot be read: the page was damaged or changed.");
    room.dataset.error = error.name;
  }
  room.setAttribute("aria-busy", "false");
  // For whoever measures: milliseconds from the begin of loading until all can be used.
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

document.documentElement.classList.add("scripted");
start();
