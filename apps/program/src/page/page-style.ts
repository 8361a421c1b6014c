/** The page's style, for light and dark. */
export const pageStyle: string = `
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --panel: #ffffff; --ink: #1c1e21; --quiet: #5d6470; --line: #dcdee2;
  --accent: #2456c8; --on-accent: #ffffff;
  --hit: #0b6b3a; --hit-ground: #d9f2e3; --miss: #8a4b00; --miss-ground: #fdebcf; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --panel: #1c1f25; --ink: #e7e9ec; --quiet: #9ba3af; --line: #31363f;
    --accent: #8ab4ff; --on-accent: #0d1526;
    --hit: #7ee2a8; --hit-ground: #153a26; --miss: #ffc876; --miss-ground: #42300f; --bad: #ff9a92;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.75rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -0.01em; }
h2 { margin: 0 0 0.5rem; font-size: 1.05rem; }
h3 { margin: 1.1rem 0 0.3rem; font-size: 0.95rem; display: flex; gap: 0.5rem; align-items: baseline; }
header p { margin: 0.1rem 0 1.25rem; color: var(--quiet); }
.quiet { color: var(--quiet); font-size: 0.875rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; gap: 2rem; align-items: start; padding-bottom: 3rem; }
@media (max-width: 52rem) { main { grid-template-columns: minmax(0, 1fr); } }

button, input { font: inherit; color: inherit; }
button { cursor: pointer; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--panel); padding: 0.45rem 0.9rem; }
button:hover { border-color: var(--quiet); }
button:disabled { visibility: hidden; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[tabindex="-1"]:focus { outline: none; }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
.link { border: 0; background: none; padding: 0; color: var(--accent); text-align: left; overflow-wrap: anywhere; }
.link:hover { text-decoration: underline; }

form { display: flex; gap: 0.5rem; }
input { flex: 1; min-width: 0; padding: 0.65rem 0.9rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--panel); }
input::placeholder { color: var(--quiet); opacity: 1; }
#examples { margin: 0.6rem 0 0; display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; }
#answer { min-height: 1.5rem; margin: 1rem 0 0.6rem; display: flex; align-items: center; gap: 0.6rem; }
.failed { color: var(--bad); }

.badge { padding: 0.05rem 0.55rem; border-radius: 1rem; font-size: 0.8rem; font-weight: 700; text-transform: uppercase; letter-spacing: 0.04em; }
.hit { background: var(--hit-ground); color: var(--hit); }
.miss { background: var(--miss-ground); color: var(--miss); }
.ms, dd { font-variant-numeric: tabular-nums; }
.ms { white-space: nowrap; }
h3 .quiet { font-weight: 400; }
.backend.upstash { color: var(--hit); }
.backend.local { color: var(--miss); }

ol, ul { list-style: none; margin: 0; padding: 0; }
.result, .related { display: grid; gap: 0.1rem; width: 100%; text-align: left; overflow-wrap: anywhere; }
.result { padding: 0.7rem 0.9rem; margin-bottom: 0.5rem; }
.related { padding: 0.4rem 0.7rem; margin-bottom: 0.3rem; font-size: 0.92rem; }
.related span { color: var(--quiet); }

aside { display: grid; gap: 1rem; }
aside > section { background: var(--panel); border: 1px solid var(--line); border-radius: 0.75rem; padding: 1rem 1.1rem; min-width: 0; }
#operations { grid-column: 1 / -1; background: var(--panel); border: 1px solid var(--line); border-radius: 0.75rem; padding: 1rem 1.1rem; min-width: 0; }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.8rem 1.2rem; margin: 0 0 1rem; }
#tiles .quiet { font-size: 0.8rem; overflow-wrap: anywhere; }
dt { color: var(--quiet); font-size: 0.875rem; }
dd { margin: 0; font-weight: 700; font-size: 1.35rem; letter-spacing: -0.01em; line-height: 1.3; }
figure { margin: 0; }
#chart { display: block; width: 100%; height: 9rem; background: var(--ground); border-radius: 0.5rem; touch-action: none; }
#chart .grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
#chart .commands { fill: var(--accent); opacity: 0.55; }
#chart .answers { fill: none; stroke: var(--hit); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
#chart .answer { fill: var(--hit); }
#chart .away { fill: var(--miss-ground); }
#chart .chosen { fill: var(--ink); opacity: 0.18; }
figcaption { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; padding: 0.4rem 0 0.2rem; font-size: 0.8rem; }
.key::before { content: ""; display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.35rem; border-radius: 0.15rem; vertical-align: -0.05rem; }
.key.commands::before { background: var(--accent); opacity: 0.55; }
.key.answers::before { background: var(--hit); }
.key.away::before { background: var(--miss-ground); border: 1px solid var(--miss); }
#chart-told { flex-basis: 100%; min-height: 1.3rem; font-variant-numeric: tabular-nums; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem; margin: 0.4rem 0; }
[aria-pressed="true"] { border-color: var(--miss); color: var(--miss); }
#place { margin: 0.3rem 0; overflow-wrap: anywhere; }
summary { cursor: pointer; font-size: 0.9rem; }
#turns { max-height: 10rem; overflow-y: auto; }
#turns li { display: flex; justify-content: space-between; gap: 0.75rem; padding: 0.2rem 0; border-bottom: 1px solid var(--line); font-size: 0.9rem; }
#turns .local { color: var(--miss); }
#events { max-height: 18rem; overflow-y: auto; }
#events li.gap { color: var(--bad); }
#events li > span { overflow-wrap: anywhere; min-width: 0; }
#events time { white-space: nowrap; }
#live-state { float: right; }
#events li, #history li { display: flex; justify-content: space-between; align-items: baseline; gap: 0.75rem; padding: 0.25rem 0; border-bottom: 1px solid var(--line); }
.mark { display: flex; align-items: baseline; gap: 0.5rem; white-space: nowrap; font-size: 0.85rem; }

dialog { width: min(44rem, calc(100vw - 2rem)); max-height: calc(100vh - 4rem); border: 1px solid var(--line); border-radius: 0.75rem; padding: 0 1.4rem 1.4rem; background: var(--ground); color: var(--ink); }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
.dialog-bar { position: sticky; top: 0; display: flex; justify-content: space-between; align-items: center; padding: 0.9rem 0; background: var(--ground); }
#memory-answer { display: flex; gap: 0.6rem; align-items: center; }
#memory-title { font-size: 1.3rem; margin: 0.3rem 0 0; }
#memory-body > p { margin: 0.3rem 0; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
