// Shows one section of a long form at a time. Without this script all of them stand one below the other.
document.addEventListener("DOMContentLoaded", () => {
  for (const nav of document.querySelectorAll("[data-tabs]")) {
    const tabs = [...nav.querySelectorAll("[data-tab]")];
    const panels = new Map(tabs.map((tab) => [tab.dataset.tab, document.getElementById(tab.dataset.tab)]));
    const remembered = `latchkey-tab:${location.pathname}`;

    const show = (id) => {
      for (const tab of tabs) {
        const chosen = tab.dataset.tab === id;
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
        panels.get(tab.dataset.tab).hidden = !chosen;
        if (chosen) nav.scrollLeft = tab.offsetLeft - nav.offsetLeft - nav.clientWidth / 3;
      }
      sessionStorage.setItem(remembered, id);
    };

    nav.setAttribute("role", "tablist");
    document.body.classList.add("lk-tabbed");
    tabs.forEach((tab, index) => {
      const panel = panels.get(tab.dataset.tab);
      tab.id = `tab-${tab.dataset.tab}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        show(tab.dataset.tab);
      });
      tab.addEventListener("keydown", (event) => {
        const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (target === undefined) return;
        event.preventDefault();
        const next = tabs[(target + tabs.length) % tabs.length];
        show(next.dataset.tab);
        next.focus();
      });
    });

    const wrong = tabs.find((tab) => "hasErrors" in panels.get(tab.dataset.tab).dataset);
    const asked = tabs.find((tab) => `#${tab.dataset.tab}` === location.hash);
    const last = tabs.find((tab) => tab.dataset.tab === sessionStorage.getItem(remembered));
    show((wrong || asked || last || tabs[0]).dataset.tab);
  }
});
