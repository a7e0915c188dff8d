"""The few rules of style that the theme cannot say."""

from __future__ import annotations

from draw.layers import Theme
from draw.theme import TONES

ON_PRIMARY: dict[Theme, str] = {"light": "#ffffff", "dark": "#0b1a1e"}
"""What is written on buttons of the first colour: white on the bright one of dark is 2.35:1."""
QUIET: dict[Theme, str] = {"light": "#55616a", "dark": "#a3afb5"}
"""Captions and labels, at least 4.5:1 on page and sidebar."""

STRONG: dict[Theme, str] = {"light": "#075463", "dark": "#8fe0ea"}
"""What is chosen of several, on its tint."""

BLUE: dict[Theme, str] = {theme: better for theme, (better, _) in TONES.items()}
"""Words of a command, which Streamlit paints in a blue of its own."""

AHEAD = 0.25
"""Seconds by which the style goes ahead of a first page: sent together, the words are there before
it, and jump when it comes (a layout shift of 1.9 at 800 wide, where 1 is the whole window's)."""

_RULES = """
[data-testid="stMainBlockContainer"] {padding-inline: 2.2rem; max-width: 1680px;}
[data-testid="stSidebarUserContent"] {padding-left: 1.25rem; padding-right: 1.25rem;}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] {gap: 0.65rem;}
[data-testid="stMetricLabel"] p {font-size: 0.8rem; color: QUIET;}
[data-testid="stMetric"] {gap: 0;}
[data-testid="stMetric"], [data-testid="stMetric"] * {overflow: clip;}
[data-testid="stMetricDelta"] {font-size: 0.78rem;}
h1, h2, h3 {letter-spacing: -0.01em;}
[data-testid="stFileUploaderDropzoneInstructions"] * {white-space: normal; font-size: 0.78rem;}
[data-testid="stCaptionContainer"] {color: QUIET; opacity: 1;}
[data-selected="true"] [data-testid="stMarkdownContainer"] p {color: STRONG;}
[data-testid="stCaptionContainer"] p {line-height: 1.4;}
[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primary"] p,
[data-testid="stBaseButton-primary"] span {color: ON_PRIMARY;}
[data-testid="stCode"] .language-bash .token {color: inherit;}
[data-testid="stCode"] .token.keyword, [data-testid="stCode"] .token.parameter {color: BLUE;}
[data-testid="stCode"] .token.parameter {white-space: nowrap;}
[data-testid="stCode"] {overflow: auto;}
[data-testid="stCode"] pre {overflow: visible;}
[data-testid="stSelectboxVirtualDropdown"] li, [data-testid="stSelectboxVirtualDropdown"] li * {
    white-space: normal; line-height: 1.15; font-size: 0.8rem;}
.st-key-first_records [data-testid="stCode"] {max-height: 28rem;}
.st-key-landscape_now {margin-top: -0.5rem;}
.st-key-map_and_panel [data-stale="true"] {opacity: 1 !important;}
[data-testid="stLayoutWrapper"]:has(> .st-key-map_choice) {
    height: 0; margin-bottom: -1rem; position: relative; z-index: 2;}
@media (max-width: 1100px) {
    .st-key-small_maps {overflow-x: auto;}
    .st-key-small_maps > div, .st-key-small_maps [data-testid="stFullScreenFrame"]
        {min-width: 900px;}
    [data-testid="stMainBlockContainer"] {padding-inline: 1.2rem;}
    [data-testid="stMain"] [data-testid="stHorizontalBlock"] {flex-wrap: wrap;}
    [data-testid="stMain"] [data-testid="stColumn"] {min-width: min(100%, 21rem); flex: 1 1 21rem;}
    .st-key-map_and_panel [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]
        {min-width: 100%;}
    [data-testid="stMain"] [class*="st-key-numbers"] [data-testid="stColumn"] {
        min-width: 7.5rem; flex: 1 1 7.5rem;}
    [data-testid="stMain"] .st-key-pair_choice [data-testid="stColumn"] {
        min-width: 4.5rem; flex: 1 1 4.5rem;}
}
@media (min-width: 1101px) {[class*="st-key-sideways"] {display: none;}}
/* The place of what the browser has yet to load the drawing of: nothing below it moves then. */
[data-testid="stSidebar"] [class*="st-key-knob_"]:has(> [data-testid="stSkeleton"])
    {min-height: 56px;}
[data-testid="stSidebar"] :is(.st-key-knob_method, .st-key-knob_depth_target,
    .st-key-knob_study):has(> [data-testid="stSkeleton"]) {min-height: 64px;}
[data-testid="stSidebar"] :is(.st-key-knob_amount, .st-key-knob_sweep):has(
    > [data-testid="stSkeleton"]) {min-height: 38px;}
[class*="st-key-numbers"] [data-testid="stSkeleton"] {height: 79px;}
.st-key-landscape_now [data-testid="stSkeleton"] {height: 19px;}
[data-testid="stHorizontalBlock"] > [data-testid="stElementContainer"]:has(
    > [data-testid="stSkeleton"]) {flex: 0 1 6rem; min-width: 0;}
.st-key-upload:has(> [data-testid="stSkeleton"]) {min-height: 118px;}
.st-key-knob_format:has(> [data-testid="stSkeleton"]) {min-height: 330px;}
.st-key-map_and_panel:not(:has(.st-key-terrain, .st-key-no_map)) .st-key-map
    {min-height: calc(clamp(380px, 100vh - 380px, 820px) + 60px);}
/* What a table's own download writes, a spreadsheet would calculate; the page offers its own. */
[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) {display: none;}
"""


def style(theme: Theme) -> str:
    """Return the rules for a theme, as a style element."""
    rules = _RULES
    for word, inks in (
        ("ON_PRIMARY", ON_PRIMARY),
        ("QUIET", QUIET),
        ("STRONG", STRONG),
        ("BLUE", BLUE),
    ):
        rules = rules.replace(word, inks[theme])
    return f"<style>{rules}</style>"
