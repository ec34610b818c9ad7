"""Instructions, from Markdown to HTML that is safe to show."""

from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# The page's own headings end at h2, "Instructions".
_SHIFT = 2


def render(source: str) -> SafeString:
    """HTML of the Markdown: raw HTML is shown as text, and addresses that could run a script are left as text."""
    # `html=False` escapes raw HTML, and markdown-it's own `validateLink` refuses javascript:, vbscript:, file: and
    # data: addresses (images of the usual kinds apart).
    html: str = _MARKDOWN.render(source)
    return mark_safe(html)  # noqa: S308


def _open_link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    token.attrSet("target", "_blank")
    token.attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    token.attrSet("loading", "lazy")
    token.attrSet("referrerpolicy", "no-referrer")
    return renderer.image(tokens, index, options, env)


def _heading(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    level = int(token.tag[1:])
    if len(token.tag) == 2 and not token.meta.get("shifted"):
        token.tag = f"h{min(level + _SHIFT, 6)}"
        token.meta["shifted"] = True
    return renderer.renderToken(tokens, index, options, env)


def _table(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    # A wide table scrolls by itself, by keyboard too, and the page doesn't.
    return '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'


def _table_end(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>"


def _made() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("link_open", _open_link)
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("heading_open", _heading)
    markdown.add_render_rule("heading_close", _heading)
    markdown.add_render_rule("table_open", _table)
    markdown.add_render_rule("table_close", _table_end)
    return markdown


_MARKDOWN = _made()
