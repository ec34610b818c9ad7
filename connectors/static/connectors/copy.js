// Copies a text that is shown. Without this script, or where the browser doesn't allow it, a person selects the text.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const shown = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[data-copied]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(shown.textContent);
        said.textContent = "Copied.";
      } catch {
        // There is no clipboard on a page that came by plain http.
        getSelection().selectAllChildren(shown);
        said.textContent = "Selected: press Ctrl+C or ⌘C.";
      }
    });
  }
});
