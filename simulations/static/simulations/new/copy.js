// Buttons that copy a text of the page.
export function follow() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const told = button.parentElement.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        told.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(text);
        told.textContent = "Selected; copy it with your keyboard.";
      }
    });
  }
}
