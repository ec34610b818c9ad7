// Opens a set-up link in a frame within `frame`, or else in a pop-up window, and hands on what the wizard says.
// on: { ready, finish, error, close }, functions that are given the message. Call it when a button is clicked.
function openLatchkey(targetUrl, { on = {}, frame = null, autoClose = true } = {}) {
  const url = new URL(targetUrl);
  url.searchParams.set("origin", window.location.origin);
  url.searchParams.set("auto_close", autoClose ? "1" : "0");
  let element = null;
  let wizard = null;
  let watch = null;
  const stop = (message) => {
    clearInterval(watch);
    window.removeEventListener("message", hear);
    if (element) element.remove();
    else wizard.close();
    if (on.close) on.close(message);
  };
  const hear = (event) => {
    if (event.origin !== url.origin || event.source !== wizard) return;
    const type = event.data && event.data.type;
    if (type === "latchkey.ready" && on.ready) on.ready(event.data);
    if (type === "latchkey.finish" && on.finish) on.finish(event.data);
    if (type === "latchkey.error" && on.error) on.error(event.data);
    if (type === "latchkey.close") stop(event.data);
  };
  window.addEventListener("message", hear);
  if (frame) {
    element = document.createElement("iframe");
    Object.assign(element, { src: url.href, title: "Set-up", width: "100%", height: "760" });
    frame.append(element);
    wizard = element.contentWindow;
    return;
  }
  wizard = window.open(url.href, "_blank", "popup,width=760,height=860");
  if (!wizard) return window.location.assign(targetUrl); // pop-ups are blocked: redirect
  watch = setInterval(() => wizard.closed && stop({ type: "latchkey.close" }), 500);
}
