// Adds and removes rows of names and values. Without this script a few spare rows can be filled in.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("[data-rows]")) {
    const template = table.querySelector(":scope > template");
    const add = table.querySelector(":scope > .lk-add");
    if (!template) continue;
    let next = Number(table.dataset.next) + 100;

    const arm = (row) => {
      const remove = row.querySelector(".lk-remove");
      remove.hidden = false;
      remove.addEventListener("click", () => {
        const beside = row.nextElementSibling?.querySelector("input") || add;
        row.remove();
        beside.focus();
        table.dispatchEvent(new Event("change", { bubbles: true }));
      });
    };
    const append = () => {
      const copy = template.content.cloneNode(true);
      for (const control of copy.querySelectorAll("[name]")) control.name = control.name.replace("__index__", next);
      next += 1;
      const row = copy.querySelector("[data-row]");
      arm(row);
      table.insertBefore(copy, template);
      return row;
    };

    for (const spare of table.querySelectorAll("[data-spare]")) spare.remove();
    for (const row of table.querySelectorAll(":scope > [data-row]")) arm(row);
    add.hidden = false;
    add.addEventListener("click", () => append().querySelector("input").focus());
    table.addRow = append;
  }
});
