"""How explanations and summaries look as HTML: the page's own font and background, light and dark.

The three hues are of Okabe and Ito, "Color universal design", 2008, darkened on white and lightened
on black, so that all are read at a contrast of 4.5 to 1.
"""

from __future__ import annotations

_LIGHT = (
    "--aino-ink:#1c1e21;--aino-pale:#5a6169;--aino-line:#d5dae0;--aino-fill:#f5f7f9;"
    "--aino-paper:#ffffff;--aino-incoming:#00598c;--aino-local:#9a4d00;--aino-product:#00664a;"
    "--aino-why:#fdf3dc;--aino-whyline:#c48a1a;--aino-code:#7a3e7d;"
)
_DARK = (
    "--aino-ink:#e4e7eb;--aino-pale:#a3abb4;--aino-line:#3c444d;--aino-fill:#1d2228;"
    "--aino-paper:#14171a;--aino-incoming:#6cc0f0;--aino-local:#f0a860;--aino-product:#4fd0a4;"
    "--aino-why:#33291230;--aino-whyline:#c48a1a;--aino-code:#d9a2dc;"
)
#: Notebooks say on their body, or on the root, which of the two they are.
_DARK_PAGES = (
    '[data-jp-theme-light="false"] .aino-page,[data-theme="dark"] .aino-page,'
    '[theme="dark"] .aino-page,.vscode-dark .aino-page'
)
_LIGHT_PAGES = (
    '[data-jp-theme-light="true"] .aino-page,[data-theme="light"] .aino-page,'
    '[theme="light"] .aino-page,.vscode-light .aino-page'
)
#: What stands on every page: its colours, its font, and the paper that they are read on.
COLOURS = (
    f".aino-page{{{_LIGHT}color:var(--aino-ink);background:var(--aino-paper);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;"
    "padding:1em 1.4em;border-radius:8px;max-width:62em;color-scheme:light dark}"
    f"@media (prefers-color-scheme:dark){{.aino-page{{{_DARK}}}}}"
    f"{_DARK_PAGES}{{{_DARK}}}{_LIGHT_PAGES}{{{_LIGHT}}}"
)
STYLE = (
    f"{COLOURS}"
    ".aino-page h2,.aino-page h3,.aino-page h4{margin:.3em 0 .5em;line-height:1.35;"
    "color:var(--aino-ink)}"
    ".aino-page h2{font-size:1.35em}.aino-page h3{font-size:1.1em;border-bottom:1px solid "
    "var(--aino-line);padding-bottom:.2em;margin-top:1.1em}.aino-page h4{font-size:1em}"
    ".aino-page small{font-weight:normal;color:var(--aino-pale);font-size:.85em;margin-left:.5em}"
    ".aino-page p{margin:.35em 0}"
    ".aino-step{background:var(--aino-fill);border:1px solid var(--aino-line);border-radius:8px;"
    "padding:.5em 1em;margin:.7em 0}"
    ".aino-module{border-left:3px solid var(--aino-line);padding-left:.8em;margin:.7em 0}"
    ".aino-module>summary{cursor:pointer;padding:.15em 0}"
    ".aino-equation{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;"
    "gap:.2em 1.5em;margin:.3em 0;font-family:'STIX Two Math','Cambria Math','Latin Modern Math',"
    "'DejaVu Serif',Georgia,serif;font-size:1.05em}"
    ".aino-equation>span:first-child{overflow-x:auto}"
    ".aino-beside{color:var(--aino-pale);font:13px system-ui,Helvetica,Arial,sans-serif;"
    "text-align:right}"
    ".aino-equals,.aino-dot{color:var(--aino-pale)}"
    ".aino-incoming{color:var(--aino-incoming)}.aino-local{color:var(--aino-local)}"
    ".aino-product{color:var(--aino-product);font-weight:600}"
    ".aino-why{background:var(--aino-why);border-left:3px solid var(--aino-whyline);"
    "padding:.3em .7em;border-radius:0 4px 4px 0}"
    ".aino-note{color:var(--aino-pale);font-style:italic}"
    ".aino-fraction{display:inline-flex;flex-direction:column;vertical-align:middle;"
    "text-align:center;line-height:1.2;margin:0 .15em}"
    ".aino-fraction>span:first-child{border-bottom:1px solid currentColor;padding:0 .2em}"
    ".aino-fraction>span:last-child{padding:0 .2em}"
    "table.aino-matrix{display:inline-table;vertical-align:middle;border-collapse:collapse;"
    "border:0;margin:.1em .25em;color:inherit;font-size:.95em;"
    "background:linear-gradient(currentColor,currentColor) 0 0/.3em 1px no-repeat,"
    "linear-gradient(currentColor,currentColor) 0 100%/.3em 1px no-repeat,"
    "linear-gradient(currentColor,currentColor) 100% 0/.3em 1px no-repeat,"
    "linear-gradient(currentColor,currentColor) 100% 100%/.3em 1px no-repeat,"
    "linear-gradient(currentColor,currentColor) 0 0/1px 100% no-repeat,"
    "linear-gradient(currentColor,currentColor) 100% 0/1px 100% no-repeat}"
    "table.aino-matrix td{border:0;padding:.05em .45em;text-align:right;background:none;"
    "font-variant-numeric:tabular-nums;color:inherit}"
)
#: A page of its own has the background of what stands on it.
PAGE = (
    "body{margin:0;background:#ffffff}.aino-page{margin:0 auto}"
    "@media (prefers-color-scheme:dark){body{background:#14171a}}"
)
