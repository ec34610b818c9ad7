"""Lines of a trial as HTML: what is covered and where each value came from."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from connectors.oauth2.marking import Line, Segment

register = template.Library()


@register.filter
def marked(line: Line) -> SafeString:
    return format_html_join("", "{}", ((_segment(segment),) for segment in line))


@register.filter
def braced(name: str) -> str:
    """A variable's key as templates write it."""
    return f"{{{{{name}}}}}"


def _segment(segment: Segment) -> SafeString:
    text = format_html('<span class="lk-covered">{}</span>' if segment.is_masked else "{}", segment.text)
    if segment.names and not segment.is_masked:
        text = format_html('<span class="lk-marked">{}</span>', segment.text)
    names = format_html_join("", ' <span class="lk-source">{}</span>', ((braced(name),) for name in segment.names))
    note = format_html(' <span class="lk-said">{}</span>', segment.note) if segment.note else ""
    return format_html("{}{}{}", text, names, note)
