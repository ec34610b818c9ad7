// Conveniences only: every page works without this file.
"use strict";

// A "Show" button beside each secret.
for (const input of document.querySelectorAll('.secret input[type="password"]')) {
  const button = document.createElement("button");
  const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`);
  const name = label ? label.firstChild.textContent.trim() : "secret";
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
  };
  button.type = "button";
  button.className = "reveal";
  button.addEventListener("click", () => show(input.type === "password"));
  // Password managers and the browser's own memory look at the type when the form is sent.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  input.after(button);
}

// Say that something happens, and send a form once.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.name === "hand_on") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("button.button");
    button.textContent = form.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });
}
// Back from the next page, out of the browser's own memory: the form can be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Keep "in 5 minutes" true while the page is open.
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = (moment) => {
  const seconds = (moment - Date.now()) / 1000;
  const distance = Math.abs(seconds) >= 60 ? Math.abs(seconds) + 30 : 0;
  const unit = UNITS.find(([, length]) => distance >= length);
  if (!unit && seconds > 5) return `in ${Math.floor(seconds)} seconds`;
  if (!unit) return seconds > 0 ? "in a moment" : "just now";
  const count = Math.floor(distance / unit[1]);
  const words = `${count} ${unit[0]}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
};
setInterval(() => {
  for (const element of document.querySelectorAll("[data-relative]")) {
    element.textContent = relative(Date.parse(element.dataset.relative));
  }
}, 5000);

// A link to pass on.
for (const button of document.querySelectorAll("[data-copy]")) {
  const input = document.getElementById(button.dataset.copy);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    input.select();
    await navigator.clipboard.writeText(input.value);
    button.textContent = "Copied";
  });
}

// The page that waits for somebody else: show it anew when something has changed.
const watching = document.querySelector("[data-watch]");
if (watching) {
  setInterval(async () => {
    try {
      const answer = await fetch(window.location.href, { redirect: "manual" });
      const isSame = answer.ok && (await answer.text()).includes(`data-watch="${watching.dataset.watch}"`);
      if (!isSame) window.location.reload();
    } catch {
      // Offline for a moment: look again.
    }
  }, 5000);
}

// The page that waits: have the exchange made, and go on when it is over.
const waiting = document.querySelector("[data-run]");
if (waiting) {
  const run = () => fetch(waiting.dataset.run, { redirect: "manual" }).then(look, look);
  const look = async () => {
    let progress = null;
    try {
      const answer = await fetch(waiting.dataset.progress, { headers: { Accept: "application/json" } });
      // Signed out, cancelled in another tab, or expired: the page itself says so.
      if (answer.status === 404 || answer.status === 410 || answer.redirected) return window.location.reload();
      progress = answer.ok ? await answer.json() : null;
    } catch {
      // Offline for a moment: look again.
    }
    if (progress && progress.next) return window.location.replace(progress.next);
    if (progress && progress.waits_for_run) return void setTimeout(run, 1000);
    return void setTimeout(look, 1000);
  };
  if (waiting.dataset.claim === "yes") run();
  else look();
}
