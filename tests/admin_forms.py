"""The forms of the admin's pages, filled in as a browser without scripts would send them."""

from html.parser import HTMLParser

SKIPPED = ("submit", "button", "file", "image", "reset")


class _Reader(HTMLParser):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.inside = False
        self.in_template = 0
        self.fields: dict[str, str | list[str]] = {}
        self.textarea = ""
        self.select = ""

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.inside = attributes.get("id") == self.form
        if tag == "template":
            self.in_template += 1
        name = attributes.get("name", "")
        if not self.inside or self.in_template or "__prefix__" in name:
            self.textarea = self.select = "" if tag in ("textarea", "select") else self.select
            return
        if tag == "input" and "disabled" not in attributes and attributes.get("type") not in SKIPPED:
            if attributes.get("type") not in ("checkbox", "radio") or "checked" in attributes:
                self.fields[name] = attributes.get("value", "on" if attributes.get("type") == "checkbox" else "")
        elif tag == "textarea" and "disabled" not in attributes:
            self.textarea = name
            self.fields[name] = ""
        elif tag == "select" and "disabled" not in attributes:
            self.select = name
        elif tag == "option" and self.select and "selected" in attributes:
            self.fields[self.select] = attributes.get("value", "")

    def handle_endtag(self, tag):
        if tag == "template":
            self.in_template -= 1
        if tag == "textarea":
            self.textarea = ""
        if tag == "select":
            self.select = ""
        if tag == "form":
            self.inside = False

    def handle_data(self, data):
        if self.textarea:
            self.fields[self.textarea] += data


def form_in(response, form):
    """What the form with this id would send, unchanged: line breaks as CRLF, one after <textarea> left out."""
    reader = _Reader(form)
    reader.feed(response.content.decode())
    fields = {name: value for name, value in reader.fields.items() if name}
    return {
        name: value.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n") for name, value in fields.items()
    }
