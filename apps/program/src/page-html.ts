// Written by scripts/write-page.ts from src/page: edit that, then run it.

/**
 * The page, whole: nothing else is loaded.
 *
 * @param nonce - The one in the answer's Content-Security-Policy, which allows no other script or style. Never a
 * visitor's text.
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
    <style nonce="${nonce}">:root{color-scheme:light dark;--ground: #f7f7f5;--panel: #ffffff;--ink: #1c1e21;--quiet: #5d6470;--line: #dcdee2;--accent: #2456c8;--on-accent: #ffffff;--hit: #0b6b3a;--hit-ground: #d9f2e3;--miss: #8a4b00;--miss-ground: #fdebcf;--bad: #b3261e}@media(prefers-color-scheme:dark){:root{--ground: #14161a;--panel: #1c1f25;--ink: #e7e9ec;--quiet: #9ba3af;--line: #31363f;--accent: #8ab4ff;--on-accent: #0d1526;--hit: #7ee2a8;--hit-ground: #153a26;--miss: #ffc876;--miss-ground: #42300f;--bad: #ff9a92}}*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}header,main{max-width:68rem;margin:0 auto;padding:0 1.25rem}header{padding-top:1.75rem}h1{margin:0;font-size:1.6rem;letter-spacing:-.01em}h2{margin:0 0 .5rem;font-size:1.05rem}h3{margin:1.1rem 0 .3rem;font-size:.95rem;display:flex;gap:.5rem;align-items:baseline}header p{margin:.1rem 0 1.25rem;color:var(--quiet)}.quiet{color:var(--quiet);font-size:.875rem}main{display:grid;grid-template-columns:minmax(0,1fr) 20rem;gap:2rem;align-items:start;padding-bottom:3rem}@media(max-width:52rem){main{grid-template-columns:minmax(0,1fr)}}button,input{font:inherit;color:inherit}button{cursor:pointer;border:1px solid var(--line);border-radius:.5rem;background:var(--panel);padding:.45rem .9rem}button:hover{border-color:var(--quiet)}button:disabled{visibility:hidden}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}[tabindex="-1"]:focus{outline:none}.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}.link{border:0;background:none;padding:0;color:var(--accent);text-align:left;overflow-wrap:anywhere}.link:hover{text-decoration:underline}.badge{padding:.05rem .55rem;border-radius:1rem;font-size:.8rem;font-weight:700;text-transform:uppercase;letter-spacing:.04em}.hit{background:var(--hit-ground);color:var(--hit)}.miss{background:var(--miss-ground);color:var(--miss)}.ms,dd{font-variant-numeric:tabular-nums}.ms{white-space:nowrap}h3 .quiet{font-weight:400}.backend.upstash{color:var(--hit)}.backend.local{color:var(--miss)}form{display:flex;gap:.5rem}input{flex:1;min-width:0;padding:.65rem .9rem;border:1px solid var(--line);border-radius:.5rem;background:var(--panel)}input::placeholder{color:var(--quiet);opacity:1}#examples{margin:.6rem 0 0;display:flex;flex-wrap:wrap;gap:.15rem .9rem}#answer{min-height:1.5rem;margin:1rem 0 .6rem;display:flex;align-items:center;gap:.6rem}.failed{color:var(--bad)}ol,ul{list-style:none;margin:0;padding:0}.result,.related{display:grid;gap:.1rem;width:100%;text-align:left;overflow-wrap:anywhere}.result{padding:.7rem .9rem;margin-bottom:.5rem}.related{padding:.4rem .7rem;margin-bottom:.3rem;font-size:.92rem}.related span{color:var(--quiet)}aside{display:grid;gap:1rem}aside>section{background:var(--panel);border:1px solid var(--line);border-radius:.75rem;padding:1rem 1.1rem;min-width:0}#operations{grid-column:1 / -1;background:var(--panel);border:1px solid var(--line);border-radius:.75rem;padding:1rem 1.1rem;min-width:0}#tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem 1.2rem;margin:0 0 1rem}#tiles .quiet{font-size:.8rem;overflow-wrap:anywhere}dt{color:var(--quiet);font-size:.875rem}dd{margin:0;font-weight:700;font-size:1.35rem;letter-spacing:-.01em;line-height:1.3}figure{margin:0}#chart{height:9rem;overflow:hidden;background:var(--ground);border-radius:.5rem;touch-action:none}#drawing{display:block;width:100%;height:100%}#chart .grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}#chart .commands{fill:var(--accent);opacity:.55}#chart .answers{fill:none;stroke:var(--hit);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}#chart .answer{fill:var(--hit)}#chart .away{fill:var(--miss-ground)}#chart .chosen{fill:var(--ink);opacity:.18}figcaption{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:.4rem 0 .2rem;font-size:.8rem}.key:before{content:"";display:inline-block;width:.7rem;height:.7rem;margin-right:.35rem;border-radius:.15rem;vertical-align:-.05rem}.key.commands:before{background:var(--accent);opacity:.55}.key.answers:before{background:var(--hit)}.key.away:before{background:var(--miss-ground);border:1px solid var(--miss)}#chart-told{flex-basis:100%;min-height:1.3rem;font-variant-numeric:tabular-nums}.controls{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem;margin:.4rem 0}[aria-pressed=true]{border-color:var(--miss);color:var(--miss)}#place{margin:.3rem 0;overflow-wrap:anywhere}summary{cursor:pointer;font-size:.9rem}#turns{max-height:10rem;overflow-y:auto}#turns li{display:flex;justify-content:space-between;gap:.75rem;padding:.2rem 0;border-bottom:1px solid var(--line);font-size:.9rem}#turns .local{color:var(--miss)}#events{max-height:18rem;overflow-y:auto}#events li.gap{color:var(--bad)}#events li>span{overflow-wrap:anywhere;min-width:0}#events time{white-space:nowrap}#live-state{float:right}#events li,#history li{display:flex;justify-content:space-between;align-items:baseline;gap:.75rem;padding:.25rem 0;border-bottom:1px solid var(--line)}.mark{display:flex;align-items:baseline;gap:.5rem;white-space:nowrap;font-size:.85rem}dialog{width:min(44rem,calc(100vw - 2rem));max-height:calc(100vh - 4rem);border:1px solid var(--line);border-radius:.75rem;padding:0 1.4rem 1.4rem;background:var(--ground);color:var(--ink)}dialog::backdrop{background:#00000073}.dialog-bar{position:sticky;top:0;display:flex;justify-content:space-between;align-items:center;padding:.9rem 0;background:var(--ground)}#memory-answer{display:flex;gap:.6rem;align-items:center}#memory-title{font-size:1.3rem;margin:.3rem 0 0}#memory-body>p{margin:.3rem 0}</style>
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
          <div
            id="chart"
            role="slider"
            tabindex="0"
            aria-label="The last ten minutes: commands, answers, and when the server was away"
            aria-valuemin="0"
            aria-valuemax="0"
            aria-valuenow="0"
            aria-keyshortcuts="ArrowLeft ArrowRight Home End Escape"
          >
            <svg id="drawing" viewBox="0 0 960 180" preserveAspectRatio="none" aria-hidden="true"></svg>
          </div>
          <figcaption>
            <span class="key commands" id="chart-commands"></span>
            <span class="key answers" id="chart-answers"></span>
            <span class="key away">Server away</span>
            <span id="chart-told" class="quiet"></span>
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
        <search>
          <form id="form">
            <input
              id="query"
              type="search"
              name="q"
              maxlength="200"
              required
              autocomplete="off"
              spellcheck="false"
              placeholder="Describe what you are looking for"
              aria-label="What to search for"
            >
            <button type="submit" class="primary">Search</button>
          </form>
        </search>
        <p id="examples" class="quiet">
          Try <button type="button" class="link">dog that herds sheep</button>
          <button type="button" class="link">musical instrument with strings</button>
          <button type="button" class="link">move quickly on foot</button>
          <button type="button" class="link">feeling of joy</button>
        </p>
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
      <h2 id="memory-title" tabindex="-1">Loading…</h2>
      <div id="memory-body"></div>
    </dialog>
    <script type="module" nonce="${nonce}">async function f(e,t){let n=await fetch(e,t).catch(()=>{throw new Error("The server gives no answer: is it still running?")});if(n.ok)return n.json();let{error:r}=await n.json();throw new Error(r)}function _(e,t,n){return f(t,{method:e,headers:{"content-type":"application/json"},body:JSON.stringify(n)})}var w=e=>e instanceof Error?e.message:String(e);function o(e,t=HTMLElement){let n=document.getElementById(e);if(!(n instanceof t))throw new Error(\`page.html has no \${t.name} #\${e}\`);return n}function i(e,t,...n){let r=document.createElement(e);return Object.assign(r,t),r.append(...n),r}function E(e,t,...n){let r=i("button",{type:"button",className:e},...n);return r.addEventListener("click",t),r}function N(e,t,n){for(e.prepend(t);e.children.length>n;)e.lastElementChild?.remove()}var c=e=>e.toLocaleString("en-US");function p(e){let t=e>=100?0:e>=10?1:2;return\`\${e.toFixed(t)} ms\`}var A=e=>i("time",{className:"quiet",dateTime:e.toISOString(),textContent:e.toLocaleTimeString()}),S=({cache:e,ms:t})=>[i("span",{className:\`badge \${e}\`,textContent:e}),i("span",{className:"ms",textContent:p(t)})];var Q=960,h=180,F=120,T=Q/F,x=o("chart"),d=[],R;function z(e){d=e,q()}var O=e=>\`\${e.toFixed(e>=10?0:1)}/s\`;function $(e,t){let n=document.createElementNS("http://www.w3.org/2000/svg",e);for(let[r,s]of Object.entries(t))n.setAttribute(r,String(s));return n}function J(e){let t=Math.max(1,...e),n=10**Math.floor(Math.log10(t));return([1,2,5].find(r=>r*n>=t)??10)*n}function ue(e){let{atMs:t,commandsPerSecond:n,requestsPerSecond:r,hitRate:s,answers:a,errors:m,limited:u,backend:y}=e;return[new Date(t).toLocaleTimeString(),y==="local"?"local memory":"primary",\`\${O(n)} commands\`,\`\${O(r)} requests\`,s===null?"no reads":\`\${(s*100).toFixed(0)} % hits\`,a?\`p50 \${p(a.p50)}, p95 \${p(a.p95)}, p99 \${p(a.p99)}\`:"no answers",...m>0?[\`\${c(m)} errors\`]:[],...u>0?[\`\${c(u)} refused by limits\`]:[]].join(" · ")}var H=e=>(F-d.length+e)*T;function q(){let e=J(d.map(({commandsPerSecond:r})=>r)),t=J(d.map(({answers:r})=>r?.p95??0)),n=X();o("drawing",SVGSVGElement).replaceChildren(...[.25,.5,.75].map(r=>$("line",{class:"grid",x1:0,x2:Q,y1:h*r,y2:h*r})),...fe(e),...ye(t),...n>=0?[$("rect",{class:"chosen",x:H(n),y:0,width:T,height:h})]:[]),o("chart-commands").textContent=\`Commands, up to \${e}/s\`,o("chart-answers").textContent=\`Answers p95, up to \${p(t)}\`,he(n)}function fe(e){return d.flatMap(({backend:t,commandsPerSecond:n},r)=>{let s=H(r),a=n/e*h,m=$("rect",{class:"commands",x:s+1,y:h-a,width:T-2,height:a});return t==="local"?[$("rect",{class:"away",x:s,y:0,width:T,height:h}),m]:[m]})}function ye(e){let t=d.flatMap(({answers:r},s)=>r?[{x:H(s)+T/2,y:h-r.p95/e*h,index:s}]:[]),n=t.map(({x:r,y:s,index:a})=>\`\${d[a-1]?.answers?"L":"M"}\${r} \${s}\`);return[...t.map(({x:r,y:s})=>$("circle",{class:"answer",cx:r,cy:s,r:2})),$("path",{class:"answers",d:n.join("")})]}function he(e){let t=d[e]??d.at(-1),n=t?ue(t):"The first five seconds are not over yet.";o("chart-told").textContent=n,x.ariaValueMax=String(Math.max(0,d.length-1)),x.ariaValueNow=String(e>=0?e:Math.max(0,d.length-1)),x.ariaValueText=n}var X=()=>d.findIndex(({atMs:e})=>e===R);function L(e){let t=d[Math.max(0,Math.min(d.length-1,e))];t&&(R=t.atMs,q())}function Y(){R=void 0,q()}x.addEventListener("keydown",e=>{let t=d.length-1,n=R===void 0?t:X(),s={ArrowLeft:()=>L(n-1),ArrowRight:()=>L(n+1),Home:()=>L(0),End:()=>L(t),Escape:Y}[e.key];s&&(e.preventDefault(),s())});x.addEventListener("pointermove",({offsetX:e})=>{let t=e/x.clientWidth;L(Math.floor(t*F)-(F-d.length))});x.addEventListener("pointerleave",Y);var ge=2e3;async function C(){try{be(await f("/api/stats"))}catch(e){o("place").textContent=w(e)}}async function j(){document.visibilityState==="visible"&&await C(),setTimeout(j,ge)}function be(e){let{place:t,knowledge:n,watch:r,primary:s}=e;o("about").textContent=\`\${c(n.concepts)} concepts of WordNet 3.1, searched through continuum-cache\`,o("tiles").replaceChildren(...ve(e)),o("turns").replaceChildren(...r.turns.map(we)),o("no-turns").hidden=r.turns.length>0,o("place").textContent=\`Values live in \${t}.\`;let a=o("cut");a.hidden=s===null,a.textContent=s?.isCut?"Restore the server":"Cut the server off",a.ariaPressed=String(s?.isCut??!1),z(r.samples)}function ve({backend:e,pending:t,stats:n,info:r,watch:s,outage:a,queue:m}){let{hits:u,misses:y,latency:b}=n,v=s.samples.at(-1),G=v?.answers,le=a?.state==="recovering"?"recovering":e,pe=s.turns[0]?.atMs??s.sinceMs;return[l("Backend",i("span",{id:"backend",className:\`backend \${e}\`,textContent:le}),\`for \${xe(pe)}\`),l("Hit rate",u+y===0?"–":\`\${(n.hitRate*100).toFixed(0)} %\`,\`\${c(u)} hits, \${c(y)} misses\`),l("Commands",v?O(v.commandsPerSecond):"–",\`\${c(n.commands)} in \${c(n.trips)} trips\`),l("Cache latency p50",p(b.p50),\`p95 \${p(b.p95)}, p99 \${p(b.p99)}\`),l("Answers p95",G?p(G.p95):"–",\`\${c(s.requests)} requests\`),l("Errors",c(n.errors),"of the cache, since the start"),l("Refused by limits",c(s.limited),\`of \${c(s.requests)} requests\`),l("Not confirmed yet",c(t),a?\`journal \${c(a.journal.entries)} entries, \${Ee(a.journal.bytes)}\`:"the journal is empty"),m?l("Queue",c(m.depth+m.delayed+m.pending),\`\${c(m.inFlight)} in work, \${c(m.dead)} dead\`):l("Queue","–","not available"),r?l("Keys",c(r.keys)):l("Keys","–","not available")]}function l(e,t,n=""){let r=i("span",{className:"quiet",textContent:n});return i("div",{},i("dt",{textContent:e}),i("dd",{},t),r)}function we({atMs:e,to:t,reason:n,replayed:r}){let s=\`Primary again\${r===void 0?"":\`, \${c(r)} writes replayed\`}\`,a=t==="local"?\`Local memory: \${n}\`:s;return i("li",{className:t},i("span",{textContent:a}),A(new Date(e)))}function xe(e){let t=Math.max(0,Math.round((Date.now()-e)/1e3));return t<90?\`\${t} s\`:t<5400?\`\${Math.round(t/60)} min\`:\`\${(t/3600).toFixed(1)} h\`}var Ee=e=>e<1024?\`\${e} B\`:\`\${(e/1024).toFixed(1)} KiB\`;function Z(e,t){e.addEventListener("click",async()=>{o("done").textContent=await t().catch(w),C()})}Z(o("invalidate"),async()=>{let{deleted:e}=await _("POST","/api/invalidate",{pattern:"query:*"});return e===1?"1 cached query forgotten.":\`\${c(e)} cached queries forgotten.\`});Z(o("cut"),async()=>{let{isCut:e}=await _("PUT","/api/primary",{cut:o("cut").ariaPressed!=="true"});return e?"The server is cut off: searches go on in local memory.":"The server is back: the cache replays what it has missed."});var ee="ws:memory:updates",te="ws:session:events";var Se={hypernym:"Is a kind of",hyponym:"Kinds of it","instance of":"Is an instance of",instance:"Instances",part:"Its parts","part of":"Is part of",member:"Its members","member of":"Is a member of",substance:"Is made of","substance of":"Is what is in",entails:"Entails",causes:"Causes",antonym:"Opposite",similar:"Similar","see also":"See also","verb group":"Close in meaning",attribute:"Attribute","derived form":"Derived forms","pertains to":"Pertains to","participle of":"Participle of",topic:"Topic","topic member":"In this topic",region:"Region","region member":"In this region",usage:"Usage","usage member":"Used this way",other:"Other"},g=o("memory",HTMLDialogElement),ne=o("memory-back",HTMLButtonElement),M=[];function I(e){M.push(e),g.open||g.showModal(),re(e)}async function re(e){ne.disabled=M.length<2;try{let t=await f(\`/api/memories/\${encodeURIComponent(e)}\`);if(M.at(-1)!==e)return;let{lemmas:n,gloss:r,partOfSpeech:s,relations:a}=t.memory;o("memory-answer").replaceChildren(...S(t)),o("memory-title").textContent=n.join(", "),o("memory-body").replaceChildren(i("p",{className:"quiet",textContent:\`\${s} · \${e}\`}),i("p",{textContent:r}),...a.map($e)),g.scrollTop=0,o("memory-title").focus()}catch(t){o("memory-title").textContent="Not available",o("memory-body").replaceChildren(i("p",{textContent:w(t)}))}C()}function $e({kind:e,total:t,concepts:n}){let r=t>n.length?\`\${n.length} of \${c(t)}\`:c(t),s=n.map(({conceptId:m,lemmas:u,gloss:y})=>{let b=i("strong",{textContent:u.join(", ")}),v=i("span",{textContent:y});return i("li",{},E("related",()=>I(m),b,v))}),a=i("span",{className:"quiet",textContent:r});return i("section",{},i("h3",{},Se[e],a),i("ul",{},...s))}ne.addEventListener("click",()=>{M.pop();let e=M.at(-1);e!==void 0&&re(e)});o("memory-close").addEventListener("click",()=>g.close());g.addEventListener("click",({target:e})=>{e===g&&g.close()});g.addEventListener("close",()=>{M=[]});var Ce=20,Me=o("history"),oe=new Set;function k(e){if(oe.has(e.at))return;oe.add(e.at),o("no-history").hidden=!0;let t=i("button",{type:"button",className:"link",textContent:e.query}),n=i("li",{},t,i("span",{className:"mark"},...S(e)));N(Me,n,Ce)}var ke=50,Le=1e4,Te=2e3,P=new Map;function U(e){ie([ee,te,...e===void 0?[]:[e]],0)}function ie(e,t){let n=new WebSocket(\`\${location.origin.replace("http","ws")}/ws\`),r=new Set(e),s=t;n.addEventListener("open",()=>{s=0;for(let a of e)ae(n,a)}),n.addEventListener("message",({data:a})=>{let m=JSON.parse(a);Ie(m)&&r.delete(m.channel??"")&&r.size===0&&se("live","hit"),Ne(n,m)}),n.addEventListener("close",()=>{se("reconnecting","miss");let a=Math.min(Le,250*2**s)*(.5+Math.random()/2);setTimeout(()=>ie(e,s+1),a)})}function Ie(e){return e.type==="subscribed"||e.type==="error"&&e.code!=="unavailable"}function ae(e,t){e.send(JSON.stringify({type:"subscribe",channel:t,after:P.get(t)}))}function Ne(e,t){"position"in t&&t.position?P.set(t.channel,t.position):t.type==="subscribed"&&!P.has(t.channel)&&P.set(t.channel,"beginning"),t.type==="message"?Fe(t):t.type==="gap"?Re(t):t.type==="error"&&t.code==="unavailable"&&Ae(e,t.channel)}function Ae(e,t){setTimeout(()=>{t!==void 0&&e.readyState===WebSocket.OPEN&&ae(e,t)},Te)}function Fe({data:e,degraded:t}){if(e.type==="search_remembered")k(e);else{let n=i("span",{className:"badge miss",textContent:"this server only"});ce("",new Date(e.timestamp*1e3),...Oe(e),...t?[" ",n]:[])}}function Oe(e){switch(e.type){case"memory_updated":return["Now in the cache: ",D(e)];case"memory_read":return["Read again: ",D(e)];case"memory_found":return["Found: ",D(e)];case"cache_invalidated":return[\`\${e.pattern}: \${c(e.deleted)} forgotten\`];case"session_started":return["A session has begun"];case"session_updated":return["A session has remembered a search"]}}var D=({memory_id:e,title:t})=>E("link",()=>I(e),t);function Re({channel:e,from:t,to:n,missed:r,reason:s}){let a=new Date(t).toLocaleTimeString();ce("gap",new Date(n),\`\${e}: \${Pe(r)} since \${a} (\${s})\`)}function Pe(e){return e===void 0?"events may be missing":e===1?"1 event is missing":\`\${c(e)} events are missing\`}function ce(e,t,...n){o("no-events").hidden=!0;let r=i("li",{className:e},i("span",{},...n),A(t));N(o("events"),r,ke)}function se(e,t){Object.assign(o("live-state"),{textContent:e,className:\`badge \${t}\`})}var K=o("query",HTMLInputElement),W=0;async function B(){let e=(new URLSearchParams(location.search).get("q")??"").trim();K.value=e,e!==""&&await me(e)}function V(e){o("answer").replaceChildren(i("span",{className:"failed",textContent:w(e)}))}async function me(e){let t=++W;try{let n=await f(\`/api/search?q=\${encodeURIComponent(e)}\`);if(k(n),t!==W)return;let r=\`\${_e(n.results.length)}, answered by \${n.backend}\`;o("answer").replaceChildren(...S(n),i("span",{textContent:r})),o("results").replaceChildren(...n.results.map(He))}catch(n){if(t!==W)return;V(n),o("results").replaceChildren()}C()}function _e(e){return e===0?"No concept has these words":e===1?"1 concept":\`\${e} concepts\`}function He({conceptId:e,partOfSpeech:t,lemmas:n,gloss:r,score:s,relationCounts:a}){let m=Object.values(a).reduce((b,v)=>b+v,0),u=m===1?"1 relation":\`\${m} relations\`,y=E("result",()=>I(e),i("strong",{textContent:n.join(", ")}),i("span",{textContent:r}),i("small",{className:"quiet",textContent:\`\${t} · score \${s.toFixed(1)} · \${u}\`}));return i("li",{},y)}function de(e){let t=e.trim();if(t==="")return;K.value=t;let n=\`?q=\${encodeURIComponent(t)}\`;location.search!==n&&history.pushState(null,"",n),me(t)}o("form").addEventListener("submit",e=>{e.preventDefault(),de(K.value)});for(let e of[o("examples"),o("history")])e.addEventListener("click",({target:t})=>{t instanceof HTMLButtonElement&&de(t.textContent)});addEventListener("popstate",B);location.search===""&&o("query").focus();try{let{session:e,channel:t}=await f("/api/session");for(let n of[...e.recent].reverse())k(n);U(t)}catch(e){U(),V(e)}await B();j();</script>
  </body>
</html>
`;
}
