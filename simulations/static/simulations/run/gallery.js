// Pictures in a dialog: the next and the one before by keys, a click shows every pixel.

export function enlargePictures() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.zoom");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });
}

function open(link) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Picture");
  const frame = document.createElement("div");
  frame.className = "frame";
  const picture = document.createElement("img");
  frame.append(picture);
  const links = [...document.querySelectorAll("a.zoom")];
  let place = links.indexOf(link);
  const show = () => {
    picture.src = links[place].href;
    picture.alt = links[place].querySelector("img")?.alt ?? links[place].textContent;
    frame.classList.remove("large");
  };
  const move = (by) => {
    place = (place + by + links.length) % links.length;
    show();
  };
  picture.addEventListener("click", () => frame.classList.toggle("large"));
  const buttons = document.createElement("p");
  buttons.className = "buttons";
  if (links.length > 1) buttons.append(button("Previous", () => move(-1)), button("Next", () => move(1)));
  buttons.append(button("Close", () => dialog.close()));
  dialog.append(buttons, frame);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  show();
  dialog.showModal();
}

function button(label, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", action);
  return made;
}
