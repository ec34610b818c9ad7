// In the wizard: tells the page that opened or frames it how it goes. Without scripts the browser is led back instead.
"use strict";

const embedding = document.getElementById("embedding");
const host = window.parent === window ? window.opener : window.parent;
const tell = (message) => host.postMessage({ ...message, type: `latchkey.${message.type}` }, embedding.dataset.to);
const messages = JSON.parse(document.getElementById("messages").textContent);
const close = () => {
  tell({ ...messages.at(-1), type: "close" });
  window.close(); // a pop-up; a frame is removed by its page
};

if (host) {
  messages.forEach(tell);
  for (const leave of document.querySelectorAll("[data-leave]")) leave.hidden = true;
  for (const closing of document.querySelectorAll("[data-close]")) {
    closing.hidden = false;
    closing.addEventListener("click", close);
  }
  if (embedding.dataset.closes) close();
} else if (embedding.dataset.next) {
  window.location.replace(embedding.dataset.next);
}
