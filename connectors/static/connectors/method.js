// What depends on something else on an authentication method's page: fields of the body, Content-Type, the preview.
document.addEventListener("DOMContentLoaded", () => {
  const format = document.getElementById("id_body_format");
  const authentication = document.getElementById("id_client_authentication");
  const lines = (name) => document.querySelectorAll(`.field-line.field-${name}`);
  const toggle = (name, isShown) => {
    for (const line of lines(name)) line.hidden = !isShown && !line.classList.contains("errors");
  };
  const types = {
    form: "application/x-www-form-urlencoded",
    json: "application/json",
    text: "text/plain; charset=utf-8",
  };

  const followFormat = (table) => {
    const rows = [...table.querySelectorAll(":scope > [data-row]")];
    const row = rows.find((one) => one.querySelector("input").value.trim().toLowerCase() === "content-type");
    const wanted = types[format.value];
    if (row) {
      const value = row.querySelector("textarea");
      if (!Object.values(types).includes(value.value.trim())) return;
      if (wanted) value.value = wanted;
      else row.remove();
    } else if (wanted && table.addRow) {
      const added = table.addRow();
      added.querySelector("input").value = "Content-Type";
      added.querySelector("textarea").value = wanted;
    }
  };

  const showBody = () => {
    toggle("body", format.value === "form" || format.value === "json");
    toggle("body_text", format.value === "text" || format.value === "json");
  };
  const showEncoding = () => toggle("basic_encoding", authentication.value === "client_secret_basic");

  if (format && !format.disabled) {
    showBody();
    format.addEventListener("change", () => {
      showBody();
      const headers = document.querySelector('[data-rows="headers"]');
      if (headers) followFormat(headers);
    });
  }
  if (authentication && !authentication.disabled) {
    showEncoding();
    authentication.addEventListener("change", showEncoding);
  }

  const refresh = document.querySelector("[data-preview-button]");
  const source = document.getElementById("id_instructions");
  if (refresh && source) {
    refresh.hidden = false;
    let waiting;
    const show = async () => {
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      const answer = await fetch(refresh.dataset.url, {
        method: "POST",
        headers: { "X-CSRFToken": token },
        body: new URLSearchParams({ instructions: source.value }),
      });
      if (answer.ok) document.querySelector("[data-preview-of]").innerHTML = await answer.text();
    };
    refresh.addEventListener("click", show);
    source.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 400);
    });
  }
});
