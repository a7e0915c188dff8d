"""The few rules of style that the theme cannot say."""

STYLE = """<style>
[data-testid="stMainBlockContainer"] {padding-inline: 2.2rem; max-width: 1680px;}
[data-testid="stSidebarUserContent"] {padding-left: 1.25rem; padding-right: 1.25rem;}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] {gap: 0.65rem;}
[data-testid="stMetricLabel"] p {font-size: 0.8rem; opacity: 0.75;}
[data-testid="stMetric"] {gap: 0;}
[data-testid="stMetricDelta"] {font-size: 0.78rem;}
h1, h2, h3 {letter-spacing: -0.01em;}
[data-testid="stFileUploaderDropzoneInstructions"] * {white-space: normal; font-size: 0.78rem;}
[data-testid="stCaptionContainer"] p {line-height: 1.4;}
/* What a table's own download writes, a spreadsheet would calculate; the page offers its own. */
[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) {display: none;}
</style>"""
