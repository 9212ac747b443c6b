"""The page's look for Gradio's own parts: system fonts and the tokens of assets/css/tokens.css.

Nothing is fetched from elsewhere: no scripts of others, and only where no system font has it a font
of ours with the characters of the Chinese texts (assets/css/fonts.css). The tokens change with the
``dark`` class that Gradio sets, so every value serves both themes.
"""

from __future__ import annotations

import gradio as gr

from awaken.ui import ASSETS

CSS = ASSETS / "css"
STYLES = ("tokens.css", "page.css", "rail.css", "brush.css", "history.css", "laboratory.css")

_GROUND, _RAISED, _SUNK = "var(--aw-ground)", "var(--aw-ground-raised)", "var(--aw-ground-sunk)"
_INK, _SOFT = "var(--aw-ink)", "var(--aw-ink-soft)"
_LINE, _EDGE = "var(--aw-line)", "var(--aw-edge)"
_ACCENT, _STRONG, _TINT = "var(--aw-accent)", "var(--aw-accent-strong)", "var(--aw-accent-soft)"
_ON_ACCENT, _BAD, _BAD_SOFT = "var(--aw-on-accent)", "var(--aw-bad)", "var(--aw-bad-soft)"

_VALUES = {
    "body_background_fill": _GROUND,
    "body_text_color": _INK,
    "body_text_color_subdued": _SOFT,
    "background_fill_primary": _GROUND,
    "background_fill_secondary": _SUNK,
    "border_color_primary": _LINE,
    "border_color_accent": _ACCENT,
    "border_color_accent_subdued": _EDGE,
    "color_accent": _ACCENT,
    "color_accent_soft": _TINT,
    "link_text_color": _ACCENT,
    "link_text_color_hover": _STRONG,
    "link_text_color_active": _STRONG,
    "link_text_color_visited": _ACCENT,
    "code_background_fill": _SUNK,
    "shadow_drop": "none",
    "shadow_drop_lg": "none",
    "block_background_fill": "transparent",
    "block_border_color": "transparent",
    "block_border_width": "0px",
    "block_info_text_color": _SOFT,
    "block_label_background_fill": _RAISED,
    "block_label_border_color": _LINE,
    "block_label_text_color": _SOFT,
    "block_title_text_color": _INK,
    "block_title_text_weight": "600",
    "block_padding": "0px",
    "block_shadow": "none",
    "panel_background_fill": "transparent",
    "panel_border_color": "transparent",
    "accordion_text_color": _INK,
    "section_header_text_weight": "600",
    "checkbox_background_color": _RAISED,
    "checkbox_background_color_focus": _RAISED,
    "checkbox_background_color_hover": _RAISED,
    "checkbox_background_color_selected": _ACCENT,
    "checkbox_border_color": _EDGE,
    "checkbox_border_color_focus": _ACCENT,
    "checkbox_border_color_hover": _ACCENT,
    "checkbox_border_color_selected": _ACCENT,
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": _SUNK,
    "checkbox_label_background_fill_selected": _TINT,
    "checkbox_label_border_color": _LINE,
    "checkbox_label_border_color_hover": _EDGE,
    "checkbox_label_border_color_selected": _ACCENT,
    "checkbox_label_text_color": _INK,
    "checkbox_label_text_color_selected": _INK,
    "checkbox_label_shadow": "none",
    "error_background_fill": _BAD_SOFT,
    "error_border_color": _BAD,
    "error_text_color": _BAD,
    "error_icon_color": _BAD,
    "input_background_fill": _RAISED,
    "input_background_fill_focus": _RAISED,
    "input_border_color": _EDGE,
    "input_border_color_hover": _EDGE,
    "input_border_color_focus": _ACCENT,
    "input_border_width": "1px",
    "input_placeholder_color": _SOFT,
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 2px var(--aw-accent-soft)",
    "loader_color": _ACCENT,
    "slider_color": _ACCENT,
    "button_primary_background_fill": _ACCENT,
    "button_primary_background_fill_hover": _STRONG,
    "button_primary_border_color": _ACCENT,
    "button_primary_border_color_hover": _STRONG,
    "button_primary_text_color": _ON_ACCENT,
    "button_primary_text_color_hover": _ON_ACCENT,
    "button_secondary_background_fill": _RAISED,
    "button_secondary_background_fill_hover": _SUNK,
    "button_secondary_border_color": _EDGE,
    "button_secondary_border_color_hover": _EDGE,
    "button_secondary_text_color": _INK,
    "button_secondary_text_color_hover": _INK,
    "button_cancel_background_fill": _RAISED,
    "button_cancel_background_fill_hover": _BAD_SOFT,
    "button_cancel_border_color": _BAD,
    "button_cancel_border_color_hover": _BAD,
    "button_cancel_text_color": _BAD,
    "button_cancel_text_color_hover": _BAD,
    "stat_background_fill": _TINT,
}


def theme() -> gr.themes.Base:
    """Base theme with our tokens, the same variables in light and dark."""
    base = gr.themes.Base(
        font=(
            "system-ui",
            "-apple-system",
            "Segoe UI",
            "Noto Sans",
            "Liberation Sans",
            "PingFang SC",
            "Microsoft YaHei",
            "Source Han Sans SC",
            "Noto Sans CJK SC",
            "Awaken SC",
            "sans-serif",
        ),
        font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Liberation Mono", "monospace"),
        text_size=gr.themes.sizes.text_md,
        radius_size=gr.themes.sizes.radius_md,
    )
    known = set(gr.themes.Base.set.__code__.co_varnames)
    dark = {f"{name}_dark": value for name, value in _VALUES.items() if f"{name}_dark" in known}
    return base.set(**_VALUES, **dark)


def head() -> str:
    """For the document's head: our style sheets, which Gradio would rewrite."""
    sheets = "\n".join((CSS / name).read_text(encoding="utf-8") for name in STYLES)
    fonts = '<link rel="stylesheet" href="present/fonts.css">'  # the stage for talks has them too
    return f"{fonts}\n<style>\n{sheets}\n</style>"


def script() -> str:
    """What runs before the page is drawn: the tab's name and memory."""
    return (CSS.parent / "js" / "tab.js").read_text(encoding="utf-8")
