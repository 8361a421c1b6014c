import { chartScript } from "./chart-script.ts";
import { dashboardScript } from "./dashboard-script.ts";
import { elementsScript } from "./elements-script.ts";
import { liveScript } from "./live-script.ts";
import { memoryScript } from "./memory-script.ts";
import { pageStyle } from "./page-style.ts";
import { searchScript } from "./search-script.ts";

const examples = ["dog that herds sheep", "musical instrument with strings", "move quickly on foot", "feeling of joy"];

/**
 * The page, whole: nothing else is loaded.
 *
 * @param nonce - Stands in the answer's Content-Security-Policy, which lets nothing else run; never of a visitor's making.
 */
export function pageHtml(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Memory search · continuum-cache</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${pageStyle}</style>
</head>
<body>
<header>
  <h1>Memory search</h1>
  <p id="about">WordNet 3.1 through continuum-cache</p>
</header>
<main>
  <section id="operations" aria-labelledby="operations-title">
    <h2 id="operations-title">Operations</h2>
    <dl id="tiles"></dl>
    <figure>
      <svg id="chart" viewBox="0 0 960 180" preserveAspectRatio="none" role="img" tabindex="0" aria-label="The last ten minutes: commands, answers, and when the server was away" aria-describedby="chart-told" aria-keyshortcuts="ArrowLeft ArrowRight Home End Escape"></svg>
      <figcaption>
        <span class="key commands" id="chart-commands"></span>
        <span class="key answers" id="chart-answers"></span>
        <span class="key away">Server away</span>
        <span id="chart-told" class="quiet" role="status"></span>
      </figcaption>
    </figure>
    <div class="controls">
      <button id="cut" type="button" aria-pressed="false" hidden>Cut the server off</button>
      <button id="invalidate" type="button">Invalidate query cache</button>
      <span id="done" role="status"></span>
    </div>
    <p id="place" class="quiet"></p>
    <details>
      <summary>Backend history</summary>
      <ol id="turns"></ol>
      <p id="no-turns" class="quiet">The primary has answered ever since this server started.</p>
    </details>
  </section>
  <section aria-label="Search">
    <form id="form" role="search">
      <input id="query" type="search" name="q" maxlength="200" required autofocus autocomplete="off" spellcheck="false"
        placeholder="Describe what you are looking for" aria-label="What to search for">
      <button class="primary">Search</button>
    </form>
    <p id="examples" class="quiet">Try ${examples.map((text) => `<button type="button" class="link">${text}</button>`).join(" ")}</p>
    <p id="answer" role="status"></p>
    <ol id="results"></ol>
  </section>
  <aside>
    <section aria-labelledby="live-title">
      <h2 id="live-title">As it happens <span id="live-state" class="badge miss">connecting</span></h2>
      <ol id="events"></ol>
      <p id="no-events" class="quiet">What other windows search and open will be listed here.</p>
    </section>
    <section aria-labelledby="history-title">
      <h2 id="history-title">Last answers</h2>
      <ol id="history"></ol>
      <p id="no-history" class="quiet">Your searches will be listed here.</p>
    </section>
  </aside>
</main>
<dialog id="memory" aria-labelledby="memory-title">
  <div class="dialog-bar">
    <button id="memory-back" type="button">Back</button>
    <span id="memory-answer"></span>
    <button id="memory-close" type="button">Close</button>
  </div>
  <h2 id="memory-title" tabindex="-1"></h2>
  <div id="memory-body"></div>
</dialog>
<script type="module" nonce="${nonce}">${elementsScript}${chartScript}${dashboardScript}${memoryScript}${liveScript}${searchScript}</script>
</body>
</html>
`;
}
