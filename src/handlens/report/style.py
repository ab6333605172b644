"""The looks of a report: product colours, light and dark, from 320 px to a wide screen, and on paper."""

CSS = """
:root { --text: #1A1D21; --muted: #586069; --page: #FFFFFF; --faint: #E3E6EA; --soft: #F5F7F9; --right: #0072B2; --wrong: #B84A00; }
@media screen and (prefers-color-scheme: dark) {
  :root { --text: #E8EAED; --muted: #A9B1BA; --page: #14171B; --faint: #333A42; --soft: #1C2126; --right: #56B4E9; --wrong: #FF8A4C; }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; color: var(--text); background: var(--page); overflow-wrap: anywhere; }
p, dd { max-width: 44rem; }
h1 { font-size: 2rem; line-height: 1.15; margin: 0 0 0.75rem; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 0.5rem; }
section { margin-top: 2.25rem; padding-top: 1.5rem; border-top: 1px solid var(--faint); }
a { color: var(--right); }
:focus-visible { outline: 3px solid var(--right); outline-offset: 2px; }
.kicker, .small, .remark, footer { color: var(--muted); }
.kicker { margin: 0; }
.small, .remark, footer { font-size: 0.9rem; }
.lead { font-size: 1.15rem; }
.notice { padding: 0.5rem 0.75rem; border-left: 4px solid var(--wrong); background: var(--soft); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.key { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 1.25rem 0 0.5rem; }
.key div { display: flex; flex-direction: column-reverse; justify-content: flex-end; flex: 1 1 14rem; padding: 0.75rem 1rem; }
.key div { background: var(--soft); border-radius: 6px; }
.key dt { color: var(--muted); font-size: 0.9rem; }
.key dd { margin: 0; font-size: 1.6rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }

nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin: 1.5rem 0 0; padding: 0; list-style: none; font-size: 0.95rem; }
nav a { display: inline-block; padding: 0.2rem 0; }

.wide { overflow-x: auto; max-width: 100%; }
figure { margin: 1rem 0; }
figure img { display: block; max-width: none; }

table { border-collapse: collapse; margin: 1rem 0; font-size: 0.95rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; color: var(--muted); font-size: 0.9rem; padding-bottom: 0.35rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--faint); }
thead th { border-bottom: 2px solid var(--muted); }
tbody th { font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.hint { display: none; margin: 0.25rem 0 0; color: var(--muted); font-size: 0.9rem; }
td:last-child:not(.number) { min-width: 12rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr)); gap: 0.9rem; }
.tiles { margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { display: flex; flex-direction: column; font-size: 0.9rem; line-height: 1.35; max-width: 9rem; }
.tiles img { width: 100%; image-rendering: pixelated; border: 1px solid var(--faint); margin-bottom: 0.25rem; }
.tiles .right img { border: 2px solid var(--right); }
.tiles .wrong img { border: 4px solid var(--wrong); }
.tiles .right > span:first-of-type { color: var(--right); font-weight: 650; }
.tiles .wrong > span:first-of-type { color: var(--wrong); font-weight: 650; }
.tiles li > span + span { color: var(--muted); }
.tiles.samples { grid-template-columns: repeat(auto-fill, minmax(5rem, 1fr)); gap: 0.6rem; }
.tiles.units { grid-template-columns: repeat(auto-fill, minmax(52px, 1fr)); gap: 4px; }
.tiles.classes { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); text-align: center; }
.tiles.classes li { max-width: none; }
.tiles.pairs { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.tiles.pairs li { max-width: 15rem; }
.spots { position: relative; }
.spot { position: absolute; width: 12px; height: 12px; margin: -6px 0 0 -6px; border-radius: 50%; }
.spot:hover { outline: 2px solid var(--text); z-index: 1; }
.card { display: none; position: absolute; width: 8rem; padding: 0.4rem; font-size: 0.85rem; line-height: 1.3; }
.card { background: var(--page); border: 1px solid var(--muted); border-radius: 6px; pointer-events: none; }
.card.right { left: 14px; }
.card.left { right: 14px; }
.card.above { bottom: 14px; }
.card.below { top: 14px; }
.spot:hover .card { display: block; }
figure .card img { width: 100%; image-rendering: pixelated; margin-bottom: 0.25rem; }
.scale { white-space: nowrap; display: flex; align-items: center; gap: 0.5rem; font-size: 0.9rem; color: var(--muted); }
.scale img { width: 12rem; height: 0.9rem; border: 1px solid var(--muted); }

code { font: 0.95rem ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.commands dt { padding: 0.5rem 0.75rem; background: var(--soft); border-radius: 6px; white-space: nowrap; }
.commands dd { margin: 0.15rem 0 0.9rem 0.75rem; color: var(--muted); font-size: 0.95rem; }
summary { cursor: pointer; padding: 0.25rem 0; color: var(--right); }

@media screen and (max-width: 40rem) { figure .hint { display: block; } }
@media (max-width: 30rem) {
  table { font-size: 0.8rem; }
  th, td { padding-right: 0.4rem; }
  .hint { display: block; }
  .scale img { width: 9rem; }
  h1 { font-size: 1.6rem; }
  .tiles { grid-template-columns: repeat(3, 1fr); gap: 0.6rem; }
  .tiles.samples { grid-template-columns: repeat(5, 1fr); }
  .tiles.classes { grid-template-columns: repeat(2, 1fr); }
  .tiles.pairs { grid-template-columns: repeat(2, 1fr); }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  .wide { overflow: visible; }
  figure img { max-width: 100%; height: auto; }
  section { break-inside: auto; }
  h2 { break-after: avoid; }
  figure, tr, .tiles li, .key div { break-inside: avoid; }
  .tiles img, .scale img { print-color-adjust: exact; }
}
"""
