// Follow a run: whenever its status changes, the page is fetched and its live parts are exchanged.
//
// A part has an id and the attribute data-live. `run:replaced` tells others that there are new ones.

const LEAST_MS = 500;

let isBusy = false;
let isDue = false;

export function follow(address) {
  const stream = new EventSource(address);
  stream.addEventListener("status", refresh);
  stream.addEventListener("done", () => {
    stream.close();
    refresh();
  });
}

// One fetch at a time; what happens meanwhile is seen by one more.
async function refresh() {
  isDue = true;
  if (isBusy) return;
  isBusy = true;
  while (isDue) {
    isDue = false;
    await replaceParts();
    await new Promise((resolve) => setTimeout(resolve, LEAST_MS));
  }
  isBusy = false;
}

async function replaceParts() {
  const text = await fetchPage();
  if (text === null) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old?.hasAttribute("data-live") && !old.contains(document.activeElement)) {
      keepOpen(old, part);
      old.replaceWith(document.adoptNode(part));
    }
  }
  document.dispatchEvent(new Event("run:replaced"));
}

async function fetchPage() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null; // The server is away; the stream connects again and tells of the next change.
  }
}

function keepOpen(old, part) {
  const opened = [...old.querySelectorAll("details")].map((one) => one.open);
  part.querySelectorAll("details").forEach((one, place) => (one.open ||= opened[place] ?? false));
}
