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
.st-key-map_and_panel [data-stale="true"] {opacity: 1 !important;}
@media (max-width: 1100px) {
  .st-key-map_and_panel [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]) {
    flex-wrap: wrap;
  }
  .st-key-map_and_panel [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]
    {min-width: 100%;}
}
</style>"""
